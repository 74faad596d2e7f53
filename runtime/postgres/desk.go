package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/inbox"
)

// Desk is one instance's inbox as people work with it in the console.
type Desk struct {
	box
	pool *pgxpool.Pool
}

var _ inbox.Desk = (*Desk)(nil)

// Ingest implements [inbox.Store]: nothing comes in through the console.
func (*Desk) Ingest(context.Context, inbox.ChannelID, inbox.Inbound) (inbox.Receipt, error) {
	return inbox.Receipt{}, inbox.Errorf(inbox.CodeForbidden, "events come in at the alias's own address, not through the console")
}

// Config implements [inbox.Store], but for what the console may not know: the
// proofs, and the hashes of keys.
func (d *Desk) Config(ctx context.Context) (inbox.Config, error) {
	c, err := d.readSettings(ctx, d.queries)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, errNoInstance(err)
	}
	if err != nil {
		return c, codedError(fmt.Errorf("reading the configuration: %w", err))
	}
	c.Keys, err = d.Keys(ctx)
	return c, err
}

// maxKept bounds the lists that have no pages.
const maxKept = 1000

// Agent implements [inbox.Desk].
func (d *Desk) Agent(ctx context.Context, subject, name string) (inbox.Agent, error) {
	if subject = clean(subject); subject == "" || len(subject) > maxAgentSubject {
		return inbox.Agent{}, inbox.Errorf(inbox.CodeInvalid, "an agent's subject has 1 to %d bytes", maxAgentSubject)
	}
	a := inbox.Agent{Subject: subject}
	name = clean(name)
	err := d.db.QueryRow(ctx, `SELECT id, name FROM agent WHERE instance_id = $1 AND subject = $2`, d.instance, subject).
		Scan(idInto[inbox.AgentID]{&a.ID}, &a.Name)
	if isNoRows(err) || err == nil && name != "" && name != a.Name {
		const put = `
INSERT INTO agent AS a (instance_id, id, subject, name) VALUES ($1, $2, $3, $4)
    ON CONFLICT (instance_id, subject) DO UPDATE SET name = coalesce(nullif(excluded.name, ''), a.name)
RETURNING id, name`
		err = d.db.QueryRow(ctx, put, d.instance, inbox.NewID[inbox.AgentID](d.now()), subject, name).Scan(idInto[inbox.AgentID]{&a.ID}, &a.Name)
	}
	if err != nil {
		return inbox.Agent{}, codedError(fmt.Errorf("finding the agent: %w", err))
	}
	return a, nil
}

// Agents implements [inbox.Desk].
func (d *Desk) Agents(ctx context.Context) ([]inbox.Agent, error) {
	return collect(ctx, d, "agents", func(row pgx.CollectableRow) (a inbox.Agent, err error) {
		err = row.Scan(idInto[inbox.AgentID]{&a.ID}, &a.Subject, &a.Name)
		return a, err
	}, `SELECT id, subject, name FROM agent WHERE instance_id = $1 ORDER BY name, subject LIMIT $2`, maxKept)
}

// collect reads rows of the desk's instance, which is the statement's first parameter.
func collect[T any](ctx context.Context, d *Desk, what string, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	rows, err := d.db.Query(ctx, sql, append([]any{d.instance}, args...)...)
	var out []T
	if err == nil {
		out, err = pgx.CollectRows(rows, scan)
	}
	if err != nil {
		return nil, codedError(fmt.Errorf("reading %s: %w", what, err))
	}
	return out, nil
}
