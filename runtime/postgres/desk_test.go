package postgres_test

import (
	"fmt"
	"slices"
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

func desks(t testing.TB, db *pgtest.Database) *postgres.Desks {
	t.Helper()
	return postgres.NewDesks(db.Console(t), postgres.DesksOptions{})
}

func coded(t testing.TB, what string, err error, want inbox.Code) {
	t.Helper()
	if inbox.CodeOf(err) != want || (err == nil) != (want == "") {
		t.Errorf("%s: %v, want code %q", what, err, want)
	}
}

func TestCheckConsoleSchema(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	console := db.Console(t)
	if err := postgres.CheckConsoleSchema(t.Context(), console); err != nil {
		t.Error(err)
	}
	if _, err := db.Owner.Exec(t.Context(), fmt.Sprintf("DELETE FROM goose_db_version WHERE version_id >= %d", postgres.MinConsoleSchema)); err != nil {
		t.Fatal(err)
	}
	coded(t, "one version too few", postgres.CheckConsoleSchema(t.Context(), console), inbox.CodeConflict)
	if err := postgres.CheckSchema(t.Context(), console); err != nil {
		t.Errorf("what a runtime needs: %v", err)
	}
}

func TestOwnedInstances(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	mine := func(alias string) func(*inbox.Instance) {
		return func(i *inbox.Instance) { i.Alias, i.Owner = alias, "it's me" }
	}
	second, first, other := db.Instance(t, mine("second")), db.Instance(t, mine("first")), db.Instance(t)
	retired, purging := db.Instance(t, mine("retired")), db.Instance(t, mine("purging"))
	execute(t, db, retired, `UPDATE instance SET retired_at = now() WHERE id = $1`)
	execute(t, db, purging, `UPDATE instance SET purge_at = now() WHERE id = $1`)
	for i, status := range inbox.Statuses {
		for _, ten := range []*pgtest.Tenant{first, other} {
			r := ingest(t, store(t, ten), ten, generic(fmt.Sprint(i), fmt.Sprint(i), "x"))
			execute(t, db, ten, fmt.Sprintf(`UPDATE thread_state SET status = '%s' WHERE instance_id = $1 AND thread_id = '%s'`, status, r.ThreadID.UUID()))
		}
	}
	execute(t, db, second, `INSERT INTO thread (instance_id, id, source, external_id, provider) SELECT $1, gen_random_uuid(), 's', n::text, 'p' FROM generate_series(1, 1200) n`,
		`INSERT INTO thread_state (instance_id, thread_id, provider, unread) SELECT $1, id, 'p', 3 FROM thread WHERE instance_id = $1`)
	d := desks(t, db)
	owned, err := d.Owned(t.Context(), "it's me")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range owned {
		if o.Owner != "it's me" || o.Namespace != "test" || o.Name != o.Alias || o.CreatedAt.IsZero() || len(o.Providers) != 3 || o.BillingMode != inbox.BillingTrack {
			t.Errorf("%+v", o)
		}
		got = append(got, fmt.Sprintf("%s %d", o.Alias, o.Unread))
	}
	if want := []string{"first 2", "second 1001"}; !slices.Equal(got, want) {
		t.Errorf("owned %v, want %v", got, want)
	}
	if owned, err := d.Owned(t.Context(), ""); err != nil || len(owned) != 0 {
		t.Errorf("nobody owns %v, %v", owned, err)
	}
	found, err := d.Find(t.Context(), "it's me", "first")
	if err != nil || found.ID != first.ID || found.Unread != 0 {
		t.Errorf("found %+v, %v", found, err)
	}
	for _, alias := range []string{other.Alias, "retired", "purging", "nowhere", "fir\x00st"} {
		_, err := d.Find(t.Context(), "it's me", alias)
		coded(t, alias, err, inbox.CodeNotFound)
	}
}

// What a desk shares with a runtime's store works alike, through the console's role.
func TestDeskIsAStore(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	s := store(t, ten)
	c := converse(t, db, ten, s)
	theirs := ingest(t, store(t, other), other, generic("e", "t", "x"))
	var woken atomic.Int64
	d := postgres.NewDesks(db.Console(t), postgres.DesksOptions{Queued: func() { woken.Add(1) }}).Desk(ten.ID)
	ctx := t.Context()

	same := func(what string, a, b any, errA, errB error) {
		t.Helper()
		if errA != nil || errB != nil {
			t.Errorf("%s: %v, %v", what, errA, errB)
		} else if diff := gocmp.Diff(a, b); diff != "" {
			t.Errorf("%s (-store +desk):\n%s", what, diff)
		}
	}
	for name, f := range map[string]inbox.Filter{
		"all": {}, "open": {Statuses: live}, "words": {Query: "subject"}, "label": {Label: "vip"}, "label and priority": {Label: "vip", Priority: inbox.High},
		"sub": {Assignee: "sub:sub-1"}, "nothing": {Query: "nonsense"},
	} {
		page := inbox.Page{Limit: 10}
		a, errA := s.Inbox(ctx, f, page)
		b, errB := d.Inbox(ctx, f, page)
		same("inbox by "+name, a, b, errA, errB)
		at, errA := s.Threads(ctx, f, page)
		bt, errB := d.Threads(ctx, f, page)
		same("threads by "+name, at, bt, errA, errB)
	}
	a, errA := s.Thread(ctx, c.thread)
	b, errB := d.Thread(ctx, c.thread)
	same("thread", a, b, errA, errB)
	am, errA := s.Messages(ctx, c.thread, inbox.Page{Limit: 10})
	bm, errB := d.Messages(ctx, c.thread, inbox.Page{Limit: 10})
	same("messages", am, bm, errA, errB)
	ae, errA := s.Events(ctx, 0, 100)
	be, errB := d.Events(ctx, 0, 100)
	same("events", ae, be, errA, errB)
	al, errA := s.LastEvent(ctx)
	bl, errB := d.LastEvent(ctx)
	same("last event", al, bl, errA, errB)
	au, errA := s.Usage(ctx, time.Time{}, time.Time{})
	bu, errB := d.Usage(ctx, time.Time{}, time.Time{})
	same("usage", au, bu, errA, errB)
	for _, m := range am {
		for _, file := range m.Attachments {
			aa, _, errA := s.Attachment(ctx, file.ID)
			ba, _, errB := d.Attachment(ctx, file.ID)
			same("attachment", aa, ba, errA, errB)
		}
	}
	ac, errA := s.Config(ctx)
	bc, errB := d.Config(ctx)
	for i := range ac.Keys {
		ac.Keys[i].Hash = [32]byte{}
	}
	ac.Proofs = nil
	same("config", ac, bc, errA, errB)

	agent, err := d.Agent(ctx, "sub-1", "")
	if err != nil || agent.Name != "Grace" {
		t.Fatalf("agent %+v, %v", agent, err)
	}
	author := inbox.Author{Kind: "agent", AgentID: agent.ID, Name: agent.Name}
	key := &inbox.Idempotency{Caller: "agent:" + agent.ID.String(), Route: "replies", Key: "k"}
	reply, err := d.AddReply(ctx, inbox.NewMessage{ThreadID: c.thread, Text: "from the console", Author: author, Idempotency: key})
	if err != nil || reply.Message.Author != author || woken.Load() != 1 {
		t.Fatalf("reply %+v, %v, %d times woken", reply, err, woken.Load())
	}
	again, err := d.AddReply(ctx, inbox.NewMessage{ThreadID: c.thread, Text: "from the console", Author: author, Idempotency: key})
	if err != nil || !again.Replayed || again.Message.ID != reply.Message.ID {
		t.Errorf("again %+v, %v", again, err)
	}
	if _, err := d.AddNote(ctx, inbox.NewMessage{ThreadID: c.thread, Text: "note", Author: author, ParentID: reply.Message.ID}); err != nil {
		t.Error(err)
	}
	assignee, labels, done := "sub:somebody new", []string{"b", "a"}, inbox.Resolved
	v, err := d.UpdateThread(ctx, c.thread, inbox.ThreadPatch{Status: &done, Assignee: &assignee, Labels: &labels}, "agent:"+agent.ID.String())
	if err != nil || v.Status != done || v.Assignee == nil || v.Assignee.Subject != "somebody new" || !slices.Equal(v.Labels, []string{"a", "b"}) {
		t.Errorf("changed %+v, %v", v, err)
	}
	v, err = d.UpdateThread(ctx, c.thread, inbox.ThreadPatch{Relabel: &inbox.Relabel{Add: []string{"c", "a"}, Remove: []string{"b", "x"}}}, "agent:"+agent.ID.String())
	if err != nil || !slices.Equal(v.Labels, []string{"a", "c"}) {
		t.Errorf("relabelled %v, %v", v.Labels, err)
	}
	if events, err := d.Trail(ctx, inbox.TrailFilter{ThreadID: c.thread, Type: inbox.EventThreadUpdated}, inbox.Page{Limit: 10}); err != nil || len(events) < 2 ||
		!slices.ContainsFunc(events, func(e inbox.Event) bool {
			return e.ThreadStatus == done && e.Status == "" && slices.Equal(e.Changed, []string{"status", "assignee"})
		}) {
		t.Errorf("the log has %+v, %v", events, err)
	}
	if err := d.MarkRead(ctx, c.thread); err != nil {
		t.Error(err)
	}
	execute(t, db, ten, fmt.Sprintf(`UPDATE action SET status = 'failed', settled_at = now() WHERE instance_id = $1 AND id = '%s'`, reply.Action.ID.UUID()))
	if m, err := d.RetryReply(ctx, c.thread, reply.Message.ID, "agent:"+agent.ID.String()); err != nil || m.Delivery.Status != inbox.ActionPending {
		t.Errorf("another try: %+v, %v", m, err)
	}
	_, err = d.RetryReply(ctx, c.thread, reply.Message.ID, "agent:"+agent.ID.String())
	coded(t, "another try of what is not failed", err, inbox.CodeConflict)
	_, err = d.Ingest(ctx, ten.Generic, generic("e2", "t2", "x"))
	coded(t, "ingest", err, inbox.CodeForbidden)

	_, err = d.Thread(ctx, theirs.ThreadID)
	coded(t, "another's thread", err, inbox.CodeNotFound)
	_, err = d.AddNote(ctx, inbox.NewMessage{ThreadID: theirs.ThreadID, Text: "x", Author: author})
	coded(t, "a note in another's thread", err, inbox.CodeNotFound)
	coded(t, "another's thread as read", d.MarkRead(ctx, theirs.ThreadID), inbox.CodeNotFound)
	consistent(t, db, ten)
	consistent(t, db, other)
}

func TestMessagesNewestFirst(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	var thread inbox.ThreadID
	for i := range 7 {
		thread = ingest(t, s, ten, generic(fmt.Sprint(i), "t", fmt.Sprint(i))).ThreadID
	}
	for name, box := range map[string]inbox.Store{"store": s, "desk": desks(t, db).Desk(ten.ID)} {
		var seqs []int64
		page := inbox.Page{Limit: 3, Newest: true}
		for {
			messages, err := box.Messages(t.Context(), thread, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages {
				seqs = append(seqs, m.Seq)
			}
			if len(messages) < page.Limit {
				break
			}
			page.After = &inbox.Position{Seq: seqs[len(seqs)-1]}
		}
		if want := []int64{7, 6, 5, 4, 3, 2, 1}; !slices.Equal(seqs, want) {
			t.Errorf("%s: %v, want %v", name, seqs, want)
		}
		_, err := box.Messages(t.Context(), inbox.NewID[inbox.ThreadID](time.Now()), page)
		coded(t, name+": of no thread", err, inbox.CodeNotFound)
	}
}

func TestDeskAgents(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	d, o := desks(t, db).Desk(ten.ID), desks(t, db).Desk(other.ID)
	ids := make([]inbox.AgentID, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			a, err := d.Agent(t.Context(), "ada", "Ada")
			if err != nil {
				t.Error(err)
			}
			ids[i] = a.ID
		})
	}
	wg.Wait()
	if ids = slices.Compact(ids); len(ids) != 1 || ids[0].IsZero() {
		t.Errorf("one subject is the agents %v", ids)
	}
	for _, c := range []struct{ name, want string }{{"", "Ada"}, {"Ada L.", "Ada L."}, {"Ada L.", "Ada L."}} {
		if a, err := d.Agent(t.Context(), "ada", c.name); err != nil || a.Name != c.want || a.ID != ids[0] {
			t.Errorf("named %q: %+v, %v", c.name, a, err)
		}
	}
	if _, err := o.Agent(t.Context(), "bob", ""); err != nil {
		t.Fatal(err)
	}
	agents, err := d.Agents(t.Context())
	if diff := gocmp.Diff([]inbox.Agent{{ID: ids[0], Subject: "ada", Name: "Ada L."}}, agents); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, subject := range []string{"", strings.Repeat("x", 256)} {
		_, err := d.Agent(t.Context(), subject, "")
		coded(t, "a subject of "+fmt.Sprint(len(subject)), err, inbox.CodeInvalid)
	}
}
