package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// scoped is the console's pool with the settings that its role's policies go by.
// Each statement is a transaction with them: both go to Postgres as one pipeline,
// which is a transaction without being told so, for the time of one statement. It
// leaves nothing on the connection, so that it works behind a transaction-mode pooler.
type scoped struct {
	pool            *pgxpool.Pool
	instance, owner string // as SQL text; empty: none
}

var _ database = (*scoped)(nil)

const setScope = `SELECT set_config('socialops.instance_id', $1, true), set_config('socialops.owner', $2, true)`

// send sends a batch behind the settings.
func (s *scoped) send(ctx context.Context, queries ...*pgx.QueuedQuery) (pgx.BatchResults, error) {
	b := &pgx.Batch{}
	b.Queue(setScope, s.instance, s.owner)
	b.QueuedQueries = append(b.QueuedQueries, queries...)
	results := s.pool.SendBatch(ctx, b)
	_, err := results.Exec()
	return results, err
}

// Exec implements [DB].
func (s *scoped) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	results, err := s.send(ctx, &pgx.QueuedQuery{SQL: sql, Arguments: args})
	var tag pgconn.CommandTag
	if err == nil {
		tag, err = results.Exec()
	}
	return tag, either(err, results.Close())
}

// Query implements [DB].
func (s *scoped) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	results, err := s.send(ctx, &pgx.QueuedQuery{SQL: sql, Arguments: args})
	rows, queryErr := results.Query() // one that holds the error, if there is one
	scoped := &scopedRows{Rows: rows, results: results}
	if err = either(err, queryErr); err != nil {
		scoped.Close()
		return scoped, err
	}
	return scoped, nil
}

// QueryRow implements [DB].
func (s *scoped) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	results, err := s.send(ctx, &pgx.QueuedQuery{SQL: sql, Arguments: args})
	return &scopedRow{results: results, err: err}
}

// SendBatch implements [DB].
func (s *scoped) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	results, err := s.send(ctx, b.QueuedQueries...)
	if err != nil {
		_ = results.Close()
		return pgx.FailedBatchResults(b, err)
	}
	return results
}

// Begin begins a transaction with the settings, in one round trip.
func (s *scoped) Begin(ctx context.Context) (pgx.Tx, error) {
	// The instance is hexadecimal digits and dashes. An owner is anybody's text, and needed by no transaction.
	return s.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: "begin; set local socialops.instance_id = '" + s.instance + "'"}) //nolint:wrapcheck // callers say what they were doing
}

func either(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// scopedRows ends its transaction when it is closed. Only then is it known to have committed.
type scopedRows struct {
	pgx.Rows
	results pgx.BatchResults
	closed  bool
	err     error
}

func (r *scopedRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *scopedRows) Close() {
	if r.closed {
		return
	}
	r.closed = true
	r.Rows.Close()
	r.err = either(r.Rows.Err(), r.results.Close())
}

func (r *scopedRows) Err() error { return either(r.Rows.Err(), r.err) }

func (r *scopedRows) Scan(dest ...any) error {
	err := r.Rows.Scan(dest...)
	if err != nil { // which has closed the rows
		r.Close()
	}
	return err //nolint:wrapcheck // the rows' own
}

type scopedRow struct {
	results pgx.BatchResults
	err     error
}

func (r *scopedRow) Scan(dest ...any) error {
	err := r.err
	if err == nil {
		err = r.results.QueryRow().Scan(dest...)
	}
	return either(err, r.results.Close())
}
