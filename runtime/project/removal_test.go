package project_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/project"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

func TestOneBadManifestKeepsNoOtherOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.inputs(
		instance("default", "bad-price", "bad-price", func(in *v1alpha1.SocialOpsInstance) { in.Spec.Billing.Prices.Inbound = "free" }),
		instance("default", "twice", "support"),
		instance("default", "bad-row", "not an alias", func(in *v1alpha1.SocialOpsInstance) { in.Spec.Alias = "UPPER" }),
	)
	w.m.Bindings = append(w.m.Bindings, binding("default", "nowhere", "nowhere", v1alpha1.ProviderTelegram, "none"))
	w.m.Secrets = append(w.m.Secrets, &project.Secret{Namespace: "default", Name: "odd", Labels: map[string]string{v1alpha1.LabelConnectedAccount: "odd"}})
	r, err := w.All(t.Context(), w.m)
	if err == nil || !strings.Contains(err.Error(), "bad-row") {
		t.Errorf("a row that Postgres refuses: %v", err)
	}
	got := map[string]string{}
	for n, i := range r.Instances {
		got[n.Name] = reason(i.Conditions, "Ready")
	}
	for n, b := range r.Bindings {
		got["binding "+n.Name] = reason(b.Conditions, "Ready")
	}
	want := map[string]string{
		"support": "True/Ready", "bad-price": "False/InvalidSpec", "twice": "False/AliasTaken", "bad-row": "False/Progressing",
		"binding events": "True/Ready", "binding telegram": "True/Ready", "binding github": "True/Ready", "binding nowhere": "False/InstanceMissing",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestASecretThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.pass()
	w.sim.Inject(botapisim.Fault{Method: "deleteWebhook", Status: http.StatusBadGateway})
	w.m.Secrets, w.m.Bindings = nil, nil
	r := w.pass()
	if got := w.query("SELECT string_agg(kind, ',') FROM account"); got != "telegram-bot" {
		t.Errorf("while Telegram is away there are the accounts %s", got)
	}
	if r.CheckAt.IsZero() {
		t.Error("nobody tries again")
	}
	w.sim.ClearFaults()
	w.clock.advance(31 * time.Second)
	w.pass()
	if got := w.query("SELECT count(*) FROM account"); got != "0" {
		t.Error("the account is still there")
	}
	if url, _, _ := w.sim.Webhook(token1); url != "" {
		t.Errorf("its webhook leads to %s", url)
	}

	w.m = samples()
	w.pass()
	w.sim.Inject(botapisim.Fault{Method: "deleteWebhook", Status: http.StatusBadGateway})
	w.m.Secrets = w.m.Secrets[1:]
	w.pass()
	w.clock.advance(61 * time.Second)
	if got := w.ready("default", "telegram"); got != "False/AccountMissing" {
		t.Errorf("the binding: %s", got)
	}
	if got := w.query("SELECT count(*) FROM account WHERE kind = 'telegram-bot'"); got != "0" {
		t.Error("after a minute it is not let go")
	}
}

// seed gives an instance a conversation with a reply that waits to be sent.
func (w *world) seed(r project.InstanceResult, channel inbox.ChannelID) {
	w.t.Helper()
	store := postgres.NewStore(w.db.Pool(w.t, r.Role), r.ID, postgres.StoreOptions{})
	defer store.Close()
	receipt, err := store.Ingest(w.t.Context(), channel, inbox.Inbound{
		Provider: "telegram", Source: "telegram:111", EventID: "1", Kind: inbox.AddMessage, Target: "7",
		Thread: inbox.InboundThread{ExternalID: "7", Labels: []string{"vip"}}, Contact: &inbox.InboundContact{ExternalID: "7", Name: "Ann"},
		Message: inbox.InboundMessage{ExternalID: "7/1", Type: "text", Text: "hello"}, Raw: []byte("{}"),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	q, err := store.AddReply(w.t.Context(), inbox.NewMessage{ThreadID: receipt.ThreadID, Text: "hi", Author: inbox.Author{Kind: "system"}})
	if err != nil {
		w.t.Fatal(err)
	}
	// As if the worker had charged it, and was asked to wait.
	w.exec(`INSERT INTO ledger (instance_id, reference, kind, amount) SELECT instance_id, 'reply:' || id || ':0', 'reply', -1000 FROM action WHERE id = $1::uuid`, q.Action.ID.UUID())
}

func (w *world) balanced() {
	w.t.Helper()
	if got := w.query("SELECT string_agg(b.instance_id::text, ',') FROM balance b WHERE amount <> (SELECT coalesce(sum(l.amount), 0) FROM ledger l WHERE l.instance_id = b.instance_id)"); got != "" {
		w.t.Errorf("the balance of %s is not the sum of its entries", got)
	}
}

func TestARetiredInstanceKeepsItsDataAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	r := w.pass().Instances[name("default", "support")]
	w.seed(r, w.ChannelID("default", "telegram"))
	if _, _, err := project.CreateKey(t.Context(), w.Store, "support", project.NewKey{Name: "cli"}, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.m.Instances = nil
	w.pass()
	for what, c := range map[string]struct{ sql, want string }{
		"manifest keys":   {"SELECT string_agg(origin, ',') FROM api_key", "api"},
		"proofs":          {"SELECT count(*) FROM account_proof", "0"},
		"active channels": {"SELECT count(*) FROM channel WHERE active", "0"},
		"actions":         {"SELECT string_agg(status || ': ' || error, ',') FROM action", "failed: the instance was deleted before this was sent"},
		"refund":          {"SELECT sum(amount) FROM ledger WHERE kind = 'refund'", "1000"},
		"messages":        {"SELECT count(*) FROM message", "2"},
		"login":           {"SELECT bool_or(rolcanlogin) FROM pg_roles WHERE rolname = '" + r.Role + "'", "false"},
	} {
		if got := w.query(c.sql); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
	w.balanced()
	if url, _, _ := w.sim.Webhook(token1); url != "" {
		t.Errorf("the bot still sends to %s", url)
	}
	before := w.snapshot()
	w.pass()
	if diff := cmp.Diff(before, w.snapshot()); diff != "" {
		t.Errorf("another pass wrote: %s", diff)
	}

	w.m = samples()
	back := w.pass()
	if in := back.Instances[name("default", "support")]; in.ID != r.ID || reason(back.Bindings[name("default", "telegram")].Conditions, "Ready") != "True/Ready" {
		t.Errorf("it did not come back: %v", back)
	}
	if got := w.query("SELECT c.name FROM thread t JOIN channel c ON c.id = t.channel_id"); got != "Channel telegram" {
		t.Errorf("the conversation is in channel %q", got)
	}
}

func TestDeletedDataIsPurged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.inputs(instance("default", "neighbour", "neighbour"))
	w.m.Instances[0].Manifest.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	r := w.pass()
	gone, stays := r.Instances[name("default", "support")], r.Instances[name("default", "neighbour")]
	w.seed(gone, w.ChannelID("default", "telegram"))
	w.seed(stays, inbox.ChannelID{})
	w.m.Instances = w.m.Instances[1:]
	if !w.pass().Purging {
		t.Fatal("nobody is told to purge")
	}
	w.inputs(samples().Instances[0].Manifest)
	if got := reason(w.pass().Instances[name("default", "support")].Conditions, "Ready"); got != "False/Progressing" {
		t.Errorf("a new instance before the purge: %s", got)
	}
	for range 2 { // the second time there is nothing to do
		if _, err := w.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tables := w.query(`SELECT string_agg(c.relname, ',' ORDER BY c.relname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'instance_id'
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'`)
	for table := range strings.SplitSeq(tables, ",") {
		left := w.query("SELECT count(*) FROM "+table+" WHERE instance_id = $1::uuid", gone.ID.UUID())
		switch table {
		case "ledger":
			if left != "3" { // the message, the reply, its refund
				t.Errorf("%s ledger entries are left", left)
			}
		case "balance":
			if left != "1" {
				t.Errorf("%s balances are left", left)
			}
		default:
			if left != "0" {
				t.Errorf("%s: %s rows are left", table, left)
			}
		}
	}
	w.balanced()
	if got := w.query("SELECT count(*) FROM pg_roles WHERE rolname = $1", gone.Role); got != "0" {
		t.Error("its role is left")
	}
	if got := w.query("SELECT count(*) FROM message WHERE instance_id = $1::uuid", stays.ID.UUID()); got != "2" {
		t.Errorf("the neighbour has %s messages", got)
	}
	r = w.pass()
	again := r.Instances[name("default", "support")]
	if reason(again.Conditions, "Ready") != "True/Ready" || again.ID == gone.ID || r.Purging {
		t.Errorf("a new instance after the purge: %+v", again)
	}
	if got := reason(r.Bindings[name("default", "telegram")].Conditions, "Ready"); got != "True/Ready" {
		t.Errorf("its bot: %s", got)
	}
}

func TestLargeDataIsPurgedInBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	r := w.pass().Instances[name("default", "support")]
	w.exec(`INSERT INTO contact (instance_id, id, source, external_id) SELECT $1::uuid, gen_random_uuid(), 's', n::text FROM generate_series(1, 2500) n`, r.ID.UUID())
	if err := w.Delete(t.Context(), "default", "support"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.query("SELECT count(*) FROM contact"); got != "0" {
		t.Errorf("%s contacts are left", got)
	}
}

func TestAliasAndBotAreClaimedOnceAmongMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const n = 8
	var won, bound [n]bool
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			ns := string(rune('a' + i))
			in := instance(ns, "x", "one-alias")
			r, err := w.Instance(t.Context(), project.InstanceInput{Manifest: in, Secrets: func(string, string) *project.Secret { return nil }})
			won[i] = err == nil && !r.ID.IsZero()
			own := instance(ns, "y", "alias-"+ns)
			_, err = w.Instance(t.Context(), project.InstanceInput{Manifest: own, Secrets: func(string, string) *project.Secret { return nil }})
			if err != nil {
				t.Error(err)
			}
			if _, err := w.Account(t.Context(), bot(ns, "bot", token1)); err != nil {
				t.Error(err)
			}
			b, err := w.Binding(t.Context(), binding(ns, "b", "y", v1alpha1.ProviderTelegram, "bot"), own)
			if err != nil {
				t.Error(err)
			}
			bound[i] = reason(b.Conditions, "ChannelBound") == "True/ChannelBound"
		})
	}
	all.Wait()
	count := func(flags [n]bool) (c int) {
		for _, f := range flags {
			if f {
				c++
			}
		}
		return c
	}
	if count(won) != 1 || count(bound) != 1 {
		t.Errorf("%d won the alias, %d the bot", count(won), count(bound))
	}
}
