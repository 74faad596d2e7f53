package inbox

import (
	"context"
	"time"
)

// Desks are the inboxes of a console's users: what the console reads and writes, of
// which instance is said for each transaction.
type Desks interface {
	// Owned lists the instances in force of an owner, by alias.
	Owned(ctx context.Context, owner string) ([]OwnedInstance, error)
	// Find finds an owner's instance in force by alias, and counts nothing: CodeNotFound
	// when there is none, or it is another's.
	Find(ctx context.Context, owner, alias string) (OwnedInstance, error)
	// Desk opens the inbox of an instance that [Desks.Owned] or [Desks.Find] told of. It costs nothing and needs no end.
	Desk(id InstanceID) Desk
	// Credit adds to the balance of whichever instance has the alias, once for each
	// reference (the ledger entry's whole one, such as "credit:invoice-17"): CodeNotFound
	// when none has it, CodeConflict when another amount was credited under the reference.
	Credit(ctx context.Context, alias string, amount MicroUSD, reference, actor string) (balance MicroUSD, repeated bool, err error)
}

// OwnedInstance is an instance as its owner sees it in a list.
type OwnedInstance struct {
	Instance
	Namespace, Name string // of its manifest
	CreatedAt       time.Time
	Unread          int // threads that are open or pending and unread, among the newest 10,000 of each, counted up to [MaxCount]
}

// MaxCount bounds what is counted for a person: one more means "more than that".
const MaxCount = 1000

// Desk is one instance's inbox as people work with it: a [Store], and what a runtime
// has no right to.
type Desk interface {
	Store

	// Agent finds the agent of an OIDC subject, makes it on first use, and keeps its name up to date.
	Agent(ctx context.Context, subject, name string) (Agent, error)
	Agents(ctx context.Context) ([]Agent, error)

	// Counts counts each filter's threads, up to [MaxCount]. It looks at a bounded number
	// of threads, so that what is rare in a very large inbox may be counted short.
	Counts(ctx context.Context, filters []Filter) ([]int, error)
	// Labels lists the labels in use that begin with a prefix, at most limit, by name.
	Labels(ctx context.Context, prefix string, limit int) ([]string, error)

	// RawPayloads shows what the provider sent for a message, and writes to the log who looked.
	RawPayloads(ctx context.Context, thread ThreadID, message MessageID, actor string) (Raw, error)

	// Trail lists the log, newest first. Page.After.Seq is the event that the page begins
	// after (older ones follow). Of one thread, what its provider did is left out: that is
	// the conversation.
	Trail(ctx context.Context, f TrailFilter, p Page) ([]Event, error)
	// LogChannel writes to the log that somebody changed a channel: [EventChannelCreated] or [EventChannelUpdated].
	LogChannel(ctx context.Context, id ChannelID, t EventType, changed []string, actor string) error

	// Channels lists the channels that have a manifest or had one: those that are
	// inactive or removed are among them.
	Channels(ctx context.Context) ([]DeskChannel, error)
	// Accounts lists the connected accounts of an owner in the instance's namespace.
	Accounts(ctx context.Context, owner string) ([]DeskAccount, error)

	Keys(ctx context.Context) ([]Key, error)
	// CreateKey stores a key of origin "api".
	CreateKey(ctx context.Context, k Key, actor string) error
	// RevokeKey revokes a key of origin "api" at once: CodeNotFound, or CodeConflict when a manifest names it.
	RevokeKey(ctx context.Context, id KeyID, actor string) (Key, error)

	// Charges sums the ledger by steps of a period, oldest first; steps without an entry are left out.
	Charges(ctx context.Context, from, to time.Time, step Step) ([]Charge, error)
	// Entries lists the ledger, newest first; an empty kind is all. after is the last entry of the page before.
	Entries(ctx context.Context, kind EntryKind, limit int, after *EntryPosition) ([]Entry, error)

	CannedTexts(ctx context.Context) ([]CannedText, error)
	PutCannedText(ctx context.Context, t CannedText) error // makes or replaces; CodeConflict when another has its name
	DeleteCannedText(ctx context.Context, id CannedTextID) error

	// SavedViews lists an agent's own views and those shared with all.
	SavedViews(ctx context.Context, agent AgentID) ([]SavedView, error)
	PutSavedView(ctx context.Context, v SavedView) error // CodeForbidden when it is another agent's
	DeleteSavedView(ctx context.Context, id SavedViewID, agent AgentID) error
}

// Raw is what a provider sent for a message.
type Raw struct {
	ExternalThreadID, ExternalMessageID string
	Payloads                            []RawPayload
}

// RawPayload is one webhook body, byte for byte.
type RawPayload struct {
	ContentType string
	Body        []byte
	ReceivedAt  time.Time
}

// TrailFilter narrows the audit trail. An empty field does not.
type TrailFilter struct {
	ThreadID ThreadID
	Actor    string // as [Event.Actor] has it
	Type     EventType
	// People leaves out what providers, the worker and the system did.
	People bool
}

// DeskChannel is a channel with what became of it.
type DeskChannel struct {
	Channel
	RemovedAt time.Time
	CreatedAt time.Time
}

// DeskAccount is a connected account as its owner may see it.
type DeskAccount struct {
	ID           AccountID
	Name         string // of its Secret
	Kind         string // such as telegram-bot
	DisplayName  string // as the provider calls it, such as @support_bot
	Source       string // empty until the provider has proven it
	IdentifiedAt time.Time
	Removed      bool
}

// Step is how long the periods are that charges are summed by.
type Step string

// The steps. Both are of UTC.
const (
	StepHour Step = "hour"
	StepDay  Step = "day"
)

// Charge is the ledger's sums over one step.
type Charge struct {
	At      time.Time // its beginning
	Entries map[EntryKind]EntrySum
}

// Entry is one row of the ledger.
type Entry struct {
	Reference string
	Kind      EntryKind
	Amount    MicroUSD
	At        time.Time
}

// EntryPosition is where a page of the ledger starts: after this entry.
type EntryPosition struct {
	At        time.Time
	Reference string
}

// CannedText is a text that agents answer with again and again.
type CannedText struct {
	ID        CannedTextID
	Name      string // unique in its instance, at most 60 characters
	Text      string // at most [MaxReplyLen] bytes
	UpdatedAt time.Time
}

// SavedView is a filter with a name.
type SavedView struct {
	ID     SavedViewID
	Agent  AgentID // who made it
	Name   string  // at most 60 characters
	Query  string  // the filter as the page's URL has it, at most 1,000 characters
	Shared bool    // with every agent of the instance
}
