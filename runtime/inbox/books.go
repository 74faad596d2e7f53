package inbox

// Book is an instance's money as an audit reads it, all of one moment.
type Book struct {
	Instance InstanceID
	Alias    string
	Balance  MicroUSD
	Entries  map[EntryKind]EntrySum

	StrayRefunds    int // refunds without an entry of that amount
	ChargedFailures int // failed replies whose charge was not refunded
	DoubleCharges   int // replies with more than one charge that was not refunded
}
