package inbox

import "time"

// EventType is what an event of the log says happened.
type EventType string

// The types of events.
const (
	EventMessageCreated EventType = "message.created"
	EventMessageUpdated EventType = "message.updated"
	EventMessageDeleted EventType = "message.deleted" // by itself: one that goes with its thread is not told of
	EventThreadUpdated  EventType = "thread.updated"
	EventThreadDeleted  EventType = "thread.deleted" // with all that was in it
	EventContactUpdated EventType = "contact.updated"
	EventContactDeleted EventType = "contact.deleted"
	EventActionUpdated  EventType = "action.updated"

	// What people do beside conversations; their log rows name no content either.
	EventChannelCreated EventType = "channel.created" // from the console
	EventChannelUpdated EventType = "channel.updated" // from the console
	EventKeyCreated     EventType = "key.created"     // of origin "api"
	EventKeyRevoked     EventType = "key.revoked"     // of origin "api"
	EventCreditGranted  EventType = "credit.granted"  // Detail is its reference
	EventRawShown       EventType = "raw.shown"       // somebody looked at a provider's own payload
)

// Event is one row of an instance's log: what changed, by ids and field names,
// never by content. Seq is gapless per instance and is the commit order. The oldest
// events may be gone.
type Event struct {
	Seq       int64
	Type      EventType
	ThreadID  ThreadID
	MessageID MessageID
	ActionID  ActionID
	ContactID ContactID // of a contact event
	ChannelID ChannelID // of a channel event
	KeyID     KeyID     // of a key event
	Changed   []string
	Status    ActionStatus // of an action event
	// ThreadStatus is what a thread's status became, of a thread event whose Changed has it.
	ThreadStatus Status
	Detail       string // audit note of an action event
	Actor        string // "key:sokey_…", "agent:soag_…", "worker", "retention", "admin", "provider"
	At           time.Time
}
