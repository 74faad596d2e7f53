package postgres

import (
	"context"
	"fmt"
	"math/bits"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
)

// Inbox implements [inbox.Store]: threads by last activity, newest first. The last
// message comes without its attachments.
func (s *Store) Inbox(ctx context.Context, f inbox.Filter, p inbox.Page) ([]inbox.ThreadView, error) {
	views, err := listThreads(ctx, s, threadView, byActivity, f, p)
	if err != nil {
		return nil, codedError(fmt.Errorf("listing the inbox: %w", err))
	}
	return views, nil
}

// Threads implements [inbox.Store]: threads by id, newest first.
func (s *Store) Threads(ctx context.Context, f inbox.Filter, p inbox.Page) ([]inbox.Thread, error) {
	threads, err := listThreads(ctx, s, plainThread, byID, f, p)
	if err != nil {
		return nil, codedError(fmt.Errorf("listing threads: %w", err))
	}
	return threads, nil
}

func listThreads[T any](ctx context.Context, s *Store, sh shape[T], o order, f inbox.Filter, page inbox.Page) ([]T, error) {
	c, err := newCriteria(f)
	if err != nil {
		return nil, err
	}
	if err := checkPage(page); err != nil {
		return nil, err
	}
	p := params{s.instance}
	if w := newWalk(o, c, page.After, &p); w.rest.none() {
		// An index has this very list.
		first := w.sql(page.Limit)
		if page.Offset > 0 {
			first = fmt.Sprintf("SELECT * FROM (%s) skipped ORDER BY %s LIMIT %d OFFSET %s",
				w.sql(inbox.MaxOffset+page.Limit), o.clause("skipped"), page.Limit, p.add(page.Offset))
		}
		return sh.query(ctx, s.pool, first, o.clause("p"), p)
	}
	ids, err := s.seek(ctx, o, c, page)
	if err != nil {
		return nil, err
	}
	return sh.byIDs(ctx, s, ids)
}

// A list that no index has can be had in two ways: walk along one that has the
// order and check each thread, or gather all threads that pass and sort them. The
// first is the better one where every few threads pass, the second where few pass
// at all. Which it is shows after a stretch of the walk.

const (
	stretchFactor = 10     // threads that the first stretch checks, for each one wanted
	longStretch   = 20_000 // threads that are still rather checked than gathered: about as many take as long
)

// seek finds the ids of a page.
func (s *Store) seek(ctx context.Context, o order, c criteria, page inbox.Page) ([]inbox.ThreadID, error) {
	want := page.Offset + page.Limit
	stretch := stretchFactor * want
	ids, ended, err := s.walkStretch(ctx, o, c, page.After, stretch, want)
	if err != nil {
		return nil, err
	}
	if !ended && len(ids) > 0 && len(ids) < want {
		// Twice as far as it takes when what lies ahead is as thick as what lies behind.
		if far := 2 * stretch * want / len(ids); far <= max(longStretch, 2*stretch) {
			if ids, ended, err = s.walkStretch(ctx, o, c, page.After, roundUp(far), want); err != nil {
				return nil, err
			}
		}
	}
	if !ended && len(ids) < want {
		if ids, err = s.gather(ctx, o, c, page.After, want); err != nil {
			return nil, err
		}
	}
	return ids[min(page.Offset, len(ids)):], nil
}

// roundUp makes few different statements of many different lengths, as each is prepared once.
func roundUp(n int) int { return 1 << bits.Len(uint(n-1)) } //nolint:gosec // n is at least 1

// walkStretch checks the first n threads of a walk until want of them pass. ended
// tells that the walk has no more than these.
func (s *Store) walkStretch(ctx context.Context, o order, c criteria, after *inbox.Position, n, want int) (ids []inbox.ThreadID, ended bool, err error) {
	p := params{s.instance}
	w := newWalk(o, c, after, &p)
	sql := fmt.Sprintf(`
WITH passed AS MATERIALIZED (SELECT ARRAY(%s) AS ids)
SELECT ids, CASE WHEN cardinality(ids) < %d THEN NOT EXISTS (SELECT FROM (%s) w OFFSET %d) ELSE false END FROM passed`,
		w.checked(n, want, &p), want, w.sql(n), n-1)
	err = s.pool.QueryRow(ctx, sql, p...).Scan(&ids, &ended)
	return ids, ended, err
}

// gather reads all threads that pass and sorts them.
func (s *Store) gather(ctx context.Context, o order, c criteria, after *inbox.Position, want int) ([]inbox.ThreadID, error) {
	sql, p := s.gatherSQL(o, c, after, want)
	rows, err := s.pool.Query(ctx, sql, p...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[inbox.ThreadID])
}

func (s *Store) gatherSQL(o order, c criteria, after *inbox.Position, want int) (string, params) {
	if o == byID && c.label == "" && !c.ofState() {
		p := params{}
		sql := fmt.Sprintf("SELECT g.thread_id FROM search_threads(%s) g (thread_id) WHERE true", p.add(c.words))
		if after != nil {
			sql += o.after(after, &p)
		}
		return fmt.Sprintf("%s ORDER BY %s LIMIT %d", sql, o.clause("g"), want), p
	}
	p := params{s.instance}
	from, on := []string{"thread_state s"}, []string{"s.instance_id = $1"}
	if c.statuses == nil {
		c.statuses = inbox.Statuses // it leads the indexes
	}
	on = append(on, c.onState(&p, "s")...)
	if c.label != "" {
		from = append(from, "thread_label l")
		on = append(on, "l.instance_id = $1", "l.thread_id = s.thread_id", "l.label = "+p.add(c.label), c.onStatus(&p, "l"))
	}
	if c.words != "" {
		from = append(from, fmt.Sprintf("search_threads(%s) f (thread_id)", p.add(c.words)))
		on = append(on, "f.thread_id = s.thread_id")
	}
	begin := ""
	if after != nil {
		begin = " WHERE true" + o.after(after, &p)
	}
	return fmt.Sprintf("SELECT thread_id FROM (SELECT s.thread_id, s.last_activity_at FROM %s\n WHERE %s OFFSET 0) g%s ORDER BY %s LIMIT %d",
		strings.Join(from, ", "), strings.Join(on, " AND "), begin, o.clause("g"), want), p
}
