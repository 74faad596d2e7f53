package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// change stores an event that makes no message of its own: an edit, a reaction, a
// block, a migration. It is free.
func (s *Store) change(ctx context.Context, ev *pendingEvent) (inbox.Receipt, error) {
	e := s.newEntries([]*pendingEvent{ev})[0]
	err := s.inTx(ctx, func(tx *ingestTx) error {
		e.reset()
		switch ev.in.Kind {
		case inbox.EditMessage:
			return tx.editMessage(ctx, e)
		case inbox.React:
			return tx.once(ctx, e, tx.react)
		case inbox.BlockContact, inbox.AllowContact:
			return tx.once(ctx, e, tx.block)
		case inbox.MigrateThread:
			return tx.once(ctx, e, tx.migrate)
		default:
			return inbox.Errorf(inbox.CodeInvalid, "events of kind %q are not known", ev.in.Kind)
		}
	})
	return e.receipt, err
}

// once runs f in a transaction if the event is not a repeat.
func (tx *ingestTx) once(ctx context.Context, e *entry, f func(context.Context, *entry) error) error {
	if _, err := tx.conn.Exec(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("beginning: %w", err)
	}
	message, thread, err := tx.findMessage(ctx, e)
	if err != nil {
		return err
	}
	e.receipt = inbox.Receipt{ThreadID: thread, MessageID: message}
	if e.keyed {
		const receipt = `INSERT INTO event_receipt (instance_id, key, message_id, thread_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
		tag, err := tx.conn.Exec(ctx, receipt, tx.s.instance, e.key, uid(message), uid(thread))
		if err != nil {
			return fmt.Errorf("storing the receipt: %w", err)
		}
		if tag.RowsAffected() == 0 {
			b := &pgx.Batch{}
			tx.queueKnown(b, []*entry{e})
			b.Queue("ROLLBACK")
			return tx.run(ctx, b)
		}
	}
	if err := f(ctx, e); err != nil {
		return err
	}
	tx.committing = true
	if _, err := tx.conn.Exec(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// findMessage finds the message that an event is about, or else its thread.
func (tx *ingestTx) findMessage(ctx context.Context, e *entry) (message inbox.MessageID, thread inbox.ThreadID, err error) {
	const find = `
SELECT m.id, coalesce(m.thread_id, t.id)
  FROM (SELECT) one
  LEFT JOIN message m ON m.instance_id = $1 AND m.source = $2 AND m.external_id = $3
  LEFT JOIN LATERAL (SELECT id FROM thread WHERE instance_id = $1 AND source = $2 AND external_id = $4 ORDER BY episode DESC LIMIT 1) t ON true`
	in := e.event.in
	var m, t pgtype.UUID
	if err := tx.conn.QueryRow(ctx, find, tx.s.instance, clean(in.Source), optional(in.Message.ExternalID), clean(in.Thread.ExternalID)).Scan(&m, &t); err != nil {
		return message, thread, fmt.Errorf("finding the message: %w", err)
	}
	return m.Bytes, t.Bytes, nil
}

// editMessage gives a message its new content. One that never came is added, and
// charged, as if it had just been written.
func (tx *ingestTx) editMessage(ctx context.Context, e *entry) error {
	message, _, err := tx.findMessage(ctx, e)
	if err != nil {
		return err
	}
	if message.IsZero() {
		return tx.addMessages(ctx, []*entry{e})
	}
	return tx.once(ctx, e, func(ctx context.Context, e *entry) error {
		in := e.event.in
		data, err := jsonText(in.Message.Data)
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		b.Queue(`UPDATE message SET type = $3, text = $4, data = coalesce($5::jsonb, data), edited_at = now() WHERE instance_id = $1 AND id = $2`,
			tx.s.instance, e.receipt.MessageID, messageType(in.Message.Type), messageText(in.Message.Text), data)
		if title := subject(in.Thread.Subject); title != "" {
			b.Queue(`UPDATE thread SET subject = $3 WHERE instance_id = $1 AND id = $2 AND subject <> $3`, tx.s.instance, e.receipt.ThreadID, title)
		}
		if in.Raw != nil {
			b.Queue(`INSERT INTO raw_payload (instance_id, message_id, id, content_type, body) VALUES ($1, $2, $3, $4, $5)`,
				tx.s.instance, e.receipt.MessageID, inbox.NewID[inbox.MessageID](tx.s.now()), clean(in.ContentType), in.Raw)
		}
		if err := tx.run(ctx, b); err != nil {
			return fmt.Errorf("storing the edit: %w", err)
		}
		return nil
	})
}

// react keeps, with the message, what each contact's reaction to it is now.
func (tx *ingestTx) react(ctx context.Context, e *entry) error {
	if e.receipt.MessageID.IsZero() || e.event.in.Contact == nil {
		return nil // a reaction to what is not here changes nothing
	}
	if err := tx.upsertContact(ctx, e); err != nil {
		return err
	}
	emoji := e.event.in.Message.Reaction
	for i := range emoji {
		emoji[i] = clean(emoji[i])
	}
	value, err := json.Marshal(emoji)
	if err != nil {
		return fmt.Errorf("encoding the reaction: %w", err)
	}
	const set = `
UPDATE message SET data = CASE WHEN $4::jsonb IN ('[]', 'null')
         THEN coalesce(data, '{}') #- ARRAY['reactions', $3::text]
         ELSE jsonb_set(jsonb_set(coalesce(data, '{}'), '{reactions}', coalesce(data -> 'reactions', '{}')), ARRAY['reactions', $3::text], $4::jsonb) END
 WHERE instance_id = $1 AND id = $2`
	if _, err := tx.conn.Exec(ctx, set, tx.s.instance, e.receipt.MessageID, e.contactID.String(), string(value)); err != nil {
		return fmt.Errorf("storing the reaction: %w", err)
	}
	return nil
}

// block notes that the contact takes no more messages from us, or takes them again.
func (tx *ingestTx) block(ctx context.Context, e *entry) error {
	if e.event.in.Contact == nil {
		return inbox.Errorf(inbox.CodeInvalid, "the event does not say whom it is about")
	}
	if err := tx.upsertContact(ctx, e); err != nil {
		return err
	}
	const set = `UPDATE contact SET blocked_at = CASE WHEN $3 THEN now() END WHERE instance_id = $1 AND id = $2 AND (blocked_at IS NULL) = $3`
	if _, err := tx.conn.Exec(ctx, set, tx.s.instance, e.contactID, e.event.in.Kind == inbox.BlockContact); err != nil {
		return fmt.Errorf("storing the block: %w", err)
	}
	return nil
}

func (tx *ingestTx) upsertContact(ctx context.Context, e *entry) error {
	b := &pgx.Batch{}
	tx.queueContacts(b, []*entry{e})
	if err := tx.run(ctx, b); err != nil {
		return fmt.Errorf("storing the contact: %w", err)
	}
	return nil
}

// migrate gives a conversation that moved its new identity. The provider tells of
// one move twice, from either side; when messages under the new identity came
// first, there is a thread of it already and the old one stays what it was.
func (tx *ingestTx) migrate(ctx context.Context, e *entry) error {
	in := e.event.in
	const move = `
UPDATE thread t SET external_id = $4, target = $5
 WHERE t.instance_id = $1 AND t.source = $2 AND t.external_id = $3
   AND NOT EXISTS (SELECT FROM thread n WHERE n.instance_id = $1 AND n.source = $2 AND n.external_id = $4)`
	if in.MigratedTo == "" {
		return inbox.Errorf(inbox.CodeInvalid, "the event does not say where the conversation moved to")
	}
	if _, err := tx.conn.Exec(ctx, move, tx.s.instance, clean(in.Source), clean(in.Thread.ExternalID), clean(in.MigratedTo), clean(in.MigratedTarget)); err != nil {
		return fmt.Errorf("moving the thread: %w", err)
	}
	return nil
}

// sortedUnique is a set of texts in order.
func sortedUnique(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		if t = strings.TrimSpace(clean(t)); t != "" {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }
