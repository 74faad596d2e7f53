package postgres_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func keyAuthor() inbox.Author {
	return inbox.Author{Kind: "api_key", KeyID: inbox.NewID[inbox.KeyID](time.Now()), Name: "test"}
}

func TestReplyIsQueued(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	var woken atomic.Int32
	s := postgres.NewStore(ten.Pool, ten.ID, postgres.StoreOptions{Queued: func() { woken.Add(1) }})
	t.Cleanup(s.Close)
	r := ingest(t, s, ten, generic("e", "t", "help"))
	author := keyAuthor()
	q, err := s.AddReply(t.Context(), inbox.NewMessage{ThreadID: r.ThreadID, Text: "Thanks\x00", Author: author, ParentID: r.MessageID})
	if err != nil {
		t.Fatal(err)
	}
	if q.Message.Direction != inbox.DirectionOutbound || q.Message.Seq != 2 || q.Message.Text != "Thanks\uFFFD" || q.Action == nil || q.Action.Status != inbox.ActionPending {
		t.Errorf("queued %+v, action %+v", q.Message, q.Action)
	}
	if woken.Load() != 1 {
		t.Errorf("workers were woken %d times, want once", woken.Load())
	}
	note, err := s.AddNote(t.Context(), inbox.NewMessage{ThreadID: r.ThreadID, Text: "Checked the dashboard", Author: author})
	if err != nil || note.Action != nil || note.Message.Seq != 3 || note.Message.Direction != inbox.DirectionInternal {
		t.Errorf("note %+v, %v", note, err)
	}
	v, err := s.Thread(t.Context(), r.ThreadID)
	if err != nil || v.Unread != 0 || v.LastMessage == nil || v.LastMessage.ID != q.Message.ID {
		t.Errorf("after the reply: unread %d, last message %+v, %v; want 0 and the reply, not the note", v.Unread, v.LastMessage, err)
	}
	messages, err := s.Messages(t.Context(), r.ThreadID, inbox.Page{Limit: 10})
	if err != nil || len(messages) != 3 || messages[1].Delivery == nil || messages[1].Delivery.ActionID != q.Action.ID {
		t.Errorf("messages %+v, %v", messages, err)
	}
	if n := count(t, db, `SELECT count(*) FROM event WHERE actor = $1`, "key:"+author.KeyID.String()); n != 3 {
		t.Errorf("%d events name the key that acted, want 3: two messages and an action", n)
	}
	consistent(t, db, ten)
}

func TestReplyIsRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, b := db.Instance(t), db.Instance(t)
	sa, sb := store(t, a), store(t, b)
	own := ingest(t, sa, a, generic("e", "t", "x"))
	other := ingest(t, sa, a, generic("e2", "t2", "x"))
	foreign := ingest(t, sb, b, generic("e", "t", "x"))
	for what, c := range map[string]struct {
		m    inbox.NewMessage
		want inbox.Code
	}{
		"an unknown thread":                  {inbox.NewMessage{ThreadID: inbox.NewID[inbox.ThreadID](time.Now()), Text: "x"}, inbox.CodeNotFound},
		"another tenant's thread":            {inbox.NewMessage{ThreadID: foreign.ThreadID, Text: "x"}, inbox.CodeNotFound},
		"an answer to another thread's":      {inbox.NewMessage{ThreadID: own.ThreadID, ParentID: other.MessageID, Text: "x"}, inbox.CodeUnprocessed},
		"an answer to an unknown message":    {inbox.NewMessage{ThreadID: own.ThreadID, ParentID: inbox.NewID[inbox.MessageID](time.Now()), Text: "x"}, inbox.CodeUnprocessed},
		"an answer to another tenant's text": {inbox.NewMessage{ThreadID: own.ThreadID, ParentID: foreign.MessageID, Text: "x"}, inbox.CodeUnprocessed},
	} {
		c.m.Author = keyAuthor()
		if _, err := sa.AddReply(t.Context(), c.m); inbox.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
	if n := count(t, db, `SELECT count(*) FROM action`); n != 0 {
		t.Errorf("%d actions were queued", n)
	}
	consistent(t, db, a)
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	r := ingest(t, s, ten, generic("e", "t", "x"))
	call := func(caller, key, text string) (inbox.Queued, error) {
		return s.AddReply(t.Context(), inbox.NewMessage{ThreadID: r.ThreadID, Text: text, Author: keyAuthor(), Idempotency: &inbox.Idempotency{
			Caller: caller, Route: "replies/" + r.ThreadID.String(), Key: key, BodyHash: sha256.Sum256([]byte(text)),
		}})
	}
	results := make([]inbox.Queued, 16)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			var err error
			if results[i], err = call("key-1", "k", "Thanks"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	fresh := 0
	for i := range results {
		if !results[i].Replayed {
			fresh++
		}
		results[i].Replayed = false
		if d := cmp.Diff(results[0], results[i]); d != "" {
			t.Errorf("two calls with one key got different results (-first +other):\n%s", d)
		}
	}
	if fresh != 1 {
		t.Errorf("%d calls say that they did it, want 1", fresh)
	}
	if n := count(t, db, `SELECT count(*) FROM action`); n != 1 {
		t.Errorf("%d actions, want 1", n)
	}
	if _, err := call("key-1", "k", "Something else"); inbox.CodeOf(err) != inbox.CodeUnprocessed {
		t.Errorf("another body under the same key: %v, want %s", err, inbox.CodeUnprocessed)
	}
	for _, c := range []struct{ caller, key string }{{"key-2", "k"}, {"key-1", "k2"}} {
		if q, err := call(c.caller, c.key, "Thanks"); err != nil || q.Replayed {
			t.Errorf("caller %s, key %s: %+v, %v; want a reply of its own", c.caller, c.key, q, err)
		}
	}
	if _, err := db.Owner.Exec(t.Context(), `UPDATE idempotency SET created_at = created_at - interval '25 hours'`); err != nil {
		t.Fatal(err)
	}
	if q, err := call("key-1", "k", "Something else"); err != nil || q.Replayed {
		t.Errorf("after 24 hours: %+v, %v; want a reply of its own", q, err)
	}
	consistent(t, db, ten)
}

func TestUpdateThread(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, b := db.Instance(t), db.Instance(t)
	s := store(t, a)
	r := ingest(t, s, a, generic("e", "t", "x"))
	foreign := ingest(t, store(t, b), b, generic("e", "t", "x"))
	status, priority, agent, labels := inbox.Pending, inbox.Urgent, "sub:jane@example.com", []string{"vip", "ops", " vip ", ""}
	v, err := s.UpdateThread(t.Context(), r.ThreadID, inbox.ThreadPatch{Status: &status, Priority: &priority, Assignee: &agent, Labels: &labels}, "key:1")
	if err != nil {
		t.Fatal(err)
	}
	if v.Status != status || v.Priority != priority || v.Assignee == nil || v.Assignee.Subject != "jane@example.com" || strings.Join(v.Labels, ",") != "ops,vip" {
		t.Errorf("updated to %+v", v.Thread)
	}
	byID := v.Assignee.ID.String()
	fewer := []string{"ops"}
	if v, err = s.UpdateThread(t.Context(), r.ThreadID, inbox.ThreadPatch{Assignee: &byID, Labels: &fewer}, "key:1"); err != nil || v.Assignee == nil || len(v.Labels) != 1 || v.Status != status {
		t.Errorf("assigned by id: %+v, %v", v.Thread, err)
	}
	nobody := ""
	if v, err = s.UpdateThread(t.Context(), r.ThreadID, inbox.ThreadPatch{Assignee: &nobody}, "key:1"); err != nil || v.Assignee != nil {
		t.Errorf("assigned to nobody: %+v, %v", v.Assignee, err)
	}
	unknown := inbox.NewID[inbox.AgentID](time.Now()).String()
	nonsense := "jane"
	for what, c := range map[string]struct {
		id   inbox.ThreadID
		p    inbox.ThreadPatch
		want inbox.Code
	}{
		"another tenant's thread": {foreign.ThreadID, inbox.ThreadPatch{Status: &status}, inbox.CodeNotFound},
		"an unknown agent":        {r.ThreadID, inbox.ThreadPatch{Assignee: &unknown}, inbox.CodeUnprocessed},
		"no agent's name":         {r.ThreadID, inbox.ThreadPatch{Assignee: &nonsense}, inbox.CodeUnprocessed},
	} {
		if _, err := s.UpdateThread(t.Context(), c.id, c.p, "key:1"); inbox.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
	events, err := s.Events(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var changes []string
	for _, e := range events {
		if e.Type == inbox.EventThreadUpdated {
			changes = append(changes, fmt.Sprint(e.Changed, " ", e.Actor))
		}
	}
	want := []string{"[status priority assignee] key:1", "[labels] key:1", "[assignee] key:1", "[labels] key:1", "[assignee] key:1"}
	if d := cmp.Diff(want[:2], changes[:min(2, len(changes))]); d != "" || len(changes) < 4 {
		t.Errorf("the log says %q (-want +got):\n%s", changes, d)
	}
	consistent(t, db, a)
}

func TestMarkRead(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	r := ingest(t, s, ten, generic("e", "t", "x"))
	for range 2 {
		if err := s.MarkRead(t.Context(), r.ThreadID); err != nil {
			t.Error(err)
		}
	}
	if v, err := s.Thread(t.Context(), r.ThreadID); err != nil || v.Unread != 0 {
		t.Errorf("unread %d, %v", v.Unread, err)
	}
	if err := s.MarkRead(t.Context(), inbox.NewID[inbox.ThreadID](time.Now())); inbox.CodeOf(err) != inbox.CodeNotFound {
		t.Errorf("an unknown thread: %v", err)
	}
}

func TestRetryReply(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	r := ingest(t, s, ten, generic("e", "t", "x"))
	q, err := s.AddReply(t.Context(), inbox.NewMessage{ThreadID: r.ThreadID, Text: "hi", Author: keyAuthor()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.RetryReply(t.Context(), r.ThreadID, q.Message.ID, "key:1"); inbox.CodeOf(err) != inbox.CodeConflict {
		t.Errorf("a pending reply: %v, want %s", err, inbox.CodeConflict)
	}
	if _, err := s.RetryReply(t.Context(), r.ThreadID, r.MessageID, "key:1"); inbox.CodeOf(err) != inbox.CodeNotFound {
		t.Errorf("an inbound message: %v, want %s", err, inbox.CodeNotFound)
	}
	if _, err := db.Owner.Exec(t.Context(), `UPDATE action SET status = 'failed', settled_at = now(), error = 'delivery outcome unknown'`); err != nil {
		t.Fatal(err)
	}
	m, err := s.RetryReply(t.Context(), r.ThreadID, q.Message.ID, "key:1")
	if err != nil || m.Delivery == nil || m.Delivery.Status != inbox.ActionPending || m.Delivery.Error != "" {
		t.Errorf("a failed reply: %+v, %v", m.Delivery, err)
	}
	consistent(t, db, ten)
}
