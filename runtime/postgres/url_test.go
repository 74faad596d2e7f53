package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestAURLForAnotherRole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"user and password": {"postgres://app:secret@db:5432/inbox?sslmode=require", "postgres://so_1:p%2Fw@db:5432/inbox?sslmode=require"},
		"user alone":        {"postgresql://app@db/inbox", "postgresql://so_1:p%2Fw@db/inbox"},
		"nobody":            {"postgres://db/inbox", "postgres://so_1:p%2Fw@db/inbox"},
		"in the query":      {"postgres:///inbox?user=app&password=secret&host=/run", "postgres://so_1:p%2Fw@/inbox?host=%2Frun"},
		"a query as it was": {"postgres://app@/inbox?host=/run&options=-c%20a%3Db", "postgres://so_1:p%2Fw@/inbox?host=/run&options=-c%20a%3Db"},
		"keywords":          {"host=db dbname=inbox user=app password=secret", "host=db dbname=inbox user=app password=secret user='so_1' password='p/w'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := postgres.URLAs(c.in, "so_1", "p/w")
			if err != nil || got != c.want {
				t.Errorf("%s, want %s (%v)", got, c.want, err)
			}
			config, err := pgx.ParseConfig(got)
			if err != nil || config.User != "so_1" || config.Password != "p/w" || config.Database != "inbox" {
				t.Errorf("pgx reads %+v (%v)", config, err)
			}
		})
	}
	if _, err := postgres.URLAs("postgres://app:secr%et@db/inbox", "so_1", "p"); err == nil || strings.Contains(err.Error(), "secr") {
		t.Errorf("a URL that is none: %v", err)
	}
}

func TestPortsOfAURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]int32{
		"postgres://db/inbox":                     {5432},
		"postgres://db:6432/inbox":                {6432},
		"postgres://a:6432,b:5432/inbox":          {5432, 6432},
		"host=a,b port=7000,7001 sslmode=disable": {7000, 7001},
	} {
		if got, err := postgres.Ports(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v (%v)", in, got, want, err)
		}
	}
}

func TestWhoCanLogIn(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for dsn, want := range map[string]bool{db.DSN("owner"): true, db.DSN("socialops_worker"): false, db.DSN("nobody"): false} {
		if got, err := postgres.CanLogin(t.Context(), dsn); err != nil || got != want {
			t.Errorf("%s: %v (%v)", dsn, got, err)
		}
	}
	if _, err := postgres.CanLogin(t.Context(), "postgres://owner@127.0.0.1:1/db?sslmode=disable"); err == nil {
		t.Error("a database that is away let somebody in")
	}
}
