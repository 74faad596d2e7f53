package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
)

// Channels implements [inbox.Desk].
func (d *Desk) Channels(ctx context.Context) ([]inbox.DeskChannel, error) {
	const list = `
SELECT id, provider, name, account_id, source, external_id, parse_mode, active, is_default, removed_at, created_at
  FROM channel WHERE instance_id = $1 AND uid <> '' ORDER BY created_at, id LIMIT $2`
	return collect(ctx, d, "channels", func(row pgx.CollectableRow) (c inbox.DeskChannel, err error) {
		err = row.Scan(idInto[inbox.ChannelID]{&c.ID}, &c.Provider, &c.Name, idInto[inbox.AccountID]{&c.AccountID}, &c.Source, textInto[string]{&c.ExternalID},
			&c.ParseMode, &c.Active, &c.Default, timeInto{&c.RemovedAt}, timeInto{&c.CreatedAt})
		return c, err
	}, list, maxKept)
}

// Accounts implements [inbox.Desk].
func (d *Desk) Accounts(ctx context.Context, owner string) ([]inbox.DeskAccount, error) {
	const list = `
SELECT a.id, a.name, a.kind, a.display_name, a.source, a.identified_at, a.removed_at IS NOT NULL
  FROM instance i JOIN account a ON a.install_id = i.install_id AND a.namespace = i.namespace
 WHERE i.id = $1 AND a.owner = $2 ORDER BY a.name LIMIT $3`
	owner = clean(owner)
	of := &Desk{pool: d.pool, box: box{db: &scoped{pool: d.pool, instance: d.instance.UUID(), owner: owner}, instance: d.instance}}
	return collect(ctx, of, "connected accounts", func(row pgx.CollectableRow) (a inbox.DeskAccount, err error) {
		err = row.Scan(idInto[inbox.AccountID]{&a.ID}, &a.Name, &a.Kind, &a.DisplayName, &a.Source, timeInto{&a.IdentifiedAt}, &a.Removed)
		return a, err
	}, list, owner, maxKept)
}
