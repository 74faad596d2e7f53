package pgtest

import (
	"context"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
)

// invariant is a query about one instance that must count nothing.
type invariant struct{ broken, sql string }

// invariants hold whatever happened.
var invariants = []invariant{
	{"the balance differs from its entries' sum", `SELECT abs(b.amount - coalesce((SELECT sum(amount) FROM ledger l WHERE l.instance_id = b.instance_id), 0)) FROM balance b WHERE b.instance_id = $1`},
	{"the log has a gap", `SELECT coalesce(max(seq) - min(seq) + 1, 0) - count(*) FROM event WHERE instance_id = $1`},
	{"the log's counter differs from the log", `SELECT abs(c.seq - coalesce((SELECT max(seq) FROM event e WHERE e.instance_id = c.instance_id), 0)) FROM event_counter c WHERE c.instance_id = $1`},
	{"messages of providers without a charge", `SELECT count(*) FROM message m WHERE m.instance_id = $1 AND m.origin <> 'ours' AND NOT EXISTS (SELECT FROM ledger l WHERE l.instance_id = m.instance_id AND l.reference = 'inbound:' || m.id)`},
	{"charges without a message, or what is left of one", `SELECT count(*) FROM ledger l WHERE l.instance_id = $1 AND l.kind = 'inbound'
		AND NOT EXISTS (SELECT FROM message m WHERE m.instance_id = l.instance_id AND 'inbound:' || m.id = l.reference)
		AND NOT EXISTS (SELECT FROM removed_message m WHERE m.instance_id = l.instance_id AND 'inbound:' || m.message_id = l.reference)`},
	{"removed messages that are there", `SELECT count(*) FROM removed_message r JOIN message m ON m.instance_id = r.instance_id AND m.id = r.message_id WHERE r.instance_id = $1`},
	{"receipts whose message is nowhere", `SELECT count(*) FROM event_receipt r WHERE r.instance_id = $1 AND r.message_id IS NOT NULL AND r.thread_id IS NULL
		AND NOT EXISTS (SELECT FROM message m WHERE m.instance_id = r.instance_id AND m.id = r.message_id)
		AND NOT EXISTS (SELECT FROM removed_message m WHERE m.instance_id = r.instance_id AND m.message_id = r.message_id)`},
	{"messages beyond their thread's count", `SELECT count(*) FROM message m JOIN thread_state s USING (instance_id, thread_id) WHERE m.instance_id = $1 AND m.seq > s.message_seq`},
	{"threads whose last message is gone", `SELECT count(*) FROM thread_state s WHERE s.instance_id = $1 AND s.last_message_id IS NOT NULL AND NOT EXISTS (SELECT FROM message m WHERE m.instance_id = s.instance_id AND m.id = s.last_message_id)`},
	{"labels whose copies of status or time are old", `SELECT count(*) FROM thread_label l JOIN thread_state s USING (instance_id, thread_id) WHERE l.instance_id = $1 AND (l.status, l.last_activity_at) IS DISTINCT FROM (s.status, s.last_activity_at)`},
}

// whole are invariants of an instance of which nothing was ever removed.
var whole = []invariant{
	{"the log does not begin with its first event", `SELECT coalesce(min(seq), 1) - 1 FROM event WHERE instance_id = $1`},
	{"charges without a message", `SELECT count(*) FROM ledger l WHERE l.instance_id = $1 AND l.kind = 'inbound' AND NOT EXISTS (SELECT FROM message m WHERE m.instance_id = l.instance_id AND 'inbound:' || m.id = l.reference)`},
	{"threads whose count is not their messages'", `SELECT count(*) FROM thread_state s WHERE s.instance_id = $1 AND EXISTS (SELECT FROM message m WHERE m.instance_id = s.instance_id AND m.thread_id = s.thread_id HAVING max(m.seq) <> s.message_seq OR count(*) <> s.message_seq)`},
	{"messages without an event", `SELECT count(*) FROM message m WHERE m.instance_id = $1 AND (SELECT count(*) FROM event e WHERE e.instance_id = m.instance_id AND e.message_id = m.id AND e.type = 'message.created') <> 1`},
}

// Consistent checks what must hold of an instance whatever happened, but for one of
// which something was removed: see [ConsistentAfterRemoval]. db is the owner's.
func Consistent(t testing.TB, db postgres.DB, instance inbox.InstanceID) {
	t.Helper()
	ConsistentAfterRemoval(t, db, instance)
	hold(t, db, instance, whole)
}

// ConsistentAfterRemoval checks what must hold of any instance.
func ConsistentAfterRemoval(t testing.TB, db postgres.DB, instance inbox.InstanceID) {
	t.Helper()
	hold(t, db, instance, invariants)
}

func hold(t testing.TB, db postgres.DB, instance inbox.InstanceID, all []invariant) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	for _, i := range all {
		var n int64
		if err := db.QueryRow(ctx, i.sql, instance).Scan(&n); err != nil {
			t.Fatalf("whether %s: %v", i.broken, err)
		}
		if n != 0 {
			t.Errorf("%s: %d", i.broken, n)
		}
	}
}
