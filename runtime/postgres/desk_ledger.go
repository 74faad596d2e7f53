package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
)

// maxSteps bounds what charges are summed up by.
const maxSteps = 1000

// Charges implements [inbox.Desk].
func (d *Desk) Charges(ctx context.Context, from, to time.Time, step inbox.Step) ([]inbox.Charge, error) {
	length := map[inbox.Step]time.Duration{inbox.StepHour: time.Hour, inbox.StepDay: 24 * time.Hour}[step]
	switch {
	case length == 0:
		return nil, inbox.Errorf(inbox.CodeInvalid, "step: want %s or %s", inbox.StepHour, inbox.StepDay)
	case !from.Before(to), to.Sub(from) > maxSteps*length:
		return nil, inbox.Errorf(inbox.CodeInvalid, "from, to: want a period of at most %d steps", maxSteps)
	}
	const sum = `
SELECT date_trunc($2, created_at, 'UTC') AS at, kind, count(*), sum(amount)::bigint
  FROM ledger WHERE instance_id = $1 AND created_at >= $3 AND created_at < $4 GROUP BY 1, 2 ORDER BY 1`
	type row struct {
		at   time.Time
		kind inbox.EntryKind
		sum  inbox.EntrySum
	}
	rows, err := collect(ctx, d, "charges", func(r pgx.CollectableRow) (c row, err error) {
		err = r.Scan(timeInto{&c.at}, textInto[inbox.EntryKind]{&c.kind}, &c.sum.Count, (*int64)(&c.sum.Sum))
		return c, err
	}, sum, string(step), from, to)
	if err != nil {
		return nil, err
	}
	var charges []inbox.Charge
	for _, r := range rows {
		if n := len(charges); n == 0 || !charges[n-1].At.Equal(r.at) {
			charges = append(charges, inbox.Charge{At: r.at, Entries: map[inbox.EntryKind]inbox.EntrySum{}})
		}
		charges[len(charges)-1].Entries[r.kind] = r.sum
	}
	return charges, nil
}

// Some kinds are few among the others: those are gathered by reference, which begins
// with the kind, rather than looked for along the time. The bounds hold in whatever
// order the database has its letters.
var seldom = map[inbox.EntryKind]string{
	inbox.EntryCredit: `reference >= 'credit' AND reference < 'd'`,
	inbox.EntryRefund: `reference >= 'refund' AND reference < 'reg'`,
}

// Entries implements [inbox.Desk].
func (d *Desk) Entries(ctx context.Context, kind inbox.EntryKind, limit int, after *inbox.EntryPosition) ([]inbox.Entry, error) {
	if err := checkPage(inbox.Page{Limit: limit}); err != nil {
		return nil, err
	}
	var p params
	p.add(d.instance)
	from, where := "ledger", "instance_id = $1"
	if within, ok := seldom[kind]; ok {
		from, where = "(SELECT * FROM ledger WHERE instance_id = $1 AND "+within+" OFFSET 0) few", "true"
	}
	if kind != "" {
		where += " AND kind = " + p.add(string(kind))
	}
	if after != nil {
		at := p.add(after.At)
		where += " AND created_at <= " + at + " AND (created_at, reference) < (" + at + ", " + p.add(clean(after.Reference)) + ")"
	}
	return collect(ctx, d, "the ledger", func(row pgx.CollectableRow) (e inbox.Entry, err error) {
		err = row.Scan(&e.Reference, textInto[inbox.EntryKind]{&e.Kind}, (*int64)(&e.Amount), timeInto{&e.At})
		return e, err
	}, "SELECT reference, kind, amount, created_at FROM "+from+" WHERE "+where+" ORDER BY created_at DESC, reference DESC LIMIT "+p.add(limit), p[1:]...)
}
