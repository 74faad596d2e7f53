package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// ActionChannel is what workers LISTEN on. Its notifications have no payload, as
// any role of the database may listen.
const ActionChannel = "socialops_action"

const (
	notifyGap     = 20 * time.Millisecond // between two notifications of one process
	notifyTimeout = 5 * time.Second
)

// Notifier wakes the workers that listen, after a commit that gave them work. A
// NOTIFY holds a lock of the whole cluster until its transaction is over, so it
// never goes into that commit: many pokes make one notification of its own.
// A lost one costs nothing but time, as workers poll too.
type Notifier struct {
	db     DB
	log    *slog.Logger
	poked  chan struct{} // holds a token when there is something to tell
	closed chan struct{}
	stop   sync.Once
	done   sync.WaitGroup
}

// NewNotifier makes a notifier that takes a connection of db for each of its
// notifications. Close it.
func NewNotifier(db DB, log *slog.Logger) *Notifier {
	n := &Notifier{db: db, log: log, poked: make(chan struct{}, 1), closed: make(chan struct{})}
	n.done.Go(n.run)
	return n
}

// Poke says that there is work. It never waits.
func (n *Notifier) Poke() {
	select {
	case n.poked <- struct{}{}:
	default:
	}
}

// Close tells what was poked before it, and waits for that.
func (n *Notifier) Close() {
	n.stop.Do(func() { close(n.closed) })
	n.done.Wait()
}

func (n *Notifier) run() {
	gap := time.NewTimer(0)
	defer gap.Stop()
	for {
		select {
		case <-n.poked:
			n.notify()
		case <-n.closed:
			select {
			case <-n.poked:
				n.notify()
			default:
			}
			return
		}
		gap.Reset(notifyGap)
		select {
		case <-gap.C:
		case <-n.closed:
		}
	}
}

func (n *Notifier) notify() {
	ctx, cancel := context.WithTimeout(context.Background(), notifyTimeout)
	defer cancel()
	if _, err := n.db.Exec(ctx, "SELECT pg_notify($1, '')", ActionChannel); err != nil {
		n.log.WarnContext(ctx, "could not wake the workers: they will find their work when they next poll", "error", err)
	}
}

// Listen calls wake after each notification, and whenever it (re)connects, as
// some may have been missed before. It returns when ctx is done. The DSN must
// lead to Postgres itself: a transaction-mode pooler passes no notifications on.
func Listen(ctx context.Context, dsn string, log *slog.Logger, wake func()) error {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("reading the database URL to listen on: %w", err)
	}
	config.ConnectTimeout = 5 * time.Second
	if _, set := config.RuntimeParams["application_name"]; !set {
		config.RuntimeParams["application_name"] = "socialops listen"
	}
	const most = 30 * time.Second
	for wait := time.Second; ; wait = min(2*wait, most) {
		began := time.Now()
		err := listen(ctx, config, wake)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it broke off because it was told to
		}
		if time.Since(began) > most {
			wait = time.Second
		}
		log.WarnContext(ctx, "listening for work broke off: polling until it is back", "error", err, "retry_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

func listen(ctx context.Context, config *pgx.ConnConfig, wake func()) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connecting to listen: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+ActionChannel); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	for {
		wake()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return fmt.Errorf("waiting for a notification: %w", err)
		}
	}
}
