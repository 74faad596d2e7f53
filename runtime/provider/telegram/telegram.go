// Package telegram connects Telegram bots: it verifies and normalises the
// updates that Telegram posts to a webhook, sends replies with sendMessage,
// fetches files and registers the webhook itself.
//
// The wire's types come from github.com/go-telegram/bot. Its client is not used:
// it hides whether a request may have left the machine, reads answers without a
// bound and prints them in errors, and a reply must be classified by exactly
// that (see [Provider.Deliver]). Nor are its Update and Message decoded as a
// whole: their unions refuse a kind that the library does not know yet, and an
// authentic message must not bounce because Telegram grew a new sort of forward.
package telegram

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"net/http"
	"strconv"
	"time"

	"github.com/open4x/socialops/runtime/provider"
)

// name is the provider's name in paths, manifests and rows.
const name = "telegram"

// DefaultAPIURL is where Telegram serves the Bot API.
const DefaultAPIURL = "https://api.telegram.org"

// Options configure a [Provider]. The zero value is right for production.
type Options struct {
	// APIURL is the Bot API's address; empty means [DefaultAPIURL].
	APIURL string
	// HTTPClient replaces the provider's own, which keeps a pool of HTTP/1.1
	// connections. Its redirects are never followed.
	HTTPClient *http.Client
	// RootCAs are whom the provider's own client trusts; nil: the machine's. For a
	// simulator with a certificate of its own.
	RootCAs *x509.CertPool
	// SendTimeout bounds one Deliver, and any other call; 0 means 10 s.
	SendTimeout time.Duration
	// MediaTimeout bounds the fetching of one file, body included; 0 means 60 s.
	MediaTimeout time.Duration
	// Paces replaces [DefaultPaces]; one that is zero switches pacing off.
	Paces *Paces
}

// Paces are the least times between two sends.
type Paces struct {
	Account time.Duration // of one bot
	Private time.Duration // to one person
	Group   time.Duration // to one group or channel
}

// DefaultPaces keep under Telegram's limits: 30 a second for a bot, about one a
// second to a person, 20 a minute to a group.
var DefaultPaces = Paces{Account: 34500 * time.Microsecond, Private: time.Second, Group: 3 * time.Second}

// Provider is the Telegram provider.
type Provider struct {
	api          *api
	mediaTimeout time.Duration
	paces        Paces
}

var (
	_ provider.Deliverer    = (*Provider)(nil)
	_ provider.MediaFetcher = (*Provider)(nil)
	_ provider.Connector    = (*Provider)(nil)
)

// New makes a provider. It makes no call.
func New(o Options) *Provider {
	if o.APIURL == "" {
		o.APIURL = DefaultAPIURL
	}
	if o.SendTimeout <= 0 {
		o.SendTimeout = 10 * time.Second
	}
	if o.MediaTimeout <= 0 {
		o.MediaTimeout = time.Minute
	}
	if o.Paces == nil {
		o.Paces = &DefaultPaces
	}
	return &Provider{
		api:          newAPI(o.APIURL, o.HTTPClient, o.RootCAs, o.SendTimeout),
		mediaTimeout: o.MediaTimeout,
		paces:        *o.Paces,
	}
}

// Close lets go of idle connections.
func (p *Provider) Close() { p.api.client.CloseIdleConnections() }

// Name is "telegram".
func (*Provider) Name() string { return name }

// AccountKind is "telegram-bot".
func (*Provider) AccountKind() string { return "telegram-bot" }

// Authenticate finds the account whose secret token the call carries.
func (*Provider) Authenticate(r *provider.Request, proofs []provider.Proof) (provider.Proof, bool) {
	token := r.Header.Get("X-Telegram-Bot-Api-Secret-Token")
	if token == "" {
		return provider.Proof{}, false
	}
	sum := sha256.Sum256([]byte(token))
	found := -1
	for i := range proofs { // no early exit: the time taken tells nothing of which one matched
		for j := range proofs[i].TokenHashes {
			match := subtle.ConstantTimeCompare(sum[:], proofs[i].TokenHashes[j][:])
			found = subtle.ConstantTimeSelect(match, i, found)
		}
	}
	if found < 0 {
		return provider.Proof{}, false
	}
	return proofs[found], true
}

// Pace is the spacing for a conversation. A forum's topics share their group's.
func (p *Provider) Pace(threadExternalID string) provider.Pace {
	to, ok := parseAddress(threadExternalID)
	if !ok {
		return provider.Pace{Account: p.paces.Account, Conversation: p.paces.Group, ConversationKey: threadExternalID}
	}
	pace := provider.Pace{
		Account:         p.paces.Account,
		Conversation:    p.paces.Private,
		ConversationKey: strconv.FormatInt(to.chat, 10),
	}
	if to.chat < 0 {
		pace.Conversation = p.paces.Group
	}
	return pace
}
