package inbox

import (
	"encoding/json"
	"time"
)

// Thread is one conversation with one contact or group.
type Thread struct {
	ID         ThreadID
	Provider   string
	ChannelID  ChannelID // an attribute that may change; zero when no channel is bound
	ContactID  ContactID
	Subject    string
	AISummary  string
	Status     Status
	Priority   Priority
	Assignee   *Agent
	Labels     []string // sorted
	Handler    Handler
	CustomData json.RawMessage
	Unread     int
	// LastActivityAt is when a message last came or went, by our clock.
	LastActivityAt time.Time
	ExpiresAt      time.Time // zero: never
	CreatedAt      time.Time
}

// ThreadView is a thread as a list shows it: with who wrote, and the last message.
type ThreadView struct {
	Thread
	Contact     *Contact
	LastMessage *Message
}

// ThreadPatch changes a thread. A nil field stays as it is.
type ThreadPatch struct {
	Status   *Status
	Priority *Priority
	// Assignee is an agent's id, "sub:" and an OIDC subject (whose agent is made on
	// first use), or empty for nobody.
	Assignee *string
	Labels   *[]string // replaces all
	Relabel  *Relabel
}

// Relabel changes some of a thread's labels and leaves the others as they are.
type Relabel struct {
	Add, Remove []string
}

// Contact is who wrote.
type Contact struct {
	ID        ContactID
	Name      string
	Handle    string
	URL       string
	AvatarURL string
	Blocked   bool // takes no messages from us
	CreatedAt time.Time
}

// Agent is one of us: made from an OIDC subject on first use.
type Agent struct {
	ID      AgentID
	Subject string
	Name    string
}
