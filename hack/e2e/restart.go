package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// proveRestart kills every container of the node at once under load, the database's,
// Telegram's and the ingress controller's among them, and starts the node's services
// anew, as after a power cut.
func (e *e2e) proveRestart(ctx context.Context) error {
	const person = 8002
	a, err := e.simulator.says(ctx, sampleBotToken, person, "Will you be there?")
	if err != nil {
		return err
	}
	l := startLoad(ctx, "restart", loadPerSecond, e.support, e.supportPublic)
	r := startReplies(ctx, e.support, a.ThreadID)
	err = e.killUnder(ctx, func() error { return e.cluster.restart(ctx) })
	r.end()
	l.end()
	if err != nil {
		return err
	}
	e.say("restart: %s", l)
	delivered, failed, err := r.settled(ctx)
	if err != nil {
		return err
	}
	e.say("restart: %d replies acknowledged; %d in all delivered, %d failed with a reason", len(r.queued), delivered, failed)
	if delivered == 0 {
		return errors.New("no reply was delivered")
	}
	return errors.Join(l.kept(ctx, e.support), e.instanceReady(ctx, supportNamespace, "support"))
}

// replies queues replies until it is stopped, and tells which were acknowledged.
type replies struct {
	in     *inbox
	thread string
	stop   context.CancelFunc
	done   chan struct{}
	queued []string // texts
}

// startReplies queues a reply every two seconds.
func startReplies(ctx context.Context, in *inbox, threadID string) *replies {
	r := &replies{in: in, thread: threadID, done: make(chan struct{})}
	ctx, r.stop = context.WithCancel(ctx)
	go func() {
		defer close(r.done)
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for n := 0; ; n++ {
			text := fmt.Sprintf("Reply %d through the restart", n)
			a, err := in.reply(context.WithoutCancel(ctx), threadID, text, text)
			if err == nil && a.status == http.StatusCreated {
				r.queued = append(r.queued, text)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return r
}

func (r *replies) end() {
	r.stop()
	<-r.done
}

// settled waits until each acknowledged reply is there, once, and delivered, or failed
// with a reason: none waits for good, and none is lost without a word.
func (r *replies) settled(ctx context.Context) (delivered, failed int, err error) {
	err = await(ctx, 3*time.Minute, "acknowledged replies to be settled", func(ctx context.Context) (string, error) {
		delivered, failed = 0, 0
		messages, err := r.in.messages(ctx, r.thread)
		if err != nil {
			return "", err
		}
		shown := map[string]int{}
		for _, m := range messages {
			if m.Direction != "outbound" {
				continue
			}
			shown[m.Text]++
			switch {
			case m.Delivery == nil:
				return fmt.Sprintf("%q has no delivery", m.Text), nil
			case m.Delivery.Status == "completed":
				delivered++
			case m.Delivery.Status == "failed" && m.Delivery.Error != "":
				failed++
			default:
				return fmt.Sprintf("%q is %s %s", m.Text, m.Delivery.Status, m.Delivery.Error), nil
			}
		}
		for _, text := range r.queued {
			if shown[text] != 1 {
				return fmt.Sprintf("%q is there %d times", text, shown[text]), nil
			}
		}
		return "", nil
	})
	return delivered, failed, err
}
