package project_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/project"
)

func (w *world) instance(in project.InstanceInput) project.InstanceResult {
	w.t.Helper()
	if in.Secrets == nil {
		in.Secrets = func(string, string) *project.Secret { return nil }
	}
	r, err := w.Instance(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func owner(name string) func(*v1alpha1.SocialOpsInstance) {
	return func(in *v1alpha1.SocialOpsInstance) { in.Spec.Owner = name }
}

func uid(id string) func(*v1alpha1.SocialOpsInstance) {
	return func(in *v1alpha1.SocialOpsInstance) { in.UID = types.UID(id) }
}

func since(t time.Time) func(*v1alpha1.SocialOpsInstance) {
	return func(in *v1alpha1.SocialOpsInstance) { in.CreationTimestamp = metav1.NewTime(t) }
}

func generation(n int64) func(*v1alpha1.SocialOpsInstance) {
	return func(in *v1alpha1.SocialOpsInstance) { in.Generation = n }
}

func TestATenantsRoleLogsInAndSeesItsOwnRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.instance(project.InstanceInput{Manifest: instance("one", "a", "alias-a"), Generated: []project.GeneratedKey{{Name: "dev", Value: keyValue}}})
	b := w.instance(project.InstanceInput{Manifest: instance("two", "b", "alias-b")})
	for _, in := range []struct {
		result      project.InstanceResult
		alias, keys string
	}{{a, "alias-a", "1"}, {b, "alias-b", "0"}} {
		tenant := w.db.Pool(t, in.result.Role)
		var got, channels, keys, accounts string
		err := tenant.QueryRow(t.Context(), `SELECT string_agg(alias, ','), (SELECT count(*)::text FROM channel), (SELECT count(*)::text FROM api_key),
			(SELECT has_table_privilege('account', 'SELECT')::text) FROM instance`).Scan(&got, &channels, &keys, &accounts)
		if err != nil || got != in.alias || channels != "3" || keys != in.keys || accounts != "false" {
			t.Errorf("%s sees %s, %s channels, %s keys, accounts: %s (%v)", in.result.Role, got, channels, keys, accounts, err)
		}
		if _, err := tenant.Exec(t.Context(), "UPDATE instance SET owner = 'me'"); err == nil {
			t.Error("a tenant may change its instance")
		}
		if got := w.query("SELECT rolconnlimit::text || rolinherit::text || rolcreaterole::text FROM pg_roles WHERE rolname = $1", in.result.Role); got != "8truefalse" {
			t.Errorf("the role is %s", got)
		}
		store := postgres.NewStore(tenant, in.result.ID, postgres.StoreOptions{})
		cfg, err := store.Config(t.Context())
		store.Close()
		if err != nil || cfg.Instance.Alias != in.alias || len(cfg.Channels) != 3 {
			t.Errorf("its store reads %+v (%v)", cfg, err)
		}
	}
	if len(a.Key) != 32 || string(a.Key) == string(b.Key) {
		t.Error("an instance has no key of its own")
	}
	if again := w.instance(project.InstanceInput{Manifest: instance("one", "a", "alias-a")}); string(again.Key) != string(a.Key) || again.ID != a.ID {
		t.Error("the second pass gave another key or id")
	}
}

func TestAliasFights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t0 := w.clock.Now()
	first := w.instance(project.InstanceInput{Manifest: instance("holders", "a", "inbox", uid("u1"), since(t0))})

	loser := w.instance(project.InstanceInput{Manifest: instance("two", "b", "inbox")})
	if got := reasons(loser.Conditions); got["AliasClaimed"] != "False/AliasTaken" || got["Ready"] != "False/AliasTaken" || got["Stalled"] != "True/AliasTaken" || !loser.ID.IsZero() {
		t.Errorf("the loser: %v", got)
	}
	for _, c := range loser.Conditions {
		for _, word := range []string{"holders", first.Role, "alice", first.ID.String()} {
			if strings.Contains(c.Message, word) {
				t.Errorf("the loser learns of the holder: %q", c.Message)
			}
		}
	}

	for name, c := range map[string]struct {
		in    *v1alpha1.SocialOpsInstance
		stale bool
	}{
		"an older version": {instance("holders", "a", "inbox", uid("u1"), since(t0), generation(0), owner("mallory")), true},
		"an older object":  {instance("holders", "a", "inbox", uid("u0"), since(t0.Add(-time.Hour)), owner("mallory")), true},
	} {
		if r := w.instance(project.InstanceInput{Manifest: c.in}); r.Stale != c.stale || r.ID != first.ID || r.Role != first.Role {
			t.Errorf("%s: %+v", name, r)
		}
		if got := w.query("SELECT owner FROM instance WHERE retired_at IS NULL"); got != "alice" {
			t.Errorf("%s changed the owner to %s", name, got)
		}
	}

	newer := w.instance(project.InstanceInput{Manifest: instance("holders", "a", "inbox", uid("u2"), since(t0.Add(time.Hour)))})
	if newer.ID != first.ID || reason(newer.Conditions, "Ready") != "True/Ready" {
		t.Errorf("an object made anew: %+v", newer)
	}

	moved := w.instance(project.InstanceInput{Manifest: instance("holders", "a", "elsewhere", uid("u3"), since(t0.Add(2*time.Hour)))})
	if moved.ID == first.ID || reason(moved.Conditions, "Ready") != "True/Ready" {
		t.Errorf("an object made anew with another alias: %+v", moved)
	}
	if got := w.query("SELECT string_agg(alias, ',') FROM instance WHERE retired_at IS NOT NULL"); got != "inbox" {
		t.Errorf("retired: %s", got)
	}
	retained := w.instance(project.InstanceInput{Manifest: instance("two", "b", "inbox")})
	if got := reason(retained.Conditions, "Ready"); got != "False/AliasRetained" {
		t.Errorf("the alias that was left: %s", got)
	}
}

func TestRetainedDataWaitsForItsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.instance(project.InstanceInput{Manifest: instance("one", "a", "inbox", uid("u1"))})
	if err := w.Retire(t.Context(), "one", "a"); err != nil {
		t.Fatal(err)
	}
	if got := w.query("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", before.Role); got != "false" {
		t.Errorf("the retired role can log in: %s", got)
	}
	for name, in := range map[string]*v1alpha1.SocialOpsInstance{
		"another namespace": instance("two", "a", "inbox"),
		"another name":      instance("one", "b", "inbox"),
		"another owner":     instance("one", "a", "inbox", uid("u2"), owner("bob")),
	} {
		if got := reason(w.instance(project.InstanceInput{Manifest: in}).Conditions, "Ready"); got != "False/AliasRetained" {
			t.Errorf("%s: %s", name, got)
		}
	}
	back := w.instance(project.InstanceInput{Manifest: instance("one", "a", "inbox", uid("u3"))})
	if back.ID != before.ID || reason(back.Conditions, "Ready") != "True/Ready" {
		t.Errorf("it did not come back: %+v", back)
	}
	if got := w.query("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", before.Role); got != "true" {
		t.Errorf("the role that came back can log in: %s", got)
	}
	if got := w.query("SELECT count(*) FROM channel WHERE active"); got != "3" {
		t.Errorf("%s default channels are active", got)
	}

	if err := project.Release(t.Context(), w.Store, "inbox", w.clock.Now()); inbox.CodeOf(err) != inbox.CodeConflict {
		t.Errorf("an alias in use was released: %v", err)
	}
	if err := w.Retire(t.Context(), "one", "a"); err != nil {
		t.Fatal(err)
	}
	if err := project.Release(t.Context(), w.Store, "inbox", w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	other := w.instance(project.InstanceInput{Manifest: instance("two", "b", "inbox", owner("bob"))})
	if other.ID != before.ID || reason(other.Conditions, "Ready") != "True/Ready" {
		t.Errorf("the released data was not adopted: %+v", other)
	}
	if err := project.Release(t.Context(), w.Store, "unknown", w.clock.Now()); inbox.CodeOf(err) != inbox.CodeNotFound {
		t.Errorf("an unknown alias was released: %v", err)
	}
}

func TestARolesPasswordRotates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	super := w.db.Pool(t, "postgres")
	in := project.InstanceInput{Manifest: instance("one", "a", "inbox")}
	verifier := func() string {
		var got *string
		role := w.instance(in).Role
		if err := super.QueryRow(t.Context(), "SELECT rolpassword FROM pg_authid WHERE rolname = $1", role).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got == nil {
			return ""
		}
		return *got
	}
	if got := verifier(); got != "" {
		t.Errorf("a password that nobody gave: %s", got)
	}
	in.Password = "first-password"
	first := verifier()
	if !strings.HasPrefix(first, "SCRAM-SHA-256$4096:") || strings.Contains(first, in.Password) {
		t.Errorf("stored as %s", first)
	}
	if again := verifier(); again != first {
		t.Error("the same password was set again")
	}
	in.Password = "second-password"
	if second := verifier(); second == first || second == "" {
		t.Error("the password did not change")
	}
	in.Password = ""
	if got := verifier(); got != "" {
		t.Errorf("the password is still %s", got)
	}
	in.Password = "with blanks' or more"
	if _, err := w.Instance(t.Context(), in); err == nil || strings.Contains(err.Error(), in.Password) {
		t.Errorf("a password that no verifier can be made of: %v", err)
	}
}

// A role that an admin dropped or changed by hand is as it was after the next pass.
func TestARoleHeals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := project.InstanceInput{Manifest: instance("one", "a", "inbox")}
	role := w.instance(in).Role
	super := w.db.Pool(t, "postgres")
	for name, sql := range map[string]string{
		"no login":      "ALTER ROLE %s NOLOGIN",
		"another limit": "ALTER ROLE %s CONNECTION LIMIT 1",
		"no membership": "REVOKE socialops_runtime FROM %s",
		"dropped":       "DROP ROLE %s",
		"unknown":       "DELETE FROM instance_role WHERE role_name = '%s'",
	} {
		if _, err := super.Exec(t.Context(), fmt.Sprintf(sql, role)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := reason(w.instance(in).Conditions, "Ready"); got != "True/Ready" {
			t.Errorf("%s: %s", name, got)
		}
		if got := w.query("SELECT count(*) FROM pg_roles r JOIN instance_role i ON i.role_name = r.rolname WHERE rolcanlogin AND rolconnlimit = 8 AND pg_has_role(rolname, 'socialops_runtime', 'usage') AND rolname = $1", role); got != "1" {
			t.Errorf("%s: it did not heal", name)
		}
	}
}

func TestDatabaseTroubleIsACondition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	closed := w.db.Pool(t, "owner")
	closed.Close()
	if _, err := w.db.Pool(t, "postgres").Exec(t.Context(), "CREATE ROLE clerk LOGIN IN ROLE owner"); err != nil { // CREATEROLE is not inherited
		t.Fatal(err)
	}
	noCreateRole := w.db.Pool(t, "clerk")
	nobody := pgtest.New(t)
	if _, err := nobody.Owner.Exec(t.Context(), "DROP TABLE instance CASCADE"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		store  *postgres.Configuration
		reason string
		says   string
	}{
		"away":          {postgres.NewConfiguration(closed), "False/DatabaseUnavailable", "away"},
		"no privileges": {postgres.NewConfiguration(w.db.Worker(t)), "False/DatabasePrivileges", `ALTER ROLE "worker" CREATEROLE`},
		"no CREATEROLE": {postgres.NewConfiguration(noCreateRole), "False/DatabasePrivileges", `ALTER ROLE "clerk" CREATEROLE`},
		"old schema":    {postgres.NewConfiguration(nobody.Owner), "False/SchemaTooOld", "socialops migrate"},
	} {
		p := w.another(c.store, w.Install)
		r, err := p.Instance(t.Context(), project.InstanceInput{Manifest: instance("one", "a", "inbox"), Secrets: func(string, string) *project.Secret { return nil }})
		if err == nil || reason(r.Conditions, "DatabaseReady") != c.reason || reason(r.Conditions, "Ready") != c.reason {
			t.Errorf("%s: %v (%v)", name, reasons(r.Conditions), err)
		}
		for _, cond := range r.Conditions {
			if cond.Type == "DatabaseReady" && !strings.Contains(cond.Message, c.says) {
				t.Errorf("%s: the condition says %q", name, cond.Message)
			}
		}
		b, err := p.Binding(t.Context(), binding("one", "b", "a", v1alpha1.ProviderGenericWebhook, ""), instance("one", "a", "inbox"))
		if err == nil && !strings.HasPrefix(name, "no ") || b.Conditions == nil {
			t.Errorf("%s: the binding: %v (%v)", name, reasons(b.Conditions), err)
		}
	}
}

func TestSuspendedAndBadSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	yes := true
	r := w.instance(project.InstanceInput{Manifest: instance("one", "a", "inbox", func(in *v1alpha1.SocialOpsInstance) { in.Spec.Suspend = &yes })})
	if got := reasons(r.Conditions); got["Ready"] != "False/Suspended" || got["DatabaseReady"] != "True/DatabaseReady" || got["Stalled"] != "" {
		t.Errorf("suspended: %v", got)
	}
	if got := w.query("SELECT suspended FROM instance"); got != "true" {
		t.Errorf("the row says %s", got)
	}
	r = w.instance(project.InstanceInput{Manifest: instance("one", "b", "other", func(in *v1alpha1.SocialOpsInstance) { in.Spec.Billing.Prices.Reply = "x" })})
	if got := reason(r.Conditions, "Ready"); got != "False/InvalidSpec" {
		t.Errorf("a bad price: %s", got)
	}
}

func TestProvidersComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	with := func(p ...v1alpha1.Provider) func(*v1alpha1.SocialOpsInstance) {
		return func(in *v1alpha1.SocialOpsInstance) { in.Spec.Providers = p }
	}
	for _, c := range []struct {
		providers []v1alpha1.Provider
		want      string
	}{
		{[]v1alpha1.Provider{"telegram"}, "telegram"},
		{[]v1alpha1.Provider{"telegram", "github"}, "github,telegram"},
		{[]v1alpha1.Provider{"generic-webhook"}, "generic-webhook"},
		{[]v1alpha1.Provider{"telegram"}, "telegram"},
	} {
		w.instance(project.InstanceInput{Manifest: instance("one", "a", "inbox", with(c.providers...))})
		if got := w.query("SELECT string_agg(provider, ',' ORDER BY provider) FROM channel WHERE is_default AND active"); got != c.want {
			t.Errorf("%v: %s", c.providers, got)
		}
	}
}
