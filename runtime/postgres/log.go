package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// Events implements [inbox.Store].
func (s *Store) Events(ctx context.Context, after int64, limit int) ([]inbox.Event, error) {
	if limit < 1 || limit > maxLimit {
		return nil, inbox.Errorf(inbox.CodeInvalid, "limit: want 1 to %d", maxLimit)
	}
	rows, err := s.queries.ListEvents(ctx, query.ListEventsParams{InstanceID: uid(s.instance), After: after, Most: int32(limit)})
	if err != nil {
		return nil, codedError(fmt.Errorf("reading events: %w", err))
	}
	events := make([]inbox.Event, len(rows))
	for i, r := range rows {
		events[i] = inbox.Event{
			Seq: r.Seq, Type: inbox.EventType(r.Type), ThreadID: r.ThreadID.Bytes, MessageID: r.MessageID.Bytes, ActionID: r.ActionID.Bytes,
			ContactID: r.ContactID.Bytes, Changed: r.Changed, Status: inbox.ActionStatus(r.Status.String), Detail: r.Detail.String, Actor: r.Actor, At: utc(r.At),
		}
	}
	return events, nil
}

// LastEvent implements [inbox.Store].
func (s *Store) LastEvent(ctx context.Context) (int64, error) {
	seq, err := s.queries.LastEvent(ctx, uid(s.instance))
	if err != nil {
		return 0, codedError(fmt.Errorf("reading the newest event: %w", err))
	}
	return seq, nil
}

// Usage implements [inbox.Store]. The period begins with from and ends before to;
// a zero time leaves it open.
func (s *Store) Usage(ctx context.Context, from, to time.Time) (inbox.Usage, error) {
	since := pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.NegativeInfinity}
	if !from.IsZero() {
		since = timestamp(from)
	}
	until := pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.Infinity}
	if !to.IsZero() {
		until = timestamp(to)
	}
	rows, err := s.queries.GetUsage(ctx, query.GetUsageParams{InstanceID: uid(s.instance), Since: since, Until: until})
	if err != nil {
		return inbox.Usage{}, codedError(fmt.Errorf("summing up the ledger: %w", err))
	}
	u := inbox.Usage{Entries: make(map[inbox.EntryKind]inbox.EntrySum, len(inbox.EntryKinds))}
	for _, kind := range inbox.EntryKinds {
		u.Entries[kind] = inbox.EntrySum{}
	}
	for _, r := range rows {
		u.Balance, u.Mode = inbox.MicroUSD(r.Balance), inbox.BillingMode(r.BillingMode)
		if r.Kind != "" { // else there is no entry at all
			u.Entries[inbox.EntryKind(r.Kind)] = inbox.EntrySum{Count: r.Entries, Sum: inbox.MicroUSD(r.Sum)}
		}
	}
	return u, nil
}
