//go:build long && linux

package badday

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// TestPostgresRestarts takes the database from under a loaded runtime, in order
// and not. The runtime lives through all of it.
func TestPostgresRestarts(t *testing.T) {
	t.Parallel()
	db := pgtest.NewServer(t)
	ten := db.Instance(t)
	s := serve(t, db, ten)
	c := s.client(t, ten)
	watch, healthy := startWatch(t, newClient(t, "http://"+s.health, ""))
	l := startLoad(t.Context(), c, "restart", 6000)
	for i, restart := range []func() error{
		func() error { return db.Server.Restart(t.Context(), "fast") },
		func() error { return db.Server.Restart(t.Context(), "immediate") },
		func() error { // kill -9, and for longer than keys are cached
			if err := db.Server.Kill(); err != nil {
				return err
			}
			refuses(t, c)
			return db.Server.Restart(t.Context(), "fast")
		},
	} {
		l.awaitAcked(500 + 1500*i)
		if err := restart(); err != nil {
			t.Fatal(err)
		}
		// It heals by itself, with nobody's help but the next event's.
		l.awaitAcked(500 + 1500*i + 2*connections)
	}
	events := l.wait()
	watch()
	if healthy() == 0 {
		t.Error("nobody asked /readyz")
	}
	t.Logf("%d answers 503, %d calls without an answer", l.refusals.Load(), l.broken.Load())
	if n := l.broken.Load(); n != 0 {
		t.Errorf("the runtime left %d calls without an answer: the outage was Postgres's", n)
	}
	for _, e := range events {
		if e.status == 0 {
			t.Fatalf("event %s was never answered", e.id)
		}
	}
	stored(t, db, ten, events)
	repeated(c, events)
	stored(t, db, ten, events)
}

// refuses looks at the answers of a runtime without a database, first with the
// keys that it remembers, then without any.
func refuses(t *testing.T, c *client) {
	t.Helper()
	until(t, "the runtime has forgotten its keys", func() bool {
		a := c.call(http.MethodPost, "/webhook/generic-webhook", genericEvent("away", "thread"))
		forgotten := strings.Contains(a.refused(t, http.StatusServiceUnavailable).Message, "can't reach its database")
		list := c.call(http.MethodGet, "/inbox", "")
		list.refused(t, http.StatusServiceUnavailable)
		for _, a := range []answer{a, list} {
			if a.Header.Get("Retry-After") == "" {
				t.Errorf("a 503 without Retry-After: %s", a.body)
			}
		}
		return forgotten
	})
}

// startWatch asks for readiness all the time; it must always be there. The first
// function ends it, the second tells how often it was there.
func startWatch(t *testing.T, health *client) (stop func(), times func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	n, wrong := 0, ""
	watching.Go(func() {
		for ctx.Err() == nil && wrong == "" {
			a, err := health.send(ctx, http.MethodGet, "/readyz", nil)
			switch {
			case err == nil && a.StatusCode == http.StatusOK:
				n++
			case ctx.Err() == nil:
				wrong = fmt.Sprintf("%v %v", a.Response, err)
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		watching.Wait()
		if wrong != "" {
			t.Errorf("/readyz, after %d times ok: %s", n, wrong)
		}
	})
	t.Cleanup(stop)
	return stop, func() int { return n }
}
