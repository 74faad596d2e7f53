package identity_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/console/identity"
	"github.com/open4x/socialops/runtime/console/identity/oidcsim"
	"github.com/open4x/socialops/runtime/inbox"
)

const (
	read   = "service:read"
	manage = "service:manage"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a verifier and an issuer over HTTPS.
type world struct {
	*identity.Verifier
	issuer *oidcsim.Issuer
	url    string
	clock  *clock
}

func newWorld(t *testing.T, options ...func(*identity.OIDC, *oidcsim.Issuer)) *world {
	t.Helper()
	c := &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	issuer := oidcsim.New(oidcsim.Options{Now: c.Now})
	server := newServer(t, issuer)
	issuer.SetURL(server.URL)
	o := identity.OIDC{
		Issuer: server.URL, Audience: "socialops", PermissionsClaim: "permissions", HTTPClient: server.Client(),
		Log: silent, Now: c.Now,
	}
	for _, change := range options {
		change(&o, issuer)
	}
	return &world{run(t, o), issuer, server.URL, c}
}

// newServer serves over HTTPS, and is silent about who hangs up.
func newServer(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func run(t *testing.T, o identity.OIDC) *identity.Verifier {
	t.Helper()
	v, err := identity.NewOIDC(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- v.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return v
}

// token is alice's with some claims changed; nil leaves one out.
func (w *world) token(t *testing.T, changes map[string]any) string {
	t.Helper()
	return w.signed(t, changes, nil)
}

func (w *world) signed(t *testing.T, changes, header map[string]any) string {
	t.Helper()
	claims := w.issuer.Claims("alice", read, manage)
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	token, err := w.issuer.Sign(claims, header)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// forged is alice's token with a header and a signature of one's own.
func (w *world) forged(t *testing.T, header map[string]any, sign func(input []byte) []byte) string {
	t.Helper()
	input := part(t, header) + "." + part(t, w.issuer.Claims("alice", read, manage))
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

func part(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func macWith(secret []byte) func([]byte) []byte {
	return func(input []byte) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write(input)
		return mac.Sum(nil)
	}
}

func signWith(t *testing.T, key crypto.Signer) func([]byte) []byte {
	return func(input []byte) []byte {
		hash := sha256.Sum256(input)
		signature, err := key.Sign(nil, hash[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
}

func mustVerify(t *testing.T, v console.Verifier, token string) console.User {
	t.Helper()
	u, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatalf("a good token is refused: %v", err)
	}
	return u
}

func mustFail(t *testing.T, v console.Verifier, token string, code inbox.Code, says string) {
	t.Helper()
	u, err := v.Verify(t.Context(), token)
	if err == nil {
		t.Fatalf("the token is taken, for %+v", u)
	}
	if inbox.CodeOf(err) != code || !strings.Contains(err.Error(), says) {
		t.Errorf("%v (code %s): want code %s and a message with %q", err, inbox.CodeOf(err), code, says)
	}
}

// answers is a handler that gives one answer to each path.
type answers map[string]http.HandlerFunc

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := a[r.URL.Path]; h != nil {
		h(w, r)
		return
	}
	http.NotFound(w, r)
}
