package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// execute runs statements as the schema's owner, with the tenant's id as $1.
func execute(t testing.TB, db *pgtest.Database, ten *pgtest.Tenant, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		var args []any
		if strings.Contains(sql, "$1") {
			args = []any{ten.ID}
		}
		if _, err := db.Owner.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// keeps says for how many days a tenant keeps things.
func keeps(t testing.TB, db *pgtest.Database, ten *pgtest.Tenant, r inbox.Retention) {
	t.Helper()
	if _, err := db.Owner.Exec(t.Context(), `UPDATE instance SET thread_days = $2, raw_payload_days = $3, event_days = $4 WHERE id = $1`,
		ten.ID, r.ThreadDays, r.RawPayloadDays, r.EventDays); err != nil {
		t.Fatal(err)
	}
}

func expire(t testing.TB, db *pgtest.Database) inbox.Removed {
	t.Helper()
	removed, more, err := postgres.NewQueue(db.Worker(t)).Expire(t.Context(), time.Minute)
	if err != nil || more {
		t.Fatalf("Expire: more %v, %v", more, err)
	}
	return removed
}

// contents counts a tenant's rows of what a conversation is made of.
func contents(t testing.TB, db *pgtest.Database, ten *pgtest.Tenant) map[string]int64 {
	t.Helper()
	n := map[string]int64{}
	for _, table := range []string{
		"thread", "thread_state", "thread_label", "message", "attachment", "attachment_content", "raw_payload", "action", "action_part", "contact",
	} {
		n[table] = count(t, db, `SELECT count(*) FROM `+table+` WHERE instance_id = $1`, ten.ID)
	}
	return n
}

// lived is a conversation of a customer and us, with something in every table. It ends with a reply that was sent.
func lived(t testing.TB, db *pgtest.Database, ten *pgtest.Tenant, s *postgres.Store, name string) (event inbox.Inbound, r inbox.Receipt, reply inbox.Queued) {
	t.Helper()
	event = generic("event-"+name, name, "text of "+name)
	event.Thread.Labels = []string{"vip"}
	event.Message.Attachments = []inbox.InboundAttachment{{Kind: "file", Ref: "ref"}}
	r = ingest(t, s, ten, event)
	reply, err := s.AddReply(t.Context(), inbox.NewMessage{
		ThreadID: r.ThreadID, Text: "reply to " + name, Author: inbox.Author{Kind: "system"},
		Idempotency: &inbox.Idempotency{Caller: "c", Route: "r", Key: name},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`UPDATE action SET status = 'completed', settled_at = now() WHERE id = $1`,
		`INSERT INTO action_part (instance_id, action_id, part) SELECT instance_id, id, 0 FROM action WHERE id = $1`,
		`INSERT INTO ledger (instance_id, reference, kind, amount) SELECT instance_id, 'reply:' || id || ':0', 'reply', -500 FROM action WHERE id = $1`,
		`INSERT INTO attachment_content SELECT x.instance_id, x.id, 'content' FROM attachment x JOIN message m ON m.id = x.message_id JOIN action a ON a.thread_id = m.thread_id WHERE a.id = $1`,
	} {
		if _, err := db.Owner.Exec(t.Context(), sql, reply.Action.ID); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	return event, r, reply
}

func end(t testing.TB, db *pgtest.Database, id inbox.ThreadID, status string, days int) {
	t.Helper()
	if _, err := db.Owner.Exec(t.Context(), `UPDATE thread_state SET status = $2, last_activity_at = now() - make_interval(days => $3, mins => 1) WHERE thread_id = $1`,
		id, status, days); err != nil {
		t.Fatal(err)
	}
}

func TestThreadsExpire(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	keeps(t, db, ten, inbox.Retention{ThreadDays: 30})
	s := store(t, ten)
	ledger := func() int64 { return count(t, db, `SELECT count(*) FROM ledger WHERE instance_id = $1`, ten.ID) }

	unsettled := func(kind, status string) func(inbox.ThreadID) {
		return func(id inbox.ThreadID) {
			if _, err := db.Owner.Exec(t.Context(), `
				UPDATE action SET kind = $2, status = $3, settled_at = NULL, lease_token = CASE WHEN $3 = 'processing' THEN gen_random_uuid() END,
				       lease_until = CASE WHEN $3 = 'processing' THEN now() END WHERE thread_id = $1`, id, kind, status); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := []struct {
		name, status string
		days         int
		change       func(inbox.ThreadID)
		gone         bool
	}{
		{name: "resolved", status: "resolved", days: 30, gone: true},
		{name: "archived", status: "archived", days: 1000, gone: true},
		{name: "urgent", status: "resolved", days: 31, gone: true, change: func(id inbox.ThreadID) {
			_, _ = db.Owner.Exec(t.Context(), `UPDATE thread_state SET priority = 'urgent' WHERE thread_id = $1`, id)
		}},
		{name: "recently resolved", status: "resolved", days: 29},
		{name: "open", status: "open", days: 1000},
		{name: "on hold", status: "pending", days: 1000},
		{name: "with a reply that waits", status: "resolved", days: 1000, change: unsettled("send_reply", "pending")},
		{name: "with a reply being sent", status: "resolved", days: 1000, change: unsettled("send_reply", "processing")},
		{name: "with a reply handed over", status: "archived", days: 1000, change: unsettled("send_reply", "awaiting")},
		{name: "with a file that is fetched", status: "archived", days: 1000, change: unsettled("fetch_media", "pending")},
		{name: "with a failed reply", status: "archived", days: 1000, gone: true, change: func(id inbox.ThreadID) {
			_, _ = db.Owner.Exec(t.Context(), `UPDATE action SET status = 'failed' WHERE thread_id = $1`, id)
		}},
	}
	events, receipts := map[string]inbox.Inbound{}, map[string]inbox.Receipt{}
	for _, c := range cases {
		e, r, _ := lived(t, db, ten, s, c.name)
		if events[c.name], receipts[c.name] = e, r; c.change != nil {
			c.change(r.ThreadID)
		}
		end(t, db, r.ThreadID, c.status, c.days)
	}
	otherStore := store(t, other)
	_, theirs, _ := lived(t, db, other, otherStore, "resolved")
	end(t, db, theirs.ThreadID, "resolved", 30)
	before, money, logged := contents(t, db, other), ledger(), count(t, db, `SELECT count(*) FROM event WHERE instance_id = $1`, ten.ID)

	want := inbox.Removed{Threads: 4, Messages: 8, RawPayloads: 4, Attachments: 4, Actions: 4}
	if diff := gocmp.Diff(want, expire(t, db)); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	for _, c := range cases {
		_, err := s.Thread(t.Context(), receipts[c.name].ThreadID)
		if gone := inbox.CodeOf(err) == inbox.CodeNotFound; gone != c.gone {
			t.Errorf("the thread %q: %v", c.name, err)
		}
	}
	left := int64(len(cases) - 4)
	if diff := gocmp.Diff(map[string]int64{
		"thread": left, "thread_state": left, "thread_label": left, "message": 2 * left, "attachment": left, "attachment_content": left,
		"raw_payload": left, "action": left, "action_part": left, "contact": left + 4,
	}, contents(t, db, ten)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(before, contents(t, db, other)); diff != "" {
		t.Errorf("of one that keeps all (-want +got):\n%s", diff)
	}
	if n := ledger(); n != money {
		t.Errorf("%d ledger entries, and %d before", n, money)
	}
	if n := count(t, db, `SELECT count(*) FROM contact WHERE instance_id = $1 AND name = '' AND external_id LIKE 'user-%'`, ten.ID); n != 4 {
		t.Errorf("%d contacts without a conversation have no name", n)
	}
	told := text(t, db, `SELECT string_agg(type || ' ' || actor || ' ' || (thread_id IS NOT NULL), ',') FROM event WHERE instance_id = $1 AND seq > `+fmt.Sprint(logged), ten.ID)
	if want := strings.Repeat("thread.deleted retention true,", 4); told+"," != want {
		t.Errorf("the log tells %q", told)
	}

	// A repeat of an event that is gone is a repeat, and is stored nowhere.
	rows := contents(t, db, ten)
	for _, c := range cases {
		if again := ingest(t, s, ten, events[c.name]); !again.Duplicate || again.ThreadID != receipts[c.name].ThreadID || again.MessageID != receipts[c.name].MessageID {
			t.Errorf("a repeat of %q is answered %+v, want a duplicate of %+v", c.name, again, receipts[c.name])
		}
	}
	if diff := gocmp.Diff(rows, contents(t, db, ten)); diff != "" {
		t.Errorf("repeats stored something (-want +got):\n%s", diff)
	}
	// Whoever writes again is the same contact, in a new conversation.
	fresh := ingest(t, s, ten, generic("later", "resolved", "hello again"))
	view, err := s.Thread(t.Context(), fresh.ThreadID)
	if err != nil || fresh.Duplicate || fresh.ThreadID == receipts["resolved"].ThreadID || view.Contact == nil || view.Contact.Name != "Somebody" {
		t.Errorf("a new message: %+v %+v %v", fresh, view, err)
	}
	if n := count(t, db, `SELECT count(*) FROM contact WHERE instance_id = $1`, ten.ID); n != int64(len(cases)) {
		t.Errorf("%d contacts", n)
	}
	pgtest.ConsistentAfterRemoval(t, db.Owner, ten.ID)
	consistent(t, db, other)
	if again := expire(t, db); again != (inbox.Removed{}) {
		t.Errorf("a second time: %+v", again)
	}
}

// A long conversation goes in pieces, and large ones in smaller pieces; a new
// message in between saves what is left.
func TestLongThreadsExpireInPieces(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	keeps(t, db, ten, inbox.Retention{ThreadDays: 1})
	s := store(t, ten)
	r := ingest(t, s, ten, generic("e", "long", "first"))
	execute(t, db, ten,
		`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, author_kind) SELECT $1, gen_random_uuid(), (SELECT id FROM thread WHERE instance_id = $1), n, 's', 'inbound', 'theirs', 'system' FROM generate_series(2, 1200) n`,
		`INSERT INTO raw_payload (instance_id, message_id, id, body) SELECT $1, id, gen_random_uuid(), decode(repeat('00', 1 << 20), 'hex') FROM message WHERE instance_id = $1 AND seq > 1100`,
		`UPDATE thread_state SET message_seq = 1200, last_message_id = (SELECT id FROM message WHERE instance_id = $1 AND seq = 1200) WHERE instance_id = $1`)
	end(t, db, r.ThreadID, "resolved", 1)
	step := func() (messages int64) {
		if err := db.Worker(t).QueryRow(t.Context(), `SELECT messages FROM expire_threads($1, 500)`, ten.ID).Scan(&messages); err != nil {
			t.Fatal(err)
		}
		return messages
	}
	for i, want := range []int64{500, 500, 164} { // the third: 100 without a payload, and 64 of 1 MiB
		if n := step(); n != want {
			t.Errorf("piece %d has %d messages, want %d", i, n, want)
		}
	}
	ingest(t, s, ten, generic("new", "long", "wait"))
	if n := step(); n != 0 {
		t.Errorf("%d messages of a reopened thread", n)
	}
	view, err := s.Thread(t.Context(), r.ThreadID)
	if err != nil || view.Status != inbox.Open || view.LastMessage == nil || view.LastMessage.Seq != 1201 {
		t.Errorf("the reopened thread: %+v, %v", view, err)
	}
	pgtest.ConsistentAfterRemoval(t, db.Owner, ten.ID)
	end(t, db, r.ThreadID, "archived", 1)
	if got, want := expire(t, db), (inbox.Removed{Threads: 1, Messages: 37, RawPayloads: 37}); got != want {
		t.Errorf("the rest: %+v, want %+v", got, want)
	}
}

func TestRawPayloadsExpire(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	keeps(t, db, ten, inbox.Retention{RawPayloadDays: 7})
	of := func(ten *pgtest.Tenant) {
		for _, days := range []int{0, 6, 7, 8, 400} {
			clock := time.Now().AddDate(0, 0, -days)
			s := postgres.NewStore(ten.Pool, ten.ID, postgres.StoreOptions{Now: func() time.Time { return clock }})
			r := ingest(t, s, ten, generic(fmt.Sprint("e", days), fmt.Sprint("t", days), fmt.Sprint("text ", days)))
			s.Close()
			if _, err := db.Owner.Exec(t.Context(), `UPDATE raw_payload SET received_at = now() - make_interval(days => $2, mins => 1) WHERE message_id = $1`, r.MessageID, days); err != nil {
				t.Fatal(err)
			}
		}
		// An edit of today, of the oldest message, and one of the same message a year ago.
		execute(t, db, ten, `INSERT INTO raw_payload (instance_id, message_id, id, body, received_at)
			SELECT instance_id, message_id, gen_random_uuid(), 'edit', now() - make_interval(days => d) FROM raw_payload, unnest('{0,365}'::int[]) d
			 WHERE instance_id = $1 AND body = '{"raw":"text 400"}'`)
	}
	of(ten)
	of(other)
	before := contents(t, db, other)
	if got, want := expire(t, db), (inbox.Removed{RawPayloads: 4}); got != want {
		t.Errorf("removed %+v, want %+v", got, want)
	}
	if got := text(t, db, `SELECT string_agg(convert_from(body, 'UTF8'), ' ' ORDER BY received_at DESC) FROM raw_payload WHERE instance_id = $1`, ten.ID); got != `edit {"raw":"text 0"} {"raw":"text 6"}` {
		t.Errorf("left: %s", got)
	}
	if n := count(t, db, `SELECT count(*) FROM message WHERE instance_id = $1`, ten.ID); n != 5 {
		t.Errorf("%d messages", n)
	}
	if diff := gocmp.Diff(before, contents(t, db, other)); diff != "" {
		t.Errorf("of one that keeps all (-want +got):\n%s", diff)
	}
	consistent(t, db, ten) // the messages are all there
}

func TestEventsExpire(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	keeps(t, db, ten, inbox.Retention{EventDays: 10})
	execute(t, db, ten, `ALTER TABLE event DISABLE TRIGGER event_append_only`) // as time can't be waited for
	ages := func(ten *pgtest.Tenant, days string) {
		t.Helper()
		execute(t, db, ten, `DELETE FROM event WHERE instance_id = $1`,
			`INSERT INTO event (instance_id, seq, type, actor, at) SELECT $1, n, 'thread.updated', 'x', now() - make_interval(days => d, mins => 1) FROM unnest('{`+days+`}'::int[]) WITH ORDINALITY u (d, n)`)
	}
	kept := func(ten *pgtest.Tenant) string {
		t.Helper()
		return text(t, db, `SELECT string_agg(seq::text, ' ' ORDER BY seq) FROM event WHERE instance_id = $1`, ten.ID)
	}
	for name, c := range map[string]struct {
		days, want string
		removed    int64
	}{
		"some are old":                   {"20,15,10,9,3,0", "4 5 6", 3},
		"none is":                        {"9,8", "1 2", 0},
		"all are: the newest tells most": {"20,20,20", "3", 2},
		"a young one among old ones":     {"20,5,20,4", "2 3 4", 1}, // transactions don't commit in the order in which they begin
		"a single one":                   {"20", "1", 0},
	} {
		ages(ten, c.days)
		ages(other, c.days)
		if got := expire(t, db); got != (inbox.Removed{Events: c.removed}) || kept(ten) != c.want {
			t.Errorf("%s: removed %+v, kept %s; want %s", name, got, kept(ten), c.want)
		}
		if n := len(strings.Fields(kept(other))); n != len(strings.Split(c.days, ",")) {
			t.Errorf("%s: of one that keeps all %d are left", name, n)
		}
	}
	// Many go in batches, and the log goes on where it was.
	execute(t, db, ten, `DELETE FROM event WHERE instance_id = $1`, `UPDATE event_counter SET seq = 12000 WHERE instance_id = $1`,
		`INSERT INTO event (instance_id, seq, type, actor, at) SELECT $1, n, 'thread.updated', 'x', now() - interval '20 days' FROM generate_series(1, 12000) n`)
	s := store(t, ten)
	if got := expire(t, db); got.Events != 11_999 {
		t.Errorf("removed %+v of many", got)
	}
	if last, err := s.LastEvent(t.Context()); err != nil || last != 12_000 {
		t.Errorf("the log ends at %d, %v", last, err)
	}
	ingest(t, s, ten, generic("e", "t", "x"))
	if events, err := s.Events(t.Context(), 0, 10); err != nil || len(events) != 2 || events[0].Seq != 12_000 || events[1].Seq != 12_001 {
		t.Errorf("the log: %+v, %v", events, err)
	}
}

// What isn't to be removed for somebody's manifest stays, whoever asks; of what the
// instance's end removes, the retention keeps out.
func TestExpiryIsTheInstances(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	_, r, _ := lived(t, db, ten, store(t, ten), "old")
	end(t, db, r.ThreadID, "archived", 1000)
	worker := db.Worker(t)
	call := func() (n int64) {
		if err := worker.QueryRow(t.Context(), `SELECT (SELECT messages FROM expire_threads($1, 100)) + (SELECT removed FROM expire_raw_payloads($1, $2, 100)) + (SELECT removed FROM expire_events($1, 0, 100))`,
			ten.ID, inbox.ThreadID{}).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := call(); n != 0 {
		t.Errorf("%d rows of an instance that keeps all", n)
	}
	keeps(t, db, ten, inbox.Retention{ThreadDays: 1, RawPayloadDays: 1, EventDays: 1})
	execute(t, db, ten, `UPDATE instance SET purge_at = now() WHERE id = $1`)
	if n := call(); n != 0 {
		t.Errorf("%d rows of an instance that is being removed", n)
	}
	// The manifest is gone and the data kept for its return: what it said still holds.
	execute(t, db, ten, `UPDATE instance SET purge_at = NULL, retired_at = now() WHERE id = $1`)
	if n := call(); n == 0 {
		t.Error("nothing of a retired instance")
	}
	for what, sql := range map[string]string{
		"a thread":        `DELETE FROM thread`,
		"a message":       `DELETE FROM message`,
		"a payload":       `DELETE FROM raw_payload`,
		"an event":        `DELETE FROM event`,
		"a contact":       `DELETE FROM contact`,
		"any thread":      `SELECT remove_threads('` + ten.ID.UUID() + `', '{}', 1)`,
		"any message":     `SELECT remove_messages('` + ten.ID.UUID() + `', '{}')`,
		"the ledger":      `DELETE FROM ledger`,
		"a receipt":       `DELETE FROM event_receipt`,
		"a look at raw":   `SELECT FROM raw_payload`,
		"another setting": `UPDATE instance SET thread_days = 1`,
	} {
		if _, err := worker.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("the worker may remove %s: %v", what, err)
		}
	}
	var functions []string
	if err := db.Owner.QueryRow(t.Context(), `SELECT array_agg(p.proname::text ORDER BY p.proname COLLATE "C") FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
		AND has_function_privilege('socialops_worker', p.oid, 'EXECUTE') AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')`).Scan(&functions); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Fields("expire_events expire_raw_payloads expire_threads oldest_binary requeue_action retention_due schema_version"), functions); diff != "" {
		t.Errorf("functions of the worker (-want +got):\n%s", diff)
	}
}

// Several workers at once remove each row once, while the inboxes go on: nothing that
// was accepted is lost, and nobody sees an error.
func TestExpiryBesideEverythingElse(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	keeps(t, db, ten, inbox.Retention{ThreadDays: 1})
	stores := []*postgres.Store{store(t, ten), store(t, ten)}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var all sync.WaitGroup
	var mu sync.Mutex
	var total inbox.Removed
	for range 3 {
		q := postgres.NewQueue(db.Worker(t))
		all.Go(func() {
			for ctx.Err() == nil {
				// Some threads have been over for long, whatever goes on in them.
				if _, err := db.Owner.Exec(t.Context(), `
					WITH picked AS (SELECT thread_id FROM thread_state WHERE instance_id = $1 ORDER BY random() LIMIT 20 FOR UPDATE SKIP LOCKED)
					UPDATE thread_state s SET status = 'resolved', last_activity_at = now() - interval '2 days' FROM picked p WHERE s.instance_id = $1 AND s.thread_id = p.thread_id`, ten.ID); err != nil {
					t.Error(err)
				}
				removed, _, err := q.Expire(t.Context(), time.Minute)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				if total.Add(removed); total.Threads >= 50 {
					stop()
				}
				mu.Unlock()
			}
		})
	}
	var accepted atomic.Int64
	for w := range 8 {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				in := generic(fmt.Sprintf("e-%d-%d", w, i), fmt.Sprint("t", (w*31+i*7)%211), "text")
				in.Contact.ExternalID = fmt.Sprint("user-", i%50)
				in.Thread.Labels = []string{"l"}
				r, err := stores[w%2].Ingest(t.Context(), ten.Generic, in)
				if err != nil || r.Duplicate || r.ThreadID.IsZero() {
					t.Errorf("%+v, %v", r, err)
					return
				}
				accepted.Add(1)
				note := inbox.NewMessage{ThreadID: r.ThreadID, Text: "note", Author: inbox.Author{Kind: "system"}}
				if _, err := stores[w%2].AddNote(t.Context(), note); err != nil && inbox.CodeOf(err) != inbox.CodeNotFound {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	left := count(t, db, `SELECT count(*) FROM message WHERE instance_id = $1`, ten.ID)
	gone := count(t, db, `SELECT count(*) FROM removed_message WHERE instance_id = $1`, ten.ID)
	inbound := count(t, db, `SELECT count(*) FROM message WHERE instance_id = $1 AND direction = 'inbound'`, ten.ID)
	if inbound+gone != accepted.Load() {
		t.Errorf("%d messages are here and %d were removed, of %d", inbound, gone, accepted.Load())
	}
	created := count(t, db, `SELECT count(*) FROM event WHERE instance_id = $1 AND type = 'message.created'`, ten.ID)
	if total.Messages+left != created || total.Threads != count(t, db, `SELECT count(*) FROM event WHERE instance_id = $1 AND type = 'thread.deleted'`, ten.ID) || total.Threads < 50 {
		t.Errorf("removed %+v, %d messages are left of %d", total, left, created)
	}
	if n := count(t, db, `SELECT count(*) FROM thread WHERE instance_id = $1 AND contact_id IS NULL`, ten.ID); n != 0 {
		t.Errorf("%d threads are nobody's", n)
	}
	if n := count(t, db, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
	pgtest.ConsistentAfterRemoval(t, db.Owner, ten.ID)
}
