package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// Rows that one transaction of the retention removes at most. That of messages is
// lower, as several rows hang on each.
const (
	expireMessages = 500
	expireRaw      = 1000
	expireEvents   = 5000
)

// Expire implements [inbox.Queue].
func (q *Queue) Expire(ctx context.Context, budget time.Duration) (removed inbox.Removed, more bool, err error) {
	until := time.Now().Add(budget)
	rows, err := q.queries.RetentionDue(ctx)
	if err != nil {
		return removed, false, fmt.Errorf("looking for what is kept no longer: %w", err)
	}
	// In no order, so that those that the last budget did not last for have their turn.
	rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] }) //nolint:gosec // spreads workers out
	due := make([]*expiry, len(rows))
	for i, r := range rows {
		due[i] = &expiry{instance: r.InstanceID, kind: r.Kind, payload: pgtype.UUID{Valid: true}}
	}
	var errs []error
	for len(due) > 0 {
		var rest []*expiry
		for i, e := range due {
			if time.Now().After(until) || ctx.Err() != nil {
				return removed, len(rest)+len(due)-i > 0, errors.Join(append(errs, ctx.Err())...)
			}
			some, err := e.step(ctx, q.queries)
			removed.Add(some)
			switch sqlState(err) {
			case stateDeadlock, stateSerialization: // the others go first; there is a next time
				continue
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("removing what instance %s keeps no longer (%s): %w", e.instance, e.kind, err))
				continue
			}
			if some != (inbox.Removed{}) {
				rest = append(rest, e)
			}
		}
		due = rest
	}
	return removed, false, errors.Join(errs...)
}

// expiry is one kind of an instance's rows on their way out. It remembers how far
// it got, as what was just removed is still in the index, in the way of a search
// from the beginning.
type expiry struct {
	instance pgtype.UUID
	kind     string
	payload  pgtype.UUID
	event    int64
}

// step removes a batch; that nothing was removed means that nothing is left.
func (e *expiry) step(ctx context.Context, q *query.Queries) (inbox.Removed, error) {
	switch e.kind {
	case "thread":
		r, err := q.ExpireThreads(ctx, query.ExpireThreadsParams{InstanceID: e.instance, Most: expireMessages})
		return inbox.Removed{Threads: r.Threads, Messages: r.Messages, RawPayloads: r.RawPayloads, Attachments: r.Attachments, Actions: r.Actions}, err
	case "raw_payload":
		r, err := q.ExpireRawPayloads(ctx, query.ExpireRawPayloadsParams{InstanceID: e.instance, After: e.payload, Most: expireRaw})
		if err == nil {
			e.payload = r.Last
		}
		return inbox.Removed{RawPayloads: r.Removed}, err
	case "event":
		r, err := q.ExpireEvents(ctx, query.ExpireEventsParams{InstanceID: e.instance, After: e.event, Most: expireEvents})
		if err == nil {
			e.event = r.Last
		}
		return inbox.Removed{Events: r.Removed}, err
	}
	return inbox.Removed{}, nil // of a newer schema: for its own worker to remove
}
