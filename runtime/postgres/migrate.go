package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/open4x/socialops/runtime/inbox"
)

// Migrations run while the binaries of the version before serve. So each takes a
// strong lock on one table at most: with two, it and an ingest could wait for each
// other. A large table's index is built concurrently.
//
//go:embed migrations/*.sql
var migrations embed.FS

// MinSchema is the oldest schema version that this binary works on. Migrations
// only add within a minor version, so an older binary runs on a newer schema.
const MinSchema = 16

// MaxSchema is the newest schema version that this binary knows: its last migration.
var MaxSchema = lastMigration()

func lastMigration() (last int64) {
	files, _ := migrations.ReadDir("migrations") // embedded: never fails
	for _, f := range files {
		if n, err := goose.NumericComponent(f.Name()); err == nil {
			last = max(last, n)
		}
	}
	return last
}

// ImageTooOld is how [CheckSchema]'s message begins when the schema has left this
// binary behind. The operator looks for it in the last words of a pod.
const ImageTooOld = "image too old for the schema"

// Migrate brings the database's schema to the newest version that the binary
// knows, and logs each step. Several may start at once: one does the work under a
// session lock, the others wait. The DSN must lead to Postgres itself, not to a
// transaction-mode pooler, as the lock belongs to a session. Failures have the
// codes of [inbox.Configuration].
func Migrate(ctx context.Context, dsn string, log *slog.Logger) (err error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("reading the database URL: %w", err)
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	db := stdlib.OpenDB(*config.ConnConfig)
	defer func() { _ = db.Close() }()
	p, err := migrator(db)
	if err != nil {
		return err
	}
	results, err := p.Up(ctx)
	for _, r := range results {
		log.InfoContext(ctx, "migrated the schema", "version", r.Source.Version, "took", r.Duration)
	}
	if err != nil {
		return migrationFailure(fmt.Errorf("migrating the schema: %w", err), config.ConnConfig)
	}
	return nil
}

// migrationFailure gives a failure to migrate a code. What is neither a matter of
// privileges nor of the connection is a migration's own.
func migrationFailure(err error, c *pgx.ConnConfig) error {
	failure, known := errors.AsType[*inbox.Error](coded(err, c))
	_, answered := errors.AsType[*pgconn.PgError](err)
	switch {
	case known && answered && failure.Code != inbox.CodeConflict:
		return failure
	case !answered: // which also is how the lock says that another one holds it for long
		return &inbox.Error{Code: inbox.CodeUnavailable, Message: "the schema is not migrated yet: the database is away, or another process migrates it; this is tried again", Err: err}
	default:
		return &inbox.Error{Code: inbox.CodeConflict, Message: "the schema could not be migrated; this is tried again, and the log says why", Err: err}
	}
}

func migrator(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("reading the embedded migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, fmt.Errorf("making the migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("reading the embedded migrations: %w", err)
	}
	return p, nil
}

// CheckSchema fails, saying what to do, when the schema is older than the binary
// needs (an [inbox.Error] with CodeConflict), or the binary is older than the schema
// takes (CodeUnprocessed, with a message that begins with [ImageTooOld]).
func CheckSchema(ctx context.Context, db DB) error { return checkSchema(ctx, db, MinSchema) }

func checkSchema(ctx context.Context, db DB, least int64) error {
	var version int64
	err := db.QueryRow(ctx, "SELECT schema_version()").Scan(&version)
	if err != nil && !isUndefinedFunction(err) {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if version < least {
		return inbox.Errorf(inbox.CodeConflict, "the database's schema is at version %d and this binary needs at least %d: run `socialops migrate`", version, least)
	}
	var oldest int64
	if err := db.QueryRow(ctx, "SELECT oldest_binary()").Scan(&oldest); err != nil {
		return fmt.Errorf("reading which binaries the schema is for: %w", err)
	}
	if oldest > MaxSchema {
		return inbox.Errorf(inbox.CodeUnprocessed, "%s: version %d of it is for binaries that know version %d, and this one knows %d: use a newer image", ImageTooOld, version, oldest, MaxSchema)
	}
	return nil
}
