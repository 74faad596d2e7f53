package pgtest

import (
	"context"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
)

// invariants are queries about one instance, each of which must count nothing.
var invariants = []struct{ broken, sql string }{
	{"the balance differs from its entries' sum", `SELECT abs(b.amount - coalesce((SELECT sum(amount) FROM ledger l WHERE l.instance_id = b.instance_id), 0)) FROM balance b WHERE b.instance_id = $1`},
	{"the log has a gap", `SELECT coalesce(max(seq), 0) - count(*) FROM event WHERE instance_id = $1`},
	{"the log's counter differs from the log", `SELECT abs(c.seq - coalesce((SELECT max(seq) FROM event e WHERE e.instance_id = c.instance_id), 0)) FROM event_counter c WHERE c.instance_id = $1`},
	{"messages of providers without a charge", `SELECT count(*) FROM message m WHERE m.instance_id = $1 AND m.origin <> 'ours' AND NOT EXISTS (SELECT FROM ledger l WHERE l.instance_id = m.instance_id AND l.reference = 'inbound:' || m.id)`},
	{"charges without a message", `SELECT count(*) FROM ledger l WHERE l.instance_id = $1 AND l.kind = 'inbound' AND NOT EXISTS (SELECT FROM message m WHERE m.instance_id = l.instance_id AND 'inbound:' || m.id = l.reference)`},
	{"threads whose count is not their messages'", `SELECT count(*) FROM thread_state s WHERE s.instance_id = $1 AND EXISTS (SELECT FROM message m WHERE m.instance_id = s.instance_id AND m.thread_id = s.thread_id HAVING max(m.seq) <> s.message_seq OR count(*) <> s.message_seq)`},
	{"messages without an event", `SELECT count(*) FROM message m WHERE m.instance_id = $1 AND (SELECT count(*) FROM event e WHERE e.instance_id = m.instance_id AND e.message_id = m.id AND e.type = 'message.created') <> 1`},
	{"labels whose copies of status or time are old", `SELECT count(*) FROM thread_label l JOIN thread_state s USING (instance_id, thread_id) WHERE l.instance_id = $1 AND (l.status, l.last_activity_at) IS DISTINCT FROM (s.status, s.last_activity_at)`},
}

// Consistent checks what must hold of an instance whatever happened, but for one
// whose conversations were deleted: charges stay then. db is the owner's.
func Consistent(t testing.TB, db postgres.DB, instance inbox.InstanceID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	for _, i := range invariants {
		var n int64
		if err := db.QueryRow(ctx, i.sql, instance).Scan(&n); err != nil {
			t.Fatalf("whether %s: %v", i.broken, err)
		}
		if n != 0 {
			t.Errorf("%s: %d", i.broken, n)
		}
	}
}
