package postgres_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestMigrateManyAtOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if _, err := db.Owner.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		t.Fatal(err)
	}
	if err := postgres.CheckSchema(t.Context(), db.Owner); err == nil {
		t.Error("an empty database passed the schema check")
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := postgres.Migrate(t.Context(), db.DSN("owner"), slog.New(slog.DiscardHandler)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := postgres.CheckSchema(t.Context(), db.Owner); err != nil {
		t.Error(err)
	}
}

func TestTenantRoleReadsItsInstance(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, b := db.Instance(t), db.Instance(t)
	for _, ten := range []*pgtest.Tenant{a, b} {
		var alias string
		if err := ten.Pool.QueryRow(t.Context(), "SELECT alias FROM instance").Scan(&alias); err != nil || alias != ten.Alias {
			t.Errorf("as %s: alias %q, %v; want %q", ten.Role, alias, err, ten.Alias)
		}
		if err := postgres.CheckSchema(t.Context(), ten.Pool); err != nil {
			t.Error(err)
		}
	}
}

func TestWhichBinariesASchemaTakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql  string
		code inbox.Code
		says string
	}{
		"this one":         {"SELECT 1", "", ""},
		"the last of them": {fmt.Sprintf("CREATE OR REPLACE FUNCTION oldest_binary() RETURNS bigint LANGUAGE sql AS 'SELECT %d::bigint'", postgres.MaxSchema), "", ""},
		"newer ones":       {fmt.Sprintf("CREATE OR REPLACE FUNCTION oldest_binary() RETURNS bigint LANGUAGE sql AS 'SELECT %d::bigint'", postgres.MaxSchema+1), inbox.CodeUnprocessed, postgres.ImageTooOld + ":"},
		"too old":          {fmt.Sprintf("DELETE FROM goose_db_version WHERE version_id >= %d", postgres.MinSchema), inbox.CodeConflict, "socialops migrate"},
		"empty":            {"DROP SCHEMA public CASCADE; CREATE SCHEMA public", inbox.CodeConflict, "socialops migrate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			if _, err := db.Owner.Exec(t.Context(), c.sql); err != nil {
				t.Fatal(err)
			}
			err := postgres.CheckSchema(t.Context(), db.Owner)
			if inbox.CodeOf(err) != c.code || (err != nil) != (c.code != "") {
				t.Fatal(err)
			}
			if err != nil && !strings.Contains(err.Error(), c.says) || c.code == inbox.CodeUnprocessed && !strings.HasPrefix(err.Error(), c.says) {
				t.Errorf("it says %q, want %q", err, c.says)
			}
		})
	}
}

// An operator of the version before finds a schema that is ahead of it, and leaves it be.
func TestMigrateLeavesANewerSchemaAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if _, err := db.Owner.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, true)", postgres.MaxSchema+1); err != nil {
		t.Fatal(err)
	}
	if err := postgres.Migrate(t.Context(), db.DSN("owner"), slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
	if err := postgres.CheckSchema(t.Context(), db.Owner); err != nil {
		t.Error(err)
	}
}

func TestWhyAMigrationFailed(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if _, err := db.Owner.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dsn  string
		code inbox.Code
		says string
	}{
		"no privileges": {db.DSN("worker"), inbox.CodeForbidden, `ALTER DATABASE "` + db.Name + `" OWNER TO "worker"`},
		"no such role":  {db.DSN("nobody"), inbox.CodeUnavailable, `the role "nobody"`},
		"no database":   {db.Server.DSN("owner", "nowhere"), inbox.CodeUnavailable, `into "nowhere"`},
		"away":          {"postgres://owner@127.0.0.1:1/db?sslmode=disable", inbox.CodeUnavailable, "away"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := postgres.Migrate(t.Context(), c.dsn, slog.New(slog.DiscardHandler))
			if inbox.CodeOf(err) != c.code || err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}
