package inbox

import "slices"

// Status is where a thread stands. An inbound message reopens a resolved or
// archived thread.
type Status string

// The statuses of a thread.
const (
	Open     Status = "open"
	Pending  Status = "pending"
	Resolved Status = "resolved"
	Archived Status = "archived"
)

// Statuses lists every status, in the order in which a person would.
var Statuses = []Status{Open, Pending, Resolved, Archived}

// Valid tells whether the status is one of [Statuses].
func (s Status) Valid() bool { return slices.Contains(Statuses, s) }

// Priority is how urgent a thread is.
type Priority string

// The priorities of a thread.
const (
	Low    Priority = "low"
	Normal Priority = "normal"
	High   Priority = "high"
	Urgent Priority = "urgent"
)

// Priorities lists every priority, lowest first.
var Priorities = []Priority{Low, Normal, High, Urgent}

// Valid tells whether the priority is one of [Priorities].
func (p Priority) Valid() bool { return slices.Contains(Priorities, p) }

// Direction is which way a message went.
type Direction string

// The directions of a message. An internal message is a note: it never leaves.
const (
	DirectionInbound  Direction = "inbound"
	DirectionOutbound Direction = "outbound"
	DirectionInternal Direction = "internal"
)

// Origin is who made a message, and where.
type Origin string

// The origins of a message.
const (
	Theirs        Origin = "theirs"         // a contact's
	Ours          Origin = "ours"           // made here: a reply or a note
	OursElsewhere Origin = "ours_elsewhere" // ours, but made in the provider's own app
)

// Handler is who answers a thread for now.
type Handler string

// The handlers of a thread.
const (
	HandledByAgents Handler = "agents"
	HandledByBot    Handler = "bot"
)

// MicroUSD is an amount of money in millionths of a US dollar. A charge is
// negative, a refund or credit positive; a balance is the sum of its entries.
type MicroUSD int64
