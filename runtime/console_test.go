package runtime_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime"
	"github.com/open4x/socialops/runtime/console/identity/oidcsim"
	"github.com/open4x/socialops/runtime/console/kube"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/provider/all"
)

// addresses tells where a process serves, as its log says.
type addresses struct {
	page, health chan string
}

func (a addresses) Write(p []byte) (int, error) {
	var line struct{ Msg, Address string }
	if err := json.Unmarshal(p, &line); err != nil {
		return 0, err
	}
	for msg, to := range map[string]chan string{"serving": a.page, "serving health checks": a.health} {
		if line.Msg == msg {
			to <- "http://" + line.Address
		}
	}
	return len(p), nil
}

// served is a console that runs as it does in a cluster.
type served struct {
	t            *testing.T
	issuer       *oidcsim.Issuer
	page, health string // their URLs
	stop         func() error
}

func serveConsole(t *testing.T, db *pgtest.Database, change ...func(*runtime.ConsoleConfig, *oidcsim.Issuer)) *served {
	t.Helper()
	c := &served{t: t, issuer: oidcsim.New(oidcsim.Options{Audience: "socialops"})}
	issuer := httptest.NewServer(c.issuer)
	t.Cleanup(issuer.Close)
	c.issuer.SetURL(issuer.URL)
	at := addresses{make(chan string, 1), make(chan string, 1)}
	config := runtime.ConsoleConfig{
		DatabaseURL: func() (string, error) { return db.DSN("console"), nil }, Bindings: kube.Away(errors.New("there is no cluster")), Providers: all.Providers(all.Options{}),
		Listen: "127.0.0.1:0", Health: "127.0.0.1:0", Issuer: issuer.URL, Audience: "socialops", PermissionsClaim: "permissions", ClientID: "console",
		RuntimeURL: runtime.DefaultRuntimeURL, Version: "v1.2.3", Log: slog.New(slog.NewJSONHandler(at, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, change := range change {
		change(&config, c.issuer)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- runtime.ServeConsole(ctx, config) }()
	c.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = c.stop() })
	for url, from := range map[*string]chan string{&c.page: at.page, &c.health: at.health} {
		select {
		case *url = <-from:
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		case <-time.After(time.Minute):
			t.Fatal("it never served")
		}
	}
	return c
}

// get asks as somebody; "" is nobody. The answer's body is the caller's to close.
func (c *served) get(who, url string) *http.Response {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if who != "" {
		token, err := c.issuer.Sign(c.issuer.Claims(who, "service:read", "service:manage"), nil)
		if err != nil {
			c.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

// must reads an answer that has to have the status, and each of the texts in it.
func (c *served) must(who, url string, status int, texts ...string) {
	c.t.Helper()
	resp := c.get(who, url)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		c.t.Errorf("%s as %q: %d instead of %d: %s %v", url, who, resp.StatusCode, status, body, err)
	}
	for _, text := range texts {
		if !strings.Contains(string(body), text) {
			c.t.Errorf("%s as %q: there is no %q in: %s", url, who, text, body)
		}
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	alice := db.Instance(t, func(in *inbox.Instance) { in.Owner = "alice" })
	bob := db.Instance(t, func(in *inbox.Instance) { in.Owner = "bob" })
	c := serveConsole(t, db)
	api := c.page + "/console/socialops"

	c.must("", c.page, http.StatusOK, "SocialOps")
	c.must("", c.health+"/readyz", http.StatusOK)
	c.must("", c.page+"/readyz", http.StatusNotFound) // no matter of the public's
	c.must("", api+"/config", http.StatusOK, `"mode":"oidc"`, `"client_id":"console"`, `"version":"v1.2.3"`)
	c.must("", api+"/instances", http.StatusUnauthorized)
	c.must("alice", api+"/instances", http.StatusOK, alice.Alias)
	c.must("bob", api+"/instances", http.StatusOK, bob.Alias)
	c.must("bob", api+"/"+bob.Alias+"/inbox", http.StatusOK)
	c.must("bob", api+"/"+alice.Alias+"/inbox", http.StatusNotFound)
	c.must("alice", api+"/"+alice.Alias+"/channels", http.StatusServiceUnavailable, "channels can't be looked after")
	c.must("", c.health+"/metrics", http.StatusOK, "socialops_http_requests_total", "socialops_db_pool_connections_max 8", "process_open_fds")
}

// A rollout must not cut anybody off: who follows an inbox is sent elsewhere by the
// end of the stream, and what is under way is answered.
func TestConsoleStops(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant := db.Instance(t, func(in *inbox.Instance) { in.Owner = "alice" })
	c := serveConsole(t, db)
	events := c.get("alice", c.page+"/console/socialops/"+tenant.Alias+"/events?after=0")
	defer events.Body.Close()
	if events.StatusCode != http.StatusOK {
		t.Fatalf("following: %s", events.Status)
	}
	lines := bufio.NewReader(events.Body)
	if _, err := lines.ReadString('\n'); err != nil { // it flows
		t.Fatal(err)
	}
	if err := c.stop(); err != nil {
		t.Errorf("it failed: %v", err)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Errorf("the stream did not end as it should: %v", err)
	}
}

// What is away at its start keeps nobody out for longer than it is away.
func TestConsoleWithoutIssuer(t *testing.T) {
	t.Parallel()
	c := serveConsole(t, pgtest.New(t), func(_ *runtime.ConsoleConfig, issuer *oidcsim.Issuer) { issuer.SetAway(true) })
	c.must("", c.health+"/readyz", http.StatusOK)
	c.must("", c.page, http.StatusOK, "SocialOps")
	c.must("alice", c.page+"/console/socialops/instances", http.StatusServiceUnavailable)
}

func TestConsoleRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*runtime.ConsoleConfig)
		says   string
	}{
		"no issuer":           {func(c *runtime.ConsoleConfig) { c.Issuer = "" }, "--oidc-issuer and --oidc-client-id are missing"},
		"no client":           {func(c *runtime.ConsoleConfig) { c.ClientID = "" }, "--oidc-issuer and --oidc-client-id are missing"},
		"no audience":         {func(c *runtime.ConsoleConfig) { c.Audience = "" }, "the audience is missing"},
		"issuer without TLS":  {func(c *runtime.ConsoleConfig) { c.Issuer = "http://login.example.com" }, "want https"},
		"no such certificate": {func(c *runtime.ConsoleConfig) { c.IssuerCAFile = "/nowhere" }, "reading --oidc-ca-file"},
		"no runtimes":         {func(c *runtime.ConsoleConfig) { c.RuntimeURL = "{name}.svc" }, "want one such as http://{name}.{namespace}.svc"},
		"no such port":        {func(c *runtime.ConsoleConfig) { c.Listen = "127.0.0.1:-1" }, "listening for the console"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := runtime.ConsoleConfig{
				Issuer: "https://login.example.com", Audience: "socialops", PermissionsClaim: "permissions", ClientID: "console",
				RuntimeURL: runtime.DefaultRuntimeURL, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
			}
			c.change(&config)
			if err := runtime.ServeConsole(t.Context(), config); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
		})
	}
}
