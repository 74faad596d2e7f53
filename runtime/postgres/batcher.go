package postgres

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// Limits of one ingest batch. A larger event makes a batch of its own.
const (
	maxBatchEvents = 64
	maxBatchBytes  = 1 << 20
)

// batchTimeout bounds one batch, whatever its clients' patience.
const batchTimeout = 20 * time.Second

// errClosed answers events that come after Close.
var errClosed = inbox.Errorf(inbox.CodeUnavailable, "the inbox is shutting down: send the event again")

// pendingEvent is an event whose caller waits.
type pendingEvent struct {
	channel inbox.ChannelID
	in      *inbox.Inbound
	done    chan ingestResult // of one place, so that a batch never waits for a caller that hung up
}

type ingestResult struct {
	receipt inbox.Receipt
	err     error
}

// batcher makes one transaction of the events that wait while others commit. At
// low load a batch is a single event and waits for nobody; at high load batches
// grow by themselves.
type batcher struct {
	queue  chan *pendingEvent
	flush  func(context.Context, []*pendingEvent) // answers every event
	size   func(int)                              // told of each batch's size
	closed chan struct{}
	stop   sync.Once
	mu     sync.RWMutex
	done   sync.WaitGroup

	waiting atomic.Int64 // events not answered yet
	crowded atomic.Bool  // the last batch had several
}

func newBatcher(workers int, flush func(context.Context, []*pendingEvent), size func(int)) *batcher {
	b := &batcher{queue: make(chan *pendingEvent, 16*maxBatchEvents), flush: flush, size: size, closed: make(chan struct{})}
	for range workers {
		b.done.Go(b.work)
	}
	return b
}

// submit waits until the event's batch is committed, or ctx ends: the event may
// then still be stored, and its repeat is a duplicate.
func (b *batcher) submit(ctx context.Context, channel inbox.ChannelID, in *inbox.Inbound) (inbox.Receipt, error) {
	e := &pendingEvent{channel: channel, in: in, done: make(chan ingestResult, 1)}
	defer b.waiting.Add(-1)
	if b.waiting.Add(1) == 1 && !b.crowded.Load() {
		if err := b.alone(e); err != nil {
			return inbox.Receipt{}, err
		}
	} else if err := b.enqueue(ctx, e); err != nil {
		return inbox.Receipt{}, err
	}
	select {
	case r := <-e.done:
		return r.receipt, r.err
	case <-ctx.Done():
		return inbox.Receipt{}, unavailable(ctx.Err())
	}
}

// alone stores an event that no other one waits beside on the caller's goroutine:
// it need not be handed over and back. The caller waits for it even when its client
// has hung up.
func (b *batcher) alone(e *pendingEvent) error {
	b.mu.RLock()
	select {
	case <-b.closed:
		b.mu.RUnlock()
		return errClosed
	default:
	}
	b.done.Add(1) // close can't be waiting yet: it would hold the lock
	b.mu.RUnlock()
	defer b.done.Done()
	b.run([]*pendingEvent{e})
	return nil
}

// run stores a batch.
func (b *batcher) run(batch []*pendingEvent) {
	b.crowded.Store(len(batch) > 1)
	b.size(len(batch))
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	b.flush(ctx, batch)
}

func (b *batcher) enqueue(ctx context.Context, e *pendingEvent) error {
	b.mu.RLock() // Close waits here for whoever is about to enqueue
	defer b.mu.RUnlock()
	select {
	case <-b.closed:
		return errClosed
	default:
	}
	select {
	case b.queue <- e:
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

// maxLinger bounds how long a batch waits for those whose events the last one
// answered: under load they are about to send their next.
const maxLinger = 2 * time.Millisecond

func (b *batcher) work() {
	var held *pendingEvent // did not fit the batch before
	expect, linger := 1, time.Duration(0)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		first := held
		held = nil
		if first == nil {
			var open bool
			if first, open = <-b.queue; !open {
				return
			}
		}
		timer.Reset(linger)
		batch := []*pendingEvent{first}
		bytes := len(first.in.Raw)
		for len(batch) < maxBatchEvents && bytes < maxBatchBytes {
			e := b.next(len(batch) < expect, timer.C)
			if e == nil {
				break
			}
			if bytes += len(e.in.Raw); bytes > maxBatchBytes {
				held = e
				break
			}
			batch = append(batch, e)
		}
		started := time.Now()
		b.run(batch)
		expect, linger = len(batch), min(time.Since(started)/4, maxLinger)
	}
}

// next takes an event that waits. With wait it gives the next one until the timer
// fires. Nil: none.
func (b *batcher) next(wait bool, timer <-chan time.Time) *pendingEvent {
	select {
	case e := <-b.queue:
		return e
	default:
	}
	if !wait {
		return nil
	}
	select {
	case e := <-b.queue:
		return e
	case <-timer:
		return nil
	}
}

// close refuses new events, stores those that wait and returns when all are answered.
func (b *batcher) close() {
	b.stop.Do(func() {
		close(b.closed)
		b.mu.Lock()
		close(b.queue)
		b.mu.Unlock()
	})
	b.done.Wait()
}

func unavailable(err error) error {
	return &inbox.Error{Code: inbox.CodeUnavailable, Message: "it is not known whether this was stored: send it again, a repeat is recognised", Err: err}
}

// codedError gives a database failure the code that its caller can act on.
func codedError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*inbox.Error](err); ok {
		return err
	}
	switch state := sqlState(err); {
	case state == stateUnpaid:
		return &inbox.Error{Code: inbox.CodeUnpaid, Message: "the balance does not cover this message: ask for credit, then send it again", Err: err}
	case isDataError(state):
		return &inbox.Error{Code: inbox.CodeInvalid, Message: "the event holds a value that can't be stored, such as an id of more than 2,000 bytes", Err: err}
	default:
		return &inbox.Error{Code: inbox.CodeUnavailable, Message: "the database is away: try again shortly", Err: err}
	}
}

// isDataError tells a failure that comes back however often the same data is tried.
func isDataError(state string) bool {
	if len(state) != 5 || state == stateUniqueViolation {
		return false
	}
	switch state[:2] {
	case "22", "23", "54": // data exception, integrity violation, program limit exceeded
		return true
	}
	return false
}
