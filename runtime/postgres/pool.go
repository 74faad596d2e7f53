// Package postgres keeps the inbox in Postgres: migrations, the queries of a
// runtime and of the worker, and the batcher that makes one transaction of many
// concurrent webhook calls. What must hold is held by the schema itself (see
// migrations/): uniqueness, charges, the event log and the walls between tenants.
package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DB is what queries run on: a pool, a connection or a transaction.
type DB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// MaxConns is how many connections one runtime keeps at most. A thousand aliases
// share one Postgres, so connections are scarce: idle ones close after 30 s.
const MaxConns = 4

// connectTimeout bounds how long a database that is away keeps anybody waiting.
const connectTimeout = 5 * time.Second

// Open makes a pool of at most maxConns connections, none of them kept when idle.
// It connects when first used. The DSN may lead through a transaction-mode pooler.
func Open(ctx context.Context, dsn string, maxConns int32) (*pgxpool.Pool, error) {
	return OpenFrom(ctx, func() (string, error) { return dsn, nil }, maxConns)
}

// OpenFrom is [Open] for a DSN that changes while the pool is open, as a login does
// that is replaced: each new connection asks for it anew.
func OpenFrom(ctx context.Context, dsn func() (string, error), maxConns int32) (*pgxpool.Pool, error) {
	first, err := dsn()
	if err != nil {
		return nil, err
	}
	config, err := parseDSN(first)
	if err != nil {
		return nil, err
	}
	config.MaxConns = maxConns
	config.MinConns = 0
	config.MaxConnIdleTime = 30 * time.Second
	config.HealthCheckPeriod = 15 * time.Second
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		now, err := dsn()
		if err != nil || now == first {
			return err
		}
		renewed, err := parseDSN(now)
		if err != nil {
			return err
		}
		*c = *renewed.ConnConfig
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	return pool, nil
}

func parseDSN(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("reading the database URL: %w", err)
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	if _, set := config.ConnConfig.RuntimeParams["application_name"]; !set {
		config.ConnConfig.RuntimeParams["application_name"] = "socialops"
	}
	return config, nil
}
