package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/postgres"
)

type options struct {
	bin, dir string
	scale    scale
}

const (
	database      = "socialops"
	riverDatabase = "river"
	ownerRole     = "owner"
	workerRole    = "worker"
)

// bench is what every measurement works on.
type bench struct {
	scale      scale
	bin        string // folder of the binaries
	dir        string // folder of logs and keys
	start      time.Time
	others     string // warns of other work on the machine
	server     *privatepg.Server
	super      *pgxpool.Pool
	owner      *pgxpool.Pool
	tenant     tenant
	seeded     bool   // the large database is there
	conversing bool   // the console's inbox is
	connected  bool   // the bots are
	fleet      *fleet // of instances at rest, once there is one
}

func newBench(ctx context.Context, o options) (*bench, error) {
	b := &bench{scale: o.scale, bin: o.bin, start: time.Now()}
	b.others = busy(ctx)
	var err error
	if b.dir, err = filepath.Abs(o.dir); err != nil {
		return nil, fmt.Errorf("the folder %s: %w", o.dir, err)
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder: %w", err)
	}
	b.say("starting Postgres in %s", b.dir)
	// The defaults of an ephemeral server are for tests. These are Postgres's own.
	b.server, err = privatepg.Start(ctx, privatepg.Options{Ephemeral: true, Dir: b.dir, Settings: map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "128MB", "max_connections": "100",
	}})
	if err != nil {
		return nil, fmt.Errorf("starting Postgres: %w", err)
	}
	if err := b.prepare(ctx); err != nil {
		return nil, errors.Join(err, b.close(context.WithoutCancel(ctx)))
	}
	return b, nil
}

func (b *bench) prepare(ctx context.Context) (err error) {
	if b.super, err = postgres.Open(ctx, b.server.DSN(privatepg.Superuser, "postgres"), 2); err != nil {
		return err
	}
	for _, sql := range []string{
		"CREATE ROLE " + ownerRole + " LOGIN CREATEROLE",
		"CREATE DATABASE " + database + " OWNER " + ownerRole,
		"CREATE DATABASE " + riverDatabase + " OWNER " + ownerRole,
	} {
		if _, err := b.super.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	b.super.Close()
	if b.super, err = postgres.Open(ctx, b.dsn(privatepg.Superuser), 2); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, b.dsn(ownerRole), slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if _, err := b.super.Exec(ctx, "CREATE ROLE "+workerRole+" LOGIN IN ROLE socialops_worker"); err != nil {
		return fmt.Errorf("making the worker's role: %w", err)
	}
	if b.owner, err = postgres.Open(ctx, b.dsn(ownerRole), 2); err != nil {
		return err
	}
	b.tenant, err = b.addTenant(ctx)
	return err
}

func (b *bench) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, pool := range []*pgxpool.Pool{b.owner, b.super} {
		if pool != nil {
			pool.Close()
		}
	}
	_ = os.Remove(b.keyFile()) // there may be none
	if b.fleet != nil {
		if err := b.fleet.close(); err != nil {
			return errors.Join(err, b.server.Stop(ctx))
		}
	}
	if err := b.server.Stop(ctx); err != nil {
		return fmt.Errorf("stopping Postgres: %w", err)
	}
	return nil
}

// dsn is where a role finds the database.
func (b *bench) dsn(role string) string { return b.server.DSN(role, database) }

// say tells of progress, beside the report.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%4.0f s  %s\n", time.Since(b.start).Seconds(), fmt.Sprintf(format, args...))
}

// truncate empties every table that holds what happened, and leaves what was configured.
func (b *bench) truncate(ctx context.Context) error {
	const tables = `SELECT string_agg(format('%I', c.relname), ', ') FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
		  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'instance_id')
		  AND c.relname NOT IN ('instance_role', 'account_proof', 'channel', 'api_key', 'balance', 'event_counter')`
	var names string
	if err := b.owner.QueryRow(ctx, tables).Scan(&names); err != nil {
		return fmt.Errorf("listing tables: %w", err)
	}
	for _, sql := range []string{
		"TRUNCATE " + names, "UPDATE balance SET amount = 0", "UPDATE event_counter SET seq = 0", "VACUUM balance, event_counter",
	} {
		if _, err := b.owner.Exec(ctx, sql); err != nil {
			return fmt.Errorf("emptying the tables: %w", err)
		}
	}
	b.seeded, b.conversing = false, false
	return nil
}

func (b *bench) checkpoint(ctx context.Context) error {
	if _, err := b.super.Exec(ctx, "CHECKPOINT"); err != nil {
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	return nil
}

// fresh is how each run finds the tables: empty, with the statistics that the
// warm-up left, as autovacuum sees to within a minute.
func (b *bench) fresh(ctx context.Context) error {
	if _, err := b.owner.Exec(ctx, "ANALYZE"); err != nil {
		return fmt.Errorf("gathering statistics: %w", err)
	}
	if err := b.truncate(ctx); err != nil {
		return err
	}
	return b.checkpoint(ctx)
}

// count asks for whole numbers.
func (b *bench) count(ctx context.Context, sql string, into ...*int64) error {
	dest := make([]any, len(into))
	for i, n := range into {
		dest[i] = n
	}
	if err := b.owner.QueryRow(ctx, sql).Scan(dest...); err != nil {
		return fmt.Errorf("counting rows: %w", err)
	}
	return nil
}

// machine says where the figures come from.
func (b *bench) machine(ctx context.Context) string {
	cpu := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	version := "?"
	_ = b.owner.QueryRow(ctx, "SHOW server_version").Scan(&version) // "?" will do
	return fmt.Sprintf("%d × %s, Postgres %s%s", runtime.NumCPU(), cpu, version, b.others)
}
