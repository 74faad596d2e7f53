package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/open4x/socialops/runtime/postgres"
)

// statement is one that the store sent.
type statement struct {
	sql  string
	args []any
}

// recorder is a store of the tenant that tells which statements a call sends, so
// that they can be run bare: the same text, without the API around it.
type recorder struct {
	*postgres.Store
	pool *pgxpool.Pool

	mu   sync.Mutex
	seen []statement
}

func (b *bench) recorder(ctx context.Context) (*recorder, error) {
	config, err := pgxpool.ParseConfig(b.dsn(b.tenant.role))
	if err != nil {
		return nil, fmt.Errorf("reading the database's address: %w", err)
	}
	r := &recorder{}
	config.ConnConfig.Tracer = r
	if r.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	r.Store = postgres.NewStore(r.pool, b.tenant.id, postgres.StoreOptions{})
	return r, nil
}

func (r *recorder) close() {
	r.Store.Close()
	r.pool.Close()
}

// record makes a call and returns the statements that it took.
func (r *recorder) record(call func() error) ([]statement, error) {
	r.mu.Lock()
	r.seen = nil
	r.mu.Unlock()
	if err := call(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen, nil
}

// TraceQueryStart implements [pgx.QueryTracer].
func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, statement{data.SQL, data.Args})
	return ctx
}

// TraceQueryEnd implements [pgx.QueryTracer].
func (*recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// replay runs statements again and again as the tenant, on some connections at
// once, and returns the milliseconds that each round took. Rows are read, not decoded.
func (b *bench) replay(ctx context.Context, statements []statement, connections int, d time.Duration) ([]float64, error) {
	g, ctx := errgroup.WithContext(ctx)
	took := make([][]float64, connections)
	var warm sync.WaitGroup
	warm.Add(connections)
	for i := range connections {
		g.Go(func() error {
			conn, err := b.warmConnection(ctx, statements)
			warm.Done()
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
			warm.Wait()
			end := time.Now().Add(d)
			for start := time.Now(); start.Before(end); start = time.Now() {
				for _, s := range statements {
					if err := readAll(ctx, conn, s); err != nil {
						return err
					}
				}
				took[i] = append(took[i], float64(time.Since(start).Microseconds())/1000)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var all []float64
	for _, t := range took {
		all = append(all, t...)
	}
	return all, nil
}

// firstPlans is after how many runs Postgres has settled on a statement's plan, and more.
const firstPlans = 10

// warmConnection connects as the tenant and gets statements past their first plans.
func (b *bench) warmConnection(ctx context.Context, statements []statement) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, b.dsn(b.tenant.role))
	if err != nil {
		return nil, fmt.Errorf("connecting as the tenant: %w", err)
	}
	for range firstPlans {
		for _, s := range statements {
			if err := readAll(ctx, conn, s); err != nil {
				return nil, errors.Join(err, conn.Close(ctx))
			}
		}
	}
	return conn, nil
}

func readAll(ctx context.Context, conn *pgx.Conn, s statement) error {
	rows, err := conn.Query(ctx, s.sql, s.args...)
	if err == nil {
		for rows.Next() {
			_ = rows.RawValues()
		}
		err = rows.Err()
	}
	if err != nil {
		return fmt.Errorf("running the bare query: %w", err)
	}
	return nil
}
