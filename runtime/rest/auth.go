package rest

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/open4x/socialops/runtime/inbox"
)

// caller is who holds an API key of the instance.
type caller struct {
	key      inbox.Key
	actor    string        // as the event log names it
	limiter  *rate.Limiter // nil: unlimited
	settings *settings     // that it is one of
}

// Actor implements [Caller].
func (c *caller) Actor() string { return c.actor }

// Author implements [Caller].
func (c *caller) Author() inbox.Author {
	return inbox.Author{Kind: "api_key", KeyID: c.key.ID, Name: c.key.Name}
}

// Name implements [Caller].
func (c *caller) Name() string { return c.key.ID.String() }

// Until implements [Caller]. A key that ends is found out by Welcome.
func (c *caller) Until() time.Time { return time.Time{} }

// Attr implements [Caller].
func (c *caller) Attr() slog.Attr { return slog.String("key", c.key.ID.String()) }

// Welcome tells whether the key may still read. What can't be known is no reason to end.
func (c *caller) Welcome(ctx context.Context) bool {
	snap, err := c.settings.get(ctx)
	if err != nil {
		return true
	}
	now := snap.callers[c.key.Hash]
	return now != nil && now.key.Valid(c.settings.now()) && now.key.Has(inbox.ScopeRead) && !snap.Instance.Suspended
}

// maxKey bounds what is hashed for a caller that nobody knows yet.
const maxKey = 512

// keyOf is the API key that a request carries, or "".
func keyOf(h http.Header) string {
	if v := h["X-Api-Key"]; len(v) > 0 && v[0] != "" {
		return v[0]
	}
	if v := h["Authorization"]; len(v) > 0 {
		if scheme, token, ok := strings.Cut(v[0], " "); ok && strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(token)
		}
	}
	return ""
}

// challenge is what WWW-Authenticate says: the standard scheme of the two that are understood.
const challenge = `Bearer realm="socialops"`

// caller finds who calls. Keys are found by their hash: which of two keys are
// alike, time does not tell.
func (s *snapshot) caller(h http.Header, now time.Time) (*caller, *Error) {
	text := keyOf(h)
	if text == "" {
		return nil, Failure(inbox.CodeUnproven, "an API key is needed: send it as X-API-Key: sk_… or as Authorization: Bearer sk_…").
			With("WWW-Authenticate", challenge)
	}
	unknown := func() (*caller, *Error) {
		return nil, Failure(inbox.CodeUnproven, "this API key is not one of this inbox, has expired or was revoked: check key and alias").
			With("WWW-Authenticate", challenge+`, error="invalid_token"`)
	}
	if len(text) > maxKey {
		return unknown()
	}
	sum := sha256.Sum256([]byte(text))
	c := s.callers[sum]
	if c == nil || subtle.ConstantTimeCompare(sum[:], c.key.Hash[:]) != 1 || !c.key.Valid(now) {
		return unknown()
	}
	return c, nil
}

// allow tells whether the caller may do what the scope is for.
func (c *caller) allow(scope string) *Error {
	if c.key.Has(scope) {
		return nil
	}
	return Failure(inbox.CodeForbidden, "this API key lacks the scope "+scope+": use a key that has it").
		With("WWW-Authenticate", challenge+`, error="insufficient_scope", scope="`+scope+`"`)
}
