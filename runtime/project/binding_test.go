package project_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/project"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
	"github.com/open4x/socialops/runtime/seal"
)

func name(namespace, name string) project.Name { return project.Name{Namespace: namespace, Name: name} }

// ready is the reason of a binding's Ready after a pass.
func (w *world) ready(namespace, binding string) string {
	w.t.Helper()
	return reason(w.pass().Bindings[name(namespace, binding)].Conditions, "Ready")
}

func target(id string) func(*v1alpha1.ChannelBinding) {
	return func(b *v1alpha1.ChannelBinding) { b.Spec.ExternalChannelID = id }
}

func inactive(b *v1alpha1.ChannelBinding) {
	no := false
	b.Spec.Active = &no
	b.Generation++
}

func (w *world) inputs(in ...*v1alpha1.SocialOpsInstance) {
	for _, i := range in {
		w.m.Instances = append(w.m.Instances, project.InstanceInput{Manifest: i})
	}
}

func TestGitHubsSecretReachesItsRuntimeOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.inputs(instance("default", "second", "second"))
	r := w.pass()
	mine := r.Instances[name("default", "support")]
	store := postgres.NewStore(w.db.Pool(t, mine.Role), mine.ID, postgres.StoreOptions{})
	defer store.Close()
	read := func() (inbox.Proof, []byte) {
		cfg, err := store.Config(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range cfg.Proofs {
			if p.Provider == "github" {
				key, err := seal.NewKey(mine.Key)
				if err != nil {
					t.Fatal(err)
				}
				secret, err := key.Open(p.SealedSecret, project.SecretPlace(mine.ID, p.AccountID))
				if err != nil {
					t.Fatal(err)
				}
				return p, secret
			}
		}
		t.Fatal("there is no proof")
		return inbox.Proof{}, nil
	}
	proof, secret := read()
	if string(secret) != githubSecret || proof.Source != "github" {
		t.Errorf("it opens as %q of %s", secret, proof.Source)
	}
	other, err := seal.NewKey(r.Instances[name("default", "second")].Key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(proof.SealedSecret, project.SecretPlace(mine.ID, proof.AccountID)); err == nil {
		t.Error("another instance's key opens it")
	}
	w.m.Secrets[1].Data[v1alpha1.KeyGitHubSecret] = []byte("another")
	w.pass()
	if _, secret := read(); string(secret) != "another" {
		t.Errorf("after the Secret changed it opens as %q", secret)
	}
	w.m.Bindings = w.m.Bindings[:2]
	w.pass()
	if got := w.query("SELECT count(*) FROM account_proof WHERE provider = 'github'"); got != "0" {
		t.Error("the proof outlives its last channel")
	}
}

func TestARotatedBotToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.pass()
	_, old, _ := w.sim.Webhook(token1)
	const again = "111:CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC" // the same bot

	w.m.Secrets[0].Data["token"] = []byte(again)
	w.pass()
	_, now, _ := w.sim.Webhook(again)
	if now == old || len(now) != 48 {
		t.Error("the webhook's secret did not change with the token")
	}
	hash := func(token string) string { h := sha256.Sum256([]byte(token)); return hex.EncodeToString(h[:]) }
	proof := func() string {
		return w.query("SELECT concat_ws(' ', encode(token_hash, 'hex'), encode(old_token_hash, 'hex'), old_until AT TIME ZONE 'UTC') FROM account_proof WHERE provider = 'telegram'")
	}
	if got, want := proof(), hash(now)+" "+hash(old)+" 2026-01-02 03:14:05"; got != want {
		t.Errorf("proof %s, want %s", got, want)
	}
	if got, want := w.calls(), "getMe 2 getWebhookInfo 2 setWebhook 2 deleteWebhook 0"; got != want {
		t.Errorf("calls: %s, want %s", got, want)
	}
	w.clock.advance(11 * time.Minute)
	w.pass()
	if got := proof(); got != hash(now) {
		t.Errorf("after 11 minutes the proof is %s", got)
	}

	w.m.Secrets[0].Data["webhook-secret"] = []byte("chosen_by_hand\n")
	w.pass()
	if _, secret, _ := w.sim.Webhook(again); secret != "chosen_by_hand" {
		t.Errorf("the webhook's secret is %q", secret)
	}

	// Another bot: the old one's webhook goes.
	w.m.Secrets[0].Data["token"] = []byte(token2)
	w.pass()
	if url, _, _ := w.sim.Webhook(again); url != "" {
		t.Errorf("the bot before still sends to %s", url)
	}
	if got := w.query("SELECT source FROM channel WHERE provider = 'telegram' AND NOT is_default"); got != "telegram:222" {
		t.Errorf("the channel's source is %s", got)
	}
}

func TestAProviderIsAskedOnceADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	r := w.pass()
	if wait := r.CheckAt.Sub(w.clock.Now()); wait < 24*time.Hour || wait > 26*time.Hour {
		t.Errorf("the next look is in %s", wait)
	}
	w.clock.advance(27 * time.Hour)
	w.pass()
	if got, want := w.calls(), "getMe 2 getWebhookInfo 2 setWebhook 1 deleteWebhook 0"; got != want {
		t.Errorf("calls: %s, want %s", got, want)
	}
	if err := w.Recheck(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if got, want := w.calls(), "getMe 2 getWebhookInfo 3 setWebhook 1 deleteWebhook 0"; got != want {
		t.Errorf("calls after Recheck: %s, want %s", got, want)
	}
}

func TestATokenThatIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.m.Secrets[0].Data["token"] = []byte("this is no token")
	if got := w.ready("default", "telegram"); got != "False/TokenRefused" {
		t.Errorf("at first: %s", got)
	}
	if got := w.query("SELECT count(*) FROM channel WHERE provider = 'telegram' AND active AND NOT is_default"); got != "0" {
		t.Error("the channel of an unproven account is active")
	}
	w.m.Secrets[0].Data["token"] = []byte(token1)
	if got := w.ready("default", "telegram"); got != "True/Ready" {
		t.Errorf("a good one: %s", got)
	}
	// A slip of the pen: what works goes on.
	w.m.Secrets[0].Data["token"] = []byte("oops")
	if got := w.ready("default", "telegram"); got != "False/TokenRefused" {
		t.Errorf("a bad one after it: %s", got)
	}
	if got := w.query("SELECT source FROM channel WHERE provider = 'telegram' AND active AND NOT is_default"); got != "telegram:111" {
		t.Errorf("the channel takes events of %q", got)
	}
	row := w.query("SELECT credential FROM account WHERE kind = 'telegram-bot'")
	w.m.Secrets[0].Data["token"] = []byte(token1)
	if got := w.ready("default", "telegram"); got != "True/Ready" || w.query("SELECT credential FROM account WHERE kind = 'telegram-bot'") != row {
		t.Errorf("the good one again: %s", got)
	}
}

func TestTelegramIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.sim.Inject(botapisim.Fault{Method: "getMe", Status: http.StatusBadGateway})
	r := w.pass()
	if got := reasons(r.Bindings[name("default", "telegram")].Conditions); got["Ready"] != "False/ProviderUnavailable" || got["Reconciling"] != "True/ProviderUnavailable" {
		t.Errorf("getMe fails: %v", got)
	}
	if r.CheckAt.Sub(w.clock.Now()) != 30*time.Second {
		t.Errorf("the next try is at %s", r.CheckAt)
	}
	for _, b := range []string{"events", "github"} {
		if got := reason(r.Bindings[name("default", b)].Conditions, "Ready"); got != "True/Ready" {
			t.Errorf("%s: %s", b, got)
		}
	}
	w.sim.ClearFaults()
	w.sim.Inject(botapisim.Fault{Method: "setWebhook", Status: http.StatusBadGateway})
	w.clock.advance(31 * time.Second)
	if got := w.ready("default", "telegram"); got != "False/ProviderUnavailable" {
		t.Errorf("setWebhook fails: %s", got)
	}
	calls := w.calls()
	w.pass()
	if w.calls() != calls {
		t.Errorf("it is asked again at once: %s", w.calls())
	}
	w.sim.ClearFaults()
	w.clock.advance(31 * time.Second)
	if got := w.ready("default", "telegram"); got != "True/Ready" {
		t.Errorf("Telegram is back: %s", got)
	}
}

func TestAnAddressThatTelegramRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.sim.Inject(botapisim.Fault{Method: "setWebhook", Status: http.StatusBadRequest, Description: "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"})
	got := reasons(w.pass().Bindings[name("default", "telegram")].Conditions)
	if got["Ready"] != "False/WebhookRefused" || got["Stalled"] != "True/WebhookRefused" {
		t.Errorf("%v", got)
	}
	// A refused address is no reason to forget the bot: the channel can send.
	if got := w.query("SELECT count(*) FROM channel WHERE provider = 'telegram' AND active AND NOT is_default"); got != "1" {
		t.Error("the channel is closed")
	}
	w.PublicURL = func(*v1alpha1.SocialOpsInstance) string { return "https://inbox.example.com" }
	w.sim.ClearFaults()
	if got := w.ready("default", "telegram"); got != "True/Ready" {
		t.Errorf("with another address: %s", got)
	}
}

func TestAWebhookThatPointsElsewhereIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.setWebhook(token1, "https://elsewhere.example/hook")
	if got := w.ready("default", "telegram"); got != "False/WebhookTaken" {
		t.Errorf("at first: %s", got)
	}
	if url, _, _ := w.sim.Webhook(token1); url != "https://elsewhere.example/hook" {
		t.Errorf("it was fought over: %s", url)
	}
	w.setWebhook(token1, "")
	w.clock.advance(6 * time.Minute)
	if got := w.ready("default", "telegram"); got != "True/Ready" {
		t.Errorf("once it is free: %s", got)
	}
	w.setWebhook(token1, "https://elsewhere.example/hook")
	w.clock.advance(27 * time.Hour)
	if got := w.ready("default", "telegram"); got != "False/WebhookTaken" {
		t.Errorf("taken later: %s", got)
	}
	w.m.Bindings = nil
	w.pass()
	if url, _, _ := w.sim.Webhook(token1); url != "https://elsewhere.example/hook" {
		t.Errorf("it was removed with our last channel: %q", url)
	}
}

func TestOneBotServesOneInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.inputs(instance("one", "a", "alias-a"), instance("one", "b", "alias-b"), instance("two", "c", "alias-c"))
	w.m.Secrets = []*project.Secret{bot("one", "bot", token1), bot("two", "bot", token1)}
	w.m.Bindings = []*v1alpha1.ChannelBinding{
		binding("one", "a", "a", v1alpha1.ProviderTelegram, "bot"),
		binding("one", "a-chat", "a", v1alpha1.ProviderTelegram, "bot", target("-100")),
		binding("one", "b", "b", v1alpha1.ProviderTelegram, "bot"),
		binding("two", "c", "c", v1alpha1.ProviderTelegram, "bot"),
	}
	check := func(what string, want ...string) {
		t.Helper()
		r := w.pass()
		var got []string
		for _, b := range w.m.Bindings {
			got = append(got, b.Name+" "+reason(r.Bindings[name(b.Namespace, b.Name)].Conditions, "Ready"))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	check("the first holds it", "a True/Ready", "a-chat True/Ready", "b False/BotTaken", "c False/BotTaken")
	check("for good", "a True/Ready", "a-chat True/Ready", "b False/BotTaken", "c False/BotTaken")
	if got := w.query("SELECT count(*) FROM account_proof"); got != "1" {
		t.Errorf("%s instances can verify the bot's calls", got)
	}
	inactive(w.m.Bindings[0])
	check("it still has a channel", "a False/Inactive", "a-chat True/Ready", "b False/BotTaken", "c False/BotTaken")
	w.m.Bindings = w.m.Bindings[2:]
	check("the next holds it", "b True/Ready", "c False/BotTaken")
	if url, _, _ := w.sim.Webhook(token1); !strings.Contains(url, "alias-b") {
		t.Errorf("the webhook leads to %s", url)
	}
	w.m.Instances = w.m.Instances[:1]
	w.m.Instances = append(w.m.Instances, project.InstanceInput{Manifest: instance("two", "c", "alias-c")})
	check("its instance is gone", "b False/InstanceMissing", "c True/Ready")
}

func TestAChatBoundTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.m.Bindings = append(w.m.Bindings,
		binding("default", "another", "support", v1alpha1.ProviderTelegram, "bot"),
		binding("default", "chat-1", "support", v1alpha1.ProviderTelegram, "bot", target("-1")),
		binding("default", "chat-2", "support", v1alpha1.ProviderTelegram, "bot", target("-1")),
	)
	// "another" comes before "telegram" by name, and neither is older.
	r := w.pass()
	for b, want := range map[string]string{"another": "True/Ready", "telegram": "False/ChatBoundTwice", "chat-1": "True/Ready", "chat-2": "False/ChatBoundTwice"} {
		if got := reason(r.Bindings[name("default", b)].Conditions, "Ready"); got != want {
			t.Errorf("%s: %s, want %s", b, got, want)
		}
	}
	w.m.Bindings = append(w.m.Bindings, binding("default", "a-late-one", "support", v1alpha1.ProviderTelegram, "bot"))
	if got := w.ready("default", "a-late-one"); got != "False/ChatBoundTwice" {
		t.Errorf("a later one whose name comes first: %s", got)
	}
}

func TestWithoutAPublicURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.PublicURL = func(*v1alpha1.SocialOpsInstance) string { return "" }
	r := w.pass()
	for b, want := range map[string]string{"telegram": "False/NoPublicURL", "github": "False/NoPublicURL", "events": "True/Ready"} {
		if got := reason(r.Bindings[name("default", b)].Conditions, "Ready"); got != want {
			t.Errorf("%s: %s, want %s", b, got, want)
		}
	}
	if got := w.calls(); got != "getMe 1 getWebhookInfo 0 setWebhook 0 deleteWebhook 0" {
		t.Errorf("calls: %s", got)
	}
	w.PublicURL = func(*v1alpha1.SocialOpsInstance) string { return "https://inbox.example.com/" }
	w.pass()
	if url, _, _ := w.sim.Webhook(token1); url != "https://inbox.example.com/v1/apps/socialops/support/webhook/telegram" {
		t.Errorf("the webhook leads to %s", url)
	}
}

func TestWhatABindingWaitsFor(t *testing.T) {
	t.Parallel()
	shared := newWorld(t)
	if _, err := shared.Instance(t.Context(), project.InstanceInput{Manifest: instance("x", "x", "taken"), Secrets: func(string, string) *project.Secret { return nil }}); err != nil {
		t.Fatal(err)
	}
	cases := 0
	for title, c := range map[string]struct {
		change func(*project.Manifests)
		want   string
		kind   string
	}{
		"its instance": {func(m *project.Manifests) { m.Instances = nil }, "False/InstanceMissing", "InstanceReady"},
		"its instance's alias": {func(m *project.Manifests) {
			m.Instances[0].Manifest.Spec.Alias = "taken"
		}, "False/InstanceNotReady", "InstanceReady"},
		"its provider": {func(m *project.Manifests) {
			m.Instances[0].Manifest.Spec.Providers = []v1alpha1.Provider{v1alpha1.ProviderGitHub}
		}, "False/ProviderNotAllowed", "InstanceReady"},
		"its account":   {func(m *project.Manifests) { m.Secrets = m.Secrets[1:] }, "False/AccountMissing", "AccountProven"},
		"a label":       {func(m *project.Manifests) { m.Secrets[0].Labels = nil }, "False/AccountMissing", "AccountProven"},
		"another label": {func(m *project.Manifests) { m.Secrets[0].Labels[v1alpha1.LabelConnectedAccount] = "slack" }, "False/AccountKind", "AccountProven"},
		"a token":       {func(m *project.Manifests) { delete(m.Secrets[0].Data, "token") }, "False/AccountIncomplete", "AccountProven"},
		"its owner": {func(m *project.Manifests) {
			m.Secrets[0].Annotations[v1alpha1.AnnotationOwner] = "bob"
		}, "False/AccountForeignOwner", "AccountProven"},
	} {
		t.Run(title, func(t *testing.T) {
			// Each case is an install of its own in one database.
			cases++
			install, token := shared.Install, fmt.Sprintf("%d:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 1000+cases)
			install[15] = byte(cases)
			w := *shared
			w.t, w.Projector = t, shared.another(shared.Store, install)
			good := func() project.Manifests {
				m := samples()
				m.Instances[0].Manifest.Spec.Alias = fmt.Sprintf("case-%d", cases)
				m.Secrets[0].Data["token"] = []byte(token)
				return m
			}
			for _, from := range []string{"at first", "after all was well"} {
				w.m = good()
				c.change(&w.m)
				r := w.pass().Bindings[name("default", "telegram")]
				if got := reason(r.Conditions, c.kind); got != c.want || reason(r.Conditions, "Ready") != c.want {
					t.Errorf("%s: %v", from, reasons(r.Conditions))
				}
				if got := w.query("SELECT count(*) FROM channel c JOIN instance i ON i.id = c.instance_id WHERE install_id = $1::uuid AND provider = 'telegram' AND NOT is_default AND active", inbox.InstanceID(install).UUID()); got != "0" {
					t.Errorf("%s: the channel is active", from)
				}
				if url, _, _ := w.sim.Webhook(token); url != "" {
					t.Errorf("%s: the webhook still leads to %s", from, url)
				}
				w.m = good()
				if got := w.ready("default", "telegram"); got != "True/Ready" {
					t.Errorf("%s: it does not heal: %s", from, got)
				}
			}
		})
	}
}
