package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/open4x/socialops/runtime/console/identity/oidcsim"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

const (
	consoleRole = "console"
	browserWork = "runtime/console/web/e2e/bench/measure.mjs"

	// browserLimit bounds one measurement in a browser.
	browserLimit = 10 * time.Minute
)

// noCluster is the configuration of a cluster that is not there: what the console
// would do in one is not measured.
const noCluster = `{"apiVersion":"v1","kind":"Config","current-context":"none","contexts":[{"name":"none","context":{"cluster":"none","user":"none"}}],` +
	`"clusters":[{"name":"none","cluster":{"server":"http://127.0.0.1:9"}}],"users":[{"name":"none","user":{}}]}`

// desk is a console as it runs in production, beside an inbox's runtime.
type desk struct {
	console *process
	runtime *process
	url     string // of the console
	token   string // of the tenant's owner

	issuerURL string
	endIssuer func() error
}

// openDesk starts a console, an issuer of tokens for it, and the tenant's runtime.
func (b *bench) openDesk(ctx context.Context) (d *desk, err error) {
	d = &desk{}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if err := b.addConsoleRole(ctx); err != nil {
		return d, err
	}
	issuer, err := d.serveIssuer(ctx)
	if err != nil {
		return d, err
	}
	if d.token, err = issuer.Sign(issuer.Claims("bench", "service:read", "service:manage"), nil); err != nil {
		return d, fmt.Errorf("making a token: %w", err)
	}
	cluster := filepath.Join(b.dir, "no-cluster.json")
	if err := os.WriteFile(cluster, []byte(noCluster), 0o600); err != nil {
		return d, fmt.Errorf("writing the cluster's configuration: %w", err)
	}
	listen, err := freePort(ctx)
	if err != nil {
		return d, err
	}
	d.url = "http://" + listen
	url := b.dsn(consoleRole)
	d.console, err = b.launch(ctx, []string{"DATABASE_URL=" + url, "DATABASE_DIRECT_URL=" + url, "KUBECONFIG=" + cluster}, "console",
		"--listen", listen, "--oidc-issuer", d.issuerURL, "--oidc-audience", "socialops", "--oidc-client-id", "bench")
	if err != nil {
		return d, err
	}
	d.runtime, err = b.runtime(ctx)
	return d, err
}

func (b *bench) addConsoleRole(ctx context.Context) error {
	var there bool
	if err := b.super.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", consoleRole).Scan(&there); err != nil {
		return fmt.Errorf("looking for the console's role: %w", err)
	}
	if there {
		return nil
	}
	if _, err := b.super.Exec(ctx, "CREATE ROLE "+consoleRole+" LOGIN IN ROLE socialops_console"); err != nil {
		return fmt.Errorf("making the console's role: %w", err)
	}
	return nil
}

func (d *desk) serveIssuer(ctx context.Context) (*oidcsim.Issuer, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the issuer: %w", err)
	}
	d.issuerURL = "http://" + l.Addr().String()
	issuer := oidcsim.New(oidcsim.Options{URL: d.issuerURL, Audience: "socialops"})
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- oidcsim.Serve(serving, l, issuer) }()
	d.endIssuer = func() error {
		stop()
		return <-ended
	}
	return issuer, nil
}

func (d *desk) close() (err error) {
	for _, p := range []*process{d.runtime, d.console} {
		if p != nil {
			err = errors.Join(err, p.stop())
		}
	}
	if d.endIssuer != nil {
		err = errors.Join(err, d.endIssuer())
	}
	return err
}

// conversations fills the inbox: of these threads about one in six is open or pending.
func (b *bench) conversations(ctx context.Context) error {
	if b.conversing {
		return nil
	}
	b.say("  making up %d threads", b.scale.deskThreads)
	if err := b.truncate(ctx); err != nil {
		return err
	}
	if err := pgtest.Seed(ctx, b.super, b.tenant.id, pgtest.SeedOptions{Threads: b.scale.deskThreads, Messages: 5 * b.scale.deskThreads}); err != nil {
		return err
	}
	b.conversing = true
	return b.checkpoint(ctx)
}

// inboxSize is how many threads the inbox shows when nothing is asked for.
func (b *bench) inboxSize(ctx context.Context) (n int64, err error) {
	return n, b.count(ctx, "SELECT count(*) FROM thread_state WHERE status IN ('open', 'pending')", &n)
}

// task is what the browser is to do, and found what it saw.
type task struct {
	Measure string `json:"measure"`
	URL     string `json:"url"`
	Alias   string `json:"alias"`
	Token   string `json:"token"`
	Tries   int    `json:"tries"`
	Webhook string `json:"webhook"`
	Key     string `json:"key"`
	Threads int    `json:"threads,omitempty"`
}

type found struct {
	Cold      []float64 `json:"cold"` // milliseconds, as all times
	Warm      []float64 `json:"warm"`
	GzippedKB float64   `json:"gzipped_kb"` // of all scripts of the first view
	Scripts   int       `json:"scripts"`
	Took      []float64 `json:"took"`
	Rows      []float64 `json:"rows"`
	Scrolled  int       `json:"scrolled"` // threads
	Longest   float64   `json:"longest"`  // task
	Long      int       `json:"long"`     // tasks of more than 50 ms
	EarlyMB   float64   `json:"early_mb"` // heap after a tenth of the way
	LateMB    float64   `json:"late_mb"`  // and at its end
	Nodes     int       `json:"nodes"`    // of the document, at the end
	Seconds   float64   `json:"seconds"`
	Browser   string    `json:"browser"`
}

// browse has a real browser do a task on a desk whose inbox is full.
func (b *bench) browse(ctx context.Context, t task) (got found, err error) {
	ctx, cancel := context.WithTimeout(ctx, browserLimit)
	defer cancel()
	if err := b.conversations(ctx); err != nil {
		return got, err
	}
	d, err := b.openDesk(ctx)
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	t.URL, t.Alias, t.Token, t.Webhook, t.Key = d.url, alias, d.token, d.runtime.api+"/webhook/generic-webhook", b.tenant.key
	in, err := json.Marshal(t)
	if err != nil {
		return got, fmt.Errorf("writing the browser's task: %w", err)
	}
	cmd := exec.CommandContext(ctx, "node", browserWork)
	cmd.Stdin = bytes.NewReader(in)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its browser
	cmd.WaitDelay = stopLimit
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return got, fmt.Errorf("the browser (it needs the packages of hack/web.sh and a Chromium): %w", errors.Join(err, ctx.Err()))
	}
	if err := json.Unmarshal(out, &got); err != nil {
		return got, fmt.Errorf("reading what the browser saw: %w\n%s", err, out)
	}
	return got, nil
}
