package delivery_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/provider"
)

// claim takes everything that is due, as a worker would that then dies.
func (w *world) claim(t *testing.T, lease time.Duration) []inbox.Claimed {
	t.Helper()
	claims, err := w.queue.Claim(t.Context(), inbox.ClaimRequest{
		Limit: 100, LaneLimit: 100, MediaLimit: 100, Lease: lease, MediaLease: lease,
		Pace: func(string, string) inbox.Spacing { return inbox.Spacing{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return claims.Claimed
}

func (w *world) start(t *testing.T, claimed ...inbox.Claimed) []inbox.StartResult {
	t.Helper()
	leases := make([]inbox.Lease, len(claimed))
	for i := range claimed {
		leases[i] = claimed[i].Lease
	}
	results, err := w.queue.Advance(t.Context(), nil, leases, 0)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func (w *world) settle(t *testing.T, settlements ...inbox.Settlement) {
	t.Helper()
	if _, err := w.queue.Advance(t.Context(), settlements, nil, 0); err != nil {
		t.Fatal(err)
	}
}

// expire ends every lease.
func (w *world) expire(t *testing.T) {
	t.Helper()
	w.exec(t, `UPDATE action SET lease_until = now() - interval '1 s' WHERE status = 'processing'`)
}

func (w *world) sweep(t *testing.T) inbox.Swept {
	t.Helper()
	swept, err := w.queue.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return swept
}

// deliveredOf is the settlement of a reply that arrived whole.
func deliveredOf(c inbox.Claimed) inbox.Settlement {
	return inbox.Settlement{
		Lease: c.Lease, MessageID: c.MessageID, Lane: c.Lane, Source: c.Lane.Name, Status: inbox.ActionCompleted,
		Part: &inbox.SentPart{Last: true, ExternalID: "ext"},
	}
}

// What a dead worker left: the action that it had not started is there again, of the one that it
// had nobody knows.
func TestSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	th := ten.thread(t, "1")
	started := th.reply(t, "started")
	behind := th.reply(t, "behind")
	claimed := ten.thread(t, "2").reply(t, "claimed")
	_, file := ten.thread(t, "3").attachment(t, "ref")

	all := w.claim(t, time.Hour)
	if len(all) != 3 {
		t.Fatalf("claimed %d actions, want 3: only a thread's oldest reply may be", len(all))
	}
	for _, c := range all {
		if c.Action != claimed {
			w.start(t, c)
		}
	}
	if got, want := w.sweep(t), (inbox.Swept{}); got != want {
		t.Errorf("swept %+v of leases that last", got)
	}
	w.expire(t)
	if got, want := w.sweep(t), (inbox.Swept{Requeued: 2, Unknown: 1}); got != want {
		t.Errorf("swept %+v, want %+v", got, want)
	}
	want := state{Status: inbox.ActionFailed, Attempts: 1, Error: inbox.ErrOutcomeUnknown, Balance: -200} // the file's message came in
	if d := cmp.Diff(want, ten.state(t, started)); d != "" {
		t.Error(d)
	}
	for _, id := range []inbox.ActionID{claimed, behind, file} {
		if s := ten.state(t, id); s.Status != inbox.ActionPending {
			t.Errorf("got %+v, want pending", s)
		}
	}
	if again := w.claim(t, time.Hour); len(again) != 2 || again[0].Action == started || again[1].Action == started {
		t.Errorf("claimed %v, want the two replies that nobody started", again)
	}
	w.balanced(t)
}

// Whoever lost a lease can neither start nor settle with it, but for a delivery,
// which is the truth.
func TestLostLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	failed := state{Status: inbox.ActionFailed, Attempts: 1, Error: inbox.ErrOutcomeUnknown}
	for _, c := range []struct {
		name   string
		mode   inbox.BillingMode
		before func(*testing.T, *tenant, inbox.Claimed) // after the start, before the settlement
		settle func(inbox.Claimed) inbox.Settlement
		want   state
		parts  int
	}{
		{
			name:   "delivered after all",
			before: func(t *testing.T, _ *tenant, _ inbox.Claimed) { w.expire(t); w.sweep(t) },
			settle: deliveredOf,
			want:   state{Status: inbox.ActionCompleted, Attempts: 1, External: "ext", Balance: -500},
			parts:  1,
		},
		{
			name: "delivered after all, with nothing to pay it from",
			mode: inbox.BillingEnforce,
			before: func(t *testing.T, _ *tenant, _ inbox.Claimed) {
				w.expire(t)
				w.sweep(t)
				w.exec(t, `UPDATE instance SET reply_price = 1000000`)
			},
			settle: deliveredOf,
			want:   state{Status: inbox.ActionCompleted, Attempts: 1, External: "ext", Balance: 500},
			parts:  1,
		},
		{
			name:   "one part of several delivered after all",
			before: func(t *testing.T, _ *tenant, _ inbox.Claimed) { w.expire(t); w.sweep(t) },
			settle: func(c inbox.Claimed) inbox.Settlement {
				s := deliveredOf(c)
				s.Status, s.Part.Last = inbox.ActionPending, false
				return s
			},
			want:  state{Status: inbox.ActionFailed, Attempts: 1, Error: inbox.ErrOutcomeUnknown, External: "ext"},
			parts: 1,
		},
		{
			name:   "refused after all",
			before: func(t *testing.T, _ *tenant, _ inbox.Claimed) { w.expire(t); w.sweep(t) },
			settle: func(c inbox.Claimed) inbox.Settlement {
				return inbox.Settlement{Lease: c.Lease, Status: inbox.ActionFailed, Error: "no"}
			},
			want: failed,
		},
		{
			name:   "to be tried again after all",
			before: func(t *testing.T, _ *tenant, _ inbox.Claimed) { w.expire(t); w.sweep(t) },
			settle: func(c inbox.Claimed) inbox.Settlement {
				return inbox.Settlement{Lease: c.Lease, Status: inbox.ActionPending, Error: "later"}
			},
			want: failed,
		},
		{
			name: "delivered, and requeued meanwhile",
			before: func(t *testing.T, _ *tenant, c inbox.Claimed) {
				w.expire(t)
				w.sweep(t)
				if err := w.queue.Requeue(t.Context(), c.Action, "cli"); err != nil {
					t.Fatal(err)
				}
			},
			settle: deliveredOf,
			want:   state{Status: inbox.ActionPending, Attempts: 1, External: "ext"},
			parts:  1, // so that the new attempt does not send it again
		},
		{
			name:   "settled twice",
			before: func(t *testing.T, _ *tenant, c inbox.Claimed) { w.settle(t, deliveredOf(c)) },
			settle: func(c inbox.Claimed) inbox.Settlement {
				return inbox.Settlement{Lease: c.Lease, Status: inbox.ActionFailed, Error: "no"}
			},
			want: state{Status: inbox.ActionCompleted, Attempts: 1, External: "ext", Balance: -500},
		},
		{
			name:   "settled twice alike",
			before: func(t *testing.T, _ *tenant, c inbox.Claimed) { w.settle(t, deliveredOf(c)) },
			settle: deliveredOf,
			want:   state{Status: inbox.ActionCompleted, Attempts: 1, External: "ext", Balance: -500},
			parts:  1,
		},
		{
			name: "its message deleted meanwhile",
			before: func(t *testing.T, ten *tenant, _ inbox.Claimed) {
				w.exec(t, `DELETE FROM message WHERE instance_id = $1`, ten.ID)
			},
			settle: deliveredOf,
			want:   state{Balance: -500},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ten := w.tenant(t, func(in *inbox.Instance) {
				if c.mode != "" {
					in.BillingMode = c.mode
				}
			})
			if c.mode == inbox.BillingEnforce {
				w.exec(t, `INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ($1, 'credit:1', 'credit', 500)`, ten.ID)
			}
			id := ten.thread(t, "1").reply(t, "hello")
			claimed := w.claim(t, time.Hour)
			if len(claimed) != 1 || claimed[0].Action != id {
				t.Fatalf("claimed %v", claimed)
			}
			if got := w.start(t, claimed[0]); got[0] != inbox.StartGo {
				t.Fatalf("start: %v", got)
			}
			c.before(t, ten, claimed[0])
			w.settle(t, c.settle(claimed[0]))
			if c.want.Status != "" {
				if d := cmp.Diff(c.want, ten.state(t, id)); d != "" {
					t.Error(d)
				}
				if got := w.start(t, claimed[0]); got[0] != inbox.StartLost {
					t.Errorf("started again: %v", got)
				}
			}
			if n := scan[int](t, w.Owner, `SELECT count(*) FROM action_part WHERE instance_id = $1`, ten.ID); n != c.parts {
				t.Errorf("%d parts are recorded, want %d", n, c.parts)
			}
			w.exec(t, `UPDATE action SET status = 'failed', settled_at = now() WHERE status = 'pending'`)
			w.exec(t, `UPDATE instance SET reply_price = 500`)
		})
	}
	w.balanced(t)
}

// A reply of which every part turned out delivered while it was requeued is not
// sent again, and is charged once.
func TestRequeuedAndDeliveredAlready(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	id := ten.thread(t, "1").reply(t, "hello")
	c := w.claim(t, time.Hour)[0]
	w.start(t, c)
	w.expire(t)
	w.sweep(t)
	if err := w.queue.Requeue(t.Context(), id, "cli"); err != nil {
		t.Fatal(err)
	}
	w.settle(t, deliveredOf(c))
	f := byChat(nil)
	w.run(t, f)
	want := state{Status: inbox.ActionCompleted, Attempts: 2, External: "ext", Balance: -500}
	if d := cmp.Diff(want, ten.until(t, id, inbox.ActionCompleted)); d != "" {
		t.Error(d)
	}
	if sent := f.calls(); len(sent) > 0 {
		t.Errorf("sent again: %v", sent)
	}
	w.balanced(t)
}

// A lease that ends before a send could be over is no leave to start it.
func TestShortLeaseStartsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	id := ten.thread(t, "1").reply(t, "hello")
	c := w.claim(t, 10*time.Second)[0]
	results, err := w.queue.Advance(t.Context(), nil, []inbox.Lease{c.Lease}, 20*time.Second)
	if err != nil || results[0] != inbox.StartLost {
		t.Errorf("start: %v, %v", results, err)
	}
	if err := w.queue.Release(t.Context(), []inbox.Lease{c.Lease}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(state{Status: inbox.ActionPending}, ten.state(t, id)); d != "" {
		t.Error(d)
	}
	c = w.claim(t, time.Hour)[0]
	w.start(t, c)
	if err := w.queue.Release(t.Context(), []inbox.Lease{c.Lease}); err != nil {
		t.Fatal(err)
	}
	if s := ten.state(t, id); s.Status != inbox.ActionProcessing {
		t.Errorf("a started action was given back: %+v", s)
	}
}

// A provider that was to call back and did not.
func TestCallbackDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	f := byChat(map[string]func(int) inbox.Outcome{"1": func(int) inbox.Outcome { return inbox.Outcome{Kind: inbox.HandedOver} }})
	w.run(t, f, func(o *delivery.Options) {
		o.CallbackDeadline, o.SendDeadline = 300*time.Millisecond, 200*time.Millisecond
	})
	th := ten.thread(t, "1")
	id := th.reply(t, "hello")
	behind := th.reply(t, "waits for it")
	ten.until(t, id, inbox.ActionAwaiting)
	want := state{Status: inbox.ActionFailed, Attempts: 1, Error: inbox.ErrOutcomeUnknown}
	if d := cmp.Diff(want, ten.until(t, id, inbox.ActionFailed)); d != "" {
		t.Error(d)
	}
	ten.until(t, behind, inbox.ActionAwaiting)
	if d := cmp.Diff([]string{"hello", "waits for it"}, f.to("1")); d != "" {
		t.Error(d)
	}
}

// A worker that is stopped ends what is under way, and leaves the rest to others at once.
func TestStopEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	sending, goOn := make(chan struct{}, 100), make(chan struct{})
	f := &fake{deliver: func(context.Context, provider.Credential, provider.Reply) inbox.Outcome {
		sending <- struct{}{}
		<-goOn
		return delivered(1)
	}}
	var ids []inbox.ActionID
	for i := range 40 {
		ids = append(ids, ten.thread(t, chatName(i)).reply(t, "hello"))
	}
	stop := w.run(t, f)
	for range 16 { // as many as one lane may have under way
		<-sending
	}
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	waitFor(t, "the rest to be given back", func() bool {
		return scan[int](t, w.Owner, `SELECT count(*) FROM action WHERE status = 'pending'`) == 24
	})
	close(goOn)
	<-stopped
	counts := map[inbox.ActionStatus]int{}
	for _, id := range ids {
		counts[ten.state(t, id).Status]++
	}
	if d := cmp.Diff(map[inbox.ActionStatus]int{inbox.ActionCompleted: 16, inbox.ActionPending: 24}, counts); d != "" {
		t.Error(d)
	}
	w.balanced(t)
}

// The worker leaves retired instances alone: who retired them settles their actions.
func TestRetired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	retired, alive := w.tenant(t), w.tenant(t)
	w.exec(t, `UPDATE instance SET retired_at = now() WHERE id = $1`, retired.ID)
	a, b := retired.thread(t, "1").reply(t, "x"), alive.thread(t, "1").reply(t, "x")
	w.run(t, byChat(nil))
	alive.until(t, b, inbox.ActionCompleted)
	if s := retired.state(t, a); s.Status != inbox.ActionPending {
		t.Errorf("got %+v", s)
	}
}

// Postgres goes away under load and comes back: nothing is lost, nothing sent twice.
func TestPostgresRestarts(t *testing.T) {
	t.Parallel()
	w := worldOf(t, pgtest.NewServer(t))
	ten := w.tenant(t)
	for i := range 300 {
		ten.thread(t, chatName(i)).reply(t, "hello")
	}
	var n atomic.Int32
	half := make(chan struct{})
	f := &fake{deliver: func(context.Context, provider.Credential, provider.Reply) inbox.Outcome {
		i := int(n.Add(1))
		if i == 150 {
			close(half)
		}
		return delivered(i)
	}}
	// What was claimed in a commit whose answer got lost comes back with its lease's end.
	w.run(t, f, func(o *delivery.Options) { o.SendDeadline = time.Second })
	<-half
	if err := w.Server.Restart(t.Context(), "immediate"); err != nil {
		t.Fatal(err)
	}
	w.Owner.Reset()
	w.settled(t)
	chats := map[string]int{}
	for _, s := range f.calls() {
		chats[s.ThreadExternalID]++
	}
	for c, n := range chats {
		if n > 1 {
			t.Errorf("chat %s got its reply %d times", c, n)
		}
	}
	got := scan[int](t, w.Owner, `SELECT count(*) FROM action WHERE status = 'completed'`)
	if got != 300 || len(chats) != 300 {
		t.Errorf("%d completed, %d sent, want 300", got, len(chats))
	}
	w.balanced(t)
}

// Two workers share the work and never meet on an action.
func TestTwoWorkers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	const threads, each = 30, 10
	for i := range threads {
		th := ten.thread(t, chatName(i))
		for k := range each {
			th.reply(t, chatName(k))
		}
	}
	f := byChat(nil)
	w.run(t, f)
	w.run(t, f)
	w.settled(t)
	var want []string
	for k := range each {
		want = append(want, chatName(k))
	}
	for i := range threads {
		if got := f.to(chatName(i)); !slices.Equal(got, want) {
			t.Errorf("chat %d got %v", i, got)
		}
	}
	w.balanced(t)
}
