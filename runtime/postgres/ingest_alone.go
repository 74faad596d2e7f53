package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// Whether the event is new is known before its message is stored, but not to us:
// all statements are under way by then. So the message of one that is not divides
// by zero, which ends the transaction. And so does a thread that was removed since
// it was found: a message without one is refused, and all is tried again.
const insertMessage = `
INSERT INTO message (instance_id, id, thread_id, seq, source, external_id, direction, origin, type, text, url, group_id, data,
                     author_kind, author_id, author_name, parent_id, sent_at)
SELECT $1, $2, t.id,
       s.message_seq / CASE WHEN $3::uuid IS NULL THEN 1 ELSE (SELECT count(*) FROM event_receipt WHERE instance_id = $1 AND key = $3 AND message_id = $2) END,
       $4, $5, $6, $7, $8, $9, $10, $11, $12::text::jsonb, $13, c.id, $14, p.id, $15
  FROM (SELECT) one
  LEFT JOIN LATERAL (SELECT id FROM thread WHERE instance_id = $1 AND source = $4 AND external_id = $16 ORDER BY episode DESC LIMIT 1) t ON true
  LEFT JOIN LATERAL (SELECT message_seq FROM thread_state WHERE instance_id = $1 AND thread_id = t.id LIMIT 1) s ON true
  LEFT JOIN LATERAL (SELECT id FROM contact WHERE instance_id = $1 AND source = $4 AND external_id = $17 LIMIT 1) c ON true
  LEFT JOIN LATERAL (SELECT id FROM message WHERE instance_id = $1 AND source = $4 AND external_id = $18 LIMIT 1) p ON true`

const labelThread = `
INSERT INTO thread_label (instance_id, thread_id, label, status, last_activity_at)
SELECT $1, t.id, l.label, s.status, s.last_activity_at
  FROM (SELECT id FROM thread WHERE instance_id = $1 AND source = $2 AND external_id = $3 ORDER BY episode DESC LIMIT 1) t
 CROSS JOIN LATERAL (SELECT status, last_activity_at FROM thread_state WHERE instance_id = $1 AND thread_id = t.id LIMIT 1) s
 CROSS JOIN unnest($4::text[]) AS l (label)
 ORDER BY l.label
    ON CONFLICT DO NOTHING`

// addAlone stores a single event in one round trip, as if it were new. When it is
// not, nothing is stored, and it reports false.
func (tx *ingestTx) addAlone(ctx context.Context, e *entry) (done bool, err error) {
	in := e.event.in
	if !e.keyed && in.Message.ExternalID != "" {
		return false, nil // only a look at the messages tells
	}
	e.reset()
	alone := []*entry{e}
	threads := groupThreads(alone)
	b := &pgx.Batch{}
	tx.queueReceipts(b, alone)
	tx.queueContacts(b, alone)
	tx.queueNewThreads(b, threads)
	tx.queueThreadUpdate(b, threads)
	tx.queueLabels(b, e)
	if err := tx.queueMessage(b, e); err != nil {
		return false, err
	}
	tx.queueAttachments(b, alone)
	tx.queueRaw(b, alone)
	b.Queue("COMMIT")
	tx.committing = true
	err = tx.run(ctx, b)
	if err != nil && e.known && sqlState(err) == stateDivisionByZero {
		tx.committing = false
		if _, err := tx.conn.Exec(ctx, "ROLLBACK"); err != nil {
			return false, fmt.Errorf("taking a repeat back: %w", err)
		}
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("storing an event: %w", err)
	}
	e.receipt = inbox.Receipt{ThreadID: e.thread.id, MessageID: e.messageID}
	if ids, channels, subjects := threadAttributes(threads); len(ids) > 0 {
		// The message is stored: what its thread is called and bound to may follow it.
		if _, err := tx.conn.Exec(ctx, updateThreadChannels, tx.s.instance, ids, channels, subjects); err != nil {
			return true, nil //nolint:nilerr // the next message tries again
		}
	}
	return true, nil
}

func (tx *ingestTx) queueLabels(b *pgx.Batch, e *entry) {
	in := e.event.in
	if len(in.Thread.Labels) == 0 {
		return
	}
	labels := make([]string, len(in.Thread.Labels))
	for i, l := range in.Thread.Labels {
		labels[i] = clean(l)
	}
	b.Queue(labelThread, tx.s.instance, clean(in.Source), clean(in.Thread.ExternalID), labels)
}

func (tx *ingestTx) queueMessage(b *pgx.Batch, e *entry) error {
	in := e.event.in
	m := &in.Message
	data, err := jsonText(m.Data)
	if err != nil {
		return err
	}
	var key pgtype.UUID
	if e.keyed {
		key = uid(e.key)
	}
	author, authorName, contact := "system", "", pgtype.Text{}
	if in.Contact != nil {
		author, authorName, contact = "contact", clean(in.Contact.Name), pgtype.Text{String: clean(in.Contact.ExternalID), Valid: true}
	}
	b.Queue(insertMessage, tx.s.instance, e.messageID, key, clean(in.Source), optional(m.ExternalID), string(e.direction()), string(e.origin()),
		messageType(m.Type), messageText(m.Text), clean(m.URL), clean(m.GroupID), data, author, authorName, timestamp(sane(m.SentAt)),
		clean(in.Thread.ExternalID), contact, optional(m.ParentID))
	return nil
}
