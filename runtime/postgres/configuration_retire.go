package postgres

import (
	"context"

	"github.com/open4x/socialops/runtime/inbox"
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
