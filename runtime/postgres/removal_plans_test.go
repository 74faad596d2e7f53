//go:build long

package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// A worker's connection keeps its plans. Those that it made while an inbox was empty
// and nothing was known of its tables must serve once the inbox is full: a batch of
// removals reads what it removes and not the inbox.
func TestRemovalPlansMadeOnEmptyTables(t *testing.T) {
	t.Parallel()
	const threads, batch = 20_000, 500
	db := pgtest.New(t)
	ten := db.Instance(t)
	keeps(t, db, ten, inbox.Retention{ThreadDays: 30})
	for _, table := range []string{"thread", "thread_state", "message", "contact", "action", "attachment", "raw_payload"} {
		execute(t, db, ten, `ALTER TABLE `+table+` SET (autovacuum_enabled = off)`)
	}
	conn, err := db.Worker(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	const remove = `SELECT threads FROM expire_threads($1, $2)`
	for range 12 { // from the sixth run on a plan is for any values, and kept
		if _, err := conn.Exec(t.Context(), remove, ten.ID, batch); err != nil {
			t.Fatal(err)
		}
	}
	super := db.Pool(t, privatepg.Superuser)
	err = pgx.BeginFunc(t.Context(), super, func(tx pgx.Tx) error {
		for _, sql := range []string{
			`SET LOCAL session_replication_role = replica`, // without triggers and foreign keys
			fmt.Sprintf(`CREATE TEMP TABLE made ON COMMIT DROP AS SELECT gen_random_uuid() AS thread, gen_random_uuid() AS contact, n FROM generate_series(1, %d) n`, threads),
			`INSERT INTO contact (instance_id, id, source, external_id, name) SELECT $1, contact, 'generic-webhook', 'c' || n, 'somebody' FROM made`,
			`INSERT INTO thread (instance_id, id, source, external_id, provider, contact_id) SELECT $1, thread, 'generic-webhook', 't' || n, 'generic-webhook', contact FROM made`,
			`INSERT INTO thread_state (instance_id, thread_id, status, provider, last_activity_at, message_seq)
			 SELECT $1, thread, 'resolved', 'generic-webhook', now() - interval '60 days' - n * interval '1 second', 2 FROM made`,
			`INSERT INTO message (instance_id, id, thread_id, seq, source, external_id, direction, origin, author_kind, author_id)
			 SELECT $1, gen_random_uuid(), thread, s, 'generic-webhook', 'm' || n || '.' || s, 'inbound', 'theirs', 'contact', contact FROM made, generate_series(1, 2) s`,
		} {
			var args []any
			if strings.Contains(sql, "$1") {
				args = append(args, ten.ID)
			}
			if _, err := tx.Exec(t.Context(), sql, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		var removed, read int
		err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			if err := tx.QueryRow(t.Context(), remove, ten.ID, batch).Scan(&removed); err != nil {
				return err
			}
			var tables string
			err := tx.QueryRow(t.Context(), `SELECT sum(seq_tup_read + idx_tup_fetch), string_agg(relname || ' ' || seq_tup_read + idx_tup_fetch, ', ' ORDER BY seq_tup_read + idx_tup_fetch DESC)
				FROM pg_stat_xact_user_tables WHERE seq_tup_read + idx_tup_fetch > 0`).Scan(&read, &tables)
			t.Log(tables)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("batch %d: %d threads removed, %d rows read", round+1, removed, read)
		if removed != 100 {
			t.Fatalf("batch %d removed %d threads, want 100", round+1, removed)
		}
		// A thread is its row, its state, two messages and a contact, each found a few times.
		if read > 80*removed {
			t.Errorf("batch %d read %d rows to remove %d threads of %d", round+1, read, removed, threads)
		}
	}
}
