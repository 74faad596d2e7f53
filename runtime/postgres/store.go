package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/semaphore"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// Store is one instance's inbox. It reads and writes as the instance's own role:
// row-level security, not the code here, keeps it from everybody else's rows.
// Statements name the instance all the same, because every index begins with it.
type Store struct {
	pool     *pgxpool.Pool
	instance inbox.InstanceID
	now      func() time.Time
	queries  *query.Queries
	batcher  *batcher
	sparse   sparse              // lists that are rather gathered than walked
	pages    *semaphore.Weighted // of lists that an index has
	searches *semaphore.Weighted // of lists that have to be looked for
	queued   func()
}

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
		pool: pool, instance: instance, now: o.Now, queries: query.New(pool), queued: o.Queued,
		pages: semaphore.NewWeighted(listsAtOnce), searches: semaphore.NewWeighted(listsAtOnce),
	}
	s.batcher = newBatcher(ingestWorkers, s.flush, o.BatchSize)
	return s
}
