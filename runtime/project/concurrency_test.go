package project_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/project"
)

// However many bindings of one bot are projected at once, with its account beside
// them, the bot is asked once and its webhook set once.
func TestOneBotsManyBindingsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := instance("one", "a", "alias-a")
	w.instance(project.InstanceInput{Manifest: in})
	const n = 8
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if _, err := w.Account(t.Context(), bot("one", "bot", token1)); err != nil {
				t.Error(err)
			}
			b := binding("one", fmt.Sprintf("chat-%d", i), "a", v1alpha1.ProviderTelegram, "bot", target(fmt.Sprintf("-10%d", i)))
			r, err := w.Binding(t.Context(), b, in)
			if err != nil || reason(r.Conditions, "Ready") != "True/Ready" {
				t.Errorf("%s: %v (%v)", b.Name, reasons(r.Conditions), err)
			}
		})
	}
	all.Wait()
	if got, want := w.calls(), "getMe 1 getWebhookInfo 1 setWebhook 1 deleteWebhook 0"; got != want {
		t.Errorf("calls: %s, want %s", got, want)
	}
}

// A binding that comes while the webhook of the one before it is removed holds the
// bot, and its webhook is set.
func TestAChannelComesWhileTheWebhookGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := instance("one", "a", "alias-a")
	w.instance(project.InstanceInput{Manifest: in})
	if _, err := w.Account(t.Context(), bot("one", "bot", token1)); err != nil {
		t.Fatal(err)
	}
	bind := func(name string) string {
		r, err := w.Binding(t.Context(), binding("one", name, "a", v1alpha1.ProviderTelegram, "bot"), in)
		if err != nil {
			t.Error(err)
		}
		return reason(r.Conditions, "Ready")
	}
	if got := bind("first"); got != "True/Ready" {
		t.Fatal(got)
	}
	hang := w.sim.Inject(holdDelete)
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := w.RemoveBinding(t.Context(), "one", "first"); err != nil {
			t.Error(err)
		}
	})
	if err := hang.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Go(func() {
		if got := bind("second"); got != "True/Ready" {
			t.Errorf("the second: %s", got)
		}
	})
	w.eventually("SELECT count(*) FROM channel WHERE name = 'Channel second' AND active", "1")
	hang.Release()
	all.Wait()
	if url, _, _ := w.sim.Webhook(token1); url == "" {
		t.Error("the second channel has no webhook")
	}
	if got := w.query("SELECT webhook_instance_id IS NOT NULL AND webhook_hash <> '' FROM account"); got != "true" {
		t.Error("nobody holds the bot")
	}
}

// roundTrips counts how often the database is asked.
type roundTrips struct{ n atomic.Int64 }

func (r *roundTrips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	r.n.Add(1)
	return ctx
}
func (*roundTrips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// What a pass costs: a thousand instances are projected at once, and all there are after a restart.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.db.Owner.Config()
	count := &roundTrips{}
	config.ConnConfig.Tracer = count
	pool := openPool(t, config)
	p := w.another(postgres.NewConfiguration(pool), w.Install)
	p.KeepConditions = false
	m := samples()
	in := m.Instances[0]
	in.Secrets, in.Password = func(string, string) *project.Secret { return nil }, "password"
	for _, step := range []struct {
		what  string
		most  int64
		doing func() error
	}{
		{"a new instance", 11, func() error { _, err := p.Instance(t.Context(), in); return err }},
		{"an instance as it was", 7, func() error { _, err := p.Instance(t.Context(), in); return err }},
		{"a new account", 7, func() error { _, err := p.Account(t.Context(), m.Secrets[0]); return err }},
		{"an account as it was", 3, func() error { _, err := p.Account(t.Context(), m.Secrets[0]); return err }},
		{"a new binding", 19, func() error { _, err := p.Binding(t.Context(), m.Bindings[1], in.Manifest); return err }},
		{"a binding as it was", 8, func() error { _, err := p.Binding(t.Context(), m.Bindings[1], in.Manifest); return err }},
	} {
		count.n.Store(0)
		if err := step.doing(); err != nil {
			t.Fatal(err)
		}
		if got := count.n.Load(); got > step.most {
			t.Errorf("%s takes %d round trips, want at most %d", step.what, got, step.most)
		} else {
			t.Logf("%s: %d", step.what, got)
		}
	}
}
