package rest

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/open4x/socialops/runtime/inbox"
)

// caller is who holds an API key of the instance.
type caller struct {
	key     inbox.Key
	actor   string        // as the event log names it
	limiter *rate.Limiter // nil: unlimited
}

func (c *caller) author() inbox.Author {
	return inbox.Author{Kind: "api_key", KeyID: c.key.ID, Name: c.key.Name}
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
		return nil, failure(inbox.CodeUnproven, "an API key is needed: send it as X-API-Key: sk_… or as Authorization: Bearer sk_…").
			with("WWW-Authenticate", challenge)
	}
	unknown := func() (*caller, *Error) {
		return nil, failure(inbox.CodeUnproven, "this API key is not one of this inbox, has expired or was revoked: check key and alias").
			with("WWW-Authenticate", challenge+`, error="invalid_token"`)
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
	return failure(inbox.CodeForbidden, "this API key lacks the scope "+scope+": use a key that has it").
		with("WWW-Authenticate", challenge+`, error="insufficient_scope", scope="`+scope+`"`)
}
