package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// Messages as they are shown: no raw payload, no external id, no provider's
// reference to a file. Each column may be NULL, as a thread need not have a last
// message.
const (
	beforeText = `m.id, m.thread_id, coalesce(m.seq, 0), m.direction, m.origin, m.type, `
	afterText  = `, m.url, m.group_id, m.data,
       m.author_kind, m.author_id, m.author_name, m.parent_id, m.sent_at, m.created_at, m.edited_at,
       d.id, d.status, coalesce(d.attempts, 0), d.error`
	messageColumns = beforeText + `m.text` + afterText
	// One character more than maxLastText tells that it was cut. Few texts have as many bytes.
	lastColumns = beforeText + `CASE WHEN octet_length(m.text) > 2001 THEN left(m.text, 2001) ELSE m.text END` + afterText
)

// maxLastText bounds the text of a last message, in characters: a text may be as
// long as a request's body, and a page shows a hundred of them.
const maxLastText = 2000

const deliveryJoin = `
  LEFT JOIN LATERAL (SELECT x.id, x.status, x.attempts, x.error FROM action x
                      WHERE x.instance_id = $1 AND x.message_id = m.id AND m.direction = 'outbound' AND x.kind = 'send_reply'
                      ORDER BY x.created_at DESC, x.id DESC LIMIT 1) d ON true`

const messagesSQL = `
SELECT ` + messageColumns + `,
       (SELECT jsonb_agg(jsonb_build_object('ID', a.id, 'Kind', a.kind, 'Name', a.name, 'MIMEType', a.mime_type, 'Size', a.size, 'URL', a.url,
                                            'State', a.state, 'Error', a.error) ORDER BY a.position)
          FROM attachment a WHERE a.instance_id = $1 AND a.message_id = m.id)
  FROM message m` + deliveryJoin + `
 WHERE m.instance_id = $1 AND `

// Messages implements [inbox.Store].
func (s *box) Messages(ctx context.Context, id inbox.ThreadID, page inbox.Page) ([]inbox.Message, error) {
	if err := checkPage(page); err != nil {
		return nil, err
	}
	which := `m.thread_id = $2 AND m.seq > $3 ORDER BY m.seq LIMIT $4 OFFSET $5`
	var after int64
	if page.Newest {
		which = `m.thread_id = $2 AND m.seq < $3 ORDER BY m.seq DESC LIMIT $4 OFFSET $5`
		after = math.MaxInt64
	}
	if page.After != nil {
		after = page.After.Seq
	}
	messages, err := s.messages(ctx, which, uid(id), after, page.Limit, page.Offset)
	if err != nil {
		return nil, err
	}
	if len(messages) == 0 {
		there, err := s.queries.ThreadExists(ctx, query.ThreadExistsParams{InstanceID: uid(s.instance), ID: uid(id)})
		if err != nil {
			return nil, codedError(fmt.Errorf("looking for the thread: %w", err))
		}
		if !there {
			return nil, noThread(id)
		}
	}
	return messages, nil
}

// MessagesByID implements [inbox.Store].
func (s *box) MessagesByID(ctx context.Context, ids []inbox.MessageID) ([]inbox.Message, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.messages(ctx, `m.id = ANY ($2::uuid[])`, uids(ids))
}

func (s *box) messages(ctx context.Context, which string, args ...any) ([]inbox.Message, error) {
	rows, err := s.db.Query(ctx, messagesSQL+which, append([]any{s.instance}, args...)...)
	if err != nil {
		return nil, codedError(fmt.Errorf("reading messages: %w", err))
	}
	messages, err := pgx.CollectRows(rows, scanMessage)
	if err != nil {
		return nil, codedError(fmt.Errorf("reading messages: %w", err))
	}
	return messages, nil
}

// messageRow is a row of messageColumns.
type messageRow struct {
	message  inbox.Message
	author   [16]byte
	delivery inbox.Delivery
}

func (r *messageRow) fields() []any {
	m, d := &r.message, &r.delivery
	return []any{
		idInto[inbox.MessageID]{&m.ID},
		idInto[inbox.ThreadID]{&m.ThreadID},
		&m.Seq,
		textInto[inbox.Direction]{&m.Direction},
		textInto[inbox.Origin]{&m.Origin},
		textInto[string]{&m.Type},
		textInto[string]{&m.Text},
		textInto[string]{&m.URL},
		textInto[string]{&m.GroupID},
		&m.Data,
		textInto[string]{&m.Author.Kind},
		idInto[[16]byte]{&r.author},
		textInto[string]{&m.Author.Name},
		idInto[inbox.MessageID]{&m.ParentID},
		timeInto{&m.SentAt},
		timeInto{&m.CreatedAt},
		timeInto{&m.EditedAt},
		idInto[inbox.ActionID]{&d.ActionID},
		textInto[inbox.ActionStatus]{&d.Status},
		&d.Attempts,
		textInto[string]{&d.Error},
	}
}

func (r *messageRow) value() inbox.Message {
	switch a := &r.message.Author; a.Kind {
	case "contact":
		a.ContactID = r.author
	case "agent":
		a.AgentID = r.author
	case "api_key":
		a.KeyID = r.author
	}
	m := r.message
	if d := r.delivery; !d.ActionID.IsZero() {
		m.Delivery = &d
	}
	return m
}

func scanMessage(row pgx.CollectableRow) (inbox.Message, error) {
	var r messageRow
	var files []byte
	if err := row.Scan(append(r.fields(), &files)...); err != nil {
		return inbox.Message{}, err
	}
	m := r.value()
	if files == nil {
		return m, nil
	}
	var attachments []struct {
		inbox.Attachment
		ID pgtype.UUID // in the form that Postgres writes
	}
	if err := json.Unmarshal(files, &attachments); err != nil {
		return m, fmt.Errorf("reading the attachments of a message: %w", err)
	}
	for _, a := range attachments {
		a.Attachment.ID = a.ID.Bytes
		m.Attachments = append(m.Attachments, a.Attachment)
	}
	return m, nil
}
