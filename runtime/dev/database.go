package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/postgres"
)

// Names in the private Postgres. The owner is what the operator is in a cluster:
// it owns the database and makes the tenants' roles.
const (
	databaseName = "socialops"
	ownerRole    = "socialops"
	workerRole   = "socialops_dev_worker"
	consoleRole  = "socialops_dev_console"
)

// urlFile is where a running dev mode says how its database is reached, for the
// commands that take --data-dir. The socket's directory guards the database; the
// file holds no secret.
const urlFile = "database-url"

// startDatabase starts the private Postgres and brings roles and schema up to date.
func startDatabase(ctx context.Context, dir string, log *slog.Logger) (_ *privatepg.Server, err error) {
	server, err := privatepg.Start(ctx, privatepg.Options{Dir: dir, Log: func(msg string) { log.InfoContext(ctx, "postgres", "said", msg) }})
	if err != nil {
		return nil, fmt.Errorf("starting the private Postgres: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
		}
	}()
	conn, err := pgx.Connect(ctx, server.DSN(privatepg.Superuser, "postgres"))
	if err != nil {
		return nil, fmt.Errorf("connecting to the private Postgres: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := ensure(ctx, conn, `SELECT FROM pg_roles WHERE rolname = $1`, ownerRole, `CREATE ROLE `+ownerRole+` LOGIN CREATEROLE`); err != nil {
		return nil, err
	}
	if err := ensure(ctx, conn, `SELECT FROM pg_database WHERE datname = $1`, databaseName, `CREATE DATABASE `+databaseName+` OWNER `+ownerRole); err != nil {
		return nil, err
	}
	if err := postgres.Migrate(ctx, server.DSN(ownerRole, databaseName), log); err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	for role, group := range map[string]string{workerRole: "socialops_worker", consoleRole: "socialops_console"} {
		if err := ensure(ctx, conn, `SELECT FROM pg_roles WHERE rolname = $1`, role, `CREATE ROLE `+role+` LOGIN IN ROLE `+group); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, urlFile), []byte(server.DSN(ownerRole, databaseName)+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("noting the database's address: %w", err)
	}
	return server, nil
}

// stopDatabase stops the private Postgres, which from then on is not to be found.
func stopDatabase(ctx context.Context, dir string, server *privatepg.Server) error {
	err := os.Remove(filepath.Join(dir, urlFile))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, server.Stop(ctx))
}

// ensure makes what a query does not find.
func ensure(ctx context.Context, conn *pgx.Conn, find, name, create string) error {
	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (`+find+`)`, name).Scan(&there); err != nil {
		return fmt.Errorf("looking for %s: %w", name, err)
	}
	if there {
		return nil
	}
	if _, err := conn.Exec(ctx, create); err != nil {
		return fmt.Errorf("making %s: %w", name, err)
	}
	return nil
}

// DatabaseURL is how the database of a running `socialops dev` is reached.
func DatabaseURL(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, urlFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("no inbox runs on %s: start `socialops dev` on it, or name the --data-dir of one that runs", dir)
	}
	if err != nil {
		return "", fmt.Errorf("reading the database's address: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
