package postgres

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

var escapedNUL = regexp.MustCompile(`\\+u0000`)

// optional is a text that is NULL when empty.
func optional(s string) pgtype.Text {
	return pgtype.Text{String: clean(s), Valid: s != ""}
}

const insertLabels = `
INSERT INTO thread_label (instance_id, thread_id, label, status, last_activity_at)
SELECT $1, u.thread_id, u.label, s.status, s.last_activity_at
  FROM unnest($2::uuid[], $3::text[]) AS u (thread_id, label)
 CROSS JOIN LATERAL (SELECT status, last_activity_at FROM thread_state WHERE instance_id = $1 AND thread_id = u.thread_id LIMIT 1) s
 ORDER BY u.thread_id, u.label
    ON CONFLICT DO NOTHING`

const updateThreadChannels = `
UPDATE thread t SET channel_id = coalesce(u.channel_id, t.channel_id),
       subject = CASE WHEN t.subject = '' THEN u.subject ELSE t.subject END
  FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS u (thread_id, channel_id, subject)
 WHERE t.instance_id = $1 AND t.id = u.thread_id AND t.id = ANY ($2::uuid[])`

// The charge and the log's rows are this statement's triggers' work (migration
// 00005), and they lock the instance's counters until commit: it comes last but
// for the rows that hang on the message.
const insertMessages = `
INSERT INTO message (instance_id, id, thread_id, seq, source, external_id, direction, origin, type, text, url, group_id, data,
                     author_kind, author_id, author_name, parent_id, sent_at)
SELECT $1, u.id, u.thread_id, u.seq, u.source, u.external_id, u.direction, u.origin, u.type, u.text, u.url, u.group_id, u.data::jsonb,
       u.author_kind, u.author_id, u.author_name, coalesce(u.parent_id, p.id), u.sent_at
  FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
              $12::text[], $13::text[], $14::text[], $15::uuid[], $16::text[], $17::uuid[], $18::timestamptz[], $19::text[])
         AS u (id, thread_id, seq, source, external_id, direction, origin, type, text, url,
               group_id, data, author_kind, author_id, author_name, parent_id, sent_at, parent_external)
  LEFT JOIN LATERAL (SELECT id FROM message WHERE instance_id = $1 AND source = u.source AND external_id = u.parent_external LIMIT 1) p ON true`

const insertAttachments = `
INSERT INTO attachment (instance_id, id, message_id, position, kind, name, mime_type, size, url, ref, state)
SELECT $1, u.* FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[]) AS u`

const insertRaw = `
INSERT INTO raw_payload (instance_id, message_id, id, content_type, body)
SELECT $1, u.* FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::bytea[]) AS u`

// writeMessages writes the rows of a batch's new messages and commits.
func (tx *ingestTx) writeMessages(ctx context.Context, entries []*entry, threads []*threadChange) error {
	b := &pgx.Batch{}
	if len(entries) > 0 {
		tx.queueThreadAttributes(b, entries, threads)
		if err := tx.queueMessages(b, entries); err != nil {
			return err
		}
		tx.queueAttachments(b, entries)
		tx.queueRaw(b, entries)
	}
	b.Queue("COMMIT")
	tx.committing = true
	if err := tx.run(ctx, b); err != nil {
		return fmt.Errorf("storing messages: %w", err)
	}
	return nil
}

// threadAttributes are the changes that a batch makes to threads' channels and subjects.
func threadAttributes(threads []*threadChange) (ids, channels []pgtype.UUID, subjects []string) {
	for _, t := range threads {
		channel := t.last.event.channel
		rebound := !channel.IsZero() && channel != t.channelID
		named := t.noSubject && t.last.event.in.Thread.Subject != ""
		if rebound || named {
			ids, channels, subjects = append(ids, uid(t.id)), append(channels, uid(channel)), append(subjects, subject(t.last.event.in.Thread.Subject))
		}
	}
	return ids, channels, subjects
}

func (tx *ingestTx) queueThreadAttributes(b *pgx.Batch, entries []*entry, threads []*threadChange) {
	if ids, channels, subjects := threadAttributes(threads); len(ids) > 0 {
		b.Queue(updateThreadChannels, tx.s.instance, ids, channels, subjects)
	}
	var labelled []pgtype.UUID
	var labels []string
	for _, e := range entries {
		for _, l := range e.event.in.Thread.Labels {
			labelled, labels = append(labelled, uid(e.thread.id)), append(labels, clean(l))
		}
	}
	if len(labels) > 0 {
		b.Queue(insertLabels, tx.s.instance, labelled, labels)
	}
}

func (tx *ingestTx) queueMessages(b *pgx.Batch, entries []*entry) error {
	n := len(entries)
	here := make(map[externalID]inbox.MessageID, n) // parents that this statement can't see yet
	for _, e := range entries {
		if id := e.event.in.Message.ExternalID; id != "" {
			here[externalID{e.event.in.Source, id}] = e.messageID
		}
	}
	ids, threads, authors, parents := make([]pgtype.UUID, n), make([]pgtype.UUID, n), make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	seqs, sent := make([]int64, n), make([]pgtype.Timestamptz, n)
	externals, data, parentExternals := make([]pgtype.Text, n), make([]pgtype.Text, n), make([]pgtype.Text, n)
	sources, directions, origins, types, texts := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	urls, groups, authorKinds, authorNames := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, e := range entries {
		in := e.event.in
		m := &in.Message
		var err error
		if data[i], err = jsonText(m.Data); err != nil {
			return err
		}
		ids[i], threads[i], seqs[i] = uid(e.messageID), uid(e.thread.id), e.seq
		sources[i], externals[i] = clean(in.Source), optional(m.ExternalID)
		directions[i], origins[i] = string(e.direction()), string(e.origin())
		types[i], texts[i], urls[i], groups[i] = messageType(m.Type), messageText(m.Text), clean(m.URL), clean(m.GroupID)
		authorKinds[i] = "system"
		if in.Contact != nil {
			authorKinds[i], authors[i], authorNames[i] = "contact", uid(e.contactID), clean(in.Contact.Name)
		}
		parents[i] = uid(here[externalID{in.Source, m.ParentID}])
		if m.ParentID == "" {
			parents[i] = pgtype.UUID{}
		}
		parentExternals[i], sent[i] = optional(m.ParentID), timestamp(sane(m.SentAt))
	}
	b.Queue(insertMessages, tx.s.instance, ids, threads, seqs, sources, externals, directions, origins, types, texts, urls,
		groups, data, authorKinds, authors, authorNames, parents, sent, parentExternals)
	return nil
}

func (e *entry) origin() inbox.Origin {
	if e.event.in.Message.Origin == "" {
		return inbox.Theirs
	}
	return e.event.in.Message.Origin
}

func messageType(t string) string {
	if t == "" {
		return "text"
	}
	return clean(t)
}

// maxText bounds a message's text, in bytes: a page of a hundred must fit in memory.
// What is cut off is in the raw payload.
const maxText = 64 << 10

func messageText(s string) string {
	s = clean(s)
	if len(s) <= maxText {
		return s
	}
	end := maxText - len("…")
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// sane drops a time that no provider can mean: a wrong unit would else sort and print absurdly.
func sane(t time.Time) time.Time {
	if y := t.Year(); y < 1970 || y > 9999 {
		return time.Time{}
	}
	return t
}

// attachmentState is a new file's.
func attachmentState(a inbox.InboundAttachment) inbox.AttachmentState {
	if a.Ref != "" {
		return inbox.AttachmentRemote
	}
	return inbox.AttachmentLinked
}

func (tx *ingestTx) queueAttachments(b *pgx.Batch, entries []*entry) {
	var ids, messages []pgtype.UUID
	var positions []int32
	var sizes []int64
	var text [6][]string // kind, name, mime_type, url, ref, state
	now := tx.s.now()
	for _, e := range entries {
		for i, a := range e.event.in.Message.Attachments {
			ids, messages = append(ids, uid(inbox.NewID[inbox.AttachmentID](now))), append(messages, uid(e.messageID))
			positions, sizes = append(positions, int32(i)), append(sizes, max(a.Size, 0))
			for j, v := range [6]string{clean(a.Kind), clean(a.Name), clean(a.MIMEType), clean(a.URL), clean(a.Ref), string(attachmentState(a))} {
				text[j] = append(text[j], v)
			}
		}
	}
	if len(ids) > 0 {
		b.Queue(insertAttachments, tx.s.instance, ids, messages, positions, text[0], text[1], text[2], sizes, text[3], text[4], text[5])
	}
}

func (tx *ingestTx) queueRaw(b *pgx.Batch, entries []*entry) {
	var messages []pgtype.UUID
	var types []string
	var bodies [][]byte
	for _, e := range entries {
		if e.event.in.Raw != nil {
			messages, types, bodies = append(messages, uid(e.messageID)), append(types, clean(e.event.in.ContentType)), append(bodies, e.event.in.Raw)
		}
	}
	if len(messages) > 0 {
		b.Queue(insertRaw, tx.s.instance, messages, slices.Clone(messages), types, bodies)
	}
}
