package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
)

// shape is how much of a thread a list shows. Its statement takes the page's
// threads from a subquery and adds the rest row by row, so that a page is one
// round trip and reads the rows that it shows.
type shape[T any] struct {
	columns, joins string
	scanner        func() func(pgx.CollectableRow) (T, error) // for the rows of one answer
}

// stateColumns are what a page that is read from thread_state has of it already.
const stateColumns = "thread_id, last_activity_at, status, priority, provider, assignee_id, unread, expires_at, last_message_id"

const threadColumns = `t.id, t.provider, t.channel_id, t.contact_id, t.subject, t.ai_summary, t.handler, t.custom_data, t.created_at,
       s.status, s.priority, s.unread, s.last_activity_at, s.expires_at, a.id, a.subject, a.name,
       ARRAY(SELECT l.label FROM thread_label l WHERE l.instance_id = $1 AND l.thread_id = s.thread_id)`

const threadJoins = `
  JOIN thread t ON t.instance_id = $1 AND t.id = s.thread_id
  LEFT JOIN agent a ON a.instance_id = $1 AND a.id = s.assignee_id`

const viewColumns = threadColumns + `,
       c.id, c.name, c.handle, c.url, c.avatar_url, c.blocked_at IS NOT NULL, c.created_at, ` + lastColumns

const viewJoins = threadJoins + `
  LEFT JOIN contact c ON c.instance_id = $1 AND c.id = t.contact_id
  LEFT JOIN message m ON m.instance_id = $1 AND m.id = s.last_message_id` + deliveryJoin

var (
	plainThread = shape[inbox.Thread]{threadColumns, threadJoins, threadScanner}
	threadView  = shape[inbox.ThreadView]{viewColumns, viewJoins, viewScanner}
)

// query reads the threads that a subquery yields, in an order over its columns, of
// table p. It has at least thread_id; whole tells that it has stateColumns.
func (sh shape[T]) query(ctx context.Context, db DB, page string, whole bool, order string, p params) ([]T, error) {
	from := "(" + page + ") p\n CROSS JOIN LATERAL (SELECT p.*) s"
	if !whole {
		from = "(" + page + ") p\n  JOIN thread_state s ON s.instance_id = $1 AND s.thread_id = p.thread_id"
	}
	rows, err := db.Query(ctx, "SELECT "+sh.columns+"\n  FROM "+from+sh.joins+"\n ORDER BY "+order, p...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, sh.scanner())
}

// byIDs reads threads in the order in which they are named; what is gone is left out.
func (sh shape[T]) byIDs(ctx context.Context, s *box, ids []inbox.ThreadID) ([]T, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return sh.query(ctx, s.db, `SELECT u.thread_id, u.place FROM unnest($2::uuid[]) WITH ORDINALITY u (thread_id, place)`, false, "p.place",
		params{s.instance, uids(ids)})
}

// ThreadsByID implements [inbox.Store].
func (s *box) ThreadsByID(ctx context.Context, ids []inbox.ThreadID) ([]inbox.ThreadView, error) {
	views, err := threadView.byIDs(ctx, s, ids)
	if err != nil {
		return nil, codedError(fmt.Errorf("reading threads: %w", err))
	}
	return views, nil
}

// Thread implements [inbox.Store].
func (s *box) Thread(ctx context.Context, id inbox.ThreadID) (inbox.ThreadView, error) {
	views, err := s.ThreadsByID(ctx, []inbox.ThreadID{id})
	if err != nil {
		return inbox.ThreadView{}, err
	}
	if len(views) == 0 {
		return inbox.ThreadView{}, noThread(id)
	}
	return views[0], nil
}

func noThread(id inbox.ThreadID) error {
	return inbox.Errorf(inbox.CodeNotFound, "there is no thread %s here: look it up in /threads", id)
}

// threadRow is a row of threadColumns.
type threadRow struct {
	thread   inbox.Thread
	assignee inbox.Agent
}

func (r *threadRow) fields() []any {
	t, a := &r.thread, &r.assignee
	return []any{
		&t.ID, &t.Provider,
		idInto[inbox.ChannelID]{&t.ChannelID},
		idInto[inbox.ContactID]{&t.ContactID},
		&t.Subject, &t.AISummary,
		textInto[inbox.Handler]{&t.Handler},
		&t.CustomData,
		timeInto{&t.CreatedAt},
		textInto[inbox.Status]{&t.Status},
		textInto[inbox.Priority]{&t.Priority},
		&t.Unread,
		timeInto{&t.LastActivityAt},
		timeInto{&t.ExpiresAt},
		idInto[inbox.AgentID]{&a.ID},
		textInto[string]{&a.Subject},
		textInto[string]{&a.Name},
		&t.Labels,
	}
}

func (r *threadRow) value() inbox.Thread {
	t := r.thread
	if a := r.assignee; !a.ID.IsZero() {
		t.Assignee = &a
	}
	slices.Sort(t.Labels)
	return t
}

// A scanner's targets are made once, not for each row.

func threadScanner() func(pgx.CollectableRow) (inbox.Thread, error) {
	r := &threadRow{}
	fields := r.fields()
	return func(row pgx.CollectableRow) (inbox.Thread, error) {
		*r = threadRow{}
		err := row.Scan(fields...)
		return r.value(), err
	}
}

func viewScanner() func(pgx.CollectableRow) (inbox.ThreadView, error) {
	r, c, m := &threadRow{}, &inbox.Contact{}, &messageRow{}
	fields := append(r.fields(),
		idInto[inbox.ContactID]{&c.ID}, textInto[string]{&c.Name}, textInto[string]{&c.Handle}, textInto[string]{&c.URL},
		textInto[string]{&c.AvatarURL}, &c.Blocked, timeInto{&c.CreatedAt})
	fields = append(fields, m.fields()...)
	return func(row pgx.CollectableRow) (inbox.ThreadView, error) {
		*r, *c, *m = threadRow{}, inbox.Contact{}, messageRow{}
		if err := row.Scan(fields...); err != nil {
			return inbox.ThreadView{}, err
		}
		v := inbox.ThreadView{Thread: r.value()}
		if who := *c; !who.ID.IsZero() {
			v.Contact = &who
		}
		if last := m.value(); !last.ID.IsZero() {
			last.Text = cutLast(last.Text)
			v.LastMessage = &last
		}
		return v, nil
	}
}

// cutLast bounds the text of a last message.
func cutLast(text string) string {
	if len(text) <= maxLastText {
		return text
	}
	n := 0
	for i := range text {
		if n++; n > maxLastText {
			return text[:i] + "…"
		}
	}
	return text
}
