package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// load posts events at a steady pace, as a busy tenant's systems would, and keeps a
// journal of what was acknowledged. An event that was not answered, or not with a
// 2xx, is sent again until it is, as senders of webhooks do.
type load struct {
	name    string
	inboxes []*inbox // ways to the same inbox, taken in turn
	pace    time.Duration

	stop context.CancelFunc
	done sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[string]accepted // by event id
	failures     []string            // calls that were not answered with a 2xx
	failed       int
	calls        int
	worst        time.Duration // slowest call that was answered
}

const (
	loadSenders = 4
	loadThreads = 16
	// A call that takes longer than this in all, sent again and again, is given up.
	resendLimit = 2 * time.Minute
	resendPause = 250 * time.Millisecond
	keptFails   = 10
)

// startLoad starts senders that make perSecond calls a second in all. The name is
// part of what they send, so that several loads don't meet.
func startLoad(ctx context.Context, name string, perSecond int, inboxes ...*inbox) *load {
	l := &load{name: name, inboxes: inboxes, pace: loadSenders * time.Second / time.Duration(perSecond), acknowledged: map[string]accepted{}}
	// What is under way when the load ends is finished, not cut short.
	ctx, l.stop = context.WithCancel(ctx)
	for sender := range loadSenders {
		l.done.Go(func() { l.send(ctx, sender) })
	}
	return l
}

// send posts events until the load is stopped, one in ten a second time, and reads
// the inbox now and then.
func (l *load) send(ctx context.Context, sender int) {
	tick := time.NewTicker(l.pace)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		to := l.inboxes[n%len(l.inboxes)]
		if n%10 == 9 {
			l.count(l.read(context.WithoutCancel(ctx), to))
			continue
		}
		id := fmt.Sprintf("%s-%d-%d", l.name, sender, n)
		e := event{EventID: id, ThreadID: fmt.Sprintf("%s-%d", l.name, rand.IntN(loadThreads)), Title: "Load", Text: id} //nolint:gosec // no secret
		for repeat := range 1 + n%10/8 {
			l.post(context.WithoutCancel(ctx), to, e, repeat > 0)
		}
	}
}

// post sends an event until it is acknowledged.
func (l *load) post(ctx context.Context, to *inbox, e event, repeat bool) {
	ctx, cancel := context.WithTimeout(ctx, resendLimit)
	defer cancel()
	for {
		begun := time.Now()
		a, err := to.call(ctx, http.MethodPost, "/webhook/generic-webhook", e, "Idempotency-Key", e.EventID)
		if err == nil && a.status/100 != 2 {
			err = fmt.Errorf("answered %s", a)
		}
		if err == nil {
			var got accepted
			if err = json.Unmarshal(a.body, &got); err == nil {
				l.acknowledge(e.EventID, got, time.Since(begun), repeat)
				return
			}
		}
		l.count(err)
		if pause(ctx, resendPause) != nil {
			return
		}
	}
}

func (l *load) read(ctx context.Context, to *inbox) error {
	a, err := to.call(ctx, http.MethodGet, "/inbox?limit=5", nil)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("answered %s", a)
	}
	return err
}

func (l *load) acknowledge(id string, got accepted, took time.Duration, repeat bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	l.worst = max(l.worst, took)
	if before, ok := l.acknowledged[id]; ok && before.MessageID != got.MessageID {
		l.failures = append(l.failures, fmt.Sprintf("the event %s became the message %s, and sent again (%t) %s", id, before.MessageID, repeat, got.MessageID))
	}
	l.acknowledged[id] = got
}

func (l *load) count(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if err == nil {
		return
	}
	if l.failed++; len(l.failures) < keptFails {
		l.failures = append(l.failures, time.Now().Format("15:04:05.000 ")+err.Error())
	}
}

// end stops the load and waits for what is under way.
func (l *load) end() {
	l.stop()
	l.done.Wait()
}

// String says what went through.
func (l *load) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d calls, %d events acknowledged, %d calls failed, the slowest answer after %d ms",
		l.calls, len(l.acknowledged), l.failed, l.worst.Milliseconds())
}

// unbroken fails if any call did.
func (l *load) unbroken() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d calls failed:\n  %s", l.failed, l.calls, joinLines(l.failures))
}

// kept fails unless every acknowledged event is in the inbox, once.
func (l *load) kept(ctx context.Context, in *inbox) error {
	l.mu.Lock()
	acknowledged := maps.Clone(l.acknowledged)
	l.mu.Unlock()
	if len(acknowledged) == 0 {
		return errors.New("nothing was acknowledged, so the load proves nothing")
	}
	threads := map[string]bool{}
	for _, a := range acknowledged {
		threads[a.ThreadID] = true
	}
	stored := map[string]string{} // message id by event id, which is the text
	for id := range threads {
		messages, err := in.messages(ctx, id)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if m.Direction != "inbound" {
				continue
			}
			if stored[m.Text] != "" {
				return fmt.Errorf("the event %s is stored twice: as %s and %s", m.Text, stored[m.Text], m.ID)
			}
			stored[m.Text] = m.ID
		}
	}
	var lost []string
	for id, a := range acknowledged {
		if stored[id] != a.MessageID {
			lost = append(lost, fmt.Sprintf("%s was acknowledged as %s and is stored as %q", id, a.MessageID, stored[id]))
		}
	}
	if len(lost) > 0 {
		slices.Sort(lost)
		return fmt.Errorf("%d of %d acknowledged events are lost:\n  %s", len(lost), len(acknowledged), joinLines(lost[:min(len(lost), keptFails)]))
	}
	return nil
}
