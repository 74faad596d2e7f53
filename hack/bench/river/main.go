// Command river works off jobs that do nothing with River, the job queue that
// SocialOps's delivery is measured beside. It is a module of its own, so that the
// product does not depend on River.
//
//	DATABASE_URL=… river insert -jobs 50000   empties the queue and inserts jobs
//	DATABASE_URL=… river work -jobs 50000     works them off and prints how long it took from the start
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

type nothing struct {
	Number int `json:"number"`
}

func (nothing) Kind() string { return "nothing" }

// started is when the clock starts.
var started = time.Now()

// worker counts jobs.
type worker struct {
	river.WorkerDefaults[nothing]
	jobs   int64
	done   atomic.Int64
	worked chan struct{}
}

func (w *worker) Work(context.Context, *river.Job[nothing]) error {
	if w.done.Add(1) == w.jobs {
		close(w.worked)
	}
	return nil
}

// settings are what River is tuned by. The fetch cooldown is the least that it allows.
type settings struct {
	MaxWorkers        int
	Connections       int
	FetchCooldown     time.Duration
	FetchPollInterval time.Duration
}

func (s settings) String() string {
	return fmt.Sprintf("MaxWorkers %d, FetchCooldown %s (its least), FetchPollInterval %s, JobTimeout none, %d connections",
		s.MaxWorkers, s.FetchCooldown, s.FetchPollInterval, s.Connections)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "river:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if len(os.Args) < 2 {
		return errors.New("want insert or work")
	}
	s := settings{FetchCooldown: river.FetchCooldownMin}
	var jobs int
	f := flag.NewFlagSet(os.Args[1], flag.ContinueOnError)
	f.IntVar(&jobs, "jobs", 50_000, "how many")
	f.IntVar(&s.MaxWorkers, "workers", 2_000, "River's MaxWorkers")
	f.IntVar(&s.Connections, "connections", 10, "of the pool")
	f.DurationVar(&s.FetchPollInterval, "poll", 10*time.Millisecond, "River's FetchPollInterval")
	if err := f.Parse(os.Args[2:]); err != nil {
		return err
	}
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		return fmt.Errorf("reading DATABASE_URL: %w", err)
	}
	config.MaxConns = int32(s.Connections)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	defer pool.Close()
	switch os.Args[1] {
	case "insert":
		return insert(ctx, pool, jobs)
	case "work":
		return work(ctx, pool, jobs, s)
	}
	return fmt.Errorf("%q: want insert or work", os.Args[1])
}

func insert(ctx context.Context, pool *pgxpool.Pool, jobs int) error {
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("preparing River's schema: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("making River's schema: %w", err)
	}
	if _, err := pool.Exec(ctx, "TRUNCATE river_job"); err != nil {
		return fmt.Errorf("emptying the queue: %w", err)
	}
	client, err := river.NewClient(driver, &river.Config{})
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	params := make([]river.InsertManyParams, jobs)
	for i := range params {
		params[i].Args = nothing{i}
	}
	if _, err := client.InsertManyFast(ctx, params); err != nil {
		return fmt.Errorf("inserting jobs: %w", err)
	}
	if _, err := pool.Exec(ctx, "ANALYZE river_job"); err != nil {
		return fmt.Errorf("gathering statistics: %w", err)
	}
	return nil
}

func work(ctx context.Context, pool *pgxpool.Pool, jobs int, s settings) error {
	w := &worker{jobs: int64(jobs), worked: make(chan struct{})}
	workers := river.NewWorkers()
	river.AddWorker(workers, w)
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		FetchCooldown:     s.FetchCooldown,
		FetchPollInterval: s.FetchPollInterval,
		JobTimeout:        -1, // none
		Logger:            slog.New(slog.DiscardHandler),
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: s.MaxWorkers}},
		Workers:           workers,
	})
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	if err := client.Start(ctx); err != nil {
		return fmt.Errorf("starting River: %w", err)
	}
	end, err := finished(ctx, pool, w)
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := errors.Join(err, client.Stop(stopCtx)); err != nil {
		return err
	}
	var completed int
	if err := pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state = 'completed'").Scan(&completed); err != nil {
		return fmt.Errorf("counting jobs: %w", err)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"completed": completed, "worked": w.done.Load(), "seconds": end.Sub(started).Seconds(), "settings": s.String(),
	})
}

// finished waits until every job was worked and its completion is in the table.
func finished(ctx context.Context, pool *pgxpool.Pool, w *worker) (time.Time, error) {
	select {
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	case <-w.worked:
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("connecting: %w", err)
	}
	defer conn.Release()
	for {
		open, err := anyOpen(ctx, conn.Conn())
		if err != nil {
			return time.Time{}, fmt.Errorf("looking for unfinished jobs: %w", err)
		}
		if !open {
			return time.Now(), nil
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func anyOpen(ctx context.Context, conn *pgx.Conn) (open bool, err error) {
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM river_job WHERE state IN ('available', 'running'))").Scan(&open)
	return open, err
}
