package inbox

import (
	"slices"
	"strings"
	"time"
)

// Scopes of API keys.
const (
	ScopeRead  = "socialops:read"
	ScopeWrite = "socialops:write"
)

// BillingMode is what a message's price does to an instance.
type BillingMode string

// The billing modes.
const (
	BillingOff     BillingMode = "Off"     // nothing is written
	BillingTrack   BillingMode = "Track"   // charged; the balance may go below zero
	BillingEnforce BillingMode = "Enforce" // charged, and refused when the balance does not cover it
)

// Config is what a runtime needs to know of its instance. It is read as a whole
// and kept for at most five seconds.
type Config struct {
	Instance Instance
	Channels []Channel
	Keys     []Key
	Proofs   []Proof
}

// Instance is the settings of one alias.
type Instance struct {
	ID             InstanceID
	Alias          string
	Owner          string
	Providers      []string // allowed ones
	BillingAccount string   // a label for invoices
	BillingMode    BillingMode
	InboundPrice   MicroUSD // of a message, not negative
	ReplyPrice     MicroUSD // of a delivery attempt, not negative
	RateLimit      int      // requests a minute for each key and pod; 0: unlimited
	RateBurst      int      // requests at once after a quiet minute; 0: RateLimit
	BodyLimit      int      // bytes of a request's body
	Suspended      bool
	Retention      Retention
}

// Channel binds a target at a provider to an instance.
type Channel struct {
	ID         ChannelID
	Provider   string
	Name       string
	AccountID  AccountID // zero: none
	Source     string    // of its account; empty: the provider's own
	ExternalID string    // the one chat or repository that it binds; empty: every one of its account
	ParseMode  string
	Active     bool
	Default    bool // takes what a write key sends and no binding matches
}

// Key is an API key, of which only the hash is kept.
type Key struct {
	ID        KeyID
	Hash      [32]byte // SHA-256
	Hint      string   // the key's last letters
	Name      string
	Scopes    []string
	Origin    string // "manifest" or "api"
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	RevokedAt time.Time // zero: not revoked
}

// Valid tells whether the key may be used at the given time.
func (k *Key) Valid(now time.Time) bool {
	return (k.RevokedAt.IsZero() || now.Before(k.RevokedAt)) && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt))
}

// Has tells whether the key carries the scope.
func (k *Key) Has(scope string) bool { return slices.Contains(k.Scopes, scope) }

// Proof is what verifies calls of a connected account's provider. SealedSecret is
// encrypted under the instance's own key.
type Proof struct {
	AccountID    AccountID
	Provider     string
	Source       string
	TokenHashes  [][32]byte
	SealedSecret []byte // empty: none
}

// Bind picks the channel of an event: the active one that binds its target, else
// the active one that takes every target of its account, else, with fallback, the
// provider's default. Only channels of the account that proved the event count; the
// zero account stands for any. It reports false when nothing binds the event.
func (c *Config) Bind(provider, source string, account AccountID, target string, fallback bool) (Channel, bool) {
	best, rank := -1, 0
	for i, ch := range c.Channels {
		if ch.Provider != provider || !ch.Active {
			continue
		}
		own := (ch.Source == "" || ch.Source == source) && (account.IsZero() || ch.AccountID.IsZero() || ch.AccountID == account)
		r := 0
		switch {
		case own && ch.ExternalID != "" && strings.EqualFold(ch.ExternalID, target):
			r = 3
		case own && ch.ExternalID == "" && !ch.Default:
			r = 2
		case ch.Default && fallback:
			r = 1
		}
		if r > rank {
			best, rank = i, r
		}
	}
	if best < 0 {
		return Channel{}, false
	}
	return c.Channels[best], true
}
