package delivery

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

const (
	pollAlone     = 500 * time.Millisecond // without anyone to wake the worker
	pollListening = time.Second            // in case that a wake-up got lost
	startLead     = 25 * time.Millisecond  // a start takes about that long

	// A turn that could still grow waits for that long, unless nothing is on its way:
	// a full one costs half as much a reply as one of a dozen.
	turnLinger = 8 * time.Millisecond
	turnFull   = MaxSends * 15 / 16

	stepTimeout = 20 * time.Second // of one transaction
	stepRetry   = 250 * time.Millisecond
	// What settling may take beyond the last send, before a stopping worker gives up.
	stopGrace = 15 * time.Second
)

// finished is a job with what becomes of it.
type finished struct {
	job        *job
	settlement inbox.Settlement
	outcome    string // for metrics
}

// loop owns the worker's state. Only its goroutine touches it; others hand it
// functions to run.
type loop struct {
	w       *Worker
	ctx     context.Context // of everything that the loop starts
	cancel  context.CancelFunc
	mediaOn context.Context // of fetching files, which may be broken off
	media   context.CancelFunc
	tasks   sync.WaitGroup
	results chan func()

	outgoing chan outgoing
	senders  int // goroutines that take from it

	lanes    lanes
	waiting  int // in queues
	fetchers int // waiting files among them
	sends    int // replies started, or about to be, and not settled
	fetches  int // likewise files
	flying   int // sends whose outcome is still to come

	mayClaim, claiming bool
	claimAt            time.Time // when to look again, come what may
	claimAfter         time.Time // not before, after a failure
	last               inbox.Lane

	done      []finished
	turning   bool
	turnAfter time.Time // not before, after a failure
	turnSince time.Time // when the first of what the next turn does was there; zero: nothing is
	startNext time.Time // when the next job's time comes
	releases  []inbox.Lease
	releasing bool

	closeAt   time.Time // no claims from then on
	closing   bool
	releaseAt time.Time // no starts from then on: what still waits is given back
	stopping  bool      // that time has come
	giveUp    time.Time // the loop goes then, come what may
}

func newLoop(w *Worker) *loop {
	return &loop{w: w, lanes: lanes{all: map[laneKey]*lane{}}, results: make(chan func(), 4*MaxSends), outgoing: make(chan outgoing, MaxSends), mayClaim: true}
}

// run is the loop. It ends when stop is done or the window is over, and all that is under way is settled.
func (l *loop) run(stop, background context.Context) error {
	l.ctx, l.cancel = context.WithCancel(background)
	l.mediaOn, l.media = context.WithCancel(l.ctx)
	defer l.tasks.Wait()
	defer l.cancel()
	defer l.media()
	if window := l.w.o.Window; window > 0 {
		l.closeAt = time.Now().Add(max(window-l.w.o.SendDeadline, window/2))
	}
	stopped := stop.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		if !l.closing && !l.closeAt.IsZero() && !now.Before(l.closeAt) {
			l.close(now)
		}
		if l.closing && !l.stopping && !now.Before(l.releaseAt) {
			l.stop()
		}
		timer.Reset(l.step(now).Sub(now))
		if l.closing {
			if left := l.sends + l.fetches + l.waiting; left == 0 && l.quiet() {
				return nil
			} else if now.After(l.giveUp) {
				return fmt.Errorf("stopped with %d actions not settled: their leases will run out, and those sent be taken for unknown", left)
			}
		}
		select {
		case f := <-l.results:
			f()
			l.drain()
		case <-l.w.wakes:
			l.mayClaim = true
		case <-timer.C:
		case <-stopped:
			stopped = nil
			if !l.closing {
				l.close(time.Now())
			}
			l.stop()
		}
	}
}

// drain runs what else is there already.
func (l *loop) drain() {
	for {
		select {
		case f := <-l.results:
			f()
		default:
			return
		}
	}
}

func (l *loop) quiet() bool {
	return !l.claiming && !l.turning && !l.releasing && len(l.done) == 0 && len(l.releases) == 0
}

// close ends claiming. What is claimed is still sent; files are left for others.
func (l *loop) close(now time.Time) {
	l.closing = true
	l.releaseAt = now.Add(horizon)
	l.giveUp = now.Add(l.w.o.SendDeadline + horizon + stopGrace)
	l.media()
	var files []*job
	for _, ln := range l.lanes.all {
		if ln.key.media {
			files = append(files, ln.queue...)
		}
	}
	if len(files) == 0 {
		return
	}
	rest := l.lanes.takeAll()
	l.release(files)
	for _, j := range rest {
		if !j.media() {
			l.lanes.put(j)
		}
	}
}

// stop gives back what has not started.
func (l *loop) stop() {
	l.stopping = true
	l.release(l.lanes.takeAll())
}

// release gives back jobs that were taken out of their queues.
func (l *loop) release(jobs []*job) {
	for _, j := range jobs {
		l.unqueue(j)
		l.releases = append(l.releases, j.Lease)
	}
}

func (l *loop) unqueue(j *job) {
	l.waiting--
	if j.media() {
		l.fetchers--
	}
}

// step begins whatever can begin, and tells when it should be called again at the latest.
func (l *loop) step(now time.Time) time.Time {
	l.turn(now)
	l.claim(now)
	l.giveBack()
	l.w.metrics.sending.Set(float64(l.sends))
	l.w.metrics.waiting.Set(float64(l.waiting))

	next := now.Add(pollListening)
	soonest := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	if !l.turning {
		if !l.startNext.IsZero() {
			soonest(l.startNext.Add(-startLead))
		}
		if !l.turnSince.IsZero() {
			soonest(l.turnSince.Add(turnLinger))
		}
		soonest(l.turnAfter)
	}
	if !l.claiming {
		soonest(l.claimAt)
		soonest(l.claimAfter)
	}
	if l.closing {
		soonest(l.releaseAt)
	} else {
		soonest(l.closeAt)
	}
	return next
}

// task runs f beside the loop, and then what f returns in it.
func (l *loop) task(f func() func()) {
	l.tasks.Go(func() { l.report(f()) })
}

// report hands the loop something to run.
func (l *loop) report(f func()) {
	select {
	case l.results <- f:
	case <-l.ctx.Done():
	}
}

// timed bounds one transaction.
func (l *loop) timed() (context.Context, context.CancelFunc) {
	return context.WithTimeout(l.ctx, stepTimeout)
}

// over ends a started job.
func (l *loop) over(j *job) {
	j.lane.open--
	if j.media() {
		l.fetches--
	} else {
		l.sends--
	}
}

// lookAt has the queue looked at at some time.
func (l *loop) lookAt(at time.Time) {
	if at.Before(l.claimAt) {
		l.claimAt = at
	}
}

// finish queues a settlement.
func (l *loop) finish(f finished) { l.done = append(l.done, f) }

func (l *loop) giveBack() {
	if l.releasing || len(l.releases) == 0 {
		return
	}
	leases := l.releases
	l.releases, l.releasing = nil, true
	l.task(func() func() {
		ctx, cancel := l.timed()
		defer cancel()
		err := l.w.o.Queue.Release(ctx, leases)
		return func() {
			l.releasing = false
			if err != nil {
				l.w.logFailure(l.ctx, "could not give actions back: they will be taken up when their leases run out", err)
			}
		}
	})
}
