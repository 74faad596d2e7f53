package inbox

import (
	"context"
	"strings"
	"time"
)

// Queue is the actions of every instance, as the delivery worker takes them and
// says what became of them. Any number of workers share one; all that must hold
// between them (leases, pacing, the order within a thread) is held here, by the
// clock of the queue.
type Queue interface {
	// Claim leases actions that are due: of each lane its share, of each thread the
	// oldest reply that is not settled, of each paced account and conversation what
	// may leave within the horizon.
	Claim(ctx context.Context, r ClaimRequest) (Claims, error)

	// Load reads what claimed actions are about. Those that are gone are left out.
	Load(ctx context.Context, claimed []Claimed) ([]Work, error)

	// Advance settles what is over and starts what comes next, in one transaction:
	// under load these are the two halves of every beat.
	//
	// To settle is to record what became of a send, refund the reply that failed and
	// let the next one of its thread go. A lease that was lost meanwhile changes
	// nothing, but for a delivery: it overrides an outcome that was taken for unknown,
	// and charges again.
	//
	// To start is to record that a send is about to leave, and to charge the reply,
	// once for each time that it was queued. Advance tells for each lease whether it
	// may go on; one with less than least left may not.
	Advance(ctx context.Context, settlements []Settlement, starts []Lease, least time.Duration) ([]StartResult, error)

	// StoreMedia completes the fetching of an attachment, and FailMedia gives it up.
	StoreMedia(ctx context.Context, l Lease, a AttachmentID, mimeType string, content []byte) error
	FailMedia(ctx context.Context, l Lease, a AttachmentID, reason string) error

	// Release gives back leases that were not started.
	Release(ctx context.Context, leases []Lease) error

	// Sweep takes up what a worker left behind when it died: a lease that ran out
	// before a send makes the action pending again, one that ran out during a send
	// leaves its outcome unknown.
	Sweep(ctx context.Context) (Swept, error)

	// Purge removes what has outlived its use: results kept for idempotency keys, and idle pacing.
	Purge(ctx context.Context) error

	// Expire removes what instances keep no longer, in batches, for about as long as
	// budget, and tells whether some is left. It goes round the instances, so that the
	// many rows of one don't keep the others waiting. What could be done is done even
	// when there is an error.
	Expire(ctx context.Context, budget time.Duration) (removed Removed, more bool, err error)

	// Depth counts the actions that are not settled, up to a bound.
	Depth(ctx context.Context) ([]QueueDepth, error)

	// Requeue gives a failed reply another try on behalf of a person: CodeNotFound when there is no
	// such action, CodeConflict when it has not failed.
	Requeue(ctx context.Context, id ActionID, actor string) error
}

// Lane is what is paced and shared out together: the actions of one kind, of one
// source, of one instance.
type Lane struct {
	Instance InstanceID
	Name     string
}

// LaneName is the lane of a kind of actions that concern a source. Files have
// lanes of their own, as fetching one may take as long as a hundred replies.
func LaneName(kind ActionKind, source string) string {
	if kind == FetchMedia {
		return mediaLane + source
	}
	return source
}

const mediaLane = "media:"

// Media tells whether it is a lane of files.
func (l Lane) Media() bool { return strings.HasPrefix(l.Name, mediaLane) }

// MediaPayload is the payload of an action of kind [FetchMedia].
type MediaPayload struct {
	AttachmentID AttachmentID `json:"attachment_id"`
}

// ClaimRequest says what a worker can take.
type ClaimRequest struct {
	Limit      int          // actions in all
	LaneLimit  int          // actions of one lane, unless Room says otherwise
	MediaLimit int          // actions of all lanes of files together
	Room       map[Lane]int // actions of some lanes; 0: none now
	After      Lane         // lanes are visited in turn, beginning behind this one
	Lease      time.Duration
	MediaLease time.Duration // of actions that fetch a file
	Horizon    time.Duration // how far ahead paced sends are given their times
	Pace       func(provider, threadExternalID string) Spacing
}

// Spacing is the least time between two sends. Zero means none.
type Spacing struct {
	Account         time.Duration
	Conversation    time.Duration
	ConversationKey string // what Conversation counts by
}

// Paced tells whether there is a limit at all.
func (s Spacing) Paced() bool { return s.Account > 0 || s.Conversation > 0 }

// Claims is what a worker got.
type Claims struct {
	Claimed []Claimed
	Last    Lane // the last lane that was visited: After, next time
	// More tells that actions were left behind that are due and that Room allows.
	More bool
	// NextDue is when, by this process's clock, the first of what was seen and is not due yet will be; zero: nothing was.
	NextDue time.Time
	// Full lists lanes that are booked up by pacing, and until when, by this
	// process's clock, to ask again makes no sense.
	Full map[Lane]time.Time
}

// Lease is the right to start and settle an action. Who holds another token, or
// the same of an action that was requeued since, holds none.
type Lease struct {
	Instance InstanceID
	Action   ActionID
	Token    [16]byte
	Requeues int
}

// Claimed is an action that this worker holds.
type Claimed struct {
	Lease
	Kind      ActionKind
	Lane      Lane
	MessageID MessageID
	Payload   []byte
	Attempts  int           // before this one
	Age       time.Duration // since it was queued
	SendAt    time.Time     // by this process's clock: its place in the pacing; not later than now when there is none
	Spacing   Spacing
}

// Work is a claimed action with what it takes to do it.
type Work struct {
	Claimed
	Alias    string
	Provider string
	// Source scopes the conversation's identities: who may send to it.
	Source           string
	ThreadExternalID string
	Text             string
	ParentExternalID string
	Delivered        []int // the parts that the provider has already
	ContactBlocked   bool  // its contact takes no messages from us

	// Channel is the one to send through, nil when nothing binds the conversation.
	// One that can't be used is given when there is no better.
	Channel *Channel
	Account *Account // the channel's; nil: none

	Attachment *MediaRef // of a FetchMedia; nil when it is gone
}

// Account is a connected account as the worker sees it: its credential sealed.
type Account struct {
	ID         AccountID
	Name       string
	Kind       string
	Source     string // empty until the provider has proven it
	Credential []byte // sealed; empty when it was erased
	KeyID      string // of the key that sealed it
}

// MediaRef is an attachment that only the provider holds.
type MediaRef struct {
	ID    AttachmentID
	Ref   string
	State AttachmentState
}

// StartResult is whether a send may leave.
type StartResult int

// What Advance says of a lease that was to start.
const (
	StartLost   StartResult = iota // the lease is not held any more, or not for long enough
	StartGo                        // recorded, and charged
	StartUnpaid                    // the balance does not cover it; nothing was charged
)

// Settlement is what became of a claimed action.
type Settlement struct {
	Lease
	MessageID MessageID
	// Status is completed, failed or awaiting; or pending, when it is to be tried
	// again or a further part is to follow.
	Status ActionStatus
	Error  string        // for a person: why it failed, or has to wait
	Wait   time.Duration // pending: till the next try; awaiting: till its deadline

	Part *SentPart // what was delivered

	// MigratedFrom and MigratedTo are the external ids of a conversation that moved.
	MigratedFrom, MigratedTo string

	// Hold keeps the conversation's next send back for a time, HoldAccount that of the whole account.
	Hold, HoldAccount time.Duration
	Spacing           Spacing
	Lane              Lane
	Source            string
}

// SentPart is a part of a reply that the provider has.
type SentPart struct {
	Index      int
	Last       bool
	ExternalID string
}

// Swept counts what Sweep took up.
type Swept struct {
	Requeued int // had not been started
	Unknown  int // had been
	Overdue  int // waited for a callback in vain
}

// QueueDepth is how many actions of a kind have a status.
type QueueDepth struct {
	Kind   ActionKind
	Status ActionStatus
	Count  int
	Oldest time.Duration // since the oldest of those counted was queued whose inbox is not suspended; 0 if there is none
}
