package postgres_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// conversation is a thread with every kind of message.
type conversation struct {
	thread                        inbox.ThreadID
	inbound, reply, note, foreign inbox.MessageID
	agent                         inbox.AgentID
	key                           inbox.KeyID
	action                        inbox.ActionID
}

func converse(t *testing.T, db *pgtest.Database, ten *pgtest.Tenant, s *postgres.Store) conversation {
	t.Helper()
	in := generic("event", "thread", "Hello")
	in.Thread.Labels = []string{"vip", "Ops", "ops"}
	in.Thread.Priority = inbox.High
	in.Contact = &inbox.InboundContact{ExternalID: "u", Name: "Ada", Handle: "ada", URL: "https://example.com/ada", AvatarURL: "https://example.com/ada.png"}
	in.Message = inbox.InboundMessage{
		ExternalID: "m1", Type: "photo", Text: "Hello", URL: "https://example.com/m1", GroupID: "album", SentAt: time.Unix(1_700_000_000, 0),
		Data: map[string]any{"button": "yes"},
		Attachments: []inbox.InboundAttachment{
			{Kind: "image", Name: "a.png", MIMEType: "image/png", Size: 12, URL: "https://example.com/a.png"},
			{Kind: "file", Name: "b", Ref: "provider-reference"},
		},
	}
	r := ingest(t, s, ten, in)
	now := time.Now()
	c := conversation{
		thread: r.ThreadID, inbound: r.MessageID, reply: inbox.NewID[inbox.MessageID](now), note: inbox.NewID[inbox.MessageID](now),
		foreign: inbox.NewID[inbox.MessageID](now), agent: inbox.NewID[inbox.AgentID](now), key: inbox.NewID[inbox.KeyID](now),
		action: inbox.NewID[inbox.ActionID](now),
	}
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO agent (instance_id, id, subject, name) VALUES ($1, $2, 'sub-1', 'Grace')`, []any{ten.ID, c.agent}},
		{`UPDATE thread SET ai_summary = 'A greeting', custom_data = '{"tier":"gold"}', handler = 'bot' WHERE instance_id = $1 AND id = $2`, []any{ten.ID, c.thread}},
		{`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, text, author_kind, author_id, author_name, parent_id)
		  VALUES ($1, $2, $3, 2, 's', 'outbound', 'ours', 'Hi Ada', 'agent', $4, 'Grace', $5)`, []any{ten.ID, c.reply, c.thread, c.agent, c.inbound}},
		{`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, text, author_kind, author_id)
		  VALUES ($1, $2, $3, 3, 's', 'internal', 'ours', 'Polite', 'api_key', $4)`, []any{ten.ID, c.note, c.thread, c.key}},
		{`INSERT INTO message (instance_id, id, thread_id, seq, source, external_id, direction, origin, text, author_kind, edited_at)
		  VALUES ($1, $2, $3, 4, 's', 'x', 'outbound', 'ours_elsewhere', 'From the app', 'system', now())`, []any{ten.ID, c.foreign, c.thread}},
		{
			`INSERT INTO action (instance_id, id, kind, thread_id, message_id, thread_seq, lane) VALUES ($1, $2, 'send_reply', $3, $4, 2, 's')`,
			[]any{ten.ID, c.action, c.thread, c.reply},
		},
		{
			`UPDATE thread_state SET assignee_id = $3, last_message_id = $4, message_seq = 4, expires_at = '2100-01-01Z' WHERE instance_id = $1 AND thread_id = $2`,
			[]any{ten.ID, c.thread, c.agent, c.reply},
		},
	} {
		if _, err := ten.Pool.Exec(t.Context(), q.sql, q.args...); err != nil {
			t.Fatalf("%s: %v", q.sql, err)
		}
	}
	if _, err := db.Owner.Exec(t.Context(), `UPDATE action SET status = 'failed', attempts = 3, error = 'gone', settled_at = now() WHERE id = $1`, c.action); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestThread(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	s := store(t, ten)
	c := converse(t, db, ten, s)

	got, err := s.Thread(t.Context(), c.thread)
	if err != nil {
		t.Fatal(err)
	}
	want := inbox.ThreadView{
		Thread: inbox.Thread{
			ID: c.thread, Provider: "generic-webhook", ChannelID: ten.Generic, ContactID: got.ContactID, Subject: "Subject of thread", AISummary: "A greeting",
			Status: inbox.Open, Priority: inbox.High, Assignee: &inbox.Agent{ID: c.agent, Subject: "sub-1", Name: "Grace"}, Labels: []string{"Ops", "ops", "vip"},
			Handler: inbox.HandledByBot, CustomData: json.RawMessage(`{"tier": "gold"}`), Unread: 1, ExpiresAt: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		},
		Contact: &inbox.Contact{ID: got.ContactID, Name: "Ada", Handle: "ada", URL: "https://example.com/ada", AvatarURL: "https://example.com/ada.png"},
		LastMessage: &inbox.Message{
			ID: c.reply, ThreadID: c.thread, Seq: 2, Direction: inbox.DirectionOutbound, Origin: inbox.Ours, Type: "text", Text: "Hi Ada",
			Author: inbox.Author{Kind: "agent", AgentID: c.agent, Name: "Grace"}, ParentID: c.inbound,
			Delivery: &inbox.Delivery{ActionID: c.action, Status: inbox.ActionFailed, Attempts: 3, Error: "gone"},
		},
	}
	clocks := cmpopts.IgnoreFields(inbox.Message{}, "CreatedAt")
	if diff := gocmp.Diff(want, got, clocks, cmpopts.IgnoreFields(inbox.Thread{}, "CreatedAt", "LastActivityAt"), cmpopts.IgnoreFields(inbox.Contact{}, "CreatedAt")); diff != "" {
		t.Errorf("Thread (-want +got):\n%s", diff)
	}
	for name, at := range map[string]time.Time{"thread": got.CreatedAt, "activity": got.LastActivityAt, "contact": got.Contact.CreatedAt, "message": got.LastMessage.CreatedAt} {
		if since := time.Since(at); since < -time.Minute || since > time.Minute || at.Location() != time.UTC {
			t.Errorf("time of %s: %v, want about now in UTC", name, at)
		}
	}

	gone := inbox.NewID[inbox.ThreadID](time.Now())
	views, err := s.ThreadsByID(t.Context(), []inbox.ThreadID{gone, c.thread})
	if err != nil || len(views) != 1 {
		t.Fatalf("ThreadsByID: %d threads, %v; want the one that is there", len(views), err)
	}
	if diff := gocmp.Diff(got, views[0]); diff != "" {
		t.Errorf("ThreadsByID differs from Thread:\n%s", diff)
	}
	listed, err := s.Inbox(t.Context(), inbox.Filter{}, inbox.Page{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(views, listed); diff != "" {
		t.Errorf("Inbox differs from Thread:\n%s", diff)
	}
	plain, err := s.Threads(t.Context(), inbox.Filter{}, inbox.Page{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff([]inbox.Thread{got.Thread}, plain); diff != "" {
		t.Errorf("Threads differs from Thread:\n%s", diff)
	}

	for name, read := range map[string]func() error{
		"unknown":    func() error { _, err := s.Thread(t.Context(), gone); return err },
		"of another": func() error { _, err := store(t, other).Thread(t.Context(), c.thread); return err },
		"its messages": func() error {
			_, err := store(t, other).Messages(t.Context(), c.thread, inbox.Page{Limit: 9})
			return err
		},
		"gone: messages": func() error { _, err := s.Messages(t.Context(), gone, inbox.Page{Limit: 9}); return err },
	} {
		if err := read(); inbox.CodeOf(err) != inbox.CodeNotFound {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
	if views, err := s.ThreadsByID(t.Context(), nil); err != nil || views != nil {
		t.Errorf("ThreadsByID of none: %v, %v", views, err)
	}
}

func TestThreadWithLittle(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	in := generic("event", "thread", "text")
	in.Contact = nil
	in.Thread.Subject = ""
	r := ingest(t, s, ten, in)
	got, err := s.Thread(t.Context(), r.ThreadID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Contact != nil || got.Assignee != nil || len(got.Labels) != 0 || !got.ExpiresAt.IsZero() || !got.ContactID.IsZero() || string(got.CustomData) != "{}" {
		t.Errorf("a thread with little: %+v", got)
	}
	if m := got.LastMessage; m == nil || m.Delivery != nil || m.Data != nil || !m.SentAt.IsZero() || m.Author != (inbox.Author{Kind: "system"}) {
		t.Errorf("its message: %+v", m)
	}
}

func TestLastMessageIsCut(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	for text, want := range map[string]string{
		"":                           "",
		strings.Repeat("é", 2000):    strings.Repeat("é", 2000),
		strings.Repeat("é", 2001):    strings.Repeat("é", 2000) + "…",
		strings.Repeat("🎉 ", 10_000): strings.Repeat("🎉 ", 1000) + "…",
	} {
		name := strconv.Itoa(len(text))
		r := ingest(t, s, ten, generic("event-"+name, name, text))
		v, err := s.Thread(t.Context(), r.ThreadID)
		if err != nil || v.LastMessage == nil || v.LastMessage.Text != want {
			t.Errorf("of %s bytes: %+.60v, %v", name, v.LastMessage, err)
		}
		messages, err := s.Messages(t.Context(), r.ThreadID, inbox.Page{Limit: 2})
		if err != nil || len(messages) != 1 || messages[0].Text != text {
			t.Errorf("of %s bytes, among the thread's messages: %d, %v", name, len(messages), err)
		}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	c := converse(t, db, ten, s)
	contact, err := s.Thread(t.Context(), c.thread)
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Messages(t.Context(), c.thread, inbox.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	want := []inbox.Message{
		{
			ID: c.inbound, ThreadID: c.thread, Seq: 1, Direction: inbox.DirectionInbound, Origin: inbox.Theirs, Type: "photo", Text: "Hello",
			Author: inbox.Author{Kind: "contact", ContactID: contact.ContactID, Name: "Ada"}, URL: "https://example.com/m1", GroupID: "album",
			Data: json.RawMessage(`{"button": "yes"}`), SentAt: time.Unix(1_700_000_000, 0).UTC(),
			Attachments: []inbox.Attachment{
				{Kind: "image", Name: "a.png", MIMEType: "image/png", Size: 12, URL: "https://example.com/a.png", State: inbox.AttachmentLinked},
				{Kind: "file", Name: "b", State: inbox.AttachmentRemote},
			},
		},
		{
			ID: c.reply, ThreadID: c.thread, Seq: 2, Direction: inbox.DirectionOutbound, Origin: inbox.Ours, Type: "text", Text: "Hi Ada",
			Author: inbox.Author{Kind: "agent", AgentID: c.agent, Name: "Grace"}, ParentID: c.inbound,
			Delivery: &inbox.Delivery{ActionID: c.action, Status: inbox.ActionFailed, Attempts: 3, Error: "gone"},
		},
		{
			ID: c.note, ThreadID: c.thread, Seq: 3, Direction: inbox.DirectionInternal, Origin: inbox.Ours, Type: "text", Text: "Polite",
			Author: inbox.Author{Kind: "api_key", KeyID: c.key},
		},
		{
			ID: c.foreign, ThreadID: c.thread, Seq: 4, Direction: inbox.DirectionOutbound, Origin: inbox.OursElsewhere, Type: "text", Text: "From the app",
			Author: inbox.Author{Kind: "system"}, EditedAt: time.Now(),
		},
	}
	if diff := gocmp.Diff(want, all, cmpopts.EquateApproxTime(time.Minute), cmpopts.IgnoreFields(inbox.Message{}, "CreatedAt"),
		cmpopts.IgnoreFields(inbox.Attachment{}, "ID")); diff != "" {
		t.Fatalf("Messages (-want +got):\n%s", diff)
	}
	for _, a := range all[0].Attachments {
		if a.ID.IsZero() {
			t.Errorf("attachment %q has no id", a.Name)
		}
	}
	for name, c := range map[string]struct {
		page     inbox.Page
		from, to int
	}{
		"first":          {inbox.Page{Limit: 2}, 0, 2},
		"second":         {inbox.Page{Limit: 2, After: &inbox.Position{Seq: 2}}, 2, 4},
		"past the end":   {inbox.Page{Limit: 2, After: &inbox.Position{Seq: 4}}, 4, 4},
		"by offset":      {inbox.Page{Limit: 2, Offset: 1}, 1, 3},
		"a cut last one": {inbox.Page{Limit: 9, Offset: 3}, 3, 4},
		"offset past it": {inbox.Page{Limit: 9, Offset: 30}, 4, 4},
	} {
		page, err := s.Messages(t.Context(), conversationThread(all), c.page)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := gocmp.Diff(all[c.from:c.to], page, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("page %q (-want +got):\n%s", name, diff)
		}
	}
	if _, err := s.Messages(t.Context(), c.thread, inbox.Page{}); inbox.CodeOf(err) != inbox.CodeInvalid {
		t.Errorf("a page without limit: %v, want it refused", err)
	}
	some, err := s.MessagesByID(t.Context(), []inbox.MessageID{c.note, inbox.NewID[inbox.MessageID](time.Now()), c.inbound})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff([]inbox.Message{all[0], all[2]}, some, cmpopts.SortSlices(func(a, b inbox.Message) bool { return a.Seq < b.Seq })); diff != "" {
		t.Errorf("MessagesByID (-want +got):\n%s", diff)
	}
}

func conversationThread(messages []inbox.Message) inbox.ThreadID { return messages[0].ThreadID }

func TestAttachment(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	var poked atomic.Int64
	s := postgres.NewStore(ten.Pool, ten.ID, postgres.StoreOptions{Queued: func() { poked.Add(1) }})
	t.Cleanup(s.Close)
	c := converse(t, db, ten, s)
	all, err := s.Messages(t.Context(), c.thread, inbox.Page{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	linked, remote := all[0].Attachments[0], all[0].Attachments[1]

	if a, content, err := s.Attachment(t.Context(), linked.ID); err != nil || content != nil || a != linked {
		t.Errorf("a linked file: %+v, %d bytes, %v", a, len(content), err)
	}
	const fetches = `SELECT count(*) FROM action WHERE kind = 'fetch_media'`
	if n := count(t, db, fetches); n != 0 || poked.Load() != 0 {
		t.Errorf("a linked file is fetched: %d actions, %d pokes", n, poked.Load())
	}

	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if a, content, err := s.Attachment(t.Context(), remote.ID); err != nil || content != nil || a != remote {
				t.Errorf("a file at the provider: %+v, %d bytes, %v", a, len(content), err)
			}
		})
	}
	wg.Wait()
	if n := count(t, db, fetches); n != 1 || poked.Load() != 1 {
		t.Errorf("looked at 16 times at once, a file is fetched by %d actions, workers poked %d times; want once", n, poked.Load())
	}
	var payload, lane, thread, message string
	if err := db.Owner.QueryRow(t.Context(), `SELECT payload::text, lane, thread_id::text, message_id::text FROM action WHERE kind = 'fetch_media'`).
		Scan(&payload, &lane, &thread, &message); err != nil {
		t.Fatal(err)
	}
	var p inbox.MediaPayload
	if err := json.Unmarshal([]byte(payload), &p); err != nil || p.AttachmentID != remote.ID {
		t.Errorf("payload %s, %v; want attachment %v", payload, err, remote.ID)
	}
	if lane != inbox.LaneName(inbox.FetchMedia, "generic-webhook") || thread != c.thread.UUID() || message != c.inbound.UUID() {
		t.Errorf("action: lane %q, thread %s, message %s", lane, thread, message)
	}

	// A fetch that failed for a passing reason is asked for anew by the next look.
	if _, err := db.Owner.Exec(t.Context(), `UPDATE action SET status = 'failed', settled_at = now() WHERE kind = 'fetch_media'`); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Attachment(t.Context(), remote.ID); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, fetches); n != 2 {
		t.Errorf("after a failed fetch and another look: %d actions, want 2", n)
	}

	if _, err := db.Owner.Exec(t.Context(), `
WITH done AS (UPDATE attachment SET state = 'stored', size = 3 WHERE instance_id = $1 AND id = $2 RETURNING instance_id, id)
INSERT INTO attachment_content SELECT instance_id, id, '\x00ff01' FROM done`, ten.ID, remote.ID); err != nil {
		t.Fatal(err)
	}
	if a, content, err := s.Attachment(t.Context(), remote.ID); err != nil || string(content) != "\x00\xff\x01" || a.State != inbox.AttachmentStored || a.Size != 3 {
		t.Errorf("a stored file: %+v, %x, %v", a, content, err)
	}
	if _, err := db.Owner.Exec(t.Context(), `UPDATE attachment SET state = 'failed', error = 'too large' WHERE id = $1`, remote.ID); err != nil {
		t.Fatal(err)
	}
	if a, content, err := s.Attachment(t.Context(), remote.ID); err != nil || content != nil || a.State != inbox.AttachmentFailed || a.Error != "too large" {
		t.Errorf("a failed file: %+v, %x, %v", a, content, err)
	}
	if n := count(t, db, fetches); n != 2 {
		t.Errorf("%d actions, want still 2", n)
	}
	for name, err := range map[string]error{
		"unknown":    second(s.Attachment(t.Context(), inbox.NewID[inbox.AttachmentID](time.Now()))),
		"of another": second(store(t, other).Attachment(t.Context(), remote.ID)),
	} {
		if inbox.CodeOf(err) != inbox.CodeNotFound {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
}

func second(_ inbox.Attachment, _ []byte, err error) error { return err }
