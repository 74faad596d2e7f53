package postgres

import (
	"context"
	"fmt"
	"math/bits"
	"sync"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// Inbox implements [inbox.Store]: threads by last activity, newest first. As in every
// [inbox.ThreadView] made here, the last message comes without its attachments, and a
// long text is cut and ends with "…".
func (s *box) Inbox(ctx context.Context, f inbox.Filter, p inbox.Page) ([]inbox.ThreadView, error) {
	views, err := listThreads(ctx, s, threadView, byActivity, f, p)
	if err != nil {
		return nil, codedError(fmt.Errorf("listing the inbox: %w", err))
	}
	return views, nil
}

// Threads implements [inbox.Store]: threads by id, newest first.
func (s *box) Threads(ctx context.Context, f inbox.Filter, p inbox.Page) ([]inbox.Thread, error) {
	threads, err := listThreads(ctx, s, plainThread, byID, f, p)
	if err != nil {
		return nil, codedError(fmt.Errorf("listing threads: %w", err))
	}
	return threads, nil
}

func listThreads[T any](ctx context.Context, s *box, sh shape[T], o order, f inbox.Filter, page inbox.Page) ([]T, error) {
	c, err := newCriteria(f)
	if err != nil {
		return nil, err
	}
	if err := checkPage(page); err != nil {
		return nil, err
	}
	p := params{s.instance}
	w := newWalk(o, c, page.After, &p)
	places := s.lists.pages
	if !w.rest.none() {
		places = s.lists.searches
	}
	if err := places.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("waiting for other lists: %w", err)
	}
	defer places.Release(1)
	if w.rest.none() {
		// An index has this very list.
		w.whole = w.table == "thread_state"
		first := w.sql(page.Limit)
		if page.Offset > 0 {
			first = fmt.Sprintf("SELECT * FROM (%s) skipped ORDER BY %s LIMIT %d OFFSET %s",
				w.sql(inbox.MaxOffset+page.Limit), o.clause("skipped"), page.Limit, p.add(page.Offset))
		}
		return sh.query(ctx, s.db, first, w.whole, o.clause("p"), p)
	}
	key := fmt.Sprint(s.instance, o, c)
	if !s.lists.sparse.has(key, s.now()) {
		ids, found, err := s.seek(ctx, o, c, page)
		if err != nil {
			return nil, err
		}
		if found {
			return sh.byIDs(ctx, s, ids)
		}
		s.lists.sparse.add(key, s.now())
	}
	return gather(ctx, s, sh, o, c, page)
}

// listsAtOnce is how many lists are read at once of each kind: those that an index
// has, and those that have to be looked for. The others wait in the order of their
// coming. More at once would share Postgres's processors, each taking the longer,
// and leave no connection to what comes in.
const listsAtOnce = MaxConns / 2

// A list that no index has can be had in two ways: walk along one that has the
// order and check each thread, or gather all threads that pass and sort them. The
// first is the better one where every few threads pass, the second where few pass
// at all. Which it is shows after a stretch of the walk, and is remembered for the
// list's next pages and readers.

const (
	stretchFactor = 10     // threads that the first stretch checks, for each one wanted
	longStretch   = 20_000 // threads that are still rather checked than gathered: about as many take as long
)

// seek finds the ids of a page by walking, or tells that they are not found so.
func (s *box) seek(ctx context.Context, o order, c criteria, page inbox.Page) (ids []inbox.ThreadID, found bool, err error) {
	want := page.Offset + page.Limit
	stretch := stretchFactor * want
	ids, ended, err := s.walkStretch(ctx, o, c, page.After, stretch, want)
	if err != nil {
		return nil, false, err
	}
	if !ended && len(ids) > 0 && len(ids) < want {
		// Twice as far as it takes when what lies ahead is as thick as what lies behind.
		if far := 2 * stretch * want / len(ids); far <= max(longStretch, 2*stretch) {
			if ids, ended, err = s.walkStretch(ctx, o, c, page.After, roundUp(far), want); err != nil {
				return nil, false, err
			}
		}
	}
	return ids[min(page.Offset, len(ids)):], ended || len(ids) >= want, nil
}

// roundUp makes few different statements of many different lengths, as each is prepared once.
func roundUp(n int) int { return 1 << bits.Len(uint(n-1)) }

// walkStretch checks the first n threads of a walk until want of them pass. ended
// tells that the walk has no more than these.
func (s *box) walkStretch(ctx context.Context, o order, c criteria, after *inbox.Position, n, want int) (ids []inbox.ThreadID, ended bool, err error) {
	p := params{s.instance}
	w := newWalk(o, c, after, &p)
	sql := fmt.Sprintf(`
WITH passed AS MATERIALIZED (SELECT ARRAY(%s) AS ids)
SELECT ids, CASE WHEN cardinality(ids) < %d THEN NOT EXISTS (SELECT FROM (%s) w OFFSET %d) ELSE false END FROM passed`,
		w.checked(n, want, &p), want, w.sql(n), n-1)
	err = s.db.QueryRow(ctx, sql, p...).Scan(&ids, &ended)
	return ids, ended, err
}

// gather reads all threads that pass and sorts them.
func gather[T any](ctx context.Context, s *box, sh shape[T], o order, c criteria, page inbox.Page) ([]T, error) {
	p := params{s.instance}
	w := newGathering(c, &p)
	w.whole = w.table == "thread_state"
	joins, on := w.rest.checks(w.whole, &p)
	if page.After != nil {
		on += o.after("w.", page.After, &p)
	}
	sql := fmt.Sprintf("SELECT w.* FROM (%s) w%s\n WHERE true%s ORDER BY %s LIMIT %d", w.all(), joins, on, o.clause("w"), page.Limit)
	if page.Offset > 0 {
		sql += " OFFSET " + p.add(page.Offset)
	}
	return sh.query(ctx, s.db, sql, w.whole, o.clause("p"), p)
}

// sparse remembers lists that were better gathered, for a while: what is rare today
// may not be tomorrow.
type sparse struct {
	mu    sync.Mutex
	until map[string]time.Time
}

const (
	sparseFor  = time.Minute
	mostSparse = 256 // lists remembered
)

func (l *sparse) has(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Before(l.until[key])
}

func (l *sparse) add(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.until == nil || len(l.until) >= mostSparse {
		l.until = map[string]time.Time{}
	}
	l.until[key] = now.Add(sparseFor)
}
