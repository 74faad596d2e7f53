package project_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/project"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/generic"
	"github.com/open4x/socialops/runtime/provider/github"
	"github.com/open4x/socialops/runtime/provider/telegram"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
	"github.com/open4x/socialops/runtime/seal"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is a database, a Telegram and a projector between them.
type world struct {
	*project.Projector
	t     *testing.T
	db    *pgtest.Database
	sim   *botapisim.Sim
	clock *clock
	m     project.Manifests
}

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

const publicURL = "http://127.0.0.1:8080"

func newWorld(t *testing.T) *world {
	t.Helper()
	db := pgtest.New(t)
	sim, err := botapisim.Start(botapisim.Options{AnyBot: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	tg := telegram.New(telegram.Options{APIURL: sim.URL()})
	t.Cleanup(tg.Close)
	c := &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	return &world{t: t, db: db, sim: sim, clock: c, Projector: &project.Projector{
		Store:          postgres.NewConfiguration(db.Owner),
		Providers:      provider.NewRegistry(generic.New(), github.New(), tg),
		Seal:           newKey(t),
		Install:        inbox.NewID[inbox.InstanceID](c.now),
		PublicURL:      func(*v1alpha1.SocialOpsInstance) string { return publicURL },
		KeepConditions: true,
		Now:            c.Now,
	}}
}

// another is a projector like the world's own, of another store or install.
func (w *world) another(store inbox.Configuration, install [16]byte) *project.Projector {
	return &project.Projector{
		Store: store, Providers: w.Providers, Seal: w.Seal, Install: install, PublicURL: w.PublicURL, KeepConditions: true, Now: w.Now,
	}
}

func newKey(t *testing.T) *seal.Key {
	t.Helper()
	k, err := seal.NewKey(seal.Generate())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// pass projects the world's manifests and fails the test on an error.
func (w *world) pass() project.Results {
	w.t.Helper()
	r, err := w.All(w.t.Context(), w.m)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) query(sql string, args ...any) string {
	w.t.Helper()
	var out *string
	if err := w.db.Owner.QueryRow(w.t.Context(), "SELECT ("+sql+")::text", args...).Scan(&out); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	if out == nil {
		return ""
	}
	return *out
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Owner.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
}

// snapshot is every configuration row with its version, so that a write shows even when it changes nothing.
func (w *world) snapshot() string {
	w.t.Helper()
	var b strings.Builder
	for _, table := range []string{"instance", "instance_role", "api_key", "account", "account_proof", "channel", "pg_roles"} {
		sql := fmt.Sprintf("SELECT coalesce(string_agg(t.xmin::text || t::text, E'\\n' ORDER BY t::text), '') FROM %s t", table)
		if table == "pg_roles" {
			sql = fmt.Sprintf("SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '') FROM pg_roles t WHERE rolname LIKE 'so\\_%x%%'", w.Install[12:])
		}
		var s string
		if err := w.db.Owner.QueryRow(w.t.Context(), sql).Scan(&s); err != nil {
			w.t.Fatal(err)
		}
		b.WriteString(table + ":\n" + s + "\n")
	}
	return b.String()
}

// calls counts the calls that the simulator saw.
func (w *world) calls() string {
	var b strings.Builder
	for _, method := range []string{"getMe", "getWebhookInfo", "setWebhook", "deleteWebhook"} {
		fmt.Fprintf(&b, "%s %d ", method, len(w.sim.Calls(strings.ToLower(method))))
	}
	return strings.TrimSpace(b.String())
}

func instance(namespace, name, alias string, change ...func(*v1alpha1.SocialOpsInstance)) *v1alpha1.SocialOpsInstance {
	in := &v1alpha1.SocialOpsInstance{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name + "/1"), Generation: 1},
		Spec:       v1alpha1.SocialOpsInstanceSpec{Alias: alias, Owner: "alice"},
	}
	for _, c := range change {
		c(in)
	}
	return in
}

func binding(namespace, name, instance string, p v1alpha1.Provider, account string, change ...func(*v1alpha1.ChannelBinding)) *v1alpha1.ChannelBinding {
	b := &v1alpha1.ChannelBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name + "/1"), Generation: 1},
		Spec: v1alpha1.ChannelBindingSpec{
			InstanceRef: v1alpha1.InstanceReference{Name: instance}, Provider: p, ChannelName: "Channel " + name,
			ConnectedAccountRef: v1alpha1.SecretReference{Name: account},
		},
	}
	for _, c := range change {
		c(b)
	}
	return b
}

func bot(namespace, name, token string) *project.Secret {
	return &project.Secret{
		Namespace: namespace, Name: name,
		Labels:      map[string]string{v1alpha1.LabelConnectedAccount: string(v1alpha1.AccountTelegramBot)},
		Annotations: map[string]string{v1alpha1.AnnotationOwner: "alice"},
		Data:        map[string][]byte{v1alpha1.KeyTelegramToken: []byte(token + "\n")},
	}
}

func githubAccount(namespace, name, secret string) *project.Secret {
	return &project.Secret{
		Namespace: namespace, Name: name,
		Labels:      map[string]string{v1alpha1.LabelConnectedAccount: string(v1alpha1.AccountGitHubWebhook)},
		Annotations: map[string]string{v1alpha1.AnnotationOwner: "alice"},
		Data:        map[string][]byte{v1alpha1.KeyGitHubSecret: []byte(secret)},
	}
}

const (
	token1       = "111:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	token2       = "222:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
	githubSecret = "hook-secret-of-the-repository"
	keyValue     = "sk_0123456789012345678901234567890123456789"
)

// samples is one instance with a channel of each provider, as config/samples has it.
func samples() project.Manifests {
	return project.Manifests{
		Instances: []project.InstanceInput{{
			Manifest:  instance("default", "support", "support"),
			Generated: []project.GeneratedKey{{Name: "dev", Value: keyValue}},
		}},
		Bindings: []*v1alpha1.ChannelBinding{
			binding("default", "events", "support", v1alpha1.ProviderGenericWebhook, ""),
			binding("default", "telegram", "support", v1alpha1.ProviderTelegram, "bot"),
			binding("default", "github", "support", v1alpha1.ProviderGitHub, "github"),
		},
		Secrets: []*project.Secret{bot("default", "bot", token1), githubAccount("default", "github", githubSecret)},
	}
}

// reasons are conditions as "Type=Status/Reason", in the order of types.
func reasons(conditions []metav1.Condition) map[string]string {
	out := map[string]string{}
	for _, c := range conditions {
		out[c.Type] = string(c.Status) + "/" + c.Reason
	}
	return out
}

func reason(conditions []metav1.Condition, kind string) string { return reasons(conditions)[kind] }

// setWebhook points a bot elsewhere, as somebody else would; empty: nowhere.
func (w *world) setWebhook(token, url string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.sim.URL()+"/bot"+token+"/setWebhook", strings.NewReader(`{"url":"`+url+`"}`))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("setWebhook: %s", res.Status)
	}
}

func configurationOn(pool *pgxpool.Pool) inbox.Configuration { return postgres.NewConfiguration(pool) }

// eventually waits until a query gives what is wanted.
func (w *world) eventually(sql, want string) {
	w.t.Helper()
	for {
		got := w.query(sql)
		if got == want {
			return
		}
		select {
		case <-w.t.Context().Done():
			w.t.Fatalf("%s: %s, want %s", sql, got, want)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func openPool(t *testing.T, config *pgxpool.Config) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// holdDelete keeps whoever removes a webhook waiting.
var holdDelete = botapisim.Fault{Method: "deleteWebhook", Hang: true}
