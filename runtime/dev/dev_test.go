package dev_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/dev"
	"github.com/open4x/socialops/runtime/rest"
)

// patience bounds each wait.
const patience = time.Minute

// buffer is what the dev mode writes while the test looks.
type buffer struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
	return b.text.Write(p)
}

func (b *buffer) now() (string, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.text.String(), b.changed
}

func (b *buffer) String() string { s, _ := b.now(); return s }

// folder is one that Postgres's own user can pass.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "socialops-dev-")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// running is a dev mode in this process.
type running struct {
	dev.Config
	out, log *buffer
	base     string
	stop     func() error // as Ctrl-C does; gives what Run returned
}

// run starts a dev mode and waits until it has said what it says when it is ready.
func run(t *testing.T, c dev.Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{Config: c, out: &buffer{}, log: &buffer{}}
	r.Out, r.Log = r.out, slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ended := make(chan struct{})
	var failure error
	go func() {
		defer close(ended)
		failure = dev.Run(ctx, r.Config)
	}()
	r.stop = func() error {
		cancel()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatal("the dev mode does not end")
		}
		return failure
	}
	t.Cleanup(func() { _ = r.stop() })
	late := time.After(patience)
	for {
		text, changed := r.out.now()
		if strings.Contains(text, "Ctrl-C stops") {
			r.base = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(text)
			return r
		}
		select {
		case <-changed:
		case <-ended:
			t.Fatalf("the dev mode ended: %v\n%s", failure, r.log)
		case <-late:
			t.Fatalf("the dev mode is not ready:\n%s\n%s", text, r.log)
		}
	}
}

// call gives the status and the body of a GET with an API key.
func (r *running) call(t *testing.T, path, key string) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("X-API-Key", key)
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRun is the short life of a dev mode with the samples and a second inbox.
func TestRun(t *testing.T) {
	t.Parallel()
	manifests, data := folder(t), filepath.Join(folder(t), "data")
	if err := os.CopyFS(manifests, os.DirFS("../../config/samples")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(manifests, "sales.yaml"), "apiVersion: socialops.dev/v1alpha1\nkind: SocialOpsInstance\nmetadata:\n  name: zsales\nspec:\n  alias: zsales\n  owner: bob\n")
	r := run(t, dev.Config{Listen: "127.0.0.1:0", DataDir: data, Manifests: manifests, Demo: true})
	keys := map[string]string{}
	for _, alias := range []string{"support", "zsales"} {
		b, err := os.ReadFile(dev.KeyFile(data, alias))
		if err != nil {
			t.Fatal(err)
		}
		keys[alias] = strings.TrimSpace(string(b))
		if strings.Contains(r.out.String()+r.log.String(), keys[alias]) {
			t.Errorf("the key of %s was told", alias)
		}
	}
	const threads = "/threads?limit=1"
	for _, c := range []struct {
		path, key string
		status    int
		contains  string
	}{
		{"/", "", http.StatusOK, "<!doctype html>"},
		{"/a/support", "", http.StatusOK, "<!doctype html>"},
		{"/assets/nothing.js", "", http.StatusNotFound, ""},
		{"/v2/nothing", "", http.StatusOK, "<!doctype html>"},
		{"/console/socialops/config", "", http.StatusOK, `"owners":["alice","bob"]`},
		{"/console/socialops/instances", keys["support"], http.StatusUnauthorized, `"code":"unauthorized"`},
		{"/healthz", "", http.StatusOK, "ok"},
		{"/readyz", "", http.StatusOK, "ok"},
		{"/metrics", "", http.StatusOK, `socialops_db_pool_connections_max{alias="zsales"}`},
		{rest.BasePath + "support" + threads, keys["support"], http.StatusOK, `"has_more":true`},
		{rest.BasePath + "zsales" + threads, keys["zsales"], http.StatusOK, `"data":[]`},
		{rest.BasePath + "support" + threads, keys["zsales"], http.StatusUnauthorized, `"code":"unauthorized"`},
		{rest.BasePath + "zsales" + threads, keys["support"], http.StatusUnauthorized, `"code":"unauthorized"`},
		{rest.BasePath + "nobody" + threads, keys["support"], http.StatusNotFound, `"code":"not_found"`},
		{rest.BasePath, keys["support"], http.StatusNotFound, `"code":"not_found"`},
		{rest.BasePath + "support/openapi.json", "", http.StatusOK, `"openapi": "3.1`},
	} {
		if status, body := r.call(t, c.path, c.key); status != c.status || !strings.Contains(body, c.contains) {
			t.Errorf("%s: %d, want %d and %q: %.300s", c.path, status, c.status, c.contains, body)
		}
	}
	if err := dev.Run(t.Context(), dev.Config{Listen: "127.0.0.1:0", DataDir: data, Manifests: manifests, Out: io.Discard, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "another socialops dev") {
		t.Errorf("a second one on the same data: %v", err)
	}
	for path, mode := range map[string]os.FileMode{"keys": 0o700, "secrets": 0o700, "keys/support": 0o600, "secrets/encryption-key": 0o600, "secrets/console-key": 0o600, "demo.json": 0o600, "manifests.json": 0o600, "database-url": 0o600} {
		if info, err := os.Stat(filepath.Join(data, path)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want mode %o", path, info, err, mode)
		}
	}
	if err := r.stop(); err != nil {
		t.Errorf("stopped, it returned %v", err)
	}
	if _, err := dev.DatabaseURL(data); err == nil || !strings.Contains(err.Error(), "no inbox runs on "+data) {
		t.Errorf("the database of a dev mode that has ended: %v", err)
	}

	// Where a key is damaged, it says so and leaves the rest as it is.
	write(t, dev.KeyFile(data, "support"), "sk_")
	if err := dev.Run(t.Context(), dev.Config{Listen: "127.0.0.1:0", DataDir: data, Manifests: manifests, Out: io.Discard, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "remove the file, and a new one is made") {
		t.Errorf("a damaged key: %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		c    dev.Config
		want string // empty: no error
	}{
		"a port in use":              {t.Context(), dev.Config{Listen: taken.Addr().String()}, "is another program using it? try --listen"},
		"no address":                 {t.Context(), dev.Config{Listen: "nowhere"}, "listening on nowhere"},
		"no folder of manifests":     {t.Context(), dev.Config{Manifests: "/nonexistent"}, "name a folder with --manifests"},
		"a demo without its samples": {t.Context(), dev.Config{Manifests: t.TempDir(), Demo: true}, "holds no SocialOpsInstance that is ready"},
		"a demo with another's bots": {t.Context(), dev.Config{Manifests: "../../config/samples", Demo: true, TelegramAPIURL: "http://127.0.0.1:1"}, "leave out --telegram-api-url"},
		"stopped before it starts":   {stopped, dev.Config{Manifests: "../../config/samples"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.c.DataDir = filepath.Join(folder(t), "data")
			c.c.Out, c.c.Log = io.Discard, slog.New(slog.DiscardHandler)
			if c.c.Listen == "" {
				c.c.Listen = "127.0.0.1:0"
			}
			ctx, cancel := context.WithTimeout(c.ctx, patience)
			defer cancel()
			err := dev.Run(ctx, c.c)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(c.c.DataDir, "database-url")); err == nil {
				t.Error("it left the address of a database that has ended")
			}
		})
	}
}
