package v1alpha1

// BillingMode is what an instance does about money: Off, Track or Enforce.
//
// +kubebuilder:validation:Enum=Off;Track;Enforce
type BillingMode string

// The billing modes.
const (
	BillingOff     BillingMode = "Off"
	BillingTrack   BillingMode = "Track"
	BillingEnforce BillingMode = "Enforce"
)

// USD is an amount of US dollars as a decimal string with at most 6 decimals, such as
// "0.0002". It is a string because a number in YAML would be a binary fraction.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=13
// +kubebuilder:validation:XValidation:rule="self.matches('^(0|[1-9][0-9]{0,5})([.][0-9]{1,6})?$')",message="must be US dollars as a decimal with at most 6 decimals, below one million, such as \"0.0002\""
type USD string

// Billing says what is charged to the instance's balance.
//
// +kubebuilder:validation:MinProperties=1
type Billing struct {
	// account is a label for invoices, such as a customer's number: at most 128
	// characters. It changes nothing else.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^[:cntrl:]]*$')",message="must be on one line"
	Account string `json:"account,omitempty"`

	// mode is Off (nothing is charged), Track (charged; the balance may go below zero)
	// or Enforce (an event or reply that the balance doesn't cover is refused, 402).
	// Default Track.
	//
	// +optional
	// +default="Track"
	Mode BillingMode `json:"mode,omitempty"`

	// prices are what is charged, in US dollars.
	//
	// +optional
	// +default={"inbound":"0.0002"}
	Prices Prices `json:"prices,omitzero"`
}

// Prices are in US dollars, as decimal strings with at most 6 decimals. "0" is free.
//
// +kubebuilder:validation:MinProperties=1
type Prices struct {
	// inbound is charged for each webhook event that adds a message; repeats, edits and
	// reactions are free. Default "0.0002".
	//
	// +optional
	// +default="0.0002"
	Inbound USD `json:"inbound,omitempty"`

	// reply is charged when the worker sends a reply, and refunded if that fails.
	// Default "0.001".
	//
	// +optional
	// +default="0.001"
	Reply USD `json:"reply,omitempty"`
}

// Retention says for how long things are kept, in days. What isn't named is kept for
// good. Ledger entries are always kept; they hold ids only.
//
// +kubebuilder:validation:MinProperties=1
type Retention struct {
	// threadDays removes a resolved or archived thread, with its messages, that many
	// days after its last activity: 1 to 36500. Default: never.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=36500
	ThreadDays int32 `json:"threadDays,omitempty"`

	// rawPayloadDays removes the original payload of an event that many days after it
	// came; the message made from it stays: 1 to 36500. Default: never.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=36500
	RawPayloadDays int32 `json:"rawPayloadDays,omitempty"`

	// eventDays removes entries of the event log, which is also the audit trail, after
	// that many days: 1 to 36500. A stream can resume no further back. Default: never.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=36500
	EventDays int32 `json:"eventDays,omitempty"`
}
