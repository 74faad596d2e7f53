// Package provider is what SocialOps asks of a source of messages, and the list
// of those it knows. A provider is one package that implements [Provider]; one
// that can also send, serve files or be told where to call implements
// [Deliverer], [MediaFetcher] and [Connector] beside it. A new one is its package
// and a line in runtime/provider/all.
//
// A runtime pod authenticates and normalises with [Proof]s, which are enough to
// verify a call and never enough to make one; only the worker and the operator
// hold a [Credential].
package provider

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// Request is a webhook call whose body was read whole, within the instance's limit.
type Request struct {
	Header http.Header
	Body   []byte
}

// Proof is what a runtime holds of a connected account: enough to verify a call
// of its provider.
type Proof struct {
	AccountID inbox.AccountID
	// Source scopes the account's events, such as "telegram:<bot id>".
	Source string
	// TokenHashes are SHA-256 sums of the secret tokens that are accepted now: one,
	// or for ten minutes after a rotation two.
	TokenHashes [][32]byte
	// Secrets are the signing secrets accepted now.
	Secrets [][]byte
}

// Provider turns webhook calls into inbound events.
type Provider interface {
	// Name is the provider's name in paths, manifests and rows, such as "github".
	Name() string

	// Authenticate finds the account whose proof the call carries. It reports false
	// when there is none; the call then needs an API key with the write scope. It
	// compares in constant time and never accepts an empty secret.
	Authenticate(r *Request, proofs []Proof) (Proof, bool)

	// Normalize reads the call's event. account is the one that Authenticate found,
	// or that of the instance's default channel, or the zero Proof. It returns an
	// [Ignored] error for an authentic call that makes no event, and an
	// [inbox.Error] with CodeInvalid for a malformed one. The Inbound may keep
	// slices of r.Body.
	Normalize(r *Request, account Proof) (inbox.Inbound, error)
}

// Ignored is why an authentic call makes no event: a ping, a kind that is not supported.
type Ignored struct{ Reason string }

func (i Ignored) Error() string { return "ignored: " + i.Reason }

// Credential is what the worker sends with. It never reaches a runtime.
type Credential struct {
	AccountID inbox.AccountID
	Source    string
	Secret    []byte // such as a bot token
}

// Reply is an outbound message on its way to a conversation.
type Reply struct {
	ThreadExternalID string
	// ParentExternalID is the message that it answers; empty: none.
	ParentExternalID string
	Text             string
	ParseMode        string // of the channel: "", "HTML", "Markdown", "MarkdownV2"
}

// Deliverer is a provider that can send.
type Deliverer interface {
	Provider

	// AccountKind is the kind of connected account that it sends with, such as "telegram-bot".
	AccountKind() string

	// Parts splits a reply into what goes out in one send each, in order; at least
	// one. The same reply always gives the same parts, as a retry resumes at the
	// first one that was not delivered.
	Parts(reply Reply) []Reply

	// Deliver sends one part, once. It returns when the outcome is known or ctx is
	// done, and classifies strictly: Later only for what was provably not sent.
	Deliver(ctx context.Context, c Credential, part Reply) inbox.Outcome

	// Pace is the spacing that the provider asks for in this conversation.
	Pace(threadExternalID string) Pace
}

// Pace is how fast a provider takes messages. Zero means unbounded.
type Pace struct {
	Account      time.Duration // least time between two sends of one account
	Conversation time.Duration // least time between two sends of one conversation
	// ConversationKey is what Conversation counts by: a forum's topics share their group's.
	ConversationKey string
}

// Media is a fetched file.
type Media struct {
	Body     io.ReadCloser
	Size     int64 // bytes; -1 when unknown
	MIMEType string
}

// MaxMedia bounds a fetched file, in bytes.
const MaxMedia = 20 << 20

// MediaFetcher is a provider whose files are behind a credential.
type MediaFetcher interface {
	// FetchMedia opens the file behind an attachment's reference. The outcome is
	// Delivered with a body to read and close, Later or Refused without.
	FetchMedia(ctx context.Context, c Credential, ref string) (Media, inbox.Outcome)
}

// Webhook is where a provider is to send its events.
type Webhook struct {
	URL    string
	Secret string // that calls must carry
}

// Identity is what a provider says of a credential.
type Identity struct {
	Source string // scopes the account's events
	Name   string // for a person, such as "@support_bot"
}

// Connector is a provider whose accounts can be proven and whose webhook is set by call.
type Connector interface {
	// Identify asks the provider whose the credential is. A refused credential is
	// an [inbox.Error] with CodeUnproven, a provider that is away one with CodeUnavailable.
	Identify(ctx context.Context, secret []byte) (Identity, error)
	// Webhook asks where events go now; the empty URL when nowhere.
	Webhook(ctx context.Context, c Credential) (url string, err error)
	// SetWebhook sends events to w, with an explicit list of kinds.
	SetWebhook(ctx context.Context, c Credential, w Webhook) error
	// DeleteWebhook stops events. Those not fetched yet are kept by the provider.
	DeleteWebhook(ctx context.Context, c Credential) error
	// WebhookHash changes whenever SetWebhook would set something else, the list of kinds included.
	WebhookHash(w Webhook) string
}
