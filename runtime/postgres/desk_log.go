package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// LogChannel implements [inbox.Desk].
func (d *Desk) LogChannel(ctx context.Context, id inbox.ChannelID, t inbox.EventType, changed []string, actor string) error {
	if t != inbox.EventChannelCreated && t != inbox.EventChannelUpdated {
		return fmt.Errorf("logging a change of a channel: it is none, but %s", t)
	}
	return d.tx(ctx, actor, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT log_channel($1, $2, $3)`, uid(id), string(t), changed); err != nil {
			return fmt.Errorf("logging a change of a channel: %w", err)
		}
		return nil
	})
}

// RawPayloads implements [inbox.Desk]. The look is committed to the log before
// anything is shown: the database shows nothing otherwise.
func (d *Desk) RawPayloads(ctx context.Context, thread inbox.ThreadID, message inbox.MessageID, actor string) (inbox.Raw, error) {
	var raw inbox.Raw
	var shown pgtype.Int8
	err := d.tx(ctx, actor, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT log_raw($1, $2)`, uid(thread), uid(message)).Scan(&shown); err != nil {
			return fmt.Errorf("logging a look at a payload: %w", err)
		}
		return nil
	})
	if err != nil {
		return raw, err
	}
	if !shown.Valid {
		return raw, errNoMessage
	}
	rows, err := d.db.Query(ctx, `SELECT external_thread, external_message, content_type, body, received_at FROM read_raw($1)`, shown.Int64)
	if err != nil {
		return raw, codedError(fmt.Errorf("reading a payload: %w", err))
	}
	found := false
	var p inbox.RawPayload
	_, err = pgx.ForEachRow(rows, []any{
		textInto[string]{&raw.ExternalThreadID}, textInto[string]{&raw.ExternalMessageID}, textInto[string]{&p.ContentType}, &p.Body, timeInto{&p.ReceivedAt},
	}, func() error {
		found = true
		if !p.ReceivedAt.IsZero() {
			raw.Payloads = append(raw.Payloads, p)
		}
		p = inbox.RawPayload{}
		return nil
	})
	switch {
	case err != nil:
		return inbox.Raw{}, codedError(fmt.Errorf("reading a payload: %w", err))
	case !found:
		return raw, errNoMessage // it was removed just now
	}
	return raw, nil
}

var errNoMessage = inbox.Errorf(inbox.CodeNotFound, "there is no such message in this thread")

// byPeople is the condition of the index event_people, word for word: what neither a
// provider nor the worker nor a trigger by itself did.
const byPeople = ` AND actor <> ALL ('{provider,worker,system}'::text[])`

// rarely are types of events that only ever are in the index event_people.
var rarely = map[inbox.EventType]bool{
	inbox.EventMessageDeleted: true, inbox.EventThreadDeleted: true, inbox.EventContactDeleted: true,
	inbox.EventChannelCreated: true, inbox.EventChannelUpdated: true, inbox.EventKeyCreated: true, inbox.EventKeyRevoked: true,
	inbox.EventCreditGranted: true, inbox.EventRawShown: true,
}

// Trail implements [inbox.Desk].
func (d *Desk) Trail(ctx context.Context, f inbox.TrailFilter, page inbox.Page) ([]inbox.Event, error) {
	if err := checkPage(page); err != nil {
		return nil, err
	}
	p := params{d.instance}
	sql := "SELECT " + eventColumns + " FROM event WHERE instance_id = $1"
	if !f.ThreadID.IsZero() {
		sql += " AND actor <> 'provider' AND thread_id = " + p.add(uid(f.ThreadID))
	}
	if f.People || rarely[f.Type] || isPerson(f.Actor) {
		sql += byPeople
	}
	if f.People {
		sql += " AND actor <> ALL ('{retention,operator}'::text[])"
	}
	if f.Actor != "" {
		sql += " AND actor = " + p.add(clean(f.Actor))
	}
	if f.Type != "" {
		sql += " AND type = " + p.add(string(f.Type))
	}
	if page.After != nil {
		sql += " AND seq < " + p.add(page.After.Seq)
	}
	sql += " ORDER BY seq DESC LIMIT " + p.add(page.Limit)
	if page.Offset > 0 {
		sql += " OFFSET " + p.add(page.Offset)
	}
	return d.events(ctx, sql, p...)
}

// isPerson tells an actor that is none of those that byPeople leaves out.
func isPerson(actor string) bool {
	switch actor {
	case "", "provider", "worker", "system":
		return false
	}
	return true
}
