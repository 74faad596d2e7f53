package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
)

// mostCounted is how many threads a count looks at, where it has to look at each.
const mostCounted = 50_000

// maxCounts bounds the filters that are counted at once.
const maxCounts = 100

// Counts implements [inbox.Desk].
func (d *Desk) Counts(ctx context.Context, filters []inbox.Filter) ([]int, error) {
	if len(filters) > maxCounts {
		return nil, inbox.Errorf(inbox.CodeInvalid, "at most %d filters are counted at once", maxCounts)
	}
	counts := make([]int, len(filters))
	if len(filters) == 0 {
		return counts, nil
	}
	b := &pgx.Batch{}
	places := d.lists.pages
	for i, f := range filters {
		c, err := newCriteria(f)
		if err != nil {
			return nil, err
		}
		sql, p, searched := count(c, d.instance)
		if searched {
			places = d.lists.searches
		}
		b.Queue(sql, p...).QueryRow(func(row pgx.Row) error { return row.Scan(&counts[i]) })
	}
	if err := places.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("waiting for other lists: %w", err)
	}
	defer places.Release(1)
	if err := d.db.SendBatch(ctx, b).Close(); err != nil {
		return nil, codedError(fmt.Errorf("counting threads: %w", err))
	}
	return counts, nil
}

// count counts threads up to one more than [inbox.MaxCount]. searched tells that no
// index has just these.
func count(c criteria, instance inbox.InstanceID) (sql string, p params, searched bool) {
	const most = inbox.MaxCount + 1
	p = params{instance}
	if c.words != "" {
		w := newGathering(c, &p)
		joins, on := w.rest.checks(true, &p)
		w.whole = true
		return fmt.Sprintf("SELECT count(*) FROM (SELECT FROM (%s) w%s\n WHERE true%s LIMIT %d) counted", w.all(), joins, on, most), p, true
	}
	w := newWalk(byActivity, c, nil, &p)
	if w.rest.none() {
		return fmt.Sprintf("SELECT count(*) FROM (%s) counted", w.sql(most)), p, false
	}
	return fmt.Sprintf("SELECT count(*) FROM (%s) counted", w.checked(mostCounted, most, &p)), p, true
}

// Labels implements [inbox.Desk]. It steps from each label to the next one in the
// index, however many threads have it, and through at most mostLabels of them.
func (d *Desk) Labels(ctx context.Context, prefix string, limit int) ([]string, error) {
	if limit < 1 || limit > maxLimit {
		return nil, inbox.Errorf(inbox.CodeInvalid, "limit: want 1 to %d", maxLimit)
	}
	const step = `
WITH RECURSIVE used AS (
  (SELECT label, 1 AS n FROM thread_label WHERE instance_id = $1 ORDER BY label LIMIT 1)
  UNION ALL
  SELECT next.label, u.n + 1
    FROM used u CROSS JOIN LATERAL (SELECT l.label FROM thread_label l WHERE l.instance_id = $1 AND l.label > u.label ORDER BY l.label LIMIT 1) next
   WHERE u.n < $4
)
SELECT label FROM used WHERE lower(left(label, length($2))) = lower($2) LIMIT $3`
	const mostLabels = 10_000
	return collect(ctx, d, "labels", pgx.RowTo[string], step, clean(prefix), limit, mostLabels)
}
