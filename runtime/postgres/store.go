package postgres

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/semaphore"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// database is what a box is read and written through.
type database interface {
	DB
	Begin(ctx context.Context) (pgx.Tx, error)
}

// box is one instance's inbox but for what comes in: what its runtime and the
// console do alike. Row-level security, not the code here, keeps it from everybody
// else's rows. Statements name the instance all the same, because every index begins
// with it.
type box struct {
	db       database
	instance inbox.InstanceID
	now      func() time.Time
	queries  *query.Queries
	lists    *lists
	queued   func()
	oldLog   atomic.Int64 // until when the schema is taken to be of before version 21, in Unix nanoseconds
}

// lists is what the lists of one pool share.
type lists struct {
	sparse   sparse              // lists that are rather gathered than walked
	pages    *semaphore.Weighted // of lists that an index has
	searches *semaphore.Weighted // of lists that have to be looked for
}

func newLists(atOnce int64) *lists {
	return &lists{pages: semaphore.NewWeighted(atOnce), searches: semaphore.NewWeighted(atOnce)}
}

// Store is one instance's inbox, read and written as the instance's own role.
type Store struct {
	box
	pool    *pgxpool.Pool
	batcher *batcher
}

var _ inbox.Store = (*Store)(nil)

// StoreOptions are what a Store can do without.
type StoreOptions struct {
	Now       func() time.Time // the clock; nil: time.Now
	BatchSize func(events int) // told of each ingest batch; nil: nobody
	Queued    func()           // called after an action was committed, to wake workers; nil: they poll
}

// NewStore makes the store of an instance on a pool that is open as its role.
// [Store.Close] ends it.
func NewStore(pool *pgxpool.Pool, instance inbox.InstanceID, o StoreOptions) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.BatchSize == nil {
		o.BatchSize = func(int) {}
	}
	if o.Queued == nil {
		o.Queued = func() {}
	}
	s := &Store{
		box:  box{db: pool, instance: instance, now: o.Now, queries: query.New(pool), lists: newLists(listsAtOnce), queued: o.Queued},
		pool: pool,
	}
	s.batcher = newBatcher(ingestWorkers, s.flush, o.BatchSize)
	return s
}
