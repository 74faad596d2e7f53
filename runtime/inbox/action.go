package inbox

import "time"

// ActionKind is the kind of work an action asks of the worker.
type ActionKind string

// The kinds of actions.
const (
	SendReply  ActionKind = "send_reply"
	FetchMedia ActionKind = "fetch_media"
)

// ActionStatus is where an action stands.
type ActionStatus string

// The statuses of an action: pending → processing → [awaiting →] completed | failed.
// Processing has a lease; awaiting has a deadline and no lease, for a provider
// that answers by callback.
const (
	ActionPending    ActionStatus = "pending"
	ActionProcessing ActionStatus = "processing"
	ActionAwaiting   ActionStatus = "awaiting"
	ActionCompleted  ActionStatus = "completed"
	ActionFailed     ActionStatus = "failed"
)

// Action is one piece of work for the worker.
type Action struct {
	ID        ActionID
	Kind      ActionKind
	ThreadID  ThreadID
	MessageID MessageID
	Status    ActionStatus
	Attempts  int    // claims that led to a send
	Requeues  int    // times that a person asked for it again
	Error     string // audit error of a failed action, for a person
	CreatedAt time.Time
	SettledAt time.Time // zero until completed or failed
}

// OutcomeKind is what became of one send.
type OutcomeKind string

// The outcomes of a send. Never sent twice, never silently lost: only what is
// provably not sent is tried again by the machine.
const (
	Delivered  OutcomeKind = "delivered"   // the provider has it
	HandedOver OutcomeKind = "handed_over" // a callback will tell
	Later      OutcomeKind = "later"       // provably not sent, or asked to wait
	Refused    OutcomeKind = "refused"     // the provider said no, for good
	Unknown    OutcomeKind = "unknown"     // a byte was written and no complete answer came
)

// Outcome is what a provider's Deliver returns for one part of a reply.
type Outcome struct {
	Kind       OutcomeKind
	ExternalID string        // of what was delivered
	RetryAfter time.Duration // for Later: how long the provider asked to wait; 0 when it did not say
	Reason     string        // for a person; holds no secret and no content
	// MigratedTo is the conversation's new external thread id, when the provider
	// said that it moved. With Later the send may go there at once.
	MigratedTo string
}

// ErrOutcomeUnknown is the audit error of an action whose send may or may not
// have reached the provider. A person may requeue it; the machine never does.
const ErrOutcomeUnknown = "delivery outcome unknown"
