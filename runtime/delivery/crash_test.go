//go:build long

package delivery_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider/telegram"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// A worker dies at each step of a delivery; the next one ends what it began.
func TestKilledAtEachStep(t *testing.T) {
	slow := telegram.Paces{Account: 900 * time.Millisecond}
	chat := int64(999)
	send := func(f botapisim.Fault) *botapisim.Fault {
		f.Method, f.ChatID, f.Times = "sendMessage", chat, 1
		return &f
	}
	for name, step := range map[string]struct {
		paces telegram.Paces
		fault *botapisim.Fault // of a send to the chat
		parts int              // of the reply to the chat
		// The worker is killed when the fault has hit, or else when something was sent,
		// nothing is under way, and this is true of some action.
		where string
		hold  bool // the answer comes, and can't be written down
		want  inbox.ActionStatus
		seen  int // parts that Telegram has
	}{
		"claimed and not started":   {paces: slow, parts: 1, where: `status = 'processing' AND started_at IS NULL`, want: inbox.ActionCompleted, seen: 1},
		"sent, never taken":         {fault: send(botapisim.Fault{Hang: true, Drop: botapisim.BeforeAnswer}), parts: 1, want: inbox.ActionFailed},
		"sent, taken after death":   {fault: send(botapisim.Fault{Hang: true}), parts: 1, want: inbox.ActionFailed, seen: 1},
		"taken, not answered":       {fault: send(botapisim.Fault{Hang: true, Effect: true}), parts: 1, want: inbox.ActionFailed, seen: 1},
		"answered, not settled":     {fault: send(botapisim.Fault{Hang: true, Effect: true}), hold: true, parts: 1, seen: 1},
		"between two parts":         {paces: telegram.Paces{Private: 1500 * time.Millisecond}, parts: 3, where: `status <> 'completed' AND started_at IS NULL AND id IN (SELECT action_id FROM action_part)`, want: inbox.ActionCompleted, seen: 3},
		"second part, never taken":  {fault: send(botapisim.Fault{Skip: 1, Hang: true, Drop: botapisim.BeforeAnswer}), parts: 3, want: inbox.ActionFailed, seen: 1},
		"last part, taken":          {fault: send(botapisim.Fault{Skip: 2, Hang: true, Effect: true}), parts: 3, want: inbox.ActionFailed, seen: 3},
		"last part, held by a lock": {fault: send(botapisim.Fault{Skip: 2, Hang: true, Effect: true}), hold: true, parts: 3, seen: 3},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrashes(t, step.paces)
			ten := c.tenant(t)
			var fault *botapisim.Injected
			if step.fault != nil {
				fault = c.sim.Inject(*step.fault)
			}
			victim := ten.thread(t, fmt.Sprint(chat)).long(t, step.parts)
			replies := []queued{victim}
			if step.paces.Private == 0 { // another's send would be the one that is looked at
				for i := range 3 {
					replies = append(replies, ten.thread(t, strconv.Itoa(1000+i)).long(t, 1))
				}
			}
			first := c.start(t)
			if fault == nil {
				within(t, func(ctx context.Context) error { return c.sim.WaitSent(ctx, 1) })
				c.until(t, step.where, func() bool { return c.count(t, step.where) > 0 && c.count(t, `started_at IS NOT NULL`) == 0 })
			} else {
				within(t, fault.Wait)
			}
			if step.hold {
				tx, err := c.Owner.Begin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
				if _, err := tx.Exec(t.Context(), `SELECT FROM action WHERE id = $1 FOR UPDATE`, victim.action); err != nil {
					t.Fatal(err)
				}
				fault.Release()
				c.until(t, "the worker to write the answer down", func() bool {
					return scan[int](t, c.Owner, `SELECT count(*) FROM pg_locks WHERE NOT granted`) > 0
				})
				first.kill(t)
				// What the worker had handed to Postgres whole may still be written.
				if err := tx.Rollback(t.Context()); err != nil {
					t.Fatal(err)
				}
			} else {
				first.kill(t)
			}
			caught := first.remains(t)
			second := c.start(t)
			c.settled(t)
			c.check(t, replies)
			s := ten.state(t, victim.action)
			// On a slow machine the next send has begun before the kill: check tells whether its end is right.
			if step.want != "" && s.Status != step.want && (step.want == inbox.ActionFailed || caught == 0) {
				t.Errorf("the reply is %+v, want %s", s, step.want)
			}
			if n := len(c.sim.SentTo(chat)); n != step.seen && (step.fault != nil || caught == 0) {
				t.Errorf("Telegram has %d parts, want %d", n, step.seen)
			}
			second.stop(t)
		})
	}
}

// A person requeues a reply of unknown outcome: it goes on with its first part that is not known to be there.
func TestRequeuedAfterKill(t *testing.T) {
	c := newCrashes(t, telegram.Paces{})
	fault := c.sim.Inject(botapisim.Fault{Method: "sendMessage", Skip: 1, Times: 1, Hang: true, Drop: botapisim.BeforeAnswer})
	ten := c.tenant(t)
	q := ten.thread(t, "999").long(t, 3)
	first := c.start(t)
	within(t, fault.Wait)
	first.kill(t)
	first.remains(t)
	second := c.start(t)
	c.settled(t)
	if unknown := c.check(t, []queued{q}); len(unknown) != 1 {
		t.Fatalf("%d replies have an unknown outcome, want 1", len(unknown))
	}
	if !scan[bool](t, ten.Pool, `SELECT requeue_action($1, $2)`, ten.ID, q.action) {
		t.Fatal("it was not requeued")
	}
	c.settled(t)
	if unknown := c.check(t, []queued{q}); len(unknown) != 0 {
		t.Error("its outcome is unknown again")
	}
	var got []string
	for _, m := range c.sim.SentTo(999) {
		got = append(got, m.Text[:len("999 reply 1 part 0")])
	}
	if d := cmp.Diff([]string{"999 reply 1 part 0", "999 reply 1 part 1", "999 reply 1 part 2"}, got); d != "" {
		t.Error(d)
	}
	second.stop(t)
}

// load queues replies to many chats of some bots, two to each chat; every tenth is of two parts.
func (c *crashes) load(t *testing.T, bots, chats int) (replies []queued) {
	t.Helper()
	for range bots {
		ten := c.tenant(t)
		for i := range chats {
			th := ten.thread(t, strconv.Itoa(1000+i))
			replies = append(replies, th.long(t, 1+(9+i)%10/9), th.long(t, 1))
		}
	}
	return replies
}

// Workers are killed again and again at any moment, with much to do.
func TestKilledUnderLoad(t *testing.T) {
	c := newCrashes(t, telegram.Paces{Account: 40 * time.Millisecond})
	c.sim.Inject(botapisim.Fault{Method: "sendMessage", Delay: 60 * time.Millisecond})
	replies := c.load(t, 4, 25)
	for range 5 {
		p := c.start(t)
		n := c.sim.Count() + 1 + rand.IntN(30)
		within(t, func(ctx context.Context) error { return c.sim.WaitSent(ctx, min(n, len(replies)*9/10)) })
		time.Sleep(rand.N(50 * time.Millisecond)) // any moment of a send, not only that of its arrival
		p.kill(t)
		p.remains(t)
	}
	last := c.start(t)
	c.settled(t)
	unknown := c.check(t, replies)
	t.Logf("%d replies, 5 kills with %d sends under way in all: %d of unknown outcome", len(replies), len(c.caught), len(unknown))
	last.stop(t)
}

// Two workers share the work, and send nothing twice.
func TestTwoWorkerProcesses(t *testing.T) {
	c := newCrashes(t, telegram.Paces{})
	c.sim.Inject(botapisim.Fault{Method: "sendMessage", Delay: 20 * time.Millisecond})
	workers := []*process{c.start(t), c.start(t)}
	replies := c.load(t, 3, 50)
	c.settled(t)
	if unknown := c.check(t, replies); len(unknown) > 0 {
		t.Errorf("%d replies have an unknown outcome", len(unknown))
	}
	for _, p := range workers {
		p.stop(t)
	}
}

// A worker stands still for longer than its leases, another one does its work, and it comes back.
func TestStalledWorker(t *testing.T) {
	c := newCrashes(t, telegram.Paces{Account: 40 * time.Millisecond})
	c.sim.Inject(botapisim.Fault{Method: "sendMessage", Delay: 60 * time.Millisecond})
	replies := c.load(t, 4, 10)
	stalled := c.start(t)
	within(t, func(ctx context.Context) error { return c.sim.WaitSent(ctx, 20) })
	if err := stalled.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	other := c.start(t)
	for _, q := range replies { // any of them may have been under way; few are
		c.caught[q.action] = true
	}
	c.settled(t)
	missing := len(c.check(t, replies))
	if err := stalled.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	stalled.stop(t)
	other.stop(t)
	unknown := len(c.check(t, replies))
	t.Logf("%d replies, of which %d had an unknown outcome while the worker stood still, and %d after", len(replies), missing, unknown)
	if missing > delivery.MaxSends || unknown > missing {
		t.Errorf("%d replies had an unknown outcome, then %d", missing, unknown)
	}
}
