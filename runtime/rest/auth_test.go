package rest

import (
	"crypto/sha256"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

func TestCaller(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	snap := &snapshot{callers: map[[sha256.Size]byte]*caller{}}
	for text, key := range map[string]inbox.Key{
		"sk_both":    {Scopes: []string{inbox.ScopeRead, inbox.ScopeWrite}},
		"sk_read":    {Scopes: []string{inbox.ScopeRead}},
		"sk_none":    {},
		"sk_expired": {Scopes: []string{inbox.ScopeRead}, ExpiresAt: now},
		"sk_later":   {Scopes: []string{inbox.ScopeRead}, ExpiresAt: now.Add(time.Second)},
		"sk_revoked": {Scopes: []string{inbox.ScopeRead}, RevokedAt: now.Add(-time.Second)},
		"":           {Scopes: []string{inbox.ScopeRead, inbox.ScopeWrite}}, // a mistake of whoever made it: lets nobody in
	} {
		key.Hash = sha256.Sum256([]byte(text))
		snap.callers[key.Hash] = &caller{key: key}
	}
	header := func(lines ...string) http.Header {
		h := http.Header{}
		for _, l := range lines {
			name, value, _ := strings.Cut(l, ": ")
			h.Add(name, value)
		}
		return h
	}
	for name, c := range map[string]struct {
		header http.Header
		scope  string
		want   int
	}{
		"key":               {header("X-API-Key: sk_both"), inbox.ScopeWrite, 0},
		"bearer":            {header("Authorization: Bearer sk_both"), inbox.ScopeRead, 0},
		"bearer in any way": {header("Authorization: bearer   sk_both "), inbox.ScopeRead, 0},
		"key before bearer": {header("X-API-Key: sk_both", "Authorization: Bearer sk_wrong"), inbox.ScopeWrite, 0},
		"not expired yet":   {header("X-API-Key: sk_later"), inbox.ScopeRead, 0},
		"nothing":           {header(), inbox.ScopeRead, 401},
		"empty":             {header("X-API-Key: "), inbox.ScopeRead, 401},
		"empty bearer":      {header("Authorization: Bearer "), inbox.ScopeRead, 401},
		"basic":             {header("Authorization: Basic c2tfYm90aDo="), inbox.ScopeRead, 401},
		"unknown":           {header("X-API-Key: sk_wrong"), inbox.ScopeRead, 401},
		"a hash":            {header("X-API-Key: " + string(sha256.New().Sum(nil))), inbox.ScopeRead, 401},
		"too long":          {header("X-API-Key: " + strings.Repeat("k", maxKey+1)), inbox.ScopeRead, 401},
		"expired":           {header("X-API-Key: sk_expired"), inbox.ScopeRead, 401},
		"revoked":           {header("X-API-Key: sk_revoked"), inbox.ScopeRead, 401},
		"read only":         {header("X-API-Key: sk_read"), inbox.ScopeWrite, 403},
		"no scope":          {header("X-API-Key: sk_none"), inbox.ScopeRead, 403},
		"SQL":               {header("X-API-Key: ' OR 1=1 --"), inbox.ScopeRead, 401},
	} {
		who, e := snap.caller(c.header, now)
		if e == nil {
			e = who.allow(c.scope)
		}
		got := 0
		if e != nil {
			got = e.GetStatus()
			if e.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: without WWW-Authenticate", name)
			}
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	now := begin
	c := &caller{limiter: newLimiter(3, 0)}
	for i, step := range []struct {
		after      time.Duration
		refused    bool
		left       string
		full       int64 // seconds after begin when all is there again
		retryAfter string
	}{
		{0, false, "2", 20, ""},
		{0, false, "1", 40, ""},
		{0, false, "0", 60, ""},
		{0, true, "0", 60, "20"},
		{19 * time.Second, true, "0", 60, "1"},
		{time.Second, false, "0", 80, ""},
		{time.Hour, false, "2", 3640, ""},
	} {
		now = now.Add(step.after)
		h := http.Header{}
		e := c.spend(h, now)
		if (e != nil) != step.refused || h.Get("X-RateLimit-Limit") != "3" || h.Get("X-RateLimit-Remaining") != step.left ||
			h.Get("X-RateLimit-Reset") != strconv.FormatInt(begin.Unix()+step.full, 10) {
			t.Errorf("request %d: %v, %v; want %+v", i+1, e, h, step)
		}
		if e != nil && (e.GetStatus() != http.StatusTooManyRequests || e.header.Get("Retry-After") != step.retryAfter) {
			t.Errorf("request %d: %d, Retry-After %s; want %+v", i+1, e.GetStatus(), e.header.Get("Retry-After"), step)
		}
	}
	bursts := &caller{limiter: newLimiter(60, 2)}
	for i, left := range []string{"1", "0", "0"} {
		h := http.Header{}
		if e := bursts.spend(h, now); (e != nil) != (i == 2) || h.Get("X-RateLimit-Limit") != "60" || h.Get("X-RateLimit-Remaining") != left {
			t.Errorf("request %d of a burst of 2: %v, %v", i+1, e, h)
		}
	}
	unlimited := &caller{limiter: newLimiter(0, 0)}
	h := http.Header{}
	if e := unlimited.spend(h, now); e != nil || len(h) > 0 {
		t.Errorf("without a limit: %v, %v", e, h)
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a", "0af7651916cd43dd8448eb211c80319c", "req-1:2/3_4.5+6=7@8", strings.Repeat("x", 128)} {
		if got := requestID(http.Header{"X-Request-Id": {id}}); got != id {
			t.Errorf("%q became %q", id, got)
		}
	}
	seen := map[string]bool{}
	for _, id := range []string{"", "a b", "a\nb", "é", "<script>", `"`, strings.Repeat("x", 129), "a", "b"} {
		h := http.Header{}
		if len(id) != 1 {
			h["X-Request-Id"] = []string{id}
		}
		got := requestID(h)
		if got == id || !validRequestID(got) || seen[got] {
			t.Errorf("%q became %q", id, got)
		}
		seen[got] = true
	}
}
