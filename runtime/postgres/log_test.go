package postgres_test

import (
	"maps"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	s := store(t, ten)
	if seq, err := s.LastEvent(t.Context()); err != nil || seq != 0 {
		t.Errorf("an empty log ends at %d, %v", seq, err)
	}
	c := converse(t, db, ten, s)
	ingest(t, store(t, other), other, generic("e", "t", "x"))
	if _, err := ten.Pool.Exec(t.Context(), `UPDATE contact SET blocked_at = now() WHERE instance_id = $1`, ten.ID); err != nil {
		t.Fatal(err)
	}
	last, err := s.LastEvent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []inbox.Event
	for {
		var after int64
		if len(all) > 0 {
			after = all[len(all)-1].Seq
		}
		events, err := s.Events(t.Context(), after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		all = append(all, events...)
	}
	for i, e := range all {
		if e.Seq != int64(i)+1 || e.At.IsZero() || e.Actor == "" {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	if len(all) == 0 || last != all[len(all)-1].Seq {
		t.Fatalf("the log ends at %d, and %d events are listed", last, len(all))
	}
	ignore := cmpopts.IgnoreFields(inbox.Event{}, "Seq", "At", "Actor")
	find := func(what string, match func(inbox.Event) bool, want inbox.Event) {
		t.Helper()
		for _, e := range all {
			if match(e) {
				if diff := gocmp.Diff(want, e, ignore, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", what, diff)
				}
				return
			}
		}
		t.Errorf("%s is not in the log", what)
	}
	find("a message", func(e inbox.Event) bool { return e.MessageID == c.inbound },
		inbox.Event{Type: inbox.EventMessageCreated, ThreadID: c.thread, MessageID: c.inbound})
	find("a failed action", func(e inbox.Event) bool { return e.Status == inbox.ActionFailed },
		inbox.Event{
			Type: inbox.EventActionUpdated, ThreadID: c.thread, MessageID: c.reply, ActionID: c.action, Changed: []string{"status"},
			Status: inbox.ActionFailed, Detail: "gone",
		})
	view, err := s.Thread(t.Context(), c.thread)
	if err != nil {
		t.Fatal(err)
	}
	if !view.Contact.Blocked {
		t.Error("a blocked contact is not shown as such")
	}
	find("a blocked contact", func(e inbox.Event) bool { return e.Type == inbox.EventContactUpdated },
		inbox.Event{Type: inbox.EventContactUpdated, ContactID: view.ContactID, Changed: []string{"blocked"}})
	if _, err := s.Events(t.Context(), 0, 0); inbox.CodeOf(err) != inbox.CodeInvalid {
		t.Errorf("no limit: %v, want it refused", err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	s := store(t, ten)
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	zero := func() map[inbox.EntryKind]inbox.EntrySum {
		return map[inbox.EntryKind]inbox.EntrySum{inbox.EntryInbound: {}, inbox.EntryReply: {}, inbox.EntryRefund: {}, inbox.EntryCredit: {}}
	}
	got, err := s.Usage(t.Context(), time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(inbox.Usage{Mode: inbox.BillingTrack, Entries: zero()}, got); diff != "" {
		t.Errorf("of nothing (-want +got):\n%s", diff)
	}
	if _, err := db.Owner.Exec(t.Context(), `INSERT INTO ledger (instance_id, reference, kind, amount, created_at) VALUES
		($1, 'credit:1', 'credit', 10000, '2026-01-01Z'), ($1, 'inbound:1', 'inbound', -200, '2026-01-02Z'), ($1, 'inbound:2', 'inbound', -200, '2026-01-03Z'),
		($1, 'reply:1:0', 'reply', -500, '2026-01-03Z'), ($1, 'refund:reply:1:0', 'refund', 500, '2026-01-04Z'), ($2, 'inbound:9', 'inbound', -7, '2026-01-03Z')`,
		ten.ID, other.ID); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		from, to time.Time
		want     map[inbox.EntryKind]inbox.EntrySum
	}{
		"all": {want: map[inbox.EntryKind]inbox.EntrySum{
			inbox.EntryCredit: {Count: 1, Sum: 10000}, inbox.EntryInbound: {Count: 2, Sum: -400}, inbox.EntryReply: {Count: 1, Sum: -500}, inbox.EntryRefund: {Count: 1, Sum: 500},
		}},
		"since":       {from: day(3), want: map[inbox.EntryKind]inbox.EntrySum{inbox.EntryInbound: {Count: 1, Sum: -200}, inbox.EntryReply: {Count: 1, Sum: -500}, inbox.EntryRefund: {Count: 1, Sum: 500}}},
		"until":       {to: day(3), want: map[inbox.EntryKind]inbox.EntrySum{inbox.EntryCredit: {Count: 1, Sum: 10000}, inbox.EntryInbound: {Count: 1, Sum: -200}}},
		"one day":     {from: day(2), to: day(3), want: map[inbox.EntryKind]inbox.EntrySum{inbox.EntryInbound: {Count: 1, Sum: -200}}},
		"no time":     {from: day(3), to: day(3)},
		"before all":  {to: day(1)},
		"upside down": {from: day(4), to: day(1)},
	} {
		got, err := s.Usage(t.Context(), c.from, c.to)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := inbox.Usage{Balance: 9600, Mode: inbox.BillingTrack, Entries: zero()}
		maps.Copy(want.Entries, c.want)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
