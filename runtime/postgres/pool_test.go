package postgres_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// A login that is replaced is used by the next connection, and one that can't be read
// keeps nobody's connection from working.
func TestALoginThatChanges(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var dsn atomic.Pointer[string]
	use := func(s string) { dsn.Store(&s) }
	use(db.DSN("worker"))
	unreadable := errors.New("the file is gone")
	pool, err := postgres.OpenFrom(t.Context(), func() (string, error) {
		if s := *dsn.Load(); s != "" {
			return s, nil
		}
		return "", unreadable
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	who := func() (user string, err error) {
		return user, pool.QueryRow(t.Context(), "SELECT current_user || ' ' || current_setting('application_name')").Scan(&user)
	}
	expect := func(want string) {
		t.Helper()
		if got, err := who(); err != nil || got != want {
			t.Errorf("it is %q, not %q (%v)", got, want, err)
		}
	}
	expect("worker socialops")
	use(db.DSN("console"))
	expect("worker socialops") // the connection that is there goes on
	pool.Reset()
	expect("console socialops")
	use("")
	expect("console socialops")
	pool.Reset()
	if _, err := who(); !errors.Is(err, unreadable) {
		t.Errorf("without a login: %v", err)
	}
	use(db.DSN("worker"))
	expect("worker socialops")
	if _, err := postgres.OpenFrom(t.Context(), func() (string, error) { return "", unreadable }, 1); !errors.Is(err, unreadable) {
		t.Errorf("it opened: %v", err)
	}
}
