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
// Enforce instance can't pay, and with it the whole statement. Nothing is logged:
// being started is no status.
const startActions = `
WITH started AS (
  UPDATE action a SET attempts = a.attempts + 1, started_at = clock_timestamp()
   WHERE a.ctid = ANY (ARRAY (
           SELECT l.ctid FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS u (instance_id, id, token)
            CROSS JOIN LATERAL (
              SELECT x.ctid FROM action x WHERE x.instance_id = u.instance_id AND x.id = u.id AND x.lease_token = u.token LIMIT 1) l))
     AND a.lease_token = ANY ($3) AND a.lease_until >= clock_timestamp() + make_interval(secs => $4)
  RETURNING a.instance_id, a.id, a.kind, a.requeues
), charged AS (
  INSERT INTO ledger (instance_id, reference, kind, amount)
  SELECT s.instance_id, 'reply:' || s.id || ':' || s.requeues, 'reply', -i.reply_price
    FROM started s
   CROSS JOIN LATERAL (SELECT reply_price FROM instance WHERE id = s.instance_id AND billing_mode <> 'Off' LIMIT 1) i
   WHERE s.kind = 'send_reply'
      ON CONFLICT DO NOTHING
)
SELECT instance_id, id FROM started`

const releaseActions = `
UPDATE action a SET status = 'pending', lease_token = NULL, lease_until = NULL
 WHERE a.ctid = ANY (ARRAY (
         SELECT l.ctid FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS u (instance_id, id, token)
          CROSS JOIN LATERAL (
            SELECT x.ctid FROM action x WHERE x.instance_id = u.instance_id AND x.id = u.id AND x.lease_token = u.token LIMIT 1) l))
   AND a.lease_token = ANY ($3) AND a.started_at IS NULL`

// completeActions is all that most settlements take.
const completeActions = `
UPDATE action a SET status = 'completed', error = '', settled_at = clock_timestamp(), lease_token = NULL, lease_until = NULL, started_at = NULL
 WHERE a.ctid = ANY (ARRAY (
         SELECT l.ctid FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS u (instance_id, id, token)
          CROSS JOIN LATERAL (
            SELECT x.ctid FROM action x WHERE x.instance_id = u.instance_id AND x.id = u.id AND x.lease_token = u.token LIMIT 1) l))
   AND a.lease_token = ANY ($3)
RETURNING a.instance_id, a.id, ` + nextOfThread

// advance is one Advance under way.
type advance struct {
	plain  []inbox.Settlement // replies delivered whole by one send: they need no look at what is there
	others []inbox.Settlement
	starts []inbox.Lease
	least  time.Duration
	unpaid bool // a late delivery is not charged

	started   map[inbox.ActionID]bool
	completed map[inbox.ActionID]bool
	next      actionList // replies to wake
}

func newAdvance(settlements []inbox.Settlement, starts []inbox.Lease, least time.Duration) *advance {
	a := &advance{starts: starts, least: least}
	for _, s := range settlements {
		plain := s.Status == inbox.ActionCompleted && s.Part != nil && s.Part.Index == 0 && s.Part.Last && s.MigratedTo == "" && s.Hold+s.HoldAccount == 0
		if plain {
			a.plain = append(a.plain, s)
		} else {
			a.others = append(a.others, s)
		}
	}
	return a
}

// Advance implements [inbox.Queue].
func (q *Queue) Advance(ctx context.Context, settlements []inbox.Settlement, starts []inbox.Lease, least time.Duration) ([]inbox.StartResult, error) {
	results := make([]inbox.StartResult, len(starts))
	index := make(map[inbox.ActionID]int, len(starts))
	for i, l := range starts {
		index[l.Action] = i
	}
	err := q.advance(ctx, settlements, starts, least, func(id inbox.ActionID, r inbox.StartResult) { results[index[id]] = r })
	if err != nil {
		return nil, fmt.Errorf("settling and starting sends: %w", err)
	}
	return results, nil
}

// advance does all of it together, or finds out what stands in the way: a balance
// that does not cover a reply, or data that Postgres does not take.
func (q *Queue) advance(ctx context.Context, settlements []inbox.Settlement, starts []inbox.Lease, least time.Duration,
	say func(inbox.ActionID, inbox.StartResult),
) error {
	a := newAdvance(settlements, starts, least)
	err := q.run(ctx, a)
	spoilt := sqlState(err) == stateUnpaid || isDataError(sqlState(err))
	switch {
	case err == nil:
		for id := range a.started {
			say(id, inbox.StartGo)
		}
		if err := q.settleLost(ctx, a); err != nil {
			return err
		}
		return q.wake(ctx, a.next)
	case spoilt && len(settlements) > 0 && len(starts) > 0:
		if err := q.advance(ctx, settlements, nil, least, say); err != nil {
			return err
		}
		return q.advance(ctx, nil, starts, least, say)
	case spoilt && len(settlements) > 1: // one spoils the others
		for i := range settlements {
			if err := q.advance(ctx, settlements[i:i+1], nil, least, say); err != nil {
				return err
			}
		}
		return nil
	case spoilt && len(settlements) == 1:
		return q.settleBare(ctx, settlements[0])
	case spoilt && len(starts) > 1:
		for _, part := range split(starts) {
			if err := q.advance(ctx, nil, part, least, say); err != nil {
				return err
			}
		}
		return nil
	case sqlState(err) == stateUnpaid:
		say(starts[0].Action, inbox.StartUnpaid)
		return nil
	}
	return err
}

// settleBare settles without what may be refused: what the provider has said of
// addresses, and the charge for a late delivery. The provider has the reply, paid
// or not; the truth is worth more than the price.
func (q *Queue) settleBare(ctx context.Context, s inbox.Settlement) error {
	s.MigratedTo = ""
	if s.Part != nil {
		s.Part = &inbox.SentPart{Index: s.Part.Index, Last: s.Part.Last}
	}
	a := &advance{others: []inbox.Settlement{s}, unpaid: true}
	if err := q.run(ctx, a); err != nil {
		return err
	}
	return q.wake(ctx, a.next)
}

// settleLost settles those that turned out not to be held any more.
func (q *Queue) settleLost(ctx context.Context, a *advance) error {
	var lost []inbox.Settlement
	for _, s := range a.plain {
		if !a.completed[s.Action] {
			lost = append(lost, s)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	late := &advance{others: lost}
	err := q.run(ctx, late)
	if sqlState(err) == stateUnpaid {
		late.unpaid = true
		err = q.run(ctx, late)
	}
	if err != nil {
		return err
	}
	return q.wake(ctx, late.next)
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

// run is one transaction.
func (q *Queue) run(ctx context.Context, a *advance) error {
	return q.tx(ctx, func(tx *queueTx, try int) error {
		a.started, a.completed, a.next = map[inbox.ActionID]bool{}, map[inbox.ActionID]bool{}, actionList{}
		var found []settled
		if len(a.others) > 0 {
			queueMoves(tx, a.others)
			var err error
			if found, err = tx.lockSettled(ctx, a); err != nil {
				return err
			}
			queueParts(tx, found)
			queueHolds(tx, a.others)
		}
		queueNames(tx, a.plain, found, try > 0)
		a.queueStarts(tx)
		queueMoney(tx, found, !a.unpaid)
		a.queueCompletions(tx)
		queueSettled(tx, found)
		return tx.commit(ctx)
	})
}

func (a *advance) queueStarts(tx *queueTx) {
	if len(a.starts) == 0 {
		return
	}
	instances, actions, tokens := leaseColumns(a.starts)
	tx.queue(startActions, instances, actions, tokens, seconds(a.least)).Query(eachRow(func(rows pgx.Rows) error {
		var instance, id pgtype.UUID
		if err := rows.Scan(&instance, &id); err != nil {
			return err
		}
		a.started[id.Bytes] = true
		return nil
	}))
}

func (a *advance) queueCompletions(tx *queueTx) {
	if len(a.plain) == 0 {
		return
	}
	instances, actions, tokens := leaseColumns(leasesOf(a.plain))
	tx.queue(completeActions, instances, actions, tokens).Query(eachRow(func(rows pgx.Rows) error {
		var instance, id, next pgtype.UUID
		if err := rows.Scan(&instance, &id, &next); err != nil {
			return err
		}
		a.completed[id.Bytes] = true
		if next.Valid {
			a.next.add(instance, next, 0)
		}
		return nil
	}))
}

func leasesOf(settlements []inbox.Settlement) []inbox.Lease {
	leases := make([]inbox.Lease, len(settlements))
	for i := range settlements {
		leases[i] = settlements[i].Lease
	}
	return leases
}

// Release implements [inbox.Queue].
func (q *Queue) Release(ctx context.Context, leases []inbox.Lease) error {
	if len(leases) == 0 {
		return nil
	}
	instances, actions, tokens := leaseColumns(leases)
	err := q.tx(ctx, func(tx *queueTx, _ int) error {
		tx.queue(releaseActions, instances, actions, tokens)
		return tx.commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("giving actions back: %w", err)
	}
	return nil
}
