package delivery_test

import (
	"context"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// Providers that hang hold up nobody else: neither while that is news, nor later.
func TestHangingLanes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hanging := []*tenant{w.tenant(t), w.tenant(t), w.tenant(t)}
	healthy := w.tenant(t)
	const deadline = 2 * time.Second
	hung := make(chan struct{}, 1000)
	f := &fake{}
	f.deliver = func(ctx context.Context, c provider.Credential, _ provider.Reply) inbox.Outcome {
		if c.Source == healthy.TelegramSource {
			return delivered(1)
		}
		hung <- struct{}{}
		<-ctx.Done()
		return inbox.Outcome{Kind: inbox.Unknown}
	}
	for _, ten := range hanging {
		for i := range 60 {
			ten.thread(t, chatName(i)).reply(t, "hello")
		}
	}
	w.run(t, f, listening, func(o *delivery.Options) { o.SendDeadline = deadline })
	for range 40 { // many are under way
		<-hung
	}
	for round := range 4 {
		began := time.Now()
		for i := range 10 {
			healthy.until(t, healthy.thread(t, chatName(100*round+i)).reply(t, "hello"), inbox.ActionCompleted)
		}
		if took := time.Since(began); took > deadline {
			t.Errorf("round %d: ten replies of a healthy lane took %s", round, took)
		}
	}
	unknown := scan[int](t, w.Owner, `SELECT count(*) FROM action WHERE error = $1`, inbox.ErrOutcomeUnknown)
	if unknown > 3*16+16 {
		t.Errorf("%d outcomes are unknown: a lane that hangs should be tried by one send at a time", unknown)
	}
	w.balanced(t)
}

// A lane whose provider can't be reached is tried by one send at a time, and is as
// fast as before once it answers.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	back := time.Now().Add(time.Second)
	f := &fake{deliver: func(context.Context, provider.Credential, provider.Reply) inbox.Outcome {
		if time.Now().Before(back) {
			return inbox.Outcome{Kind: inbox.Later, Reason: "can't be reached"}
		}
		return delivered(1)
	}}
	for i := range 60 {
		ten.thread(t, chatName(i)).reply(t, "hello")
	}
	w.run(t, f, listening)
	w.settled(t)
	if n := scan[int](t, w.Owner, `SELECT count(*) FROM action WHERE status = 'completed'`); n != 60 {
		t.Errorf("%d of 60 are delivered", n)
	}
	w.balanced(t)
}
