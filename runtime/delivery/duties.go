package delivery

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	purgeEvery = 10 * time.Minute
	depthEvery = 15 * time.Second
	dutyLimit  = time.Minute

	// What instances keep no longer is removed in slices, as meanwhile the other duties
	// wait; and deliveries go before it.
	expireSlice = 2 * time.Second
	expirePause = time.Second
)

// duties are what a worker does besides delivering: it takes up what dead workers
// left, counts what waits, and removes what is out of date. Sweeps come more
// often when sends are short, as a lease is then short too.
func (w *Worker) duties(ctx context.Context) {
	sweep := min(5*time.Second, w.o.SendDeadline/2)
	sweeps := time.NewTimer(time.Duration(rand.Int64N(int64(sweep)))) //nolint:gosec // spreads workers out
	defer sweeps.Stop()
	depths := time.NewTicker(depthEvery)
	defer depths.Stop()
	// By the clock, so that of runs that live for a minute some meet it.
	purges := time.NewTimer(untilNext(time.Now(), purgeEvery))
	defer purges.Stop()
	expiries := time.NewTimer(untilNext(time.Now(), purgeEvery))
	defer expiries.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweeps.C:
			w.sweep(ctx)
			sweeps.Reset(sweep)
		case <-depths.C:
			w.depth(ctx)
		case <-purges.C:
			w.purge(ctx)
			purges.Reset(untilNext(time.Now(), purgeEvery))
		case <-expiries.C:
			if w.expire(ctx) {
				expiries.Reset(expirePause)
			} else {
				expiries.Reset(untilNext(time.Now(), purgeEvery))
			}
		}
	}
}

// untilNext is how long it takes till the clock shows a multiple of a period.
func untilNext(now time.Time, period time.Duration) time.Duration {
	return now.Truncate(period).Add(period).Sub(now)
}

func (w *Worker) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, dutyLimit)
	defer cancel()
	swept, err := w.o.Queue.Sweep(ctx)
	if err != nil {
		w.logFailure(ctx, "could not take up expired leases", err)
		return
	}
	w.metrics.swept.WithLabelValues("requeued").Add(float64(swept.Requeued))
	w.metrics.swept.WithLabelValues("unknown").Add(float64(swept.Unknown))
	w.metrics.swept.WithLabelValues("overdue").Add(float64(swept.Overdue))
	if swept.Requeued+swept.Unknown+swept.Overdue > 0 {
		w.log.WarnContext(ctx, "took up what a worker left behind",
			"requeued", swept.Requeued, "outcome_unknown", swept.Unknown, "no_callback", swept.Overdue)
		w.Wake()
	}
}

func (w *Worker) depth(ctx context.Context) {
	if !w.metrics.registered() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, dutyLimit)
	defer cancel()
	depths, err := w.o.Queue.Depth(ctx)
	if err != nil {
		w.logFailure(ctx, "could not count actions", err)
		return
	}
	w.metrics.depth(depths)
}

func (w *Worker) purge(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, dutyLimit)
	defer cancel()
	if err := w.o.Queue.Purge(ctx); err != nil {
		w.logFailure(ctx, "could not purge what is out of date", err)
	}
}

// expire removes what instances keep no longer, and tells whether some is left.
func (w *Worker) expire(ctx context.Context) (more bool) {
	ctx, cancel := context.WithTimeout(ctx, dutyLimit)
	defer cancel()
	removed, more, err := w.o.Queue.Expire(ctx, expireSlice)
	if err != nil {
		w.logFailure(ctx, "could not remove all that is kept no longer", err)
	}
	for kind, n := range removed.Kinds() {
		w.metrics.removed.WithLabelValues(kind).Add(float64(n))
	}
	return more
}

// logFailure logs an error, unless the worker is being stopped.
func (w *Worker) logFailure(ctx context.Context, msg string, err error) {
	if ctx.Err() == nil || context.Cause(ctx) == context.DeadlineExceeded { //nolint:errorlint // the cause is the sentinel itself
		w.log.ErrorContext(ctx, msg, "error", err) //nolint:sloglint // each caller's message is a literal
	}
}
