package inbox

import (
	"encoding/json"
	"time"
)

// Message is one item of a thread.
type Message struct {
	ID        MessageID
	ThreadID  ThreadID
	Seq       int64 // place in the thread, from 1, taken under the thread's lock: lists and delivery go by it
	Direction Direction
	Type      string
	Text      string
	Author    Author
	ParentID  MessageID // zero: none, or not known here
	Origin    Origin
	URL       string
	GroupID   string
	// Data is small structured content: a pressed button, a reaction.
	Data        json.RawMessage
	Attachments []Attachment
	SentAt      time.Time // the provider's own time; zero when it gave none
	CreatedAt   time.Time
	EditedAt    time.Time // zero: never edited
	Delivery    *Delivery // of an outbound message made here
}

// Author is who made a message.
type Author struct {
	Kind      string // "contact", "agent", "api_key" or "system"
	ContactID ContactID
	AgentID   AgentID
	KeyID     KeyID
	Name      string
}

// Delivery is how an outbound message fares.
type Delivery struct {
	ActionID ActionID
	Status   ActionStatus
	Attempts int
	Error    string
}

// Attachment is a file of a message. Content that only the provider holds is
// fetched by a worker on first view and served by our id.
type Attachment struct {
	ID       AttachmentID
	Kind     string
	Name     string
	MIMEType string
	Size     int64
	URL      string // public address at the provider; empty when the file is served by our id
	State    AttachmentState
	Error    string
}

// AttachmentState is where an attachment's content is.
type AttachmentState string

// The states of an attachment.
const (
	AttachmentLinked AttachmentState = "linked" // at its public URL
	AttachmentRemote AttachmentState = "remote" // at the provider, not fetched yet
	AttachmentStored AttachmentState = "stored" // here
	AttachmentFailed AttachmentState = "failed" // can't be had: too large, gone
)

// MaxReplyLen bounds a reply or note, in bytes of UTF-8.
const MaxReplyLen = 64 << 10

// NewMessage is a reply or a note that is to be added to a thread.
type NewMessage struct {
	ThreadID    ThreadID
	Text        string
	Author      Author
	ParentID    MessageID // the message it answers; zero: none
	Idempotency *Idempotency
}

// Idempotency makes a call repeatable: the first call's result is kept for 24 h
// under instance, caller, route and key, and given again.
type Idempotency struct {
	Caller   string
	Route    string
	Key      string
	BodyHash [32]byte // another body under the same key is refused
}

// Queued is what adding a message made. A note has no action.
type Queued struct {
	Message  Message
	Action   *Action
	Replayed bool // an earlier call with the same idempotency key made it
}
