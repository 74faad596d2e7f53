package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// forgetAgain is how far back the second look at messages goes: clocks differ, and
// ids are made before their message is stored.
const forgetAgain = 10 * time.Minute

// The contact, and with it the conversations in which nobody else wrote, get other
// identities: new messages make new ones. Contacts are locked before threads, as the
// ingest does.
const (
	closeContact   = `UPDATE contact SET external_id = ` + forgottenID + ` WHERE instance_id = $1 AND id = $2`
	closeThreadsOf = `
UPDATE thread t SET external_id = ` + forgottenID + ` WHERE t.contact_id = $2 AND t.instance_id = $1
   AND NOT EXISTS (SELECT FROM message m WHERE m.thread_id = t.id AND m.instance_id = $1 AND m.author_kind = 'contact' AND m.author_id <> $2)`
	findThreadsOf = `
SELECT id, external_id = ` + forgottenID + ` FROM thread WHERE contact_id = $2 AND instance_id = $1 AND id > $3 ORDER BY id LIMIT $4`
)

// No index leads from a person to what they wrote, as every ingest would pay for
// one: so all messages are looked at, a stretch at a time. Those that have something
// of the person come back, and the stretch's last one.
const findMessagesOf = `
WITH stretch AS MATERIALIZED (
  SELECT id, thread_id, author_kind = 'contact' AND author_id IS NOT DISTINCT FROM $2 AS own, coalesce(data -> 'reactions' ? $3, false) AS reacted
    FROM message WHERE instance_id = $1 AND id > $4 ORDER BY id LIMIT $5
)
SELECT s.id, s.thread_id, s.own, s.reacted FROM stretch s
 WHERE s.own OR s.reacted OR s.id = (SELECT id FROM stretch ORDER BY id DESC LIMIT 1)
 ORDER BY s.id`

// Payloads of answers repeat what they answer, and some quote it.
const (
	removeAnswersPayloads = `
DELETE FROM raw_payload WHERE instance_id = $1
   AND message_id = ANY (ARRAY (SELECT id FROM message WHERE thread_id = $2 AND instance_id = $1 AND parent_id = ANY ($3)))`
	removeQuotes = `
UPDATE message SET data = data - 'quote' WHERE thread_id = $2 AND instance_id = $1 AND parent_id = ANY ($3) AND data ? 'quote'`
)

// What a thread says of its messages, after some of them are gone.
const recount = `
UPDATE thread_state s SET
       last_message_id = (SELECT m.id FROM message m WHERE m.thread_id = $2 AND m.instance_id = $1 AND m.direction <> 'internal' ORDER BY m.seq DESC LIMIT 1),
       unread = (SELECT count(*) FROM (SELECT FROM message m WHERE m.thread_id = $2 AND m.instance_id = $1 AND m.direction = 'inbound' LIMIT s.unread) u)
 WHERE s.instance_id = $1 AND s.thread_id = $2`

const logMessagesRemoved = `
WITH base AS MATERIALIZED (SELECT next_events($1, cardinality($3::uuid[])) AS seq)
INSERT INTO event (instance_id, seq, type, thread_id, message_id, actor)
SELECT $1, base.seq + u.n, 'message.deleted', $2, u.id, actor() FROM base, unnest($3::uuid[]) WITH ORDINALITY u (id, n)`

// contact removes a person. They may go on writing meanwhile, as a new contact. What
// was being stored when the contact was closed is found by a second look.
func (f *forgetting) contact(ctx context.Context, id inbox.ContactID) error {
	var later inbox.MessageID
	for range 2 {
		began, err := f.closeContact(ctx, id)
		if err != nil {
			return err
		}
		if err := f.threadsOf(ctx, id); err != nil {
			return err
		}
		if err := f.messagesOf(ctx, id, later); err != nil {
			return err
		}
		later = inbox.NewID[inbox.MessageID](began.Add(-forgetAgain))
	}
	return f.tx(ctx, func(tx pgx.Tx) (removed inbox.Removed, err error) {
		tag, err := tx.Exec(ctx, `DELETE FROM contact WHERE instance_id = $1 AND id = $2`, f.instance, id)
		if err != nil {
			return removed, fmt.Errorf("removing the contact: %w", err)
		}
		removed.Contacts = tag.RowsAffected()
		return removed, nil
	})
}

// closeContact has new messages of a contact make a new one, and tells when it did.
func (f *forgetting) closeContact(ctx context.Context, id inbox.ContactID) (at time.Time, err error) {
	err = f.tx(ctx, func(tx pgx.Tx) (inbox.Removed, error) {
		b := &pgx.Batch{}
		b.Queue(closeContact, f.instance, id)
		b.Queue(closeThreadsOf, f.instance, id)
		b.Queue(`SELECT now()`).QueryRow(func(row pgx.Row) error { return row.Scan(&at) })
		return inbox.Removed{}, tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return at, fmt.Errorf("closing the contact's conversations: %w", err)
	}
	return at, nil
}

// threadsOf removes a contact's conversations, and takes its name off those that
// others take part in.
func (f *forgetting) threadsOf(ctx context.Context, id inbox.ContactID) error {
	after := pgtype.UUID{Valid: true}
	for {
		type found struct {
			ID  pgtype.UUID
			Own bool
		}
		rows, err := f.pool.Query(ctx, findThreadsOf, f.instance, id, after, forgetThreads)
		if err != nil {
			return fmt.Errorf("finding the contact's threads: %w", err)
		}
		threads, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
		if err != nil {
			return fmt.Errorf("finding the contact's threads: %w", err)
		}
		for _, t := range threads {
			if after = t.ID; t.Own {
				err = f.thread(ctx, t.ID)
			} else {
				err = f.detach(ctx, t.ID, id)
			}
			if err != nil {
				return err
			}
		}
		if len(threads) < forgetThreads {
			return nil
		}
	}
}

// detach leaves a shared conversation without the contact who began it, and without
// the title that may be theirs.
func (f *forgetting) detach(ctx context.Context, thread pgtype.UUID, id inbox.ContactID) error {
	return f.tx(ctx, func(tx pgx.Tx) (inbox.Removed, error) {
		_, err := tx.Exec(ctx, `UPDATE thread SET contact_id = NULL, subject = '', ai_summary = '' WHERE instance_id = $1 AND id = $2 AND contact_id = $3`,
			f.instance, thread, id)
		if err != nil {
			return inbox.Removed{}, fmt.Errorf("taking the contact off a thread: %w", err)
		}
		return inbox.Removed{}, nil
	})
}

// messagesOf removes what a contact wrote, of all messages with a later id.
func (f *forgetting) messagesOf(ctx context.Context, id inbox.ContactID, later inbox.MessageID) error {
	after := pgtype.UUID{Bytes: later, Valid: true}
	for {
		rows, err := f.pool.Query(ctx, findMessagesOf, f.instance, id, id.String(), after, forgetLook)
		if err != nil {
			return fmt.Errorf("looking for the contact's messages: %w", err)
		}
		last := pgtype.UUID{}
		own := map[pgtype.UUID][]pgtype.UUID{}
		var threads, reacted []pgtype.UUID
		err = eachRow(func(rows pgx.Rows) error {
			var thread pgtype.UUID
			var isOwn, hasReaction bool
			if err := rows.Scan(&last, &thread, &isOwn, &hasReaction); err != nil {
				return err
			}
			switch {
			case isOwn:
				if own[thread] == nil {
					threads = append(threads, thread)
				}
				own[thread] = append(own[thread], last)
			case hasReaction:
				reacted = append(reacted, last)
			}
			return nil
		})(rows)
		rows.Close()
		if err != nil {
			return fmt.Errorf("looking for the contact's messages: %w", err)
		}
		for _, t := range threads {
			if err := f.removeFrom(ctx, t, own[t]); err != nil {
				return err
			}
		}
		if len(reacted) > 0 {
			const forgetReactions = `UPDATE message SET data = data #- ARRAY['reactions', $3] WHERE instance_id = $1 AND id = ANY ($2)`
			if err := f.tx(ctx, func(tx pgx.Tx) (inbox.Removed, error) {
				_, err := tx.Exec(ctx, forgetReactions, f.instance, reacted, id.String())
				return inbox.Removed{}, err
			}); err != nil {
				return fmt.Errorf("removing the contact's reactions: %w", err)
			}
		}
		if !last.Valid {
			return nil
		}
		after = last
	}
}

// removeFrom removes messages of a conversation that stays.
func (f *forgetting) removeFrom(ctx context.Context, thread pgtype.UUID, ids []pgtype.UUID) error {
	return f.tx(ctx, func(tx pgx.Tx) (removed inbox.Removed, err error) {
		if there, err := f.lockThread(ctx, tx, thread); err != nil || !there {
			return removed, err // or all of it is gone
		}
		tag, err := tx.Exec(ctx, removeAnswersPayloads, f.instance, thread, ids)
		if err != nil {
			return removed, fmt.Errorf("removing the payloads of answers: %w", err)
		}
		err = tx.QueryRow(ctx, `SELECT messages, raw_payloads, attachments, actions FROM remove_messages($1, $2)`, f.instance, ids).
			Scan(&removed.Messages, &removed.RawPayloads, &removed.Attachments, &removed.Actions)
		if err != nil {
			return removed, fmt.Errorf("removing messages: %w", err)
		}
		removed.RawPayloads += tag.RowsAffected()
		b := &pgx.Batch{}
		b.Queue(recount, f.instance, thread)
		b.Queue(`UPDATE thread SET ai_summary = '' WHERE instance_id = $1 AND id = $2 AND ai_summary <> ''`, f.instance, thread)
		b.Queue(removeQuotes, f.instance, thread, ids)
		b.Queue(logMessagesRemoved, f.instance, thread, ids)
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return removed, fmt.Errorf("leaving a thread without what was removed: %w", err)
		}
		return removed, nil
	})
}
