package postgres

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
)

// Inbox implements [inbox.Store]: threads by last activity, newest first. As in every
// [inbox.ThreadView] made here, the last message comes without its attachments, and a
// long text is cut and ends with "…".
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
func roundUp(n int) int { return 1 << bits.Len(uint(n-1)) }

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
	p := params{s.instance}
	w := newGathering(c, &p)
	joins, on := w.rest.checks(w.table == "thread_state", &p)
	if after != nil {
		on += o.after("w.", after, &p)
	}
	rows, err := s.pool.Query(ctx, fmt.Sprintf("SELECT w.thread_id FROM (%s) w%s\n WHERE true%s ORDER BY %s LIMIT %d",
		w.all(), joins, on, o.clause("w"), want), p...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[inbox.ThreadID])
}
