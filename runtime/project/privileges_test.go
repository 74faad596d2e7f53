package project_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/project"
)

// An operator whose role made neither the groups nor the tenants' roles, as after a
// change of the database URL: up to Postgres 15 CREATEROLE is enough, from 16 on it
// needs ADMIN OPTION. What the condition says to run is what helps.
func TestAnotherRoleTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := project.InstanceInput{Manifest: instance("one", "a", "inbox"), Secrets: func(string, string) *project.Secret { return nil }}
	old := w.instance(in)

	super := w.db.Pool(t, "postgres")
	const takeOver = `
DO $$ DECLARE t text; BEGIN
  CREATE ROLE successor LOGIN CREATEROLE;
  FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') LOOP
    EXECUTE format('ALTER TABLE %I OWNER TO successor', t);
  END LOOP;
  FOR t IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner = 'owner'::regrole LOOP
    EXECUTE 'ALTER FUNCTION ' || t || ' OWNER TO successor';
  END LOOP;
  EXECUTE format('ALTER DATABASE %I OWNER TO successor', current_database());
END $$`
	var version int
	if _, err := super.Exec(t.Context(), takeOver); err != nil {
		t.Fatal(err)
	}
	if err := super.QueryRow(t.Context(), "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		t.Fatal(err)
	}
	w.Store = postgres.NewConfiguration(w.db.Pool(t, "successor"))
	three := int32(3)
	in.Manifest.Spec.Replicas = &three // another connection limit
	r, err := w.Instance(t.Context(), in)
	if version >= 160000 {
		if got := reason(r.Conditions, "DatabaseReady"); err == nil || got != "False/DatabasePrivileges" {
			t.Fatalf("on Postgres %d: %s", version, got)
		}
		if _, err := super.Exec(t.Context(), remedy(r.Conditions)); err != nil {
			t.Fatalf("%s: %v", remedy(r.Conditions), err)
		}
		r, err = w.Instance(t.Context(), in)
	}
	if err != nil || r.ID != old.ID || reason(r.Conditions, "Ready") != "True/Ready" {
		t.Errorf("on Postgres %d: %v", version, err)
	}
	if _, err := w.Instance(t.Context(), project.InstanceInput{Manifest: instance("one", "b", "another"), Secrets: in.Secrets}); err != nil {
		t.Errorf("on Postgres %d: %v", version, err)
	}
	var limit int
	if err := super.QueryRow(t.Context(), "SELECT rolconnlimit FROM pg_roles WHERE rolname = $1", old.Role).Scan(&limit); err != nil || limit != 24 {
		t.Errorf("the role's limit is %d (%v)", limit, err)
	}
}

// remedy is the SQL that a condition says to run on Postgres 16.
func remedy(conditions []metav1.Condition) string {
	for _, c := range conditions {
		if c.Type == "DatabaseReady" {
			_, sql, _ := strings.Cut(c.Message, "run: ")
			sql, _, _ = strings.Cut(sql, "(CloudNativePG")
			return strings.Replace(sql, "and on Postgres 16 or later, if other roles made them:", "", 1)
		}
	}
	return ""
}
