package project_test

import (
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/project"
)

func TestARoleOfAPart(t *testing.T) {
	t.Parallel()
	for part, group := range map[project.Part]string{project.Worker: "socialops_worker", project.Console: "socialops_console"} {
		t.Run(string(part), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			super := w.db.Pool(t, "postgres")
			role := part.RoleName(w.Install)
			verifier := func(password string, renew bool) string {
				t.Helper()
				if _, err := w.PartRole(t.Context(), part, password, renew); err != nil {
					t.Fatal(err)
				}
				var got string
				const of = "SELECT rolpassword FROM pg_authid WHERE rolname = $1 AND rolcanlogin AND rolconnlimit = -1 AND pg_has_role(rolname, $2, 'usage')"
				if err := super.QueryRow(t.Context(), of, role, group).Scan(&got); err != nil {
					t.Fatal(err)
				}
				return got
			}
			if err := w.ClosePart(t.Context(), part); err != nil { // which never was
				t.Fatal(err)
			}
			first := verifier("first", false)
			if !strings.HasPrefix(first, "SCRAM-SHA-256$") {
				t.Errorf("stored as %s", first)
			}
			if verifier("first", false) != first {
				t.Error("a role that is there got its password again")
			}
			if verifier("second", true) == first {
				t.Error("a new password was not set")
			}
			for name, sql := range map[string]string{
				"dropped":       "DROP ROLE %s",
				"no login":      "ALTER ROLE %s NOLOGIN",
				"no membership": "REVOKE " + group + " FROM %s",
				"a limit":       "ALTER ROLE %s CONNECTION LIMIT 1",
			} {
				if _, err := super.Exec(t.Context(), strings.ReplaceAll(sql, "%s", role)); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				verifier("third", false) // fails unless it healed
			}
			for range 2 { // the second time there is nothing to do
				if err := w.ClosePart(t.Context(), part); err != nil {
					t.Fatal(err)
				}
				var open bool
				if err := super.QueryRow(t.Context(), "SELECT rolcanlogin FROM pg_authid WHERE rolname = $1", role).Scan(&open); err != nil || open {
					t.Errorf("a part that is not there may log in: %v (%v)", open, err)
				}
			}
			verifier("fourth", true)
		})
	}
}

// The worker may read every instance's queue, the console nothing before it says for whom.
func TestWhatAPartSees(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.instance(project.InstanceInput{Manifest: instance("one", "a", "inbox")})
	for part, want := range map[project.Part]int{project.Worker: 1, project.Console: 0} {
		if _, err := w.PartRole(t.Context(), part, "secret", false); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := w.db.Pool(t, part.RoleName(w.Install)).QueryRow(t.Context(), "SELECT count(*) FROM instance").Scan(&n); err != nil || n != want {
			t.Errorf("the %s sees %d instances (%v)", part, n, err)
		}
	}
}

// Without the key that sealed what is stored nothing can be mended: somebody has to put it back.
func TestTheEncryptionKeyIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := project.InstanceInput{Manifest: instance("one", "a", "inbox"), Secrets: func(string, string) *project.Secret { return nil }}
	w.instance(in)
	w.Seal = newKey(t)
	r, err := w.Instance(t.Context(), in)
	if got := reasons(r.Conditions); err == nil || got["Ready"] != "False/SecretMissing" || got["Stalled"] != "True/SecretMissing" {
		t.Errorf("%v (%v)", got, err)
	}
}
