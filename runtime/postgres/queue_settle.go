package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

const lockSettled = `
SELECT u.ord, a.status = 'processing' AND a.lease_token = u.token, a.status, a.error, a.requeues, a.kind, a.message_id, next.id
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS u (instance_id, id, token, ord)
  JOIN action a ON a.instance_id = u.instance_id AND a.id = u.id` + nextOfThread + `
 ORDER BY a.instance_id, a.id FOR NO KEY UPDATE OF a`

const settleActions = `
UPDATE action a SET status = u.status, error = u.error, attempts = greatest(a.attempts - u.undo, 0),
       not_before = CASE WHEN u.status = 'pending' THEN clock_timestamp() + make_interval(secs => u.wait) ELSE a.not_before END,
       deadline = CASE WHEN u.status = 'awaiting' THEN clock_timestamp() + make_interval(secs => u.wait) END,
       settled_at = CASE WHEN u.status IN ('completed', 'failed') THEN clock_timestamp() END,
       lease_token = NULL, lease_until = NULL, started_at = NULL
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::float8[], $6::int[]) AS u (instance_id, id, status, error, wait, undo)
 WHERE a.instance_id = u.instance_id AND a.id = u.id`

const insertParts = `
INSERT INTO action_part (instance_id, action_id, part, external_id)
SELECT u.instance_id, u.action_id, u.part, u.external_id
  FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[]) AS u (instance_id, action_id, part, external_id)
    ON CONFLICT DO NOTHING`

// A provider may have told of the message by webhook before we did: then the
// message that is there keeps the id.
const nameMessages = `
UPDATE message m SET external_id = u.external_id
  FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS u (instance_id, id, external_id)
 WHERE m.instance_id = u.instance_id AND m.id = u.id AND m.external_id IS NULL
   AND NOT EXISTS (SELECT FROM message o WHERE o.instance_id = m.instance_id AND o.source = m.source AND o.external_id = u.external_id)`

const chargeLate = `
INSERT INTO ledger (instance_id, reference, kind, amount)
SELECT i.id, 'reply:' || u.action_id || ':' || u.requeues || ':late', 'reply', -i.reply_price
  FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS u (instance_id, action_id, requeues)
  JOIN instance i ON i.id = u.instance_id
 WHERE i.billing_mode <> 'Off'
 ORDER BY i.id, u.action_id
    ON CONFLICT DO NOTHING`

// A conversation that moved takes its new address, unless the new one has a thread already.
const moveThreads = `
UPDATE thread t SET external_id = m.to_id, target = CASE WHEN t.target = t.external_id THEN m.to_id ELSE t.target END
  FROM (SELECT t.instance_id, t.id, u.to_id
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS u (instance_id, source, from_id, to_id)
          JOIN thread t ON t.instance_id = u.instance_id AND t.source = u.source AND t.external_id = u.from_id
         ORDER BY t.instance_id, t.id FOR UPDATE OF t) m
 WHERE t.instance_id = m.instance_id AND t.id = m.id
   AND NOT EXISTS (SELECT FROM thread o WHERE o.instance_id = t.instance_id AND o.source = t.source AND o.external_id = m.to_id)`

// maxExternalID bounds an id that goes into an index.
const maxExternalID = 1000

// settled is a settlement and the action that it meets.
type settled struct {
	inbox.Settlement
	held    bool // the lease is still ours
	late    bool // it is not, and the reply was delivered all the same
	kind    inbox.ActionKind
	message pgtype.UUID
	next    pgtype.UUID // the reply behind it, if it was put off
}

// Settle implements [inbox.Queue].
func (q *Queue) Settle(ctx context.Context, settlements []inbox.Settlement) error {
	err := q.settle(ctx, settlements, true)
	if sqlState(err) == stateUnpaid {
		// The provider has the reply, paid or not: the truth is worth more than the price.
		err = q.settle(ctx, settlements, false)
	}
	if isDataError(sqlState(err)) {
		if len(settlements) > 1 { // one spoils the others
			for i := range settlements {
				if err := q.Settle(ctx, settlements[i:i+1]); err != nil {
					return err
				}
			}
			return nil
		}
		bare := settlements[0]
		bare.MigratedTo = ""
		if bare.Part != nil {
			bare.Part = &inbox.SentPart{Index: bare.Part.Index, Last: bare.Part.Last}
		}
		err = q.settle(ctx, []inbox.Settlement{bare}, false)
	}
	if err != nil {
		return fmt.Errorf("settling actions: %w", err)
	}
	return nil
}

func (q *Queue) settle(ctx context.Context, settlements []inbox.Settlement, charge bool) error {
	return q.tx(ctx, func(tx *queueTx) error {
		queueMoves(tx, settlements)
		found, err := tx.lockSettled(ctx, settlements)
		if err != nil {
			return err
		}
		queueParts(tx, found)
		queueNames(tx, found)
		queueWakes(tx, found)
		queueHolds(tx, settlements)
		queueMoney(tx, found, charge)
		queueSettled(tx, found)
		return tx.commit(ctx)
	})
}

func queueMoves(tx *queueTx, settlements []inbox.Settlement) {
	var instances []pgtype.UUID
	var sources, from, to []string
	seen := map[paceKey]bool{}
	for _, s := range settlements {
		key := paceKey{s.Instance, s.Source + "\x00" + s.MigratedFrom}
		if s.MigratedTo == "" || s.MigratedTo == s.MigratedFrom || len(s.MigratedTo) > maxExternalID || seen[key] {
			continue
		}
		seen[key] = true
		instances, sources = append(instances, uid(s.Instance)), append(sources, clean(s.Source))
		from, to = append(from, clean(s.MigratedFrom)), append(to, clean(s.MigratedTo))
	}
	if len(instances) > 0 {
		tx.queue(moveThreads, instances, sources, from, to)
	}
}

func (tx *queueTx) lockSettled(ctx context.Context, settlements []inbox.Settlement) ([]settled, error) {
	leases := make([]inbox.Lease, len(settlements))
	for i := range settlements {
		leases[i] = settlements[i].Lease
	}
	instances, actions, tokens := leaseColumns(leases)
	var found []settled
	tx.queue(lockSettled, instances, actions, tokens).Query(eachRow(func(rows pgx.Rows) error {
		var s settled
		var ord, requeues int
		var status inbox.ActionStatus
		var audit string
		if err := rows.Scan(&ord, &s.held, &status, &audit, &requeues, &s.kind, &s.message, &s.next); err != nil {
			return err
		}
		s.Settlement = settlements[ord-1]
		s.late = !s.held && s.Status == inbox.ActionCompleted && s.Part != nil && status == inbox.ActionFailed &&
			requeues == s.Requeues && strings.HasPrefix(audit, inbox.ErrOutcomeUnknown)
		found = append(found, s)
		return nil
	}))
	return found, tx.flush(ctx)
}

// queueParts records what the provider has. The only part of a settled reply is
// told by the reply's status; of a lease that was lost every part is news, as
// somebody may have requeued the action.
func queueParts(tx *queueTx, found []settled) {
	var instances, actions []pgtype.UUID
	var parts []int32
	var externals []string
	for _, s := range found {
		if s.Part == nil || s.held && s.Part.Last && s.Part.Index == 0 {
			continue
		}
		instances, actions = append(instances, uid(s.Instance)), append(actions, uid(s.Action))
		parts = append(parts, int32(s.Part.Index)) //nolint:gosec // a reply has a few dozen parts
		externals = append(externals, externalOf(s.Part))
	}
	if len(parts) > 0 {
		tx.queue(insertParts, instances, actions, parts, externals)
	}
}

func externalOf(p *inbox.SentPart) string {
	if len(p.ExternalID) > maxExternalID {
		return ""
	}
	return clean(p.ExternalID)
}

// queueNames gives messages the external id of their first part.
func queueNames(tx *queueTx, found []settled) {
	var instances, messages []pgtype.UUID
	var externals []string
	seen := map[paceKey]bool{}
	for _, s := range found {
		if s.Part == nil || s.Part.Index != 0 || !s.message.Valid || externalOf(s.Part) == "" {
			continue
		}
		key := paceKey{s.Instance, s.Source + "\x00" + s.Part.ExternalID}
		if seen[key] { // no two messages can have it
			continue
		}
		seen[key] = true
		instances, messages, externals = append(instances, uid(s.Instance)), append(messages, s.message), append(externals, externalOf(s.Part))
	}
	if len(messages) > 0 {
		tx.queue(nameMessages, instances, messages, externals)
	}
}

func terminal(s inbox.ActionStatus) bool {
	return s == inbox.ActionCompleted || s == inbox.ActionFailed
}

func queueWakes(tx *queueTx, found []settled) {
	var instances, ids []pgtype.UUID
	for _, s := range found {
		if s.held && s.next.Valid && terminal(s.Status) {
			instances, ids = append(instances, uid(s.Instance)), append(ids, s.next)
		}
	}
	if len(ids) > 0 {
		tx.queue(wakeActions, instances, ids)
	}
}

// queueMoney refunds failed replies, and charges again for those that a refund was
// written for too soon.
func queueMoney(tx *queueTx, found []settled, charge bool) {
	type column struct {
		instances, actions []pgtype.UUID
		requeues           []int32
	}
	var refunds, charges column
	add := func(c *column, s *settled) {
		c.instances, c.actions = append(c.instances, uid(s.Instance)), append(c.actions, uid(s.Action))
		c.requeues = append(c.requeues, int32(s.Requeues)) //nolint:gosec // counts what a person does
	}
	for i := range found {
		switch s := &found[i]; {
		case s.held && s.Status == inbox.ActionFailed && s.kind == inbox.SendReply:
			add(&refunds, s)
		case s.late && s.Part.Last && charge:
			add(&charges, s)
		}
	}
	if len(refunds.actions) > 0 {
		tx.queue(insertRefunds, refunds.instances, refunds.actions, refunds.requeues)
	}
	if len(charges.actions) > 0 {
		tx.queue(chargeLate, charges.instances, charges.actions, charges.requeues)
	}
}

func queueSettled(tx *queueTx, found []settled) {
	var instances, actions []pgtype.UUID
	var statuses, audits []string
	var waits []float64
	var undo []int32
	for _, s := range found {
		if !s.held && (!s.late || !s.Part.Last) {
			continue
		}
		instances, actions = append(instances, uid(s.Instance)), append(actions, uid(s.Action))
		statuses, audits = append(statuses, string(s.Status)), append(audits, clean(s.Error))
		waits = append(waits, seconds(s.Wait))
		again := int32(0)
		if s.Status == inbox.ActionPending && s.Part != nil {
			again = 1 // the next part belongs to the same attempt, and will count it
		}
		undo = append(undo, again)
	}
	if len(actions) > 0 {
		tx.queue(settleActions, instances, actions, statuses, audits, waits, undo)
	}
}
