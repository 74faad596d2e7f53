package inbox

import (
	"context"
	"time"
)

// Store is one instance's inbox, as its own runtime may read and write it. Every
// failure that a caller can act on is an [Error].
type Store interface {
	// Config reads the instance's settings, channels, keys and proofs.
	Config(ctx context.Context) (Config, error)

	// Ingest stores an event bound to a channel (zero: none) and returns when it is
	// committed. It fails with CodeUnpaid when the balance does not cover it, and
	// with CodeUnavailable when it is not known whether it was stored: the caller's
	// retry is then a duplicate or stores it.
	Ingest(ctx context.Context, channel ChannelID, in Inbound) (Receipt, error)

	Inbox(ctx context.Context, f Filter, p Page) ([]ThreadView, error)
	Threads(ctx context.Context, f Filter, p Page) ([]Thread, error)
	Thread(ctx context.Context, id ThreadID) (ThreadView, error)
	// Messages lists a thread's messages by seq, oldest first; with Page.Newest the other way round.
	Messages(ctx context.Context, id ThreadID, p Page) ([]Message, error)
	// MessagesByID reads some messages, in no particular order; what is gone is left out.
	MessagesByID(ctx context.Context, ids []MessageID) ([]Message, error)
	ThreadsByID(ctx context.Context, ids []ThreadID) ([]ThreadView, error)

	UpdateThread(ctx context.Context, id ThreadID, patch ThreadPatch, actor string) (ThreadView, error)
	// MarkRead sets a thread's unread count to zero.
	MarkRead(ctx context.Context, id ThreadID) error
	// AddReply stores an outbound message and the action that delivers it.
	AddReply(ctx context.Context, m NewMessage) (Queued, error)
	AddNote(ctx context.Context, m NewMessage) (Queued, error)
	// RetryReply requeues a message's failed reply: CodeConflict when it is not failed.
	RetryReply(ctx context.Context, thread ThreadID, message MessageID, actor string) (Message, error)

	// Attachment reads an attachment and, when it is stored, its content. One that
	// is still at the provider gets a fetch_media action, once.
	Attachment(ctx context.Context, id AttachmentID) (Attachment, []byte, error)

	// Events lists the log after a seq, oldest first.
	Events(ctx context.Context, after int64, limit int) ([]Event, error)
	// LastEvent is the log's newest seq, 0 when it is empty.
	LastEvent(ctx context.Context) (int64, error)

	Usage(ctx context.Context, from, to time.Time) (Usage, error)
}

// Filter narrows a list of threads. An empty field does not.
type Filter struct {
	Statuses []Status // any of them
	Priority Priority
	Provider string
	Assignee string // an agent's id, "sub:" and an OIDC subject, or "none"
	Label    string
	Query    string // words to be found in subject and AI summary
}

// Page is a stretch of a list: the items after a key, or, as a convenience that
// reads what it skips, from an offset.
type Page struct {
	Limit  int
	Offset int
	After  *Position
	Newest bool // of a list that is oldest first: newest first, so that After leads back
}

// Position is where a page starts: after the item with this key. A list by activity
// uses both parts; one by id only ID; messages only Seq.
type Position struct {
	At  time.Time
	ID  [16]byte
	Seq int64
}

// MaxOffset bounds what a page may skip. Beyond it a cursor is needed.
const MaxOffset = 10_000

// Usage is the ledger's sums over a period, and the balance now.
type Usage struct {
	Balance MicroUSD
	Mode    BillingMode
	Entries map[EntryKind]EntrySum
}

// EntryKind is what a ledger entry is for.
type EntryKind string

// The kinds of ledger entries.
const (
	EntryInbound EntryKind = "inbound"
	EntryReply   EntryKind = "reply"
	EntryRefund  EntryKind = "refund"
	EntryCredit  EntryKind = "credit"
)

// EntryKinds lists every kind of ledger entry.
var EntryKinds = []EntryKind{EntryInbound, EntryReply, EntryRefund, EntryCredit}

// EntrySum counts and sums entries of one kind.
type EntrySum struct {
	Count int64
	Sum   MicroUSD
}
