package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// The charge is of the reply, not of the try: a reply that has to wait, or goes on
// with its next part, is not charged anew. The ledger's trigger refuses what an
// Enforce instance can't pay, and with it the whole statement.
const startActions = `
WITH ready AS MATERIALIZED (
  SELECT a.instance_id, a.id, a.kind, a.requeues, i.billing_mode, i.reply_price
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS u (instance_id, id, token)
    JOIN action a ON a.instance_id = u.instance_id AND a.id = u.id
    JOIN instance i ON i.id = a.instance_id
   WHERE a.status = 'processing' AND a.lease_token = u.token AND a.lease_until >= clock_timestamp() + make_interval(secs => $4)
   ORDER BY a.instance_id, a.id FOR NO KEY UPDATE OF a
), charged AS (
  INSERT INTO ledger (instance_id, reference, kind, amount)
  SELECT instance_id, 'reply:' || id || ':' || requeues, 'reply', -reply_price FROM ready
   WHERE kind = 'send_reply' AND billing_mode <> 'Off'
      ON CONFLICT DO NOTHING
)
UPDATE action a SET attempts = a.attempts + 1, started_at = clock_timestamp()
  FROM ready r WHERE a.instance_id = r.instance_id AND a.id = r.id
RETURNING a.instance_id, a.id`

const releaseActions = `
UPDATE action a SET status = 'pending', lease_token = NULL, lease_until = NULL
  FROM (SELECT a.instance_id, a.id
          FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS u (instance_id, id, token)
          JOIN action a ON a.instance_id = u.instance_id AND a.id = u.id
         WHERE a.status = 'processing' AND a.lease_token = u.token AND a.started_at IS NULL
         ORDER BY a.instance_id, a.id FOR NO KEY UPDATE OF a) r
 WHERE a.instance_id = r.instance_id AND a.id = r.id`

// Start implements [inbox.Queue].
func (q *Queue) Start(ctx context.Context, leases []inbox.Lease, least time.Duration) ([]inbox.StartResult, error) {
	results := make([]inbox.StartResult, len(leases))
	index := make(map[inbox.ActionID]int, len(leases))
	for i, l := range leases {
		index[l.Action] = i
	}
	err := q.start(ctx, leases, least, func(id inbox.ActionID, r inbox.StartResult) { results[index[id]] = r })
	if err != nil {
		return nil, fmt.Errorf("starting sends: %w", err)
	}
	return results, nil
}

// start starts leases together. When a balance does not cover them, it finds out
// whose: instance by instance, then reply by reply.
func (q *Queue) start(ctx context.Context, leases []inbox.Lease, least time.Duration, say func(inbox.ActionID, inbox.StartResult)) error {
	started, err := q.startOnce(ctx, leases, least)
	if sqlState(err) == stateUnpaid {
		if len(leases) == 1 {
			say(leases[0].Action, inbox.StartUnpaid)
			return nil
		}
		for _, part := range split(leases) {
			if err := q.start(ctx, part, least, say); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	for _, id := range started {
		say(id, inbox.StartGo)
	}
	return nil
}

// split parts leases by instance; those of a single instance one by one.
func split(leases []inbox.Lease) [][]inbox.Lease {
	by := map[inbox.InstanceID][]inbox.Lease{}
	for _, l := range leases {
		by[l.Instance] = append(by[l.Instance], l)
	}
	parts := make([][]inbox.Lease, 0, len(leases))
	if len(by) > 1 {
		for _, part := range by {
			parts = append(parts, part)
		}
		return parts
	}
	for i := range leases {
		parts = append(parts, leases[i:i+1])
	}
	return parts
}

// startOnce is one transaction of one statement. It logs nothing: being started is
// no status.
func (q *Queue) startOnce(ctx context.Context, leases []inbox.Lease, least time.Duration) ([]inbox.ActionID, error) {
	instances, actions, tokens := leaseColumns(leases)
	var started []inbox.ActionID
	var err error
	for range maxTries {
		started = started[:0]
		var rows pgx.Rows
		if rows, err = q.pool.Query(ctx, startActions, instances, actions, tokens, seconds(least)); err != nil {
			return nil, err
		}
		err = eachRow(func(rows pgx.Rows) error {
			var instance, id pgtype.UUID
			if err := rows.Scan(&instance, &id); err != nil {
				return err
			}
			started = append(started, id.Bytes)
			return nil
		})(rows)
		rows.Close()
		if s := sqlState(err); s != stateDeadlock && s != stateSerialization {
			break
		}
	}
	return started, err
}

// Release implements [inbox.Queue].
func (q *Queue) Release(ctx context.Context, leases []inbox.Lease) error {
	if len(leases) == 0 {
		return nil
	}
	instances, actions, tokens := leaseColumns(leases)
	err := q.tx(ctx, func(tx *queueTx) error {
		tx.queue(releaseActions, instances, actions, tokens)
		return tx.commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("giving actions back: %w", err)
	}
	return nil
}
