//go:build long && linux

package badday

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// emptyDatabase makes a database without a schema and gives its name.
func emptyDatabase(t *testing.T, db *pgtest.Database, name string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.Server.DSN(privatepg.Superuser, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name+" OWNER owner"); err != nil {
		t.Fatal(err)
	}
	return name
}

func manyMigrations(t *testing.T, db *pgtest.Database) {
	url := db.Server.DSN("owner", emptyDatabase(t, db, "migrated"))
	processes := make([]*process, 4)
	for i := range processes {
		processes[i] = start(t, options{env: []string{"DATABASE_DIRECT_URL=" + url}}, "migrate")
	}
	steps := 0
	for _, p := range processes {
		if status := p.wait(); status != 0 || !strings.Contains(p.out.String(), "the schema is up to date") {
			t.Errorf("a migration ended with %d: %s%s", status, p.out, p.log)
		}
		steps += strings.Count(p.log.String(), "migrated the schema")
	}
	if int64(steps) != postgres.MaxSchema {
		t.Errorf("all together took %d steps, want each of %d once", steps, postgres.MaxSchema)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var version int64
	if err := conn.QueryRow(t.Context(), "SELECT schema_version()").Scan(&version); err != nil || version < postgres.MinSchema {
		t.Errorf("the schema's version is %d, %v", version, err)
	}
}

func oldSchema(t *testing.T, db *pgtest.Database) {
	ten := db.Instance(t)
	name := emptyDatabase(t, db, "old")
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse := func(version string) {
		t.Helper()
		want := fmt.Sprintf("the database's schema is at version %s and this binary needs at least %d: run `socialops migrate`", version, postgres.MinSchema)
		for role, args := range map[string][]string{
			ten.Role: {"runtime", "--alias", ten.Alias, "--listen", freeAddress(t), "--health-listen", ""},
			"worker": {"worker"},
			"owner":  {"ledger", "check"},
		} {
			p, status := command(t, options{env: []string{"DATABASE_URL=" + db.Server.DSN(role, name), "SOCIALOPS_ENCRYPTION_KEY_FILE=" + key}}, args...)
			if status != 1 || !strings.Contains(p.log.String(), want) {
				t.Errorf("%s on a schema of version %s ended with %d: %s", args[0], version, status, p.log)
			}
		}
	}
	refuse("0")
	const last = postgres.MinSchema - 1 // one too few
	conn, err := pgx.Connect(t.Context(), db.Server.DSN("owner", name))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), fmt.Sprintf("CREATE FUNCTION schema_version() RETURNS bigint LANGUAGE sql AS 'SELECT %d::bigint'", last)); err != nil {
		t.Fatal(err)
	}
	refuse(strconv.Itoa(last))
}

func foreignRole(t *testing.T, db *pgtest.Database) {
	mine, theirs := db.Instance(t), db.Instance(t)
	p, status := command(t, options{env: []string{"DATABASE_URL=" + db.DSN(theirs.Role)}},
		"runtime", "--alias", mine.Alias, "--listen", freeAddress(t), "--health-listen", "")
	if status != 1 || !strings.Contains(p.log.String(), `belongs to the alias "`+theirs.Alias+`"`) {
		t.Errorf("a runtime with another alias's role ended with %d: %s", status, p.log)
	}
}

// databaseComesLater starts a runtime whose database's socket is not there yet.
func databaseComesLater(t *testing.T, db *pgtest.Database) {
	ten := db.Instance(t)
	dsn, err := url.Parse(db.DSN(ten.Role))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "socialops-later-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	q := dsn.Query()
	q.Set("host", filepath.Join(dir, "socket"))
	dsn.RawQuery = q.Encode()
	s := &server{address: freeAddress(t), health: freeAddress(t)}
	s.process = start(t, options{env: []string{"DATABASE_URL=" + dsn.String()}},
		"runtime", "--alias", ten.Alias, "--listen", s.address, "--health-listen", s.health)
	s.awaitLog(`the database is away; trying again`)
	health := newClient(t, "http://"+s.health, "")
	if a := health.call(http.MethodGet, "/readyz", ""); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/readyz answers %d before the schema is known", a.StatusCode)
	}
	if a := health.call(http.MethodGet, "/healthz", ""); a.StatusCode != http.StatusOK {
		t.Errorf("/healthz answers %d: waiting is no reason for a restart", a.StatusCode)
	}
	if err := os.Symlink(db.Server.SocketDir(), filepath.Join(dir, "socket")); err != nil {
		t.Fatal(err)
	}
	s.awaitLog(`msg=serving `)
	if a := health.call(http.MethodGet, "/readyz", ""); a.StatusCode != http.StatusOK {
		t.Errorf("/readyz answers %d: %s", a.StatusCode, a.body)
	}
	s.client(t, ten).event(http.StatusAccepted, "first", "thread")
	s.signal(syscall.SIGTERM)
	if status := s.wait(); status != 0 {
		t.Errorf("it ended with %d", status)
	}
}

func takenPort(t *testing.T, db *pgtest.Database) {
	ten := db.Instance(t)
	s := serve(t, db, ten)
	p, status := command(t, s.o, s.args...)
	if status != 1 || !strings.Contains(p.log.String(), s.address+": bind: address already in use") {
		t.Errorf("a second runtime on the port ended with %d: %s", status, p.log)
	}
	s.client(t, ten).event(http.StatusAccepted, "first", "thread")
}
