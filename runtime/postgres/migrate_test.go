package postgres_test

import (
	"log/slog"
	"sync"
	"testing"

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
