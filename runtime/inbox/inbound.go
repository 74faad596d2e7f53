package inbox

import (
	"crypto/sha256"
	"time"
)

// InboundKind is what an inbound event does to the inbox.
type InboundKind string

// The kinds of inbound events. Only AddMessage makes a message and is charged.
const (
	AddMessage    InboundKind = "message"   // a message of its own
	EditMessage   InboundKind = "edit"      // new content of a known message; of an unknown one, adds it
	React         InboundKind = "reaction"  // a reaction to a known message
	BlockContact  InboundKind = "block"     // the contact will take no more messages from us
	AllowContact  InboundKind = "allow"     // the contact takes our messages again
	MigrateThread InboundKind = "migration" // the conversation goes on under another external id
)

// Inbound is one provider event in the inbox's own terms: what Normalize makes
// of a webhook call, before anything is stored.
type Inbound struct {
	Provider string // the provider's name, such as "telegram"
	// Source is the scope in which the external ids below are unique:
	// "telegram:<bot id>", "github", "generic-webhook" or a custom channel's id.
	// It never holds a channel id, so binding a channel anew changes no identity.
	Source string
	// EventID identifies a repeat of the event within Source. Empty: always new.
	EventID string
	Kind    InboundKind
	// Target is the external channel that a binding may name: a chat, a
	// repository, a source. It picks the channel, never the identity.
	Target string

	Thread  InboundThread
	Contact *InboundContact // nil when nobody in particular wrote
	Message InboundMessage  // for AddMessage, EditMessage and React

	// MigratedTo is the new external thread id, and with MigratedTarget the new
	// target, of a MigrateThread.
	MigratedTo, MigratedTarget string

	ContentType string // of Raw
	Raw         []byte // the call's body, byte for byte; kept for audit, never shown by default
}

// InboundThread says which conversation an event belongs to.
type InboundThread struct {
	ExternalID string
	Subject    string   // used when the thread has none, or when Kind is EditMessage
	Labels     []string // added to the thread's
	Priority   Priority // empty: as it is; else the thread's when it is new, later only ever raised by it
}

// InboundContact says who wrote.
type InboundContact struct {
	ExternalID string // unique within the event's source
	Name       string
	Handle     string // such as a user name
	URL        string // the contact's page at the provider
	AvatarURL  string
}

// InboundMessage is an event's content.
type InboundMessage struct {
	ExternalID string // unique within the event's source; empty when the provider has none
	ParentID   string // external id of the message that this one answers
	Type       string // "text", "photo", "issue_comment", …: the provider's own word, [a-z0-9_]
	Text       string
	URL        string // the message's page at the provider
	Origin     Origin // empty means Theirs
	SentAt     time.Time
	// GroupID ties the messages of an album together.
	GroupID     string
	Attachments []InboundAttachment
	// Reaction is the emoji (or names of custom ones) that a React event sets; empty when all were taken back.
	Reaction []string
	// Buttons pressed, form fields and the like: small structured data of the message, kept as JSON.
	Data map[string]any
}

// InboundAttachment is a file of a message. It is either at a public URL, or
// behind the provider's own reference, which only a worker can resolve.
type InboundAttachment struct {
	Kind     string // "image", "video", "audio", "file", "sticker", "location", …
	Name     string
	MIMEType string
	Size     int64  // bytes; 0 when unknown
	URL      string // public address, if it has one
	Ref      string // the provider's reference, such as Telegram's file_id; never shown
}

// DedupeKey is what makes an event unique within an instance: a hash, so that
// the row may outlive the person it was about. It reports false for an event
// that is always new.
func (in *Inbound) DedupeKey() (key [16]byte, ok bool) {
	if in.EventID == "" {
		return key, false
	}
	h := sha256.New()
	h.Write([]byte(in.Source))
	h.Write([]byte{0})
	h.Write([]byte(in.EventID))
	copy(key[:], h.Sum(nil))
	return key, true
}

// Receipt answers an accepted event. A repeat gets the first one's ids.
type Receipt struct {
	Duplicate bool
	ThreadID  ThreadID  // zero when the event concerned no thread
	MessageID MessageID // zero when the event concerned no message
}
