package postgres

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

const lockSettled = `
SELECT u.ord, a.ctid, a.lease_token IS NOT DISTINCT FROM u.token, a.status, a.error, a.requeues, a.kind, a.message_id, ` + nextOfThread + `
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS u (instance_id, id, token, ord)
 CROSS JOIN LATERAL (
   SELECT x.ctid, x.* FROM action x WHERE x.instance_id = u.instance_id AND x.id = u.id LIMIT 1 FOR NO KEY UPDATE) a`

// Each row's values stand beside its ctid.
const settleActions = `
UPDATE action a
   SET (status, error, attempts, not_before, deadline, settled_at) = (
         SELECT u.status, u.error, greatest(a.attempts - u.undo, 0),
                CASE WHEN u.status = 'pending' THEN clock_timestamp() + make_interval(secs => u.wait) ELSE a.not_before END,
                CASE WHEN u.status = 'awaiting' THEN clock_timestamp() + make_interval(secs => u.wait) END,
                CASE WHEN u.status IN ('completed', 'failed') THEN clock_timestamp() END
           FROM unnest($1::tid[], $2::text[], $3::text[], $4::float8[], $5::int[]) AS u (ctid, status, error, wait, undo)
          WHERE u.ctid = a.ctid),
       lease_token = NULL, lease_until = NULL, started_at = NULL
 WHERE a.ctid = ANY ($1::tid[])`

const insertParts = `
INSERT INTO action_part (instance_id, action_id, part, external_id)
SELECT u.instance_id, u.action_id, u.part, u.external_id
  FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[]) AS u (instance_id, action_id, part, external_id)
    ON CONFLICT DO NOTHING`

// A message of that id may be there already, as a provider may tell of our message
// by webhook before it answers: that one keeps the id. Such a clash is found by the
// index; the second try then looks before.
const (
	nameMessages = `
UPDATE message m SET external_id = ($3::text[])[array_position($2::uuid[], m.id)]
 WHERE m.ctid = ANY (ARRAY (
         SELECT l.ctid FROM unnest($1::uuid[], $2::uuid[]) AS u (instance_id, id)
          CROSS JOIN LATERAL (
            SELECT x.ctid FROM message x WHERE x.instance_id = u.instance_id AND x.id = u.id AND x.external_id IS NULL LIMIT 1) l))
   AND m.external_id IS NULL`
	unlessNamed = `
   AND (SELECT true FROM message o
         WHERE o.instance_id = m.instance_id AND o.source = m.source AND o.external_id = ($3::text[])[array_position($2::uuid[], m.id)]
         LIMIT 1) IS NULL`
)

const chargeLate = `
INSERT INTO ledger (instance_id, reference, kind, amount)
SELECT u.instance_id, 'reply:' || u.action_id || ':' || u.requeues || ':late', 'reply', -i.reply_price
  FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS u (instance_id, action_id, requeues)
 CROSS JOIN LATERAL (SELECT reply_price FROM instance WHERE id = u.instance_id AND billing_mode <> 'Off' LIMIT 1) i
 ORDER BY 1, 2
    ON CONFLICT DO NOTHING`

// A conversation that moved takes its new address, unless the new one has a thread already.
const moveThreads = `
UPDATE thread t SET external_id = m.to_id, target = CASE WHEN t.target = t.external_id THEN m.to_id ELSE t.target END
  FROM (SELECT f.instance_id, f.id, u.to_id
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS u (instance_id, source, from_id, to_id)
         CROSS JOIN LATERAL (
           SELECT instance_id, id FROM thread
            WHERE instance_id = u.instance_id AND source = u.source AND external_id = u.from_id
            ORDER BY episode DESC LIMIT 1 FOR NO KEY UPDATE) f
         WHERE (SELECT true FROM thread o WHERE o.instance_id = u.instance_id AND o.source = u.source AND o.external_id = u.to_id LIMIT 1) IS NULL) m
 WHERE t.instance_id = m.instance_id AND t.id = m.id`

// maxExternalID bounds an id that goes into an index.
const maxExternalID = 1000

// settled is a settlement and the action that it meets.
type settled struct {
	inbox.Settlement
	ctid    pgtype.TID
	held    bool // the lease is still ours
	late    bool // it is not, and the reply was delivered all the same
	kind    inbox.ActionKind
	message inbox.MessageID
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

// lockSettled locks what is settled and compares.
func (tx *queueTx) lockSettled(ctx context.Context, a *advance) ([]settled, error) {
	slices.SortFunc(a.others, func(a, b inbox.Settlement) int {
		return cmp.Or(bytes.Compare(a.Instance[:], b.Instance[:]), bytes.Compare(a.Action[:], b.Action[:]))
	})
	instances, actions, tokens := leaseColumns(leasesOf(a.others))
	var found []settled
	tx.queue(lockSettled, instances, actions, tokens).Query(eachRow(func(rows pgx.Rows) error {
		var s settled
		var ord, requeues int
		var status inbox.ActionStatus
		var audit string
		var message, next pgtype.UUID
		if err := rows.Scan(&ord, &s.ctid, &s.held, &status, &audit, &requeues, &s.kind, &message, &next); err != nil {
			return err
		}
		s.Settlement, s.message = a.others[ord-1], message.Bytes
		s.late = !s.held && s.Status == inbox.ActionCompleted && s.Part != nil && status == inbox.ActionFailed &&
			requeues == s.Requeues && strings.HasPrefix(audit, inbox.ErrOutcomeUnknown)
		if s.held && next.Valid && terminal(s.Status) {
			a.next.add(uid(s.Instance), next, 0)
		}
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

// queueNames gives messages the external id of their first part. It is theirs
// whoever holds the lease now.
func queueNames(tx *queueTx, plain []inbox.Settlement, found []settled, look bool) {
	var instances, messages []pgtype.UUID
	var externals []string
	seen := map[paceKey]bool{}
	add := func(s *inbox.Settlement, message inbox.MessageID) {
		if s.Part == nil || s.Part.Index != 0 || message.IsZero() || externalOf(s.Part) == "" {
			return
		}
		key := paceKey{s.Instance, s.Source + "\x00" + s.Part.ExternalID}
		if seen[key] { // no two messages can have it
			return
		}
		seen[key] = true
		instances, messages, externals = append(instances, uid(s.Instance)), append(messages, uid(message)), append(externals, externalOf(s.Part))
	}
	for i := range plain {
		add(&plain[i], plain[i].MessageID)
	}
	for i := range found {
		add(&found[i].Settlement, found[i].message)
	}
	if len(messages) == 0 {
		return
	}
	sql := nameMessages
	if look {
		sql += unlessNamed
	}
	tx.queue(sql, instances, messages, externals)
}

func terminal(s inbox.ActionStatus) bool {
	return s == inbox.ActionCompleted || s == inbox.ActionFailed
}

// queueMoney refunds failed replies, and charges again for those that a refund was
// written for too soon.
func queueMoney(tx *queueTx, found []settled, charge bool) {
	var refunds, charges actionList
	for i := range found {
		switch s := &found[i]; {
		case s.held && s.Status == inbox.ActionFailed && s.kind == inbox.SendReply:
			refunds.add(uid(s.Instance), uid(s.Action), s.Requeues)
		case s.late && s.Part.Last && charge:
			charges.add(uid(s.Instance), uid(s.Action), s.Requeues)
		}
	}
	if len(refunds.ids) > 0 {
		tx.queue(insertRefunds, refunds.instances, refunds.ids, refunds.requeues)
	}
	if len(charges.ids) > 0 {
		tx.queue(chargeLate, charges.instances, charges.ids, charges.requeues)
	}
}

func queueSettled(tx *queueTx, found []settled) {
	var ctids []pgtype.TID
	var statuses, audits []string
	var waits []float64
	var undo []int32
	for _, s := range found {
		if !s.held && (!s.late || !s.Part.Last) {
			continue
		}
		ctids = append(ctids, s.ctid)
		statuses, audits = append(statuses, string(s.Status)), append(audits, clean(s.Error))
		waits = append(waits, seconds(s.Wait))
		again := int32(0)
		if s.Status == inbox.ActionPending && s.Part != nil {
			again = 1 // the next part belongs to the same attempt, and will count it
		}
		undo = append(undo, again)
	}
	if len(ctids) > 0 {
		tx.queue(settleActions, ctids, statuses, audits, waits, undo)
	}
}
