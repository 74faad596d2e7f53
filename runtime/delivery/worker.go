// Package delivery carries replies out: it claims actions that are due, charges
// them, hands them to their provider and settles what became of them. It also
// fetches files that only a provider holds.
//
// A reply is never sent twice and never silently lost. So a worker leases an
// action before it looks at it, records that a send is about to leave before it
// leaves, and writes down what became of it after. Killed in between, it leaves a
// lease that runs out: an action whose send had not started is claimed anew; of
// one whose send had, nobody can tell, so it fails with
// [inbox.ErrOutcomeUnknown], is refunded, and waits for a person. At most
// [MaxSends] of these are ever open.
//
// The steps run side by side, each over all that is ready for it, so that many
// replies share one transaction while a single one waits for nobody:
//
//	claim → load → (wait for its place in the pacing) → start → send → settle
//
// One goroutine, the loop, owns all state and decides; goroutines that talk to
// the queue or to a provider hand their results back to it.
package delivery

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/seal"
)

// MaxSends bounds the sends of one worker that have started and are not settled.
const MaxSends = 64

// Options say what a worker works with. Queue and Providers must be given.
type Options struct {
	Queue     inbox.Queue
	Providers provider.Registry
	// Keys open the credentials of connected accounts; several while a key is rotated.
	Keys []*seal.Key

	// Listen calls wake whenever there may be work, until ctx is done. Without it
	// the worker polls twice a second; with it, once a second all the same.
	Listen func(ctx context.Context, wake func())

	// Window is how long a run lives. A run claims nothing in its last SendDeadline,
	// so that it ends in time; the next run is there by then. 0: until ctx is done.
	Window time.Duration
	// SendDeadline bounds one send; 0: 10 s.
	SendDeadline time.Duration
	// MediaDeadline bounds the fetching of one file; 0: 1 minute.
	MediaDeadline time.Duration
	// GiveUpAfter is for how long a reply that can't be sent is tried; 0: 24 h.
	GiveUpAfter time.Duration
	// CallbackDeadline is for how long a provider may take to call back; 0: 24 h.
	CallbackDeadline time.Duration

	Log     *slog.Logger          // nil: silence
	Metrics prometheus.Registerer // nil: none
}

// Worker delivers. Run it once.
type Worker struct {
	o       Options
	log     *slog.Logger
	metrics *metrics
	secrets *secrets
	rules   rules
	wakes   chan struct{} // holds a token when there may be work
}

// New makes a worker.
func New(o Options) (*Worker, error) {
	if o.Queue == nil || o.Providers == nil {
		return nil, errors.New("a worker needs a queue and providers")
	}
	o.SendDeadline = cmp.Or(o.SendDeadline, 10*time.Second)
	o.MediaDeadline = cmp.Or(o.MediaDeadline, time.Minute)
	o.GiveUpAfter = cmp.Or(o.GiveUpAfter, 24*time.Hour)
	o.CallbackDeadline = cmp.Or(o.CallbackDeadline, 24*time.Hour)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, err
	}
	return &Worker{
		o: o, log: o.Log, metrics: m, secrets: newSecrets(o.Keys),
		rules: rules{giveUpAfter: o.GiveUpAfter, callbackDeadline: o.CallbackDeadline, chance: rand.Float64},
		wakes: make(chan struct{}, 1),
	}, nil
}

// Times that follow from the send deadline. A lease outlives the wait for its
// place in the pacing, one more deadline, and then twice a send.
const horizon = 2 * time.Second // how far ahead paced sends get their times; half of it is what a worker may be late

func (w *Worker) lease() time.Duration      { return horizon + 3*w.o.SendDeadline }
func (w *Worker) leastLease() time.Duration { return 2 * w.o.SendDeadline }
func (w *Worker) mediaLease() time.Duration { return w.o.MediaDeadline + 3*w.o.SendDeadline }

// Wake says that there may be work. It never waits.
func (w *Worker) Wake() {
	select {
	case w.wakes <- struct{}{}:
	default:
	}
}

// Run delivers until the window is over or ctx is done. It then gives back what
// it has not started, waits for the sends under way and settles them. It returns
// nil unless some of that was left undone.
func (w *Worker) Run(ctx context.Context) error {
	defer w.metrics.close()
	// Work that is under way outlives ctx: the loop ends it in order.
	background := context.WithoutCancel(ctx)
	aside, stop := context.WithCancel(ctx)
	var others sync.WaitGroup
	others.Go(func() { w.duties(aside) })
	if w.o.Listen != nil {
		others.Go(func() { w.o.Listen(aside, w.Wake) })
	}
	err := newLoop(w).run(ctx, background)
	stop()
	others.Wait()
	return err
}
