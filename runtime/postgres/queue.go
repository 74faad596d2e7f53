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
// actions by instance and id (a claim skips those that are locked), then pacing,
// then what the ledger's and the log's triggers lock. A deadlock that happens all
// the same, such as with a tenant's own SQL, is tried again.
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

const beginAsWorker = `SELECT set_config('socialops.actor', 'worker', true)`

// tx runs f in a transaction, and again if that lost to another one. f ends it
// with commit.
func (q *Queue) tx(ctx context.Context, f func(*queueTx) error) error {
	var err error
	for range maxTries {
		err = q.tryTx(ctx, f)
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
SELECT l.instance_id, 'refund:' || l.reference, 'refund', -l.amount
  FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS u (instance_id, action_id, requeues)
  JOIN ledger l ON l.instance_id = u.instance_id AND l.reference = 'reply:' || u.action_id || ':' || u.requeues
 ORDER BY l.instance_id, l.reference
    ON CONFLICT DO NOTHING`

// What waits for its turn in the thread of a settled reply was put off (see
// parkFollowers) and is now due. One that is to be tried again keeps its time.
const wakeActions = `
UPDATE action a SET not_before = now()
  FROM (SELECT n.instance_id, n.id FROM unnest($1::uuid[], $2::uuid[]) AS u (instance_id, id)
          JOIN action n ON n.instance_id = u.instance_id AND n.id = u.id
         WHERE n.status = 'pending' AND n.error = '' AND n.not_before > now()
         ORDER BY n.instance_id, n.id FOR NO KEY UPDATE OF n) n
 WHERE a.instance_id = n.instance_id AND a.id = n.id`

// nextOfThread is the oldest unsettled reply of action a's thread besides a, if it was put off.
const nextOfThread = `
  LEFT JOIN LATERAL (
    SELECT CASE WHEN n.status = 'pending' AND n.error = '' AND n.not_before > now() THEN n.id END AS id
      FROM action n
     WHERE n.instance_id = a.instance_id AND n.thread_id = a.thread_id AND n.id <> a.id AND n.kind = 'send_reply'
       AND n.status IN ('pending', 'processing', 'awaiting')
     ORDER BY n.thread_seq LIMIT 1) next ON a.kind = 'send_reply'`

// pgxRow reads rows one by one into what scan makes of them.
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
