package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// What events are read of. The second is for a schema of before version 21, on which a
// runtime of this version works too.
const (
	oldEventColumns = "seq, type, thread_id, message_id, action_id, contact_id, changed, status, detail, actor, at"
	eventColumns    = oldEventColumns + ", channel_id, key_id"
)

// oldSchemaFor is how long a schema that was found to be old is taken to be so.
const oldSchemaFor = time.Minute

// Events implements [inbox.Store].
func (s *box) Events(ctx context.Context, after int64, limit int) ([]inbox.Event, error) {
	if limit < 1 || limit > maxLimit {
		return nil, inbox.Errorf(inbox.CodeInvalid, "limit: want 1 to %d", maxLimit)
	}
	const from = " FROM event WHERE instance_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"
	if s.now().UnixNano() >= s.oldLog.Load() {
		events, err := s.events(ctx, "SELECT "+eventColumns+from, s.instance, after, limit)
		if sqlState(err) != stateUndefinedColumn {
			return events, err
		}
		s.oldLog.Store(s.now().Add(oldSchemaFor).UnixNano())
	}
	return s.events(ctx, "SELECT "+oldEventColumns+from, s.instance, after, limit)
}

func (s *box) events(ctx context.Context, sql string, args ...any) ([]inbox.Event, error) {
	rows, err := s.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, codedError(fmt.Errorf("reading events: %w", err))
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, codedError(fmt.Errorf("reading events: %w", err))
	}
	return events, nil
}

// scanEvent reads a row of eventColumns, or of oldEventColumns.
func scanEvent(row pgx.CollectableRow) (inbox.Event, error) {
	var e inbox.Event
	fields := []any{
		&e.Seq,
		textInto[inbox.EventType]{&e.Type},
		idInto[inbox.ThreadID]{&e.ThreadID},
		idInto[inbox.MessageID]{&e.MessageID},
		idInto[inbox.ActionID]{&e.ActionID},
		idInto[inbox.ContactID]{&e.ContactID},
		&e.Changed,
		textInto[inbox.ActionStatus]{&e.Status},
		textInto[string]{&e.Detail},
		&e.Actor,
		timeInto{&e.At},
		idInto[inbox.ChannelID]{&e.ChannelID},
		idInto[inbox.KeyID]{&e.KeyID},
	}
	err := row.Scan(fields[:len(row.FieldDescriptions())]...)
	if e.Type == inbox.EventThreadUpdated {
		e.Status, e.ThreadStatus = "", inbox.Status(e.Status)
	}
	return e, err
}

// LastEvent implements [inbox.Store].
func (s *box) LastEvent(ctx context.Context) (int64, error) {
	seq, err := s.queries.LastEvent(ctx, uid(s.instance))
	if err != nil {
		return 0, codedError(fmt.Errorf("reading the newest event: %w", err))
	}
	return seq, nil
}

// Usage implements [inbox.Store]. The period begins with from and ends before to;
// a zero time leaves it open.
func (s *box) Usage(ctx context.Context, from, to time.Time) (inbox.Usage, error) {
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
