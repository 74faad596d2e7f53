package postgres_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/billing"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// said is an event in which somebody says something, in a conversation of several.
func said(event, thread, who, text string) inbox.Inbound {
	in := generic(event, thread, text)
	in.Contact = &inbox.InboundContact{ExternalID: "id-of-" + who, Name: "Name of " + who, Handle: "@" + who, URL: "https://example.com/" + who}
	in.Message.ExternalID = "message-" + event
	return in
}

// traces finds where the database says a word of a tenant's, in whatever column.
func traces(t testing.TB, db *pgtest.Database, ten *pgtest.Tenant, word string) []string {
	t.Helper()
	rows, err := db.Owner.Query(t.Context(), `SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'instance_id'
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, table := range tables {
		sql := `SELECT count(*) FROM ` + table + ` x WHERE instance_id = $1 AND (x::text LIKE '%' || $2 || '%' OR x::text LIKE '%' || $3 || '%')`
		if n := count(t, db, sql, ten.ID, word, hex.EncodeToString([]byte(word))); n > 0 {
			found = append(found, table)
		}
	}
	return found
}

func booked(t testing.TB, db *pgtest.Database) {
	t.Helper()
	books, err := postgres.Books(t.Context(), db.Owner)
	if err != nil {
		t.Fatal(err)
	}
	if problems := billing.Check(books); len(problems) > 0 {
		t.Error(problems)
	}
}

func contactOf(t testing.TB, db *pgtest.Database, ten *pgtest.Tenant, who string) (id inbox.ContactID) {
	t.Helper()
	if err := db.Owner.QueryRow(t.Context(), `SELECT id FROM contact WHERE instance_id = $1 AND external_id = $2`, ten.ID, "id-of-"+who).Scan((*[16]byte)(&id)); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestForgetThread(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	s := store(t, ten)
	event, r, _ := lived(t, db, ten, s, "gone")
	_, stays, _ := lived(t, db, ten, s, "stays")
	_, _, _ = lived(t, db, other, store(t, other), "gone")
	// One that nobody knows yet whether it arrived, charged; one that was never tried; and a note.
	var waiting []inbox.ActionID
	for range 2 {
		q, err := s.AddReply(t.Context(), inbox.NewMessage{ThreadID: r.ThreadID, Text: "reply to gone", Author: inbox.Author{Kind: "system"}})
		if err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, q.Action.ID)
	}
	if _, err := s.AddNote(t.Context(), inbox.NewMessage{
		ThreadID: r.ThreadID, Text: "note on gone", Author: inbox.Author{Kind: "system"},
		Idempotency: &inbox.Idempotency{Caller: "c", Route: "notes", Key: "k"},
	}); err != nil {
		t.Fatal(err)
	}
	execute(t, db, ten, fmt.Sprintf(`UPDATE action SET status = 'awaiting', deadline = now() + interval '1 day' WHERE instance_id = $1 AND id = '%s'`, waiting[0].UUID()),
		fmt.Sprintf(`INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ($1, 'reply:%s:0', 'reply', -500)`, waiting[0].UUID()))
	entries, before, logged := count(t, db, `SELECT count(*) FROM ledger WHERE instance_id = $1`, ten.ID), contents(t, db, other), count(t, db, `SELECT max(seq) FROM event WHERE instance_id = $1`, ten.ID)

	got, err := postgres.ForgetThread(t.Context(), db.Owner, ten.Alias, r.ThreadID, "admin")
	want := inbox.Removed{Threads: 1, Messages: 5, RawPayloads: 1, Attachments: 1, Actions: 3, Contacts: 1}
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if diff := gocmp.Diff(map[string]int64{
		"thread": 1, "thread_state": 1, "thread_label": 1, "message": 2, "attachment": 1, "attachment_content": 1, "raw_payload": 1, "action": 1, "action_part": 1, "contact": 1,
	}, contents(t, db, ten)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(before, contents(t, db, other)); diff != "" {
		t.Errorf("another tenant's (-want +got):\n%s", diff)
	}
	if at := traces(t, db, ten, "gone"); len(at) > 0 {
		t.Errorf("something is left in %v", at)
	}
	if n := count(t, db, `SELECT count(*) FROM ledger WHERE instance_id = $1`, ten.ID); n != entries+1 {
		t.Errorf("%d ledger entries, want those %d and a refund", n, entries)
	}
	if told := text(t, db, `SELECT string_agg(type || ' ' || actor, ', ' ORDER BY seq) FROM event WHERE instance_id = $1 AND seq > `+fmt.Sprint(logged), ten.ID); told != "thread.deleted admin, contact.deleted admin" {
		t.Errorf("the log tells: %s", told)
	}
	if _, err := s.Thread(t.Context(), stays.ThreadID); err != nil {
		t.Error(err)
	}
	if again := ingest(t, s, ten, event); !again.Duplicate || again.ThreadID != r.ThreadID || again.MessageID != r.MessageID {
		t.Errorf("a repeat is answered %+v, want a duplicate of %+v", again, r)
	}
	again, err := postgres.ForgetThread(t.Context(), db.Owner, ten.Alias, r.ThreadID, "admin")
	if err != nil || again != (inbox.Removed{}) {
		t.Errorf("a second time: %+v, %v", again, err)
	}
	if _, err := postgres.ForgetThread(t.Context(), db.Owner, "nobody", r.ThreadID, "admin"); inbox.CodeOf(err) != inbox.CodeNotFound {
		t.Errorf("of nobody: %v", err)
	}
	if got, err := postgres.ForgetThread(t.Context(), db.Owner, other.Alias, stays.ThreadID, "admin"); err != nil || got != (inbox.Removed{}) {
		t.Errorf("another tenant's thread: %+v, %v", got, err)
	}
	pgtest.ConsistentAfterRemoval(t, db.Owner, ten.ID)
	booked(t, db)
}

func TestForgetContact(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	s := store(t, ten)
	var theirs []inbox.Inbound
	receipts := map[string]inbox.Receipt{}
	say := func(event, thread, who, text string, change ...func(*inbox.Inbound)) {
		t.Helper()
		in := said(event, thread, who, text)
		for _, c := range change {
			c(&in)
		}
		if receipts[event] = ingest(t, s, ten, in); who == "ann" {
			theirs = append(theirs, in)
		}
	}
	answering := func(event, quote string) func(*inbox.Inbound) {
		return func(in *inbox.Inbound) {
			in.Message.ParentID = "message-" + event
			in.Message.Data = map[string]any{"quote": quote, "kept": true}
			in.Raw = []byte(`{"reply_to_message": "` + quote + `", "text": "` + in.Message.Text + `"}`)
		}
	}
	file := func(in *inbox.Inbound) {
		in.Message.Attachments = []inbox.InboundAttachment{{Kind: "file", Name: "annsfile.txt", Ref: "annsref"}}
	}
	say("1", "private", "ann", "annsays: hello", file)
	say("2", "private", "ann", "annsays: anybody?")
	say("3", "group", "ann", "annsays: a title", file)
	say("4", "group", "bob", "bob answers", answering("3", "annsays: a title"))
	say("5", "group", "ann", "annsays: thanks")
	say("6", "bobs", "bob", "bob asks")
	say("7", "bobs", "ann", "annsays: me too", answering("6", "bob asks"))
	say("8", "bobs", "eve", "eve agrees")
	for who, reaction := range map[string]string{"ann": "annlikes", "eve": "evelikes"} {
		in := said("r-"+who, "bobs", who, "")
		in.Kind, in.Message.ExternalID, in.Message.Reaction = inbox.React, "message-6", []string{reaction}
		if ingest(t, s, ten, in); who == "ann" {
			receipts["r-ann"] = inbox.Receipt{ThreadID: receipts["6"].ThreadID, MessageID: receipts["6"].MessageID}
			theirs = append(theirs, in)
		}
	}
	reply, err := s.AddReply(t.Context(), inbox.NewMessage{ThreadID: receipts["1"].ThreadID, Text: "Dear ann, annsays", Author: inbox.Author{Kind: "system"}})
	if err != nil {
		t.Fatal(err)
	}
	execute(t, db, ten, `UPDATE thread SET subject = 'annsays: a title', ai_summary = 'annsays things' WHERE instance_id = $1 AND external_id = 'group'`)
	ingest(t, store(t, other), other, said("1", "private", "ann", "annsays elsewhere"))
	ann := contactOf(t, db, ten, "ann")
	before, logged := contents(t, db, other), count(t, db, `SELECT max(seq) FROM event WHERE instance_id = $1`, ten.ID)
	if at := strings.Join(traces(t, db, ten, "annsays"), " "); at != "message raw_payload thread" {
		t.Fatalf("the test's words are in %s", at)
	}

	got, err := postgres.ForgetContact(t.Context(), db.Owner, ten.Alias, ann, "admin")
	want := inbox.Removed{Threads: 1, Messages: 6, RawPayloads: 6, Attachments: 2, Actions: 1, Contacts: 1} // 5 payloads of hers, and one that repeats her words
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, word := range []string{"annsays", "annsfile", "annsref", "annlikes", "id-of-ann", "Name of ann", "@ann", ann.String()} {
		if at := traces(t, db, ten, word); len(at) > 0 {
			t.Errorf("%q is left in %v", word, at)
		}
	}
	if diff := gocmp.Diff(before, contents(t, db, other)); diff != "" {
		t.Errorf("another tenant's (-want +got):\n%s", diff)
	}
	said := text(t, db, `SELECT string_agg(text || ' ' || coalesce(data::text, '-') , '; ' ORDER BY text) FROM (SELECT text, CASE WHEN data ? 'reactions' THEN to_jsonb((SELECT string_agg(v::text, ' ') FROM jsonb_each(data -> 'reactions') e (k, v))) ELSE data END AS data FROM message WHERE instance_id = $1) m`, ten.ID)
	if want := `bob answers {"kept": true}; bob asks "[\"evelikes\"]"; eve agrees -`; said != want {
		t.Errorf("what is left says\n%s, want\n%s", said, want)
	}
	group, err := s.Thread(t.Context(), receipts["3"].ThreadID)
	if err != nil || group.Contact != nil || !group.ContactID.IsZero() || group.Subject != "" || group.AISummary != "" || group.LastMessage == nil || group.LastMessage.ID != receipts["4"].MessageID || group.Unread != 1 {
		t.Errorf("the shared conversation that she began: %+v, %v", group, err)
	}
	bobs, err := s.Thread(t.Context(), receipts["6"].ThreadID)
	if err != nil || bobs.Contact == nil || bobs.Contact.Name != "Name of bob" || bobs.LastMessage == nil || bobs.LastMessage.ID != receipts["8"].MessageID || bobs.Unread != 2 || bobs.Subject == "" {
		t.Errorf("bob's conversation: %+v, %v", bobs, err)
	}
	told := map[string]int{}
	var kind, actor string
	rows, err := db.Owner.Query(t.Context(), `SELECT type, actor FROM event WHERE instance_id = $1 AND seq > $2`, ten.ID, logged)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pgx.ForEachRow(rows, []any{&kind, &actor}, func() error { told[kind+" "+actor]++; return nil }); err != nil {
		t.Fatal(err)
	}
	// The change of bob's messages, which quoted and were liked, is told as any is: by what the provider did.
	if diff := gocmp.Diff(map[string]int{"thread.deleted admin": 1, "message.deleted admin": 3, "contact.deleted admin": 1, "thread.updated admin": 1, "message.updated provider": 2}, told); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
	for _, in := range theirs {
		if again := ingest(t, s, ten, in); !again.Duplicate || again.ThreadID != receipts[in.EventID].ThreadID || again.MessageID != receipts[in.EventID].MessageID {
			t.Errorf("a repeat of %s is answered %+v, want a duplicate of %+v", in.EventID, again, receipts[in.EventID])
		}
	}
	if at := traces(t, db, ten, "annsays"); len(at) > 0 {
		t.Errorf("repeats were stored in %v", at)
	}
	if messages, err := s.MessagesByID(t.Context(), []inbox.MessageID{reply.Message.ID}); err != nil || len(messages) != 0 {
		t.Errorf("our reply: %v, %v", messages, err)
	}
	if again, err := postgres.ForgetContact(t.Context(), db.Owner, ten.Alias, ann, "admin"); err != nil || again != (inbox.Removed{}) {
		t.Errorf("a second time: %+v, %v", again, err)
	}
	pgtest.ConsistentAfterRemoval(t, db.Owner, ten.ID)
	booked(t, db)
}

// A conversation's people stay as long as something else of theirs does.
func TestForgetThreadKeepsWhoWroteElsewhere(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	r := ingest(t, s, ten, said("1", "group", "ann", "x"))
	ingest(t, s, ten, said("2", "group", "bob", "x"))
	ingest(t, s, ten, said("3", "group", "eve", "x"))
	ingest(t, s, ten, said("4", "anns", "ann", "x"))
	ingest(t, s, ten, said("5", "anns", "bob", "x"))
	got, err := postgres.ForgetThread(t.Context(), db.Owner, ten.Alias, r.ThreadID, "admin")
	if err != nil || got.Contacts != 1 || got.Messages != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if left := text(t, db, `SELECT string_agg(external_id, ' ' ORDER BY external_id) FROM contact WHERE instance_id = $1`, ten.ID); left != "id-of-ann id-of-bob" {
		t.Errorf("left are %s", left)
	}
}

// What a worker is sending is waited for: its outcome decides about the money.
func TestForgetWaitsForASend(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	r := ingest(t, s, ten, said("1", "private", "ann", "x"))
	if _, err := s.AddReply(t.Context(), inbox.NewMessage{ThreadID: r.ThreadID, Text: "hi", Author: inbox.Author{Kind: "system"}}); err != nil {
		t.Fatal(err)
	}
	q := postgres.NewQueue(db.Worker(t))
	claims, err := q.Claim(t.Context(), inbox.ClaimRequest{Limit: 1, LaneLimit: 1, Lease: time.Minute, MediaLease: time.Minute, Pace: func(string, string) inbox.Spacing { return inbox.Spacing{} }})
	if err != nil || len(claims.Claimed) != 1 {
		t.Fatalf("%+v, %v", claims, err)
	}
	lease := claims.Claimed[0].Lease
	if started, err := q.Advance(t.Context(), nil, []inbox.Lease{lease}, time.Second); err != nil || started[0] != inbox.StartGo {
		t.Fatalf("%v, %v", started, err)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if got, err := postgres.ForgetThread(short, db.Owner, ten.Alias, r.ThreadID, "admin"); err == nil || got != (inbox.Removed{}) {
		t.Errorf("while it is being sent: %+v, %v", got, err)
	}
	forgotten := make(chan error, 1)
	go func() {
		_, err := postgres.ForgetContact(t.Context(), db.Owner, ten.Alias, contactOf(t, db, ten, "ann"), "admin")
		forgotten <- err
	}()
	if _, err := q.Advance(t.Context(), []inbox.Settlement{{Lease: lease, MessageID: claims.Claimed[0].MessageID, Status: inbox.ActionFailed, Error: "refused"}}, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := <-forgotten; err != nil {
		t.Error(err)
	}
	if n := count(t, db, `SELECT count(*) FROM message WHERE instance_id = $1`, ten.ID); n != 0 {
		t.Errorf("%d messages are left", n)
	}
	// One that a dead worker left behind is nobody's: it is given back.
	r = ingest(t, s, ten, said("2", "private", "ann", "x"))
	if _, err := s.AddReply(t.Context(), inbox.NewMessage{ThreadID: r.ThreadID, Text: "hi", Author: inbox.Author{Kind: "system"}}); err != nil {
		t.Fatal(err)
	}
	execute(t, db, ten, `UPDATE action SET status = 'processing', lease_token = gen_random_uuid(), lease_until = now() - interval '1 s', started_at = now() - interval '1 minute' WHERE instance_id = $1`,
		`INSERT INTO ledger (instance_id, reference, kind, amount) SELECT $1, 'reply:' || id || ':0', 'reply', -500 FROM action WHERE instance_id = $1`)
	if got, err := postgres.ForgetThread(t.Context(), db.Owner, ten.Alias, r.ThreadID, "admin"); err != nil || got.Threads != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if n := count(t, db, `SELECT amount FROM balance WHERE instance_id = $1`, ten.ID); n != -400 {
		t.Errorf("the balance is %d", n)
	}
	booked(t, db)
}

// Long conversations, and many, go in batches, while the person goes on writing:
// what was accepted is removed or is there, with whoever wrote it.
func TestForgetBesideEverythingElse(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	r := ingest(t, s, ten, said("first", "long", "ann", "x"))
	execute(t, db, ten, fmt.Sprintf(`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, author_kind, author_id) SELECT $1, gen_random_uuid(), '%s', n, 's', 'inbound', 'theirs', 'contact', '%s' FROM generate_series(2, 5000) n`, r.ThreadID.UUID(), contactOf(t, db, ten, "ann").UUID()),
		`UPDATE thread_state SET message_seq = 5000, unread = 5000, last_message_id = (SELECT id FROM message WHERE instance_id = $1 AND seq = 5000) WHERE instance_id = $1`)
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	var accepted atomic.Int64
	for w := range 2 {
		writing.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				in := said(fmt.Sprintf("e-%d-%d", w, i), fmt.Sprint("t", i%3), "ann", "x")
				if i%4 == 0 {
					in.Thread.ExternalID = "long"
				}
				if receipt, err := s.Ingest(t.Context(), ten.Generic, in); err != nil || receipt.Duplicate {
					t.Errorf("%+v, %v", receipt, err)
					return
				}
				accepted.Add(1)
			}
		})
	}
	for range 3 {
		for n := accepted.Load(); accepted.Load() < n+10 && !t.Failed(); {
			time.Sleep(time.Millisecond)
		}
		if _, err := postgres.ForgetContact(t.Context(), db.Owner, ten.Alias, contactOf(t, db, ten, "ann"), "admin"); err != nil {
			t.Error(err)
		}
	}
	stop()
	writing.Wait()
	left, gone := count(t, db, `SELECT count(*) FROM message WHERE instance_id = $1`, ten.ID), count(t, db, `SELECT count(*) FROM removed_message WHERE instance_id = $1`, ten.ID)
	if left+gone != accepted.Load()+5000 {
		t.Errorf("%d messages are here and %d were removed, of %d", left, gone, accepted.Load()+5000)
	}
	if n := count(t, db, `SELECT count(*) FROM thread WHERE instance_id = $1 AND contact_id IS NULL`, ten.ID); n != 0 {
		t.Errorf("%d threads are nobody's", n)
	}
	pgtest.ConsistentAfterRemoval(t, db.Owner, ten.ID)
}
