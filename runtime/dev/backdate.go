package dev

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/dev/privatepg"
)

// shift says how far what was written since a moment is to be dated back.
type shift struct {
	from time.Time
	by   time.Duration
}

// dateBack moves the times of all that was written between two shifts by the first
// of them, as if the demo's people had written when the play says so. It goes past
// the triggers: what is appended only is not to be changed otherwise.
func (d *process) dateBack(ctx context.Context, shifts []shift) (err error) {
	conn, err := pgx.Connect(ctx, d.server.DSN(privatepg.Superuser, databaseName))
	if err != nil {
		return fmt.Errorf("connecting to the private Postgres: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	from, until, by := make([]time.Time, 0, len(shifts)), make([]time.Time, 0, len(shifts)), make([]float64, 0, len(shifts))
	for i, s := range shifts[:len(shifts)-1] {
		from, until, by = append(from, s.from), append(until, shifts[i+1].from), append(by, s.by.Seconds())
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL session_replication_role = replica`); err != nil {
			return err
		}
		const columns = `SELECT format('UPDATE %I t SET %I = t.%I - make_interval(secs => s.by) FROM unnest($1::timestamptz[], $2::timestamptz[], $3::float8[]) AS s (since, until, by)
 WHERE t.%I >= s.since AND t.%I < s.until', c.table_name, c.column_name, c.column_name, c.column_name, c.column_name)
  FROM information_schema.columns c JOIN information_schema.tables USING (table_schema, table_name)
 WHERE c.table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type = 'timestamp with time zone'
   AND EXISTS (SELECT FROM information_schema.columns i WHERE i.table_schema = 'public' AND i.table_name = c.table_name AND i.column_name = 'instance_id')`
		rows, err := tx.Query(ctx, columns)
		if err != nil {
			return err
		}
		updates, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, update := range updates {
			if _, err := tx.Exec(ctx, update, from, until, by); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("dating the demo back: %w", err)
	}
	return nil
}
