package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/seal"
)

// WorkerConfig is what a worker needs.
type WorkerConfig struct {
	DatabaseURL   string        // as the worker's role; may lead through a transaction-mode pooler
	DirectURL     string        // past any pooler, to be told of new work; empty: it polls
	EncryptionKey []byte        // of provider credentials
	Window        time.Duration // how long it lives; 0: until ctx ends
	Providers     provider.Registry
	Health        string // address of /healthz, /readyz and /metrics; empty: none
	Version       string
	Log           *slog.Logger
}

// Work runs a worker until its window is over or ctx ends, and returns when
// everything that it sent is settled.
func Work(ctx context.Context, c WorkerConfig) (err error) {
	collectLess()
	stopTracing, err := StartTracing(ctx, "socialops-worker", c.Version)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeWithin(grace, stopTracing)) }()
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	w, closeWorker, err := NewWorker(ctx, c, metrics)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	defer closeWorker()
	health := NewHealth("")
	health.Ready()
	work, stop := context.WithCancel(ctx)
	defer stop()
	g, gctx := errgroup.WithContext(work)
	if c.Health != "" {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Health)
		if err != nil {
			return fmt.Errorf("listening for health checks: %w", err)
		}
		g.Go(func() error { return serveUntil(gctx, NewHTTPServer(health.Handler(metrics)), l, time.Second) })
	}
	g.Go(func() error {
		defer stop()
		return w.Run(gctx)
	})
	return g.Wait() //nolint:wrapcheck // each part says what it was doing
}

// workerConns is how many connections a worker keeps at most: one to claim, one
// to start and one to settle at a time, and one for its duties.
const workerConns = 4

// NewWorker connects a worker to the database. The returned function disconnects
// it, once it ran.
func NewWorker(ctx context.Context, c WorkerConfig, metrics prometheus.Registerer) (*delivery.Worker, func(), error) {
	key, err := seal.NewKey(c.EncryptionKey)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the credentials' key: %w", err)
	}
	pool, err := postgres.Open(ctx, c.DatabaseURL, workerConns)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // says what it was doing
	}
	if err := awaitSchema(ctx, pool, checkSchema, c.Log); err != nil {
		pool.Close()
		return nil, nil, err
	}
	o := delivery.Options{
		Queue: postgres.NewQueue(pool), Providers: c.Providers, Keys: []*seal.Key{key}, Window: c.Window, Log: c.Log, Metrics: metrics,
	}
	if c.DirectURL != "" {
		o.Listen = func(ctx context.Context, wake func()) {
			if err := postgres.Listen(ctx, c.DirectURL, c.Log, wake); err != nil {
				c.Log.ErrorContext(ctx, "not listening for work: polling instead", "error", err)
			}
		}
	}
	w, err := delivery.New(o)
	if err != nil {
		pool.Close()
		return nil, nil, fmt.Errorf("making the worker: %w", err)
	}
	return w, pool.Close, nil
}
