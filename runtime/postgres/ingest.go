package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/inbox"
)

// ingestWorkers is how many batches are under way at once: while one commits,
// the next one is written. More would only wait for the instance's counter row.
const ingestWorkers = 2

// Ingest implements [inbox.Store].
func (s *Store) Ingest(ctx context.Context, channel inbox.ChannelID, in inbox.Inbound) (inbox.Receipt, error) {
	return s.batcher.submit(ctx, channel, &in)
}

// Close stores what was accepted for storing and waits for it.
func (s *Store) Close() { s.batcher.close() }

// flush stores a batch and answers each of its events. Messages go in one
// transaction, in the order of their arrival; what changes a message that is
// there goes after them, one by one.
func (s *Store) flush(ctx context.Context, batch []*pendingEvent) {
	var adds, changes []*pendingEvent
	for _, e := range batch {
		if e.in.Kind == inbox.AddMessage {
			adds = append(adds, e)
		} else {
			changes = append(changes, e)
		}
	}
	if len(adds) > 0 {
		s.flushMessages(ctx, adds)
	}
	for _, e := range changes {
		receipt, err := s.change(ctx, e)
		e.done <- ingestResult{receipt, codedError(err)}
	}
}

func (s *Store) flushMessages(ctx context.Context, events []*pendingEvent) {
	leaders, followers := collapse(s.newEntries(events))
	err := s.inTx(ctx, func(tx *ingestTx) error { return tx.addMessages(ctx, leaders) })
	switch {
	case err == nil:
		for _, l := range leaders {
			l.event.done <- ingestResult{receipt: l.receipt}
		}
	case len(leaders) > 1 && (isDataError(sqlState(err)) || sqlState(err) == stateUnpaid):
		// One event spoils the batch, or the balance covers a part of it: each on its own, in order.
		for _, l := range leaders {
			l.reset()
			err := s.inTx(ctx, func(tx *ingestTx) error { return tx.addMessages(ctx, []*entry{l}) })
			l.err = codedError(err)
			l.event.done <- ingestResult{l.receipt, l.err}
		}
	default:
		err = codedError(err)
		for _, l := range leaders {
			l.err = err
			l.event.done <- ingestResult{err: err}
		}
	}
	var again []*pendingEvent
	for _, f := range followers {
		switch l := f.follows; {
		case l.err != nil:
			f.event.done <- ingestResult{err: l.err}
		case f.repeats:
			f.event.done <- ingestResult{receipt: inbox.Receipt{Duplicate: true, ThreadID: l.receipt.ThreadID, MessageID: l.receipt.MessageID}}
		default:
			again = append(again, f.event) // another event about the same message: it finds it there now
		}
	}
	if len(again) > 0 {
		s.flushMessages(ctx, again)
	}
}

// collapse tells an event's repeats and second events about one message from the
// first: within one statement neither would see the other.
func collapse(entries []*entry) (leaders, followers []*entry) {
	byKey := make(map[[16]byte]*entry, len(entries))
	byMessage := make(map[externalID]*entry, len(entries))
	for _, e := range entries {
		if e.keyed {
			if first, ok := byKey[e.key]; ok {
				e.follows, e.repeats = first, first.follows == nil
				followers = append(followers, e)
				continue
			}
			byKey[e.key] = e
		}
		if id := e.event.in.Message.ExternalID; id != "" {
			x := externalID{e.event.in.Source, id}
			if first, ok := byMessage[x]; ok {
				e.follows = first
				followers = append(followers, e)
				continue
			}
			byMessage[x] = e
		}
		leaders = append(leaders, e)
	}
	return leaders, followers
}

// ingestTx is one transaction of the ingest.
type ingestTx struct {
	s    *Store
	conn *pgxpool.Conn
	// committing is set once COMMIT was sent: a connection that breaks from then on
	// leaves the outcome unknown.
	committing bool
}

const maxTries = 4

// errThreadRemoved is that a thread was removed after it was found: tried again, its
// message makes a new one. Where the database finds it first it says that a value or
// a row that is referred to is missing.
var errThreadRemoved = errors.New("the thread was removed meanwhile")

// inTx runs f in a transaction that f itself begins and commits as part of its
// pipelines. What certainly did not commit is tried again when the failure was
// not the data's: a deadlock, a lost race, a broken connection.
func (s *Store) inTx(ctx context.Context, f func(*ingestTx) error) error {
	var err error
	for range maxTries {
		var retry bool
		if retry, err = s.tryTx(ctx, f); !retry || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (s *Store) tryTx(ctx context.Context, f func(*ingestTx) error) (retry bool, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return false, fmt.Errorf("connecting to the database: %w", err)
	}
	defer conn.Release()
	tx := &ingestTx{s: s, conn: conn}
	if err = f(tx); err == nil {
		return false, nil
	}
	if !conn.Conn().IsClosed() && conn.Conn().PgConn().TxStatus() != 'I' {
		_, _ = conn.Exec(ctx, "ROLLBACK") // a connection on which this fails is not given back by Release
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch refused.Code {
		case stateDeadlock, stateSerialization, stateUniqueViolation, stateNotNull, stateForeignKey:
			return true, err
		case stateAdminShutdown, stateCrashShutdown, stateCannotConnect:
			return !tx.committing, err
		}
		return false, err
	}
	return errors.Is(err, errThreadRemoved) || pgconn.SafeToRetry(err) || !tx.committing && conn.Conn().IsClosed(), err
}

// run sends a pipeline and reads its results in order.
func (tx *ingestTx) run(ctx context.Context, b *pgx.Batch) error {
	return tx.conn.SendBatch(ctx, b).Close()
}
