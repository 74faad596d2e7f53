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
)

// frame is what every process that serves has around its part: traces, metrics, and
// a health port that is there before the part is ready and goes after it has ended.
type frame struct {
	service, version string // as traces name it
	name             string // as failures name it
	listen, health   string // addresses; no health: no port for it
	log              *slog.Logger
}

// part serves on a listener until its first context ends, or at once when the second
// one does, as another part has failed. It closes the listener.
type part func(ctx, failed context.Context, l net.Listener, metrics *prometheus.Registry, health *Health) error

// run ends with the part. What runs beside it ends then, or fails all.
func (f frame) run(ctx context.Context, serve part, beside ...func(context.Context) error) (err error) {
	stopTracing, err := StartTracing(ctx, f.service, f.version)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeWithin(grace, stopTracing)) }()

	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	health := NewHealth("starting: the database's schema is not checked yet")
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("listening for %s: %w", f.name, err)
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, failed := errgroup.WithContext(work)
	if f.health != "" {
		hl, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.health)
		if err != nil {
			return errors.Join(fmt.Errorf("listening for health checks: %w", err), l.Close())
		}
		f.log.DebugContext(ctx, "serving health checks", "address", hl.Addr().String())
		g.Go(func() error { return serveUntil(failed, NewHTTPServer(health.Handler(metrics)), hl, time.Second) })
	}
	for _, run := range beside {
		g.Go(func() error { return run(failed) })
	}
	g.Go(func() error {
		defer stop() // the health port goes last
		return serve(ctx, failed, l, metrics, health)
	})
	return g.Wait() //nolint:wrapcheck // each part says what it was doing
}
