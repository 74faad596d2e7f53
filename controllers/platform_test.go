package controllers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func liveClient(t *testing.T, o *operator) client.Client {
	t.Helper()
	scheme, err := newScheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(o.options.RESTConfig, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheInstallsSecretIsMadeOnce(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	c := liveClient(t, o)
	o.options.InstallSecret = defaultInstallSecret
	var mu sync.Mutex
	var all []install
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			in, err := ensureInstall(t.Context(), c, &o.options)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, in)
		})
	}
	wg.Wait()
	for _, in := range all {
		if in.id != all[0].id || string(in.encryptionKey) != string(all[0].encryptionKey) || in.id == [16]byte{} {
			t.Fatal("operators that start at once have different ids or keys")
		}
	}
	s := get(o, defaultInstallSecret, &corev1.Secret{})
	if len(s.OwnerReferences) > 0 || s.Labels[desired.LabelManagedBy] != desired.ManagedBy || s.Immutable == nil || !*s.Immutable {
		t.Errorf("%+v", s.ObjectMeta)
	}
}

func TestADamagedInstall(t *testing.T) {
	t.Parallel()
	for title, c := range map[string]struct {
		secret  *corev1.Secret
		change  func(*Options)
		says    []string
		without string
	}{
		"short key": {
			&corev1.Secret{ObjectMeta: named(defaultInstallSecret), Data: map[string][]byte{keyInstallID: make([]byte, 16), keyEncryptionKey: []byte("hush")}}, nil,
			[]string{"/socialops-install is damaged", `"encryption-key" has 4 bytes, not 32`, "backup"},
			"hush",
		},
		"no id":          {&corev1.Secret{ObjectMeta: named(defaultInstallSecret), Data: map[string][]byte{keyEncryptionKey: make([]byte, 32)}}, nil, []string{`"install-id" has 0 bytes`}, ""},
		"trial password": {&corev1.Secret{ObjectMeta: named("trial")}, func(o *Options) { o.TrialSecret, o.TrialHost = "trial", "db:5432" }, []string{"trial database is damaged", "delete it"}, ""},
		"trial host":     {nil, func(o *Options) { o.TrialSecret = "trial" }, []string{"host and port"}, ""},
		"no database":    {nil, func(o *Options) { o.DatabaseURL = "" }, []string{"DATABASE_URL"}, ""},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			o := newOperator(t)
			if c.change != nil {
				c.change(&o.options)
			}
			if c.secret != nil {
				c.secret.Namespace = o.Namespace
				if err := o.Client.Create(t.Context(), c.secret); err != nil {
					t.Fatal(err)
				}
			}
			err := Run(t.Context(), o.options)
			if err == nil {
				t.Fatal("the operator started")
			}
			for _, want := range c.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it says %q, without %q", err, want)
				}
			}
			if c.without != "" && strings.Contains(err.Error(), c.without) {
				t.Errorf("it gives away the key: %q", err)
			}
		})
	}
}

func TestTheTrialDatabasesURL(t *testing.T) {
	t.Parallel()
	o := newOperator(t, func(o *Options) { o.DatabaseURL, o.TrialSecret, o.TrialHost = "", "trial", "db.test.svc:5433" })
	c := liveClient(t, o)
	var urls []string
	for range 2 {
		options := o.options
		options.InstallSecret, options.Workers = defaultInstallSecret, 1
		p, err := openPlatform(t.Context(), c, &options)
		if err != nil {
			t.Fatal(err)
		}
		p.close()
		urls = append(urls, options.DatabaseURL, options.DirectURL)
		if !slices.Equal(options.Settings.DatabasePorts, []int32{5433}) {
			t.Errorf("ports: %v", options.Settings.DatabasePorts)
		}
	}
	password := string(get(o, "trial", &corev1.Secret{}).Data["password"])
	if len(password) < 32 {
		t.Errorf("the password has %d characters", len(password))
	}
	for _, u := range urls {
		if want := "postgres://postgres:" + password + "@db.test.svc:5433/socialops"; u != want {
			t.Errorf("the URL is %s", strings.ReplaceAll(u, password, "…"))
		}
	}
}

// Postgres is away when the operator starts, comes, goes, and comes again as an empty one.
func TestPostgresComesAndGoes(t *testing.T) {
	t.Parallel()
	db := pgtest.NewServer(t)
	m := newMessenger(t, func(o *Options) { o.DatabaseURL = db.DSN("owner") })
	m.db = db
	if err := db.Server.Kill(); err != nil {
		t.Fatal(err)
	}
	m.start()
	m.create(m.exposed("a"), m.bot("bot", 1), m.binding("b", "a", v1alpha1.ProviderTelegram, "bot"))
	m.await("a", "Ready=False/DatabaseUnavailable", "Reconciling=True/DatabaseUnavailable", "DatabaseReady=False/DatabaseUnavailable")
	m.bound("b", "Ready=False/DatabaseUnavailable")
	restart := func() {
		t.Helper()
		if err := db.Server.Restart(t.Context(), "fast"); err != nil {
			t.Fatal(err)
		}
	}
	restart()
	m.await("a", "DatabaseReady=True/DatabaseReady")
	m.bound("b", "Ready=True/Ready")
	if told := m.events("a"); slices.ContainsFunc(told, func(e string) bool { return strings.Contains(e, eventRoleReplaced) }) {
		t.Errorf("an instance's first role replaces none: %q", told)
	}
	m.settled() // what the way back woke has been looked at

	if err := db.Server.Kill(); err != nil {
		t.Fatal(err)
	}
	m.create(m.exposed("later"), m.binding("later", "later", v1alpha1.ProviderGenericWebhook, ""))
	m.await("later", "Ready=False/DatabaseUnavailable")
	m.bound("later", "Ready=False/DatabaseUnavailable")
	// What was well stays so: nobody looked.
	if got := get(m.operator, "b", &v1alpha1.ChannelBinding{}); !holds(got.Status.Conditions, "Ready=True/Ready") {
		t.Errorf("%+v", got.Status.Conditions)
	}
	restart()
	m.await("later", "DatabaseReady=True/DatabaseReady")
	m.bound("later", "Ready=True/Ready")

	// A trial's Postgres comes back empty.
	if _, err := db.Owner.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		t.Fatal(err)
	}
	edit(m.operator, "later", &v1alpha1.SocialOpsInstance{}, func(in *v1alpha1.SocialOpsInstance) { in.Spec.Billing.Account = "acme" })
	m.eventually("everything is projected anew", func() bool {
		var n int
		err := db.Owner.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM instance) + (SELECT count(*) FROM channel WHERE active AND NOT is_default) + (SELECT count(*) FROM account)").Scan(&n)
		return err == nil && n == 5
	})
	m.bound("b", "Ready=True/Ready")
	lines := m.log.noise()
	if len(lines) > 4 || slices.ContainsFunc(lines, func(l string) bool { return !strings.Contains(l, "the database is not in use") }) {
		t.Errorf("the log is not quiet:\n%s", strings.Join(lines, ""))
	}
}

// What the condition says to run is what helps.
func TestTheDatabaseRoleLacksARight(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	super := db.Pool(t, "postgres")
	clerk := "clerk_" + db.Name
	if _, err := super.Exec(t.Context(), "CREATE ROLE "+clerk+" LOGIN"); err != nil {
		t.Fatal(err)
	}
	o := newOperator(t, func(o *Options) { o.DatabaseURL = db.DSN(clerk) })
	o.db = db
	if _, err := super.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner"); err != nil {
		t.Fatal(err)
	}
	o.start()
	if err := o.Client.Create(t.Context(), o.instance("a")); err != nil {
		t.Fatal(err)
	}
	in := o.await("a", "Ready=False/DatabasePrivileges", "Stalled=True/DatabasePrivileges")
	_, sql, _ := strings.Cut(meta.FindStatusCondition(in.Status.Conditions, "DatabaseReady").Message, "run: ")
	sql, _, _ = strings.Cut(sql, "(CloudNativePG")
	const later = "and on Postgres 16 or later, if other roles made them:"
	if o.query("SELECT current_setting('server_version_num')::int < 160000") == "true" {
		sql, _, _ = strings.Cut(sql, later)
	}
	sql = strings.Replace(sql, later, "", 1)
	if _, err := super.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	o.await("a", "DatabaseReady=True/DatabaseReady", "AliasClaimed=True/AliasClaimed", "Stalled=absent")
	if lines := o.log.noise(); len(lines) != 1 || !strings.Contains(lines[0], "the database is not in use") {
		t.Errorf("it logged\n%s", strings.Join(lines, ""))
	}
}

// The schema is ahead of this binary, after a rollback past a version.
func TestTheOperatorsImageIsTooOld(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	if _, err := o.db.Owner.Exec(t.Context(), fmt.Sprintf("CREATE OR REPLACE FUNCTION oldest_binary() RETURNS bigint LANGUAGE sql AS 'SELECT %d::bigint'", postgres.MaxSchema+1)); err != nil {
		t.Fatal(err)
	}
	o.start()
	if err := o.Client.Create(t.Context(), o.instance("a")); err != nil {
		t.Fatal(err)
	}
	o.await("a", "DatabaseReady=False/ImageTooOld", "Stalled=True/ImageTooOld")
}

// What goes while no operator runs is out of force soon after one does.
func TestSweepAfterARestart(t *testing.T) {
	t.Parallel()
	m := newMessenger(t)
	m.start()
	deleting := func(in *v1alpha1.SocialOpsInstance) { in.Spec.DeletionPolicy = v1alpha1.DeletionDelete }
	m.create(m.exposed("stays"), m.exposed("retained"), m.exposed("deleted", deleting),
		m.bot("stays", 1), m.bot("goes", 2), m.bot("left", 3),
		m.binding("stays", "stays", v1alpha1.ProviderTelegram, "stays"), m.binding("goes", "stays", v1alpha1.ProviderTelegram, "goes"),
		m.binding("left", "retained", v1alpha1.ProviderTelegram, "left"))
	for _, b := range []string{"stays", "goes", "left"} {
		m.bound(b, "Ready=True/Ready")
	}
	m.await("deleted", "DatabaseReady=True/DatabaseReady")
	m.stop()
	for _, gone := range []client.Object{m.instance("retained"), m.instance("deleted"), m.binding("goes", "", "", ""), secretNamed("goes")} {
		gone.SetNamespace(m.Namespace)
		if _, secret := gone.(*corev1.Secret); !secret {
			base, _ := gone.DeepCopyObject().(client.Object)
			if err := m.Client.Get(t.Context(), client.ObjectKeyFromObject(gone), base); err != nil {
				t.Fatal(err)
			}
			bare, _ := base.DeepCopyObject().(client.Object)
			bare.SetFinalizers(nil)
			if err := m.Client.Patch(t.Context(), bare, client.MergeFrom(base)); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Client.Delete(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
	}
	m.start()
	m.eventually("what went is out of force", func() bool {
		return m.query("SELECT string_agg(name, ',') FROM instance WHERE retired_at IS NULL") == "stays" &&
			m.query("SELECT string_agg(name, ',' ORDER BY name) FROM channel WHERE active AND NOT is_default") == "Channel stays"
	})
	m.eventually("the deleted data is purged", func() bool {
		return m.query("SELECT count(*) FROM instance WHERE name = 'deleted' AND purged_at IS NULL") == "0"
	})
	m.eventually("the account is gone", func() bool { return m.query("SELECT string_agg(name, ',' ORDER BY name) FROM account") == "left,stays" })
	m.bound("left", "Ready=False/InstanceMissing")
	m.eventually("the webhooks are removed", func() bool { return m.webhook(2) == "" && m.webhook(3) == "" })
	if m.webhook(1) == "" {
		t.Error("a webhook that is in use was removed")
	}
	m.bound("stays", "Ready=True/Ready")
}

// A restart changes nothing and asks nobody.
func TestARestartIsQuiet(t *testing.T) {
	t.Parallel()
	m := newMessenger(t)
	m.start()
	m.create(m.exposed("a"), m.bot("bot", 1), m.binding("b", "a", v1alpha1.ProviderTelegram, "bot"), m.binding("c", "a", v1alpha1.ProviderGenericWebhook, ""))
	m.bound("b", "Ready=True/Ready")
	m.bound("c", "Ready=True/Ready")
	m.settled()
	calls, versions := m.calls(), m.versions()
	m.stop()
	m.start()
	m.eventually("it works again", func() bool {
		edit(m.operator, "c", &v1alpha1.ChannelBinding{}, func(b *v1alpha1.ChannelBinding) { b.Spec.ChannelName = "Another name" })
		return m.query("SELECT count(*) FROM channel WHERE name = 'Another name'") == "1"
	})
	m.settled()
	if got := m.calls(); got != calls {
		t.Errorf("calls: %s, and after a restart %s", calls, got)
	}
	now := m.versions()
	delete(versions, "ChannelBinding/c")
	delete(now, "ChannelBinding/c")
	maps.DeleteFunc(versions, func(k, _ string) bool { return strings.HasPrefix(k, "Event/") })
	maps.DeleteFunc(now, func(k, _ string) bool { return strings.HasPrefix(k, "Event/") })
	if !maps.Equal(versions, now) {
		t.Errorf("a restart wrote: before %v, after %v", versions, now)
	}
	m.quiet()
}

// Of two replicas one works; the other takes over, and nothing shows of it.
func TestASecondReplica(t *testing.T) {
	t.Parallel()
	m := newMessenger(t, func(o *Options) { o.LeaderElect = true })
	m.start()
	m.create(m.exposed("a"), m.bot("bot", 1), m.binding("b", "a", v1alpha1.ProviderTelegram, "bot"))
	m.bound("b", "Ready=True/Ready")
	m.settled()
	calls := m.calls()

	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, m.options) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	m.stop() // gives the lease back
	edit(m.operator, "b", &v1alpha1.ChannelBinding{}, func(b *v1alpha1.ChannelBinding) { b.Spec.ChannelName = "Another name" })
	m.eventually("the second one works", func() bool { return m.query("SELECT count(*) FROM channel WHERE name = 'Another name'") == "1" })
	m.bound("b", "Ready=True/Ready")
	if got := m.calls(); got != calls {
		t.Errorf("calls: %s, and by the second %s", calls, got)
	}
}

// An operator that may not read Secrets says so, and goes on once it may.
func TestABindingWithoutTheRightToItsSecret(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	secretsToo := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "create", "patch", "list", "watch"}}
	others := rbacv1.PolicyRule{APIGroups: []string{"apps", "autoscaling", "policy", "networking.k8s.io", "gateway.networking.k8s.io", "socialops.dev", "events.k8s.io", "coordination.k8s.io"}, Resources: []string{"*"}, Verbs: []string{"*"}}
	core := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"services", "configmaps", "serviceaccounts", "events"}, Verbs: []string{"*"}}
	watchOnly := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"list", "watch", "create", "patch"}}
	own := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{defaultInstallSecret, defaultWorkerSecret, "a-runtime", "a-api-key"}, Verbs: []string{"get"}}
	o := newOperatorIn(t, env, []rbacv1.PolicyRule{others, core, watchOnly, own})
	m := &messenger{o, nil}
	m.start()
	gh := m.bot("gh", 1)
	gh.Labels[v1alpha1.LabelConnectedAccount], gh.Data = string(v1alpha1.AccountGitHubWebhook), map[string][]byte{"secret": []byte("hook-secret")}
	m.create(m.exposed("a"), gh, m.binding("b", "a", v1alpha1.ProviderGitHub, "gh"))
	b := m.bound("b", "Ready=False/Forbidden", "AccountProven=Unknown/Forbidden", "Stalled=True/Forbidden")
	if got := meta.FindStatusCondition(b.Status.Conditions, "Ready").Message; !strings.Contains(got, "get secrets") {
		t.Errorf("it says %q", got)
	}
	env.Grant(t, o.user, []rbacv1.PolicyRule{secretsToo}, env.Namespace)
	m.touch("b", &v1alpha1.ChannelBinding{})
	m.bound("b", "Ready=True/Ready")
}

func TestTheGate(t *testing.T) {
	t.Parallel()
	away := inbox.Errorf(inbox.CodeUnavailable, "away")
	g := newGate(storeOf(func() error { return nil }))
	done := make(chan error, 1)
	go func() { done <- g.Configure(t.Context(), nil, nil) }()
	select {
	case err := <-done:
		t.Errorf("it answered before the first look: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	g.close(away)
	if err := <-done; !errors.Is(err, away) {
		t.Errorf("while it is away: %v", err)
	}
	if g.epoch.Load() != 0 {
		t.Error("an epoch began though it never opened")
	}
	g.open()
	if err := g.Configure(t.Context(), nil, nil); err != nil || g.epoch.Load() != 1 {
		t.Errorf("once it is open: %v", err)
	}
	g.store = storeOf(func() error { return away })
	for range 3 {
		if err := g.Configure(t.Context(), nil, nil); !errors.Is(err, away) {
			t.Error(err)
		}
	}
	select {
	case <-g.doubts:
	default:
		t.Error("nobody is told that a call failed")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_ = g.Configure(ended, nil, nil)
	select {
	case <-g.doubts:
		t.Error("a caller that gave up says nothing of the database")
	default:
	}
	g.close(away)
	g.open()
	if g.epoch.Load() != 2 {
		t.Errorf("epoch %d", g.epoch.Load())
	}
}

type storeOf func() error

func (s storeOf) Configure(context.Context, []string, func(inbox.ConfigurationTx) error) error {
	return s()
}
