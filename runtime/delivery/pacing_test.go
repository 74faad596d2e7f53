package delivery_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/telegram"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
	"github.com/open4x/socialops/runtime/seal"
)

// One bot never sends more than 30 in any second, nor faster than once a second to
// one person; and no slower than it has to.
func TestPacing(t *testing.T) { // alone: it measures time
	pacing(t, 90, 15, 32) // a busy machine delays some sends into the next; make bench is strict
}

func pacing(t *testing.T, n int, least float64, most int) {
	t.Helper()
	w := newWorld(t)
	sim, p := simulator(t, telegram.DefaultPaces, botapisim.Options{})
	ten := w.tenant(t)
	person := ten.thread(t, "7")
	for range 3 {
		person.reply(t, "again")
	}
	for i := range n - 3 {
		ten.thread(t, chatName(i)).reply(t, "hi")
	}
	w.run(t, p)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	if err := sim.WaitSent(ctx, n); err != nil {
		t.Fatalf("%d of %d sent: %v", sim.Count(), n, err)
	}
	w.settled(t)
	same(t, "sends", n, sim.Count())
	if got := sim.MaxRate(tokenOf(ten.TelegramSource), time.Second); got > most {
		t.Errorf("%d in a second, want at most %d", got, most)
	}
	sent := sim.Sent()
	others := n - 3 // the last may have waited for their person
	rate := float64(others-1) / sent[others-1].At.Sub(sent[0].At).Seconds()
	if t.Logf("%.1f a second", rate); rate < least || rate > float64(most) {
		t.Errorf("%.1f a second, want %.0f to %d", rate, least, most)
	}
	told := sim.SentTo(7)
	for i := 1; i < len(told); i++ {
		if gap := told[i].At.Sub(told[i-1].At); gap < 900*time.Millisecond {
			t.Errorf("%s between two messages to one person", gap)
		}
	}
	w.balanced(t)
}

// Asked to wait, the worker holds back the whole conversation, a forum's other
// topics included, and no other; then it goes on.
func TestAskedToWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sim, p := simulator(t, telegram.Paces{Group: time.Millisecond, Private: time.Millisecond}, botapisim.Options{})
	ten := w.tenant(t)
	topic, sibling, other := ten.thread(t, "-1001:5"), ten.thread(t, "-1001:6"), ten.thread(t, "9")
	sim.Inject(botapisim.Fault{ChatID: -1001, Times: 1, Status: 429, RetryAfter: 2})
	id := topic.reply(t, "first")
	behind := topic.reply(t, "second")
	w.run(t, p)
	why := "Telegram asked to wait: Too Many Requests: retry after 2"
	for ten.state(t, id).Error != why {
		time.Sleep(time.Millisecond) // bounded by the test's own time
	}
	beside := sibling.reply(t, "beside")
	ten.until(t, other.reply(t, "elsewhere"), inbox.ActionCompleted)
	same(t, "sent meanwhile", 0, len(sim.SentTo(-1001)))
	w.settled(t)

	asked := sim.Calls("sendmessage")[0]
	for _, m := range sim.SentTo(-1001) {
		if wait := m.At.Sub(asked.At); wait < 2*time.Second || wait > 8*time.Second {
			t.Errorf("%q was sent after %s", m.Text, wait)
		}
	}
	sent := textsTo(sim, -1001)
	if len(sent) != 3 || slices.Index(sent, "first") > slices.Index(sent, "second") {
		t.Errorf("sent %q", sent)
	}
	for _, a := range []inbox.ActionID{id, behind, beside} {
		same(t, "ledger", charged, ten.entries(t, a))
	}
	same(t, "audit", []string{
		"pending by system", "processing by worker", "pending: " + why + " by worker", "processing: " + why + " by worker", "completed by worker",
	}, ten.audit(t, id))
	w.balanced(t)
}

// A reply that is being tried again holds back those behind it, and nothing else.
func TestOrderWithinThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	var mu sync.Mutex
	tries := 0
	f := &fake{}
	f.deliver = func(_ context.Context, _ provider.Credential, part provider.Reply) inbox.Outcome {
		mu.Lock()
		defer mu.Unlock()
		if part.Text == "a1" {
			if tries++; tries < 3 {
				return inbox.Outcome{Kind: inbox.Later, RetryAfter: 300 * time.Millisecond, Reason: "wait"}
			}
		}
		return inbox.Outcome{Kind: inbox.Delivered}
	}
	a, b := ten.thread(t, "1"), ten.thread(t, "2")
	for _, text := range []string{"a1", "a2", "a3", "a4"} {
		a.reply(t, text)
	}
	for _, text := range []string{"b1", "b2", "b3", "b4"} {
		b.reply(t, text)
	}
	w.run(t, f)
	w.settled(t)
	of := func(thread string) (texts []string) {
		for _, s := range f.texts() {
			if strings.HasPrefix(s, thread) {
				texts = append(texts, s)
			}
		}
		return texts
	}
	same(t, "a", []string{"a1", "a1", "a1", "a2", "a3", "a4"}, of("a"))
	same(t, "b", []string{"b1", "b2", "b3", "b4"}, of("b"))
	if all := f.texts(); slices.Index(all, "b2") > slices.Index(all, "a2") {
		t.Errorf("a's retries held back b: %q", all)
	}
	same(t, "balance", -8*500, scan[int](t, w.Owner, `SELECT amount FROM balance WHERE instance_id = $1`, ten.ID))
	w.balanced(t)
}

// A suspended instance sends nothing, and what it queued goes out when it is not any more.
func TestSuspended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	off, on := w.tenant(t, func(i *inbox.Instance) { i.Suspended = true }), w.tenant(t)
	id := off.thread(t, "1").reply(t, "off")
	w.run(t, f)
	th := on.thread(t, "1")
	for range 3 {
		on.until(t, th.reply(t, "on"), inbox.ActionCompleted)
	}
	same(t, "suspended", state{Status: inbox.ActionPending}, off.state(t, id))
	same(t, "its audit", []string{"pending by system"}, off.audit(t, id))
	w.exec(t, `UPDATE instance SET suspended = false WHERE id = $1`, off.ID)
	off.until(t, id, inbox.ActionCompleted)
	same(t, "sent", []string{"on", "on", "on", "off"}, f.texts())
	w.balanced(t)
}

// Bots at which every send hangs do not keep another bot's replies from leaving.
func TestHangingBots(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	free := make(chan struct{})
	good := w.tenant(t)
	f := &fake{}
	f.deliver = func(ctx context.Context, c provider.Credential, _ provider.Reply) inbox.Outcome {
		if c.Source == good.TelegramSource {
			return inbox.Outcome{Kind: inbox.Delivered}
		}
		select {
		case <-free:
			return inbox.Outcome{Kind: inbox.Delivered}
		case <-ctx.Done():
			return inbox.Outcome{Kind: inbox.Unknown, Reason: "it hung"}
		}
	}
	const bots, replies = 6, 20
	for range bots {
		ten := w.tenant(t)
		for i := range replies {
			ten.thread(t, chatName(i)).reply(t, "hangs")
		}
	}
	w.run(t, f, func(o *delivery.Options) { o.SendDeadline = time.Minute })
	release := sync.OnceFunc(func() { close(free) })
	t.Cleanup(release) // before the worker is stopped
	for deadline := time.Now().Add(patience); len(f.calls()) < delivery.MaxSends/2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d sends hang", len(f.calls()))
		}
	}
	var ids []inbox.ActionID
	for i := range replies {
		ids = append(ids, good.thread(t, chatName(i)).reply(t, "goes"))
	}
	for _, id := range ids {
		good.until(t, id, inbox.ActionCompleted)
	}
	if n := scan[int](t, w.Owner, `SELECT count(*) FROM action WHERE started_at IS NOT NULL`); n > delivery.MaxSends {
		t.Errorf("%d sends are under way", n)
	}
	release()
	w.settled(t)
	same(t, "sends", (bots+1)*replies, len(f.calls()))
	w.balanced(t)
}

// Stopped, a worker gives back what waits for its place, uncharged; the next one sends it.
func TestStopGivesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	f := &fake{pace: func(string) provider.Pace { return provider.Pace{Account: 900 * time.Millisecond} }}
	first := make(chan struct{}, 8)
	f.deliver = func(context.Context, provider.Credential, provider.Reply) inbox.Outcome {
		first <- struct{}{}
		return inbox.Outcome{Kind: inbox.Delivered}
	}
	var ids []inbox.ActionID
	for i := range 3 {
		ids = append(ids, ten.thread(t, chatName(i)).reply(t, "hi"))
	}
	stop := w.run(t, f)
	<-first
	stop()
	sent := 0
	for _, id := range ids {
		if s := ten.state(t, id); s.Status == inbox.ActionCompleted {
			sent++
		} else {
			same(t, "given back", state{Status: inbox.ActionPending, Balance: s.Balance}, s)
			same(t, "its ledger", []string{}, ten.entries(t, id))
		}
	}
	same(t, "sent", len(f.calls()), sent)
	if sent == 3 {
		t.Error("all was sent before the stop")
	}
	w.run(t, f)
	w.settled(t)
	same(t, "sends", 3, len(f.calls()))
	w.balanced(t)
}

// A run claims nothing in its last send deadline, leaves nothing that it has
// claimed, and ends in time, though sends hang and replies keep coming.
func TestWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	hangs := w.tenant(t)
	f := &fake{deliver: func(ctx context.Context, c provider.Credential, _ provider.Reply) inbox.Outcome {
		if c.Source == hangs.TelegramSource {
			<-ctx.Done()
			return inbox.Outcome{Kind: inbox.Unknown, Reason: "it hung"}
		}
		return inbox.Outcome{Kind: inbox.Delivered}
	}}
	const window, deadline = 3 * time.Second, 2 * time.Second
	worker, err := delivery.New(delivery.Options{
		Queue: w.queue, Providers: provider.NewRegistry(f), Keys: []*seal.Key{w.key}, Window: window, SendDeadline: deadline,
	})
	if err != nil {
		t.Fatal(err)
	}
	hung := hangs.thread(t, "1").reply(t, "hangs")
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- worker.Run(t.Context()) }()
	queued := 0
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			running = false
		case <-time.After(30 * time.Millisecond): // replies keep coming
			ten.thread(t, chatName(queued)).reply(t, "hi")
			queued++
		}
	}
	if took := time.Since(began); took > window+time.Second {
		t.Errorf("a run of %s took %s", window, took)
	}
	calls := f.calls()
	// It closes at its half: the last deadline is more than that.
	if last := calls[len(calls)-1].at.Sub(began); last > window/2+500*time.Millisecond {
		t.Errorf("the last send left after %s", last)
	}
	same(t, "hung", inbox.ErrOutcomeUnknown, hangs.state(t, hung).Error)
	same(t, "its ledger", refunded, hangs.entries(t, hung))
	same(t, "left claimed", 0, scan[int](t, w.Owner, `SELECT count(*) FROM action WHERE status = 'processing'`))
	w.run(t, f)
	w.settled(t)
	same(t, "sends", queued+1, len(f.calls()))
	w.balanced(t)
}
