package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// Queue is the actions of every instance, read and written as the worker's role.
//
// Each transaction here takes its locks in one order, so that workers and
// runtimes never wait for each other in a ring for long: threads by id, then
// actions (a claim skips those that are locked), then pacing, then what the
// ledger's trigger locks and last what the log's does. A deadlock that happens all
// the same, such as with a tenant's own SQL, is tried again.
//
// Rows are looked up by LATERAL … LIMIT 1 and then written by ctid: forms that are
// one index probe a row whatever the statistics say. As joins, planned while the
// queue was empty, they would read all of it when it is full.
type Queue struct {
	pool    *pgxpool.Pool
	queries *query.Queries
}

var _ inbox.Queue = (*Queue)(nil)

// NewQueue makes the queue on a pool that is open as a member of socialops_worker.
func NewQueue(pool *pgxpool.Pool) *Queue {
	return &Queue{pool: pool, queries: query.New(pool)}
}

// queueTx is one transaction, sent as a few pipelines: the first one begins it,
// the last one commits it.
type queueTx struct {
	conn  *pgxpool.Conn
	batch *pgx.Batch
}

// beginAsWorker names the actor, and has each statement planned once: planning it
// anew for the arrays at hand takes as long as carrying it out.
const beginAsWorker = `SELECT set_config('socialops.actor', 'worker', true), set_config('plan_cache_mode', 'force_generic_plan', true)`

// tx runs f in a transaction, and again if that lost to another one; try counts
// from 0. f ends it with commit.
func (q *Queue) tx(ctx context.Context, f func(tx *queueTx, try int) error) error {
	var err error
	for try := range maxTries {
		err = q.tryTx(ctx, func(tx *queueTx) error { return f(tx, try) })
		switch sqlState(err) {
		case stateDeadlock, stateSerialization, stateUniqueViolation:
			continue
		}
		break
	}
	return err
}

func (q *Queue) tryTx(ctx context.Context, f func(*queueTx) error) error {
	conn, err := q.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connecting to the database: %w", err)
	}
	defer conn.Release() // closes a connection that is still inside a transaction
	tx := &queueTx{conn: conn, batch: &pgx.Batch{}}
	tx.batch.Queue("BEGIN")
	tx.batch.Queue(beginAsWorker)
	if err := f(tx); err != nil {
		if !conn.Conn().IsClosed() && conn.Conn().PgConn().TxStatus() != 'I' {
			_, _ = conn.Exec(ctx, "ROLLBACK")
		}
		return err
	}
	return nil
}

// queue adds a statement to the next pipeline.
func (tx *queueTx) queue(sql string, args ...any) *pgx.QueuedQuery {
	return tx.batch.Queue(sql, args...)
}

// flush sends what was queued and reads the results.
func (tx *queueTx) flush(ctx context.Context) error {
	b := tx.batch
	tx.batch = &pgx.Batch{}
	return tx.conn.SendBatch(ctx, b).Close()
}

func (tx *queueTx) commit(ctx context.Context) error {
	tx.queue("COMMIT")
	return tx.flush(ctx)
}

// seconds is a duration as Postgres writes it in a float8.
func seconds(d time.Duration) float64 { return d.Seconds() }

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// leaseColumns are leases as arrays for unnest.
func leaseColumns(leases []inbox.Lease) (instances, actions, tokens []pgtype.UUID) {
	n := len(leases)
	instances, actions, tokens = make([]pgtype.UUID, n), make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	for i, l := range leases {
		instances[i], actions[i], tokens[i] = uid(l.Instance), uid(l.Action), uid(l.Token)
	}
	return instances, actions, tokens
}

// Only the refund of what was charged is ever written: an action that was never
// charged, or is refunded already, gives no row.
const insertRefunds = `
INSERT INTO ledger (instance_id, reference, kind, amount)
SELECT u.instance_id, 'refund:' || l.reference, 'refund', -l.amount
  FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS u (instance_id, action_id, requeues)
 CROSS JOIN LATERAL (
   SELECT reference, amount FROM ledger
    WHERE instance_id = u.instance_id AND reference = 'reply:' || u.action_id || ':' || u.requeues LIMIT 1) l
 ORDER BY 1, 2
    ON CONFLICT DO NOTHING`

// nextOfThread is the oldest unsettled reply of action a's thread besides a, if it
// was put off (see followers). One that is to be tried again keeps its time.
const nextOfThread = `(
  SELECT CASE WHEN n.status = 'pending' AND n.error = '' AND n.not_before > now() THEN n.id END
    FROM action n
   WHERE n.instance_id = a.instance_id AND n.thread_id = a.thread_id AND n.id <> a.id AND n.kind = 'send_reply'
     AND n.status IN ('pending', 'processing', 'awaiting')
   ORDER BY n.thread_seq LIMIT 1)`

const wakeActions = `
UPDATE action a SET not_before = now()
 WHERE a.ctid = ANY (ARRAY (
         SELECT l.ctid FROM unnest($1::uuid[], $2::uuid[]) AS u (instance_id, id)
          CROSS JOIN LATERAL (SELECT n.ctid FROM action n WHERE n.instance_id = u.instance_id AND n.id = u.id LIMIT 1) l))
   AND a.status = 'pending' AND a.error = '' AND a.not_before > now()`

// wake makes put-off replies due, after what they waited for is over. If that
// fails they are a little late, as they were not put off for long.
func (q *Queue) wake(ctx context.Context, next actionList) error {
	if len(next.ids) == 0 {
		return nil
	}
	if _, err := q.pool.Exec(ctx, wakeActions, next.instances, next.ids); err != nil {
		return fmt.Errorf("waking the replies behind: %w", err)
	}
	return nil
}

// actionList is actions as arrays for unnest.
type actionList struct {
	instances, ids []pgtype.UUID
	requeues       []int32
}

func (l *actionList) add(instance, id pgtype.UUID, requeues int) {
	l.instances, l.ids = append(l.instances, instance), append(l.ids, id)
	l.requeues = append(l.requeues, int32(requeues)) //nolint:gosec // counts what a person does
}

// eachRow reads rows one by one.
func eachRow(scan func(pgx.Rows) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}
