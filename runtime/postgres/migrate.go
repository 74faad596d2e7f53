package postgres

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/open4x/socialops/runtime/inbox"
)

//go:embed migrations/*.sql
var migrations embed.FS

// MinSchema is the oldest schema version that this binary works on. Migrations
// only add within a minor version, so an older binary runs on a newer schema.
const MinSchema = 8

// Migrate brings the database's schema to the newest version that the binary
// knows, and logs each step. Several may start at once: one does the work under a
// session lock, the others wait. The DSN must lead to Postgres itself, not to a
// transaction-mode pooler, as the lock belongs to a session.
func Migrate(ctx context.Context, dsn string, log *slog.Logger) (err error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("reading the database URL: %w", err)
	}
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
		return fmt.Errorf("migrating the schema: %w", err)
	}
	return nil
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

// CheckSchema fails, saying what to do, when the schema is older than the binary needs.
func CheckSchema(ctx context.Context, db DB) error {
	var version int64
	err := db.QueryRow(ctx, "SELECT schema_version()").Scan(&version)
	if err != nil && !isUndefinedFunction(err) {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if version < MinSchema {
		return inbox.Errorf(inbox.CodeConflict, "the database's schema is at version %d and this binary needs at least %d: run `socialops migrate`", version, MinSchema)
	}
	return nil
}
