package controllers

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// gate is the way to the database. While that is away, or not what it has to be, the
// gate answers why, at once, so that one probe waits for the database and not a
// thousand reconciles, and so that each object's condition says the same.
type gate struct {
	store  inbox.Configuration
	epoch  atomic.Uint64
	doubts chan struct{} // holds one: a call failed as if the database were away

	mu      sync.Mutex
	shut    error         // why; nil: it is open
	decided chan struct{} // closed once shut means something
}

var _ inbox.Configuration = (*gate)(nil)

func newGate(store inbox.Configuration) *gate {
	return &gate{
		store: store, doubts: make(chan struct{}, 1), decided: make(chan struct{}),
		shut: inbox.Errorf(inbox.CodeUnavailable, "the operator is connecting to the database, or bringing its schema up to date; this is tried again"),
	}
}

// firstVerdict is how long a call waits for the first look at the database. Without
// it every restart would make everybody's condition say for a moment that it is away.
const firstVerdict = 10 * time.Second

// Configure implements [inbox.Configuration].
func (g *gate) Configure(ctx context.Context, locks []string, f func(inbox.ConfigurationTx) error) error {
	if err := g.closed(ctx); err != nil {
		return err
	}
	err := g.store.Configure(ctx, locks, f)
	switch inbox.CodeOf(err) {
	case inbox.CodeUnavailable, inbox.CodeConflict:
		if ctx.Err() == nil {
			g.doubt()
		}
	}
	return err //nolint:wrapcheck // the store's own
}

func (g *gate) closed(ctx context.Context) error {
	select {
	case <-g.decided:
	case <-time.After(firstVerdict):
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}

// doubt asks for a look at the database.
func (g *gate) doubt() {
	select {
	case g.doubts <- struct{}{}:
	default:
	}
}

// close has calls fail with err.
func (g *gate) close(err error) { g.set(err) }

// open lets calls through, to a database that may be another one than before.
func (g *gate) open() {
	g.epoch.Add(1)
	g.set(nil)
}

func (g *gate) set(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = err
	select {
	case <-g.decided:
	default:
		close(g.decided)
	}
}
