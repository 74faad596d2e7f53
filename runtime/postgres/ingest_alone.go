package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// The function (migration 00016) is a transaction by itself. It gives no thread when
// the event was known.
const ingestEvent = `
SELECT ingest_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                    $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)`

// addAlone stores a single event by one statement. When the event is known it
// stores its receipt at most, and reports false.
func (tx *ingestTx) addAlone(ctx context.Context, e *entry) (stored bool, err error) {
	e.reset()
	in := e.event.in
	m := &in.Message
	data, err := jsonText(m.Data)
	if err != nil {
		return false, err
	}
	files, err := tx.attachmentsText(m.Attachments)
	if err != nil {
		return false, err
	}
	var key, contact, thread pgtype.UUID
	if e.keyed {
		key = uid(e.key)
	}
	var who inbox.InboundContact
	var contactID pgtype.Text
	if in.Contact != nil {
		who, contact = *in.Contact, uid(e.contactID)
		contactID = pgtype.Text{String: clean(who.ExternalID), Valid: true}
	}
	tx.committing = true
	err = tx.conn.QueryRow(ctx, ingestEvent,
		tx.s.instance, key, clean(in.Source), in.Provider, clean(in.Target), uid(e.event.channel),
		uid(e.threadID), clean(in.Thread.ExternalID), subject(in.Thread.Subject), optional(string(in.Thread.Priority)), cleaned(in.Thread.Labels),
		contact, contactID, clean(who.Name), clean(who.Handle), clean(who.URL), clean(who.AvatarURL),
		uid(e.messageID), optional(m.ExternalID), optional(m.ParentID), string(e.direction()), string(e.origin()), messageType(m.Type),
		messageText(m.Text), clean(m.URL), clean(m.GroupID), data, timestamp(sane(m.SentAt)),
		files, clean(in.ContentType), in.Raw).Scan(&thread)
	if err != nil {
		return false, fmt.Errorf("storing an event: %w", err)
	}
	if !thread.Valid {
		tx.committing = false
		return false, nil
	}
	e.receipt = inbox.Receipt{ThreadID: thread.Bytes, MessageID: e.messageID}
	return true, nil
}

// cleaned are texts that a text column takes; nil for none.
func cleaned(texts []string) []string {
	if len(texts) == 0 {
		return nil
	}
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = clean(t)
	}
	return out
}

// attachmentsText is files as ingest_event takes them.
func (tx *ingestTx) attachmentsText(files []inbox.InboundAttachment) (pgtype.Text, error) {
	if len(files) == 0 {
		return pgtype.Text{}, nil
	}
	now := tx.s.now()
	rows := make([]map[string]any, len(files))
	for i, f := range files {
		rows[i] = map[string]any{
			"id": inbox.NewID[inbox.AttachmentID](now).UUID(), "position": i, "kind": clean(f.Kind), "name": clean(f.Name), "mime_type": clean(f.MIMEType),
			"size": max(f.Size, 0), "url": clean(f.URL), "ref": clean(f.Ref), "state": attachmentState(f),
		}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return pgtype.Text{}, fmt.Errorf("writing attachments: %w", err)
	}
	return pgtype.Text{String: string(text), Valid: true}, nil
}
