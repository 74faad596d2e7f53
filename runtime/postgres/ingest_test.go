package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func store(t testing.TB, ten *pgtest.Tenant) *postgres.Store {
	t.Helper()
	s := postgres.NewStore(ten.Pool, ten.ID, postgres.StoreOptions{})
	t.Cleanup(s.Close)
	return s
}

// generic is an event as the generic webhook makes it.
func generic(event, thread, text string) inbox.Inbound {
	return inbox.Inbound{
		Provider: "generic-webhook", Source: "generic-webhook", EventID: event, Kind: inbox.AddMessage,
		Thread:      inbox.InboundThread{ExternalID: thread, Subject: "Subject of " + thread},
		Contact:     &inbox.InboundContact{ExternalID: "user-" + thread, Name: "Somebody"},
		Message:     inbox.InboundMessage{Type: "text", Text: text},
		ContentType: "application/json", Raw: []byte(`{"raw":"` + text + `"}`),
	}
}

func ingest(t testing.TB, s *postgres.Store, ten *pgtest.Tenant, in inbox.Inbound) inbox.Receipt {
	t.Helper()
	r, err := s.Ingest(t.Context(), ten.Generic, in)
	if err != nil {
		t.Fatalf("Ingest(%s): %v", in.EventID, err)
	}
	return r
}

// count reads one number as the schema's owner.
func count(t testing.TB, db *pgtest.Database, sql string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := db.Owner.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// consistent checks what must hold of an instance whatever happened.
func consistent(t testing.TB, db *pgtest.Database, ten *pgtest.Tenant) {
	t.Helper()
	pgtest.Consistent(t, db.Owner, ten.ID)
}

func TestIngestMakesAThread(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	in := generic("e1", "incident_42", "API latency is high")
	in.Thread.Labels = []string{"ops", "urgent"}
	in.Thread.Priority = inbox.High
	in.Message.Attachments = []inbox.InboundAttachment{{Kind: "image", URL: "https://example.com/a.png"}, {Kind: "file", Ref: "file-id", Size: 9}}
	in.Message.Data = map[string]any{"nul": "a\x00b", "escaped": `\u0000`, "both": "\\\x00"}
	first := ingest(t, s, ten, in)
	if first.Duplicate || first.ThreadID.IsZero() || first.MessageID.IsZero() {
		t.Fatalf("receipt %+v", first)
	}
	again := ingest(t, s, ten, in)
	if !again.Duplicate || again.ThreadID != first.ThreadID || again.MessageID != first.MessageID {
		t.Errorf("the repeat's receipt is %+v, want a duplicate of %+v", again, first)
	}
	second := ingest(t, s, ten, generic("e2", "incident_42", "still"))
	if second.ThreadID != first.ThreadID || second.MessageID == first.MessageID {
		t.Errorf("the second message's receipt is %+v after %+v", second, first)
	}
	var status, priority, raw, data string
	var unread int
	err := db.Owner.QueryRow(t.Context(), `SELECT s.status, s.priority, s.unread, convert_from(r.body, 'UTF8'), m.data::text
		FROM thread_state s JOIN message m ON m.thread_id = s.thread_id AND m.seq = 1 JOIN raw_payload r ON r.message_id = m.id WHERE s.thread_id = $1`, first.ThreadID).
		Scan(&status, &priority, &unread, &raw, &data)
	if err != nil {
		t.Fatal(err)
	}
	if status != "open" || priority != "high" || unread != 2 || raw != `{"raw":"API latency is high"}` {
		t.Errorf("status %s, priority %s, unread %d, raw %s", status, priority, unread, raw)
	}
	if !strings.Contains(data, "a\uFFFDb") || !strings.Contains(data, `\\u0000`) {
		t.Errorf("data %s", data)
	}
	if n := count(t, db, `SELECT count(*) FROM attachment WHERE state IN ('linked', 'remote')`); n != 2 {
		t.Errorf("%d attachments, want 2", n)
	}
	if n := count(t, db, `SELECT amount FROM balance WHERE instance_id = $1`, ten.ID); n != -400 {
		t.Errorf("balance %d, want -400", n)
	}
	consistent(t, db, ten)
}

func TestLongTextIsCutAndKeptInRaw(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	in := generic("e", "t", strings.Repeat("é", 100_000))
	r := ingest(t, store(t, ten), ten, in)
	var stored, raw int
	var end string
	if err := db.Owner.QueryRow(t.Context(), `SELECT octet_length(m.text), right(m.text, 2), octet_length(p.body) FROM message m JOIN raw_payload p ON p.message_id = m.id WHERE m.id = $1`, r.MessageID).
		Scan(&stored, &end, &raw); err != nil {
		t.Fatal(err)
	}
	if stored > 64<<10 || stored < 63<<10 || end != "é…" || raw != len(in.Raw) {
		t.Errorf("%d bytes of text ending in %q, %d of raw; want 64 KiB, cut between characters, and all %d", stored, end, raw, len(in.Raw))
	}
}

func TestOneEventFromManyConnections(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	stores := []*postgres.Store{store(t, ten), store(t, ten)} // two pods of one alias
	receipts := make([]inbox.Receipt, 64)
	var wg sync.WaitGroup
	for i := range receipts {
		wg.Go(func() {
			var err error
			if receipts[i], err = stores[i%2].Ingest(t.Context(), ten.Generic, generic("same", "thread", "text")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	fresh := 0
	for _, r := range receipts {
		if !r.Duplicate {
			fresh++
		}
		if r.MessageID != receipts[0].MessageID || r.ThreadID != receipts[0].ThreadID {
			t.Errorf("receipts differ: %+v and %+v", r, receipts[0])
		}
	}
	if fresh != 1 {
		t.Errorf("%d answers say that they were the first", fresh)
	}
	if n := count(t, db, `SELECT count(*) FROM message`); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	consistent(t, db, ten)
}

func TestFirstMessagesOfOneThreadAtOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	stores := []*postgres.Store{store(t, ten), store(t, ten), store(t, ten)}
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			if _, err := stores[i%3].Ingest(t.Context(), ten.Generic, generic(fmt.Sprint("e", i), fmt.Sprint("thread-", i%7), "hello")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := count(t, db, `SELECT count(*) FROM thread`); n != 7 {
		t.Errorf("%d threads, want 7", n)
	}
	if n := count(t, db, `SELECT count(*) FROM contact`); n != 7 {
		t.Errorf("%d contacts, want 7", n)
	}
	consistent(t, db, ten)
}

func TestPoisonEventSpoilsNobodyElse(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			in := generic(fmt.Sprint("e", i), fmt.Sprint("t", i), "text")
			poison := i%10 == 3
			if poison {
				in.Thread.ExternalID = incompressible(9000) // wider than an index takes
			}
			_, err := s.Ingest(t.Context(), ten.Generic, in)
			if poison != (inbox.CodeOf(err) == inbox.CodeInvalid) {
				t.Errorf("event %d (poison: %v): %v", i, poison, err)
			}
		})
	}
	wg.Wait()
	if n := count(t, db, `SELECT count(*) FROM message`); n != 90 {
		t.Errorf("%d messages, want 90", n)
	}
	consistent(t, db, ten)
}

func incompressible(n int) string {
	var b strings.Builder
	for x := uint64(1); b.Len() < n; {
		x = x*6364136223846793005 + 1442695040888963407
		fmt.Fprintf(&b, "%x", x>>11)
	}
	return b.String()[:n]
}

func TestEnforcedBalance(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t, func(i *inbox.Instance) { i.BillingMode = inbox.BillingEnforce })
	if _, err := db.Owner.Exec(t.Context(), `INSERT INTO ledger VALUES ($1, 'credit:test', 'credit', 2100)`, ten.ID); err != nil {
		t.Fatal(err)
	}
	s := store(t, ten)
	var mu sync.Mutex
	paid := map[string]bool{}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			event := fmt.Sprint("e", i)
			_, err := s.Ingest(t.Context(), ten.Generic, generic(event, "thread", "text"))
			if err != nil && inbox.CodeOf(err) != inbox.CodeUnpaid {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			paid[event] = err == nil
		})
	}
	wg.Wait()
	n := 0
	for event, ok := range paid {
		if !ok {
			continue
		}
		n++
		// A repeat is answered whatever the balance.
		if r, err := s.Ingest(t.Context(), ten.Generic, generic(event, "thread", "text")); err != nil || !r.Duplicate {
			t.Errorf("repeat of %s: %+v, %v", event, r, err)
		}
	}
	if n != 10 {
		t.Errorf("2,100 micro-USD paid for %d messages of 200, want 10", n)
	}
	if left := count(t, db, `SELECT amount FROM balance WHERE instance_id = $1`, ten.ID); left != 100 {
		t.Errorf("left over %d, want 100", left)
	}
	if n := count(t, db, `SELECT count(*) FROM event_receipt`); n != 10 {
		t.Errorf("%d receipts, want 10: a refused event must not count as seen", n)
	}
	consistent(t, db, ten)
}

func TestBillingModes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for mode, want := range map[inbox.BillingMode]int64{inbox.BillingOff: 0, inbox.BillingTrack: -7} {
		ten := db.Instance(t, func(i *inbox.Instance) { i.BillingMode, i.InboundPrice = mode, 7 })
		ingest(t, store(t, ten), ten, generic("e", "t", "x"))
		if n := count(t, db, `SELECT amount FROM balance WHERE instance_id = $1`, ten.ID); n != want {
			t.Errorf("%s: balance %d, want %d", mode, n, want)
		}
	}
}

func TestSecondEventAboutOneMessage(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	about := func(event string) inbox.Inbound {
		in := generic(event, "t", "text")
		in.Message.ExternalID = "comment-1"
		return in
	}
	first := ingest(t, s, ten, about("delivery-1"))
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			event := fmt.Sprint("delivery-", 2+i%10)
			if i%3 == 0 {
				event = "" // without an identity of its own
			}
			r, err := s.Ingest(t.Context(), ten.Generic, about(event))
			if err != nil || !r.Duplicate || r.MessageID != first.MessageID || r.ThreadID != first.ThreadID {
				t.Errorf("receipt %+v, %v", r, err)
			}
		})
	}
	wg.Wait()
	consistent(t, db, ten)
	if n := count(t, db, `SELECT count(*) FROM message`); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}

func TestEditReactBlockMigrate(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	event := 0
	send := func(change func(*inbox.Inbound)) inbox.Receipt {
		event++
		in := generic(fmt.Sprint("u", event), "-100", "text")
		in.Source, in.Message.ExternalID = "telegram:1", "-100:7"
		change(&in)
		r := ingest(t, s, ten, in)
		if again := ingest(t, s, ten, in); !again.Duplicate || again.MessageID != r.MessageID || again.ThreadID != r.ThreadID {
			t.Errorf("repeat of a %s: %+v, want a duplicate of %+v", in.Kind, again, r)
		}
		return r
	}
	added := send(func(*inbox.Inbound) {})
	if r := send(func(in *inbox.Inbound) { in.Kind, in.Message.Text = inbox.EditMessage, "edited" }); r.MessageID != added.MessageID {
		t.Errorf("the edit's receipt is %+v", r)
	}
	send(func(in *inbox.Inbound) { in.Kind, in.Message.Reaction = inbox.React, []string{"👍"} })
	send(func(in *inbox.Inbound) { in.Kind = inbox.BlockContact })
	var text, data string
	var blocked bool
	if err := db.Owner.QueryRow(t.Context(), `SELECT m.text, m.data::text, c.blocked_at IS NOT NULL FROM message m JOIN contact c ON c.id = m.author_id`).Scan(&text, &data, &blocked); err != nil {
		t.Fatal(err)
	}
	if text != "edited" || !strings.Contains(data, "👍") || !blocked {
		t.Errorf("text %q, data %s, blocked %v", text, data, blocked)
	}
	send(func(in *inbox.Inbound) { in.Kind, in.Message.Reaction = inbox.React, nil })
	send(func(in *inbox.Inbound) { in.Kind = inbox.AllowContact })
	if n := count(t, db, `SELECT count(*) FROM message m JOIN contact c ON c.id = m.author_id WHERE m.data = '{"reactions": {}}' AND c.blocked_at IS NULL`); n != 1 {
		t.Error("the reaction was not taken back, or the contact is still blocked")
	}
	send(func(in *inbox.Inbound) {
		in.Kind, in.MigratedTo, in.MigratedTarget = inbox.MigrateThread, "-200", "-200"
	})
	send(func(in *inbox.Inbound) { // the other side of the same move
		in.Kind, in.MigratedTo, in.MigratedTarget = inbox.MigrateThread, "-200", "-200"
	})
	if r := send(func(in *inbox.Inbound) { in.Thread.ExternalID, in.Message.ExternalID = "-200", "-200:1" }); r.ThreadID != added.ThreadID {
		t.Errorf("after the migration a message opened thread %s, want %s", r.ThreadID, added.ThreadID)
	}
	if r := send(func(in *inbox.Inbound) { in.Kind, in.Message.ExternalID = inbox.EditMessage, "-200:9" }); r.MessageID == added.MessageID || r.MessageID.IsZero() {
		t.Errorf("an edit of an unknown message: %+v, want a new message", r)
	}
	if n := count(t, db, `SELECT count(*) FROM ledger`); n != 3 {
		t.Errorf("%d charges, want 3: only messages cost", n)
	}
	consistent(t, db, ten)
}

func TestInboundReopens(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	r := ingest(t, s, ten, generic("e0", "t", "x"))
	for i, c := range []struct{ before, after string }{{"open", "open"}, {"pending", "pending"}, {"resolved", "open"}, {"archived", "open"}} {
		if _, err := db.Owner.Exec(t.Context(), `UPDATE thread_state SET status = $1`, c.before); err != nil {
			t.Fatal(err)
		}
		ingest(t, s, ten, generic(fmt.Sprint("r", i), "t", "again"))
		if n := count(t, db, `SELECT count(*) FROM thread_state WHERE thread_id = $1 AND status = $2`, r.ThreadID, c.after); n != 1 {
			t.Errorf("an inbound message did not make a %s thread %s", c.before, c.after)
		}
	}
	consistent(t, db, ten)
}

func TestCloseFinishesWhatWasAccepted(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := postgres.NewStore(ten.Pool, ten.ID, postgres.StoreOptions{})
	var mu sync.Mutex
	accepted := 0
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			_, err := s.Ingest(t.Context(), ten.Generic, generic(fmt.Sprint("e", i), fmt.Sprint("t", i%5), "x"))
			mu.Lock()
			defer mu.Unlock()
			switch inbox.CodeOf(err) {
			case "":
				accepted++
			case inbox.CodeUnavailable:
			default:
				t.Error(err)
			}
		})
	}
	time.Sleep(3 * time.Millisecond) // some are in, some are not: any split must hold
	s.Close()
	wg.Wait()
	if n := count(t, db, `SELECT count(*) FROM message`); n != int64(accepted) {
		t.Errorf("%d messages, %d accepted", n, accepted)
	}
	consistent(t, db, ten)
}

func TestClientThatHangsUpDoesNotSpoilTheBatch(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Ingest(gone, ten.Generic, generic("gone", "t", "x")); inbox.CodeOf(err) != inbox.CodeUnavailable && err != nil {
		t.Error(err)
	}
	ingest(t, s, ten, generic("e", "t", "x"))
	ingest(t, s, ten, generic("gone", "t", "x"))
	if n := count(t, db, `SELECT count(*) FROM message`); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
	consistent(t, db, ten)
}

// Labels, and threads that open again, are logged before their message is charged:
// whatever comes at once, nobody waits in a ring.
func TestIngestsNeverWaitInARing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	stores := []*postgres.Store{store(t, ten), store(t, ten)}
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 20 {
				in := generic(fmt.Sprintf("e-%d-%d", w, i), fmt.Sprint("t", (w+i)%24), "text")
				if i%2 == 0 {
					in.Thread.Labels = []string{fmt.Sprintf("l-%d-%d", w, i)}
				}
				r := ingest(t, stores[w%2], ten, in)
				if i%5 == 0 {
					status := inbox.Resolved
					if _, err := stores[w%2].UpdateThread(t.Context(), r.ThreadID, inbox.ThreadPatch{Status: &status}, "system"); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	consistent(t, db, ten)
	if n := count(t, db, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}
