package delivery

import (
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// turn settles the sends that are over and starts those whose time has come, in
// one transaction. While it is under way the next ones gather: under load the
// sends of one turn happen during the other. A turn waits a moment for more to
// come, unless nothing is on its way.
func (l *loop) turn(now time.Time) {
	if l.turning || now.Before(l.turnAfter) {
		return
	}
	free := MaxSends - l.sends + l.doneSends()
	few := l.flying > 0 && len(l.done) < turnFull && min(free, l.lanes.startable(free)) < turnFull
	if few && !l.turnSince.IsZero() && now.Sub(l.turnSince) < turnLinger {
		return
	}
	jobs, next := l.lanes.pick(now, free, maxFetches-l.fetches)
	l.startNext = next
	if len(jobs)+len(l.done) == 0 {
		l.turnSince = time.Time{}
		return
	}
	if few && l.turnSince.IsZero() {
		l.turnSince = now
		l.lanes.unpick(jobs)
		return
	}
	batch := l.done
	l.done, l.turning, l.turnSince = nil, true, time.Time{}
	settlements := make([]inbox.Settlement, len(batch))
	for i := range batch {
		settlements[i] = batch[i].settlement
	}
	starts := make([]inbox.Lease, len(jobs))
	for i, j := range jobs {
		starts[i] = j.Lease
		l.unqueue(j)
		l.count(j)
	}
	l.observe("settle", len(settlements))
	l.observe("start", len(starts))
	l.task(func() func() {
		ctx, cancel := l.timed()
		defer cancel()
		results, err := l.w.o.Queue.Advance(ctx, settlements, starts, l.w.leastLease())
		return func() { l.turned(now, batch, jobs, results, err) }
	})
}

// doneSends counts the replies among what is to be settled: as that happens together with the
// next start, their places are free for it.
func (l *loop) doneSends() int {
	n := 0
	for i := range l.done {
		if !l.done[i].job.media() {
			n++
		}
	}
	return n
}

func (l *loop) observe(step string, n int) {
	if n > 0 {
		l.w.metrics.batches.WithLabelValues(step).Observe(float64(n))
	}
}

func (l *loop) turned(asked time.Time, batch []finished, jobs []*job, results []inbox.StartResult, err error) {
	now := time.Now()
	l.turning = false
	if err != nil {
		l.notTurned(now, batch, jobs, err)
		return
	}
	for i := range batch {
		f := &batch[i]
		l.over(f.job)
		l.w.report(l.ctx, f)
		if f.settlement.Status == inbox.ActionPending {
			l.lookAt(now.Add(f.settlement.Wait))
		}
	}
	if len(batch) > 0 {
		l.mayClaim = true // there is room, and perhaps a next reply in the same threads
		l.lanes.forget(now)
	}
	for i, j := range jobs {
		switch {
		case results[i] == inbox.StartUnpaid:
			l.finish(finished{job: j, settlement: fail(j, errUnpaid), outcome: "unpaid"})
		case results[i] == inbox.StartLost:
			// Lost, or not for long enough: then it is free for the next claim at once.
			l.over(j)
			l.releases = append(l.releases, j.Lease)
		case j.media():
			l.fetch(j)
		default:
			l.send(asked, j)
		}
	}
}

// notTurned keeps everything for another try. What is known of a send is never let
// go; and whether a start was recorded or not, nothing has left: it may be
// recorded again.
func (l *loop) notTurned(now time.Time, batch []finished, jobs []*job, err error) {
	l.w.logFailure(l.ctx, "could not settle and start sends, trying again", err)
	l.turnAfter = now.Add(stepRetry)
	l.done = append(batch, l.done...)
	for _, j := range jobs {
		l.over(j)
		l.waiting++
		if j.media() {
			l.fetchers++
		}
	}
	l.lanes.putBack(jobs)
	if l.stopping {
		l.unsent(l.lanes.takeAll())
	}
}
