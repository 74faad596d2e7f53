package postgres_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestNotifierWakesListeners(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant := db.Instance(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	log := slog.New(slog.DiscardHandler)

	woken := make(chan struct{}, 1024)
	listenCtx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		done <- postgres.Listen(listenCtx, db.DSN("worker"), log, func() { woken <- struct{}{} })
	}()
	wait := func(why string) {
		t.Helper()
		select {
		case <-woken:
		case <-ctx.Done():
			t.Fatalf("not woken %s", why)
		}
	}
	wait("on connecting")

	n := postgres.NewNotifier(tenant.Pool, log)
	n.Poke()
	wait("by a poke")
	for range 1000 {
		n.Poke()
	}
	wait("by many pokes")
	if more := len(woken); more > 10 {
		t.Errorf("%d further notifications: pokes should be gathered", more)
	}

	super := db.Pool(t, privatepg.Superuser)
	var ended int
	if err := super.QueryRow(ctx, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'socialops listen' AND datname = current_database()").Scan(&ended); err != nil || ended != 1 {
		t.Fatalf("ended %d listening connections, %v", ended, err)
	}
	for len(woken) > 0 {
		<-woken
	}
	wait("after its connection broke")

	n.Poke()
	n.Close() // tells what was poked before it
	wait("by the last poke")
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
