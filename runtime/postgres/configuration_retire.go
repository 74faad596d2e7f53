package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// failPending fails what an instance still waits to send and gives its charge back.
// What a worker is sending this moment it settles itself.
func (t *configurationTx) failPending(ctx context.Context, id inbox.InstanceID) error {
	if _, err := t.tx.Exec(ctx, `SELECT set_config('socialops.actor', 'operator', true)`); err != nil {
		return wrote(err, "the actor")
	}
	const fail = `
WITH stopped AS (
  UPDATE action SET status = 'failed', error = 'the instance was deleted before this was sent', deadline = NULL, settled_at = now()
   WHERE instance_id = $1 AND status IN ('pending', 'awaiting')
  RETURNING instance_id, id, requeues)
INSERT INTO ledger (instance_id, reference, kind, amount)
SELECT l.instance_id, 'refund:' || l.reference, 'refund', -l.amount
  FROM stopped s JOIN ledger l ON l.instance_id = s.instance_id AND l.reference = 'reply:' || s.id || ':' || s.requeues
    ON CONFLICT DO NOTHING`
	_, err := t.tx.Exec(ctx, fail, uid(id))
	return wrote(err, "the end of pending actions")
}

// What is purged of an instance, in an order in which no row goes before those
// that refer to it, and large ones in pieces. The ledger, the balance and the
// instance's row stay.
var purged = []string{
	`DELETE FROM message WHERE instance_id = $1 AND id IN (SELECT id FROM message WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM action WHERE instance_id = $1 AND id IN (SELECT id FROM action WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM thread WHERE instance_id = $1 AND id IN (SELECT id FROM thread WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM contact WHERE instance_id = $1 AND id IN (SELECT id FROM contact WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM removed_message WHERE instance_id = $1 AND message_id IN (SELECT message_id FROM removed_message WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM event_receipt WHERE instance_id = $1 AND key IN (SELECT key FROM event_receipt WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM event WHERE instance_id = $1 AND seq IN (SELECT seq FROM event WHERE instance_id = $1 ORDER BY seq LIMIT $2)`,
	`DELETE FROM idempotency WHERE instance_id = $1 AND (caller, route, key) IN (SELECT caller, route, key FROM idempotency WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM pace WHERE instance_id = $1 AND key IN (SELECT key FROM pace WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM canned_text WHERE instance_id = $1 AND id IN (SELECT id FROM canned_text WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM saved_view WHERE instance_id = $1 AND id IN (SELECT id FROM saved_view WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM agent WHERE instance_id = $1 AND id IN (SELECT id FROM agent WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM account_proof WHERE instance_id = $1 AND account_id IN (SELECT account_id FROM account_proof WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM channel WHERE instance_id = $1 AND id IN (SELECT id FROM channel WHERE instance_id = $1 LIMIT $2)`,
	`DELETE FROM api_key WHERE instance_id = $1 AND id IN (SELECT id FROM api_key WHERE instance_id = $1 LIMIT $2)`,
}

// Purging implements [inbox.ConfigurationTx].
func (t *configurationTx) Purging(ctx context.Context, install [16]byte) ([]inbox.InstanceRow, error) {
	rows, err := t.q.Purging(ctx, uid(install))
	return list(rows, err, instanceRow, "what is to be removed")
}

// Purge implements [inbox.ConfigurationTx].
func (t *configurationTx) Purge(ctx context.Context, id inbox.InstanceID, limit int, now time.Time) (more bool, err error) {
	if err := t.dropRole(ctx, id); err != nil {
		return true, err
	}
	for _, remove := range purged {
		tag, err := t.tx.Exec(ctx, remove, uid(id), limit)
		if err != nil {
			return true, wrote(err, "the removal of data")
		}
		if tag.RowsAffected() == int64(limit) {
			return true, nil
		}
	}
	if _, err := t.tx.Exec(ctx, `DELETE FROM event_counter WHERE instance_id = $1`, uid(id)); err != nil {
		return true, wrote(err, "the removal of data")
	}
	return false, wrote(t.q.EndPurge(ctx, query.EndPurgeParams{ID: uid(id), Now: timestamp(now)}), "the instance")
}

// dropRole takes an instance's role away. Sessions that are still open as it see
// nothing from then on, and can add nothing.
func (t *configurationTx) dropRole(ctx context.Context, id inbox.InstanceID) error {
	var name string
	err := t.tx.QueryRow(ctx, `DELETE FROM instance_role WHERE instance_id = $1 RETURNING role_name::text`, uid(id)).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err == nil {
		_, err = t.tx.Exec(ctx, "DROP ROLE IF EXISTS "+pgx.Identifier{name}.Sanitize())
	}
	return wrote(err, "the removal of the role")
}
