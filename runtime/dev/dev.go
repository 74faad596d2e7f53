// Package dev is the one-process mode: the runtime of every alias, the worker and
// the console in one process, on a private Postgres that it starts itself, with
// manifests read from a folder instead of a cluster. All but the operator is the
// same code as in a cluster, each alias on connections of its own role. The console
// signs everybody in who asks for it at this machine.
//
// DIR, the data folder, holds the database (see privatepg), secrets/ (the keys
// that a cluster keeps in Secrets), keys/ (an API key for each alias), and the
// manifests as they were last taken in.
package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/open4x/socialops/runtime"
	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/all"
	"github.com/open4x/socialops/runtime/provider/telegram"
	"github.com/open4x/socialops/runtime/rest"
)

// Config is what the dev mode is started with.
type Config struct {
	Listen         string // address to serve on
	DataDir        string
	Manifests      string // folder
	TelegramAPIURL string // empty: Telegram's own
	PublicURL      string // where providers reach this process; empty: at Listen
	Demo           bool   // play the demo, with a Telegram simulator of its own
	// DemoFor is how long the demo's support desk goes on once it is ready; 0: not at all.
	DemoFor time.Duration
	Open    bool                                 // the console in a browser, if there is a display
	After   func(time.Duration) <-chan time.Time // what the desk waits on; nil: time.After
	Version string
	Out     io.Writer // for what a person is told
	Log     *slog.Logger
}

// DefaultDemoFor is how long somebody who looks at the demo is likely to.
const DefaultDemoFor = time.Hour

// shutdownGrace bounds how long requests under way hold up the end.
const shutdownGrace = 10 * time.Second

// Run runs until ctx ends, and leaves nothing running.
func Run(ctx context.Context, c Config) (err error) {
	if c.DataDir, err = filepath.Abs(c.DataDir); err != nil {
		return fmt.Errorf("finding the data folder: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listening on %s (is another program using it? try --listen 127.0.0.1:8090): %w", c.Listen, err)
	}
	if c.PublicURL == "" {
		c.PublicURL = "http://" + listener.Addr().String()
	}
	var play *demo
	if c.Demo {
		if play, err = newDemo(&c); err != nil {
			return errors.Join(err, listener.Close())
		}
		defer play.close()
	}
	d := &process{Config: c, listener: listener}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.start(ctx); err != nil {
		if ctx.Err() != nil { // stopped before it was ready: not a failure
			return nil
		}
		return err
	}
	if play != nil {
		return d.serve(ctx, func(ctx context.Context) error { return play.run(ctx, d) })
	}
	return d.serve(ctx, func(context.Context) error { d.greet(); return nil })
}

// process is the parts of a running dev mode, from the bottom up.
type process struct {
	Config
	listener  net.Listener
	server    *privatepg.Server
	projector *projection
	providers provider.Registry
	metrics   *prometheus.Registry
	tenants   *tenants
	console   *consoleServer

	background sync.WaitGroup
	stop       context.CancelFunc
}

func (d *process) start(ctx context.Context) (err error) {
	// Not 0700: as root, Postgres runs as another user and must reach its folder below.
	if err := os.MkdirAll(d.DataDir, 0o711); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	if d.server, err = startDatabase(ctx, d.DataDir, d.Log); err != nil {
		return err
	}
	keys, err := openSecrets(d.DataDir)
	if err != nil {
		return err
	}
	encryption, err := keys.encryptionKey()
	if err != nil {
		return err
	}
	d.metrics = prometheus.NewRegistry()
	d.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	bots := telegram.Options{APIURL: d.TelegramAPIURL}
	if d.Demo { // whose simulator takes whatever comes: three weeks are to pass in seconds
		bots.Paces = &telegram.Paces{}
	}
	d.providers = all.Providers(all.Options{Telegram: bots})
	if d.projector, err = d.newProjection(ctx, keys, encryption); err != nil {
		return err
	}
	worker, closeWorker, err := runtime.NewWorker(ctx, runtime.WorkerConfig{
		DatabaseURL: d.server.DSN(workerRole, databaseName), EncryptionKey: encryption, Providers: d.providers, Log: d.Log,
	}, d.metrics)
	if err != nil {
		return fmt.Errorf("starting the worker: %w", err)
	}
	var work context.Context
	work, d.stop = context.WithCancel(context.WithoutCancel(ctx))
	d.background.Go(func() {
		defer closeWorker()
		if err := worker.Run(work); err != nil {
			d.Log.ErrorContext(work, "the worker left something undone", "error", err)
		}
	})
	d.tenants = &tenants{providers: d.providers, metrics: d.metrics, log: d.Log, queued: worker.Wake, open: map[string]*serving{}}
	if err := d.projector.pass(ctx, d.tenants); err != nil {
		return err
	}
	d.background.Go(func() { d.projector.watch(work, d.tenants) })
	d.console, err = d.newConsole(ctx, keys, worker.Wake)
	return err
}

// serve answers requests until ctx ends or a part fails; beside runs as soon as
// the first request can be made.
func (d *process) serve(ctx context.Context, beside func(context.Context) error) error {
	server := runtime.NewHTTPServer(d.handler())
	server.RegisterOnShutdown(d.tenants.endStreams)
	server.RegisterOnShutdown(d.console.EndStreams)
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var parts sync.WaitGroup
	parts.Go(func() {
		if err := server.Serve(d.listener); !errors.Is(err, http.ErrServerClosed) {
			cancel(fmt.Errorf("serving: %w", err))
		}
	})
	parts.Go(func() {
		select {
		case <-d.server.Done():
			cancel(fmt.Errorf("the private Postgres ended; its log is %s", d.server.LogFile()))
		case <-run.Done():
		}
	})
	parts.Go(func() {
		if err := beside(run); err != nil && run.Err() == nil {
			cancel(err)
		}
	})
	<-run.Done()
	grace, done := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer done()
	var err error
	if e := server.Shutdown(grace); e != nil {
		err = errors.Join(fmt.Errorf("some requests were cut off: %w", e), server.Close())
	}
	parts.Wait()
	if ctx.Err() != nil { // asked to stop: not a failure
		return err
	}
	return errors.Join(context.Cause(run), err)
}

func (d *process) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(rest.BasePath, d.tenants)
	health := runtime.NewHealth("")
	health.Ready()
	probes := health.Handler(d.metrics)
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		mux.Handle(path, probes)
	}
	mux.Handle("/", local(d.console))
	return mux
}

// close ends what start began, from the top down.
func (d *process) close() (err error) {
	if err = d.listener.Close(); errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if d.stop != nil {
		d.stop()
	}
	d.background.Wait()
	if d.console != nil {
		d.console.close()
	}
	if d.tenants != nil {
		d.tenants.closeAll()
	}
	if d.projector != nil {
		d.projector.close()
	}
	if d.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err = errors.Join(err, stopDatabase(ctx, d.DataDir, d.server))
	}
	return err
}
