package delivery

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// outgoing is a started job on its way to a sender.
type outgoing struct {
	job   *job
	asked time.Time // when its start began to be recorded
}

// send lets a started job go at its time. Senders stay for the loop's life: a
// provider's code needs a deep stack, which a new goroutine would have to grow each time.
func (l *loop) send(asked time.Time, j *job) {
	if l.flying++; l.flying > l.senders {
		l.senders++
		l.tasks.Go(l.sender)
	}
	l.outgoing <- outgoing{j, asked} // there is room for each of them
}

func (l *loop) sender() {
	for {
		select {
		case out := <-l.outgoing:
			o, took := l.w.deliver(l.ctx, out.job, out.asked)
			l.report(func() { l.sent(out.job, o, took) })
		case <-l.ctx.Done():
			return
		}
	}
}

func (l *loop) sent(j *job, o inbox.Outcome, took time.Duration) {
	now := time.Now()
	l.flying--
	s := l.w.rules.settle(j, o, j.age(now))
	s.HoldAccount = j.lane.answered(now, j.Spacing.ConversationKey, o)
	if took > 0 {
		l.w.metrics.requests.WithLabelValues(j.Provider, string(j.Kind), string(o.Kind)).Observe(took.Seconds())
	}
	if o.Kind == inbox.Unknown {
		l.w.log.WarnContext(l.ctx, "the outcome of a send is unknown", "action", j.Action.String(), "provider", j.Provider, "reason", o.Reason)
	}
	l.release(j.lane.excess())
	l.finish(finished{job: j, settlement: s, outcome: string(o.Kind)})
}

// age is the time since the job was queued.
func (j *job) age(now time.Time) time.Duration { return j.Age + now.Sub(j.claimedAt) }

// deliver sends the job's next part at its time. asked is when its start began
// to be recorded, and with it the lease's guarantee of twice a send deadline.
func (w *Worker) deliver(ctx context.Context, j *job, asked time.Time) (inbox.Outcome, time.Duration) {
	if j.part >= len(j.parts) {
		return inbox.Outcome{Kind: inbox.Delivered}, 0 // all of it arrived before
	}
	notSent := inbox.Outcome{Kind: inbox.Later, Reason: "not sent: the worker was interrupted"}
	if j.lane.gate.pass(ctx, j) != nil {
		return notSent, 0
	}
	began := time.Now()
	if began.Sub(asked) > w.o.SendDeadline {
		// The process stood still for so long that the lease may end before the send does.
		return notSent, 0
	}
	// A send ends by its own deadline, which the loop waits for. Contexts of many
	// sends under one that can be cancelled would meet at its lock.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.o.SendDeadline)
	defer cancel()
	part := j.parts[j.part]
	o := call(ctx, j, part)
	if o.Kind == inbox.Later && o.MigratedTo != "" {
		to := o.MigratedTo
		part.ThreadExternalID = to
		o = call(ctx, j, part)
		o.MigratedTo = to
	}
	return o, time.Since(began)
}

// call is one call of a provider. One that panics has said nothing about the outcome.
func call(ctx context.Context, j *job, part provider.Reply) (o inbox.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = inbox.Outcome{Kind: inbox.Unknown, Reason: fmt.Sprintf("the provider's code failed: %v", p)}
		}
	}()
	return j.deliverer.Deliver(ctx, j.credential, part)
}

// fetch reads a file and stores it. Reading may be repeated, so whatever goes
// wrong on the way is tried again.
func (l *loop) fetch(j *job) {
	l.task(func() func() {
		began := time.Now()
		o := l.w.fetch(l.mediaOn, j)
		took := time.Since(began)
		return func() {
			l.w.metrics.requests.WithLabelValues(j.Provider, string(j.Kind), string(o.Kind)).Observe(took.Seconds())
			l.fetched(j, o)
		}
	})
}

func (w *Worker) fetch(ctx context.Context, j *job) (o inbox.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = inbox.Outcome{Kind: inbox.Refused, Reason: fmt.Sprintf("the provider's code failed: %v", p)}
		}
	}()
	if j.Attachment.State == inbox.AttachmentStored {
		return inbox.Outcome{Kind: inbox.Delivered}
	}
	later := func(what string, err error) inbox.Outcome {
		w.logFailure(ctx, what, err)
		return inbox.Outcome{Kind: inbox.Later, Reason: what}
	}
	read, cancel := context.WithTimeout(ctx, w.o.MediaDeadline)
	defer cancel()
	media, o := j.fetcher.FetchMedia(read, j.credential, j.Attachment.Ref)
	if o.Kind != inbox.Delivered {
		return o
	}
	content, err := io.ReadAll(io.LimitReader(media.Body, provider.MaxMedia+1))
	_ = media.Body.Close()
	switch {
	case len(content) > provider.MaxMedia || inbox.CodeOf(err) == inbox.CodeTooLarge:
		return inbox.Outcome{Kind: inbox.Refused, Reason: "the file is larger than 20 MB"}
	case err != nil:
		return later("the file could not be read to its end", err)
	}
	store, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	if err := w.o.Queue.StoreMedia(store, j.Lease, j.Attachment.ID, media.MIMEType, content); err != nil {
		return later("the file could not be stored", err)
	}
	return inbox.Outcome{Kind: inbox.Delivered}
}

// fetched ends the fetching of a file.
func (l *loop) fetched(j *job, o inbox.Outcome) {
	s := l.w.rules.settle(j, o, j.age(time.Now()))
	s.Part, s.Hold = nil, 0
	switch {
	case l.mediaOn.Err() != nil && o.Kind == inbox.Later:
		s.Status, s.Error, s.Wait = inbox.ActionPending, "", 0 // broken off because the worker stops
	case o.Kind == inbox.Unknown:
		s = l.w.rules.settle(j, inbox.Outcome{Kind: inbox.Later, Reason: o.Reason}, j.age(time.Now()))
	}
	if s.Status != inbox.ActionFailed {
		l.finish(finished{job: j, settlement: s, outcome: string(o.Kind)})
		return
	}
	l.task(func() func() {
		ctx, cancel := l.timed()
		defer cancel()
		err := l.w.o.Queue.FailMedia(ctx, j.Lease, j.Attachment.ID, s.Error)
		return func() {
			if err != nil {
				l.w.logFailure(l.ctx, "could not give up an attachment", err)
				s.Status, s.Wait = inbox.ActionPending, mostBackoff
			}
			l.finish(finished{job: j, settlement: s, outcome: string(o.Kind)})
		}
	})
}

// report logs and counts what became of a job.
func (w *Worker) report(ctx context.Context, f *finished) {
	j, s := f.job, &f.settlement
	w.metrics.settled.WithLabelValues(j.Provider, string(j.Kind), f.outcome).Inc()
	switch s.Status {
	case inbox.ActionCompleted:
		w.metrics.age.WithLabelValues(string(j.Kind)).Observe(j.age(time.Now()).Seconds())
		w.log.DebugContext(ctx, "delivered", "action", j.Action.String(), "kind", j.Kind, "alias", j.Alias, "provider", j.Provider)
	case inbox.ActionFailed:
		w.log.InfoContext(ctx, "an action failed", "action", j.Action.String(), "kind", j.Kind, "alias", j.Alias, "provider", j.Provider, "reason", s.Error)
	case inbox.ActionPending:
		if s.Error != "" {
			w.log.InfoContext(ctx, "an action has to wait", "action", j.Action.String(), "kind", j.Kind, "alias", j.Alias, "provider", j.Provider,
				"reason", s.Error, "wait", s.Wait)
		}
	}
}
