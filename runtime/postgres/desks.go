package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// MinConsoleSchema is the oldest schema version that a console of this binary works on.
const MinConsoleSchema = 24

// CheckConsoleSchema is [CheckSchema] for a console, which needs more of the schema
// than the other parts.
func CheckConsoleSchema(ctx context.Context, db DB) error {
	return checkSchema(ctx, db, MinConsoleSchema)
}

// Desks are the inboxes of a console's users, all through one pool: of which
// instance a statement is goes with it, and the role's policies go by that.
type Desks struct {
	pool   *pgxpool.Pool
	now    func() time.Time
	queued func()
	lists  *lists
}

var _ inbox.Desks = (*Desks)(nil)

// DesksOptions are what Desks can do without.
type DesksOptions struct {
	Now    func() time.Time // the clock; nil: time.Now
	Queued func()           // called after an action was committed, to wake workers; nil: they poll
}

// NewDesks makes the console's desks on a pool that is open as a member of
// socialops_console. The pool is the caller's to close.
func NewDesks(pool *pgxpool.Pool, o DesksOptions) *Desks {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Queued == nil {
		o.Queued = func() {}
	}
	return &Desks{pool: pool, now: o.Now, queued: o.Queued, lists: newLists(max(1, int64(pool.Config().MaxConns)/2))}
}

// Desk implements [inbox.Desks].
func (d *Desks) Desk(id inbox.InstanceID) inbox.Desk {
	db := &scoped{pool: d.pool, instance: id.UUID()}
	return &Desk{pool: d.pool, box: box{db: db, instance: id, now: d.now, queries: query.New(db), lists: d.lists, queued: d.queued}}
}

// ownedColumns are those of scanOwned.
const ownedColumns = `i.id, i.alias, i.owner, i.providers, i.billing_account, i.billing_mode, i.inbound_price, i.reply_price, i.rate_limit, i.rate_burst,
       i.body_limit, i.suspended, i.thread_days, i.raw_payload_days, i.event_days, i.namespace, i.name, i.created_at`

// inForce is the condition of an instance that has a manifest.
const inForce = ` AND i.retired_at IS NULL AND i.purge_at IS NULL`

func scanOwned(row pgx.CollectableRow) (o inbox.OwnedInstance, err error) {
	err = row.Scan(idInto[inbox.InstanceID]{&o.ID}, &o.Alias, &o.Owner, &o.Providers, &o.BillingAccount, textInto[inbox.BillingMode]{&o.BillingMode},
		(*int64)(&o.InboundPrice), (*int64)(&o.ReplyPrice), &o.RateLimit, &o.RateBurst, &o.BodyLimit, &o.Suspended,
		&o.Retention.ThreadDays, &o.Retention.RawPayloadDays, &o.Retention.EventDays, &o.Namespace, &o.Name, timeInto{&o.CreatedAt}, &o.Unread)
	return o, err
}

// Owned implements [inbox.Desks].
func (d *Desks) Owned(ctx context.Context, owner string) ([]inbox.OwnedInstance, error) {
	const list = `SELECT ` + ownedColumns + `, coalesce(u.unread, 0) FROM instance i LEFT JOIN owned_unread($2) u ON u.instance = i.id
 WHERE i.owner = $1` + inForce + ` ORDER BY i.alias`
	rows, err := d.of(owner).Query(ctx, list, clean(owner), inbox.MaxCount+1)
	var owned []inbox.OwnedInstance
	if err == nil {
		owned, err = pgx.CollectRows(rows, scanOwned)
	}
	if err != nil {
		return nil, codedError(fmt.Errorf("listing somebody's instances: %w", err))
	}
	return owned, nil
}

// Find implements [inbox.Desks].
func (d *Desks) Find(ctx context.Context, owner, alias string) (inbox.OwnedInstance, error) {
	const find = `SELECT ` + ownedColumns + `, 0 FROM instance i WHERE i.owner = $1 AND i.alias = $2` + inForce
	rows, err := d.of(owner).Query(ctx, find, clean(owner), clean(alias))
	var o inbox.OwnedInstance
	if err == nil {
		o, err = pgx.CollectExactlyOneRow(rows, scanOwned)
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return o, inbox.Errorf(inbox.CodeNotFound, "there is no such instance, or it is not yours: the list of yours is at /instances")
	case err != nil:
		return o, codedError(fmt.Errorf("finding an instance: %w", err))
	}
	return o, nil
}

func (d *Desks) of(owner string) *scoped { return &scoped{pool: d.pool, owner: clean(owner)} }

// Credit implements [inbox.Desks].
func (d *Desks) Credit(ctx context.Context, alias string, amount inbox.MicroUSD, reference, actor string) (inbox.MicroUSD, bool, error) {
	if err := checkCredit(amount, reference); err != nil {
		return 0, false, err
	}
	var granted, balance pgtype.Int8
	var repeated bool
	err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, setActor, actor); err != nil {
			return fmt.Errorf("naming the actor: %w", err)
		}
		return tx.QueryRow(ctx, `SELECT granted, balance, repeated FROM grant_credit($1, $2, $3)`, clean(alias), int64(amount), reference).Scan(&granted, &balance, &repeated)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return 0, false, errNoAlias(alias)
	case err != nil:
		return 0, false, codedError(fmt.Errorf("crediting alias %s: %w", alias, err))
	case granted.Int64 != int64(amount):
		return 0, false, errOtherCredit
	}
	return inbox.MicroUSD(balance.Int64), repeated, nil
}
