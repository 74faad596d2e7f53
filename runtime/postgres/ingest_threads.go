package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// threadChange is what a batch does to one thread.
type threadChange struct {
	externalID
	id      inbox.ThreadID
	first   *entry // of the batch
	last    *entry
	n       int // messages
	unread  int
	raise   inbox.Priority
	lastSeq int64 // of the batch's last message, once the thread is locked

	channelID inbox.ChannelID // of the row, if the thread was there
	noSubject bool
}

func groupThreads(winners []*entry) []*threadChange {
	byID := make(map[externalID]*threadChange, len(winners))
	var threads []*threadChange
	for _, e := range winners {
		x := externalID{clean(e.event.in.Source), clean(e.event.in.Thread.ExternalID)}
		t := byID[x]
		if t == nil {
			t = &threadChange{externalID: x, first: e}
			byID[x] = t
			threads = append(threads, t)
		}
		e.thread, t.last = t, e
		t.n++
		if e.direction() == inbox.DirectionInbound {
			t.unread++
		}
		if slices.Index(inbox.Priorities, e.event.in.Thread.Priority) > slices.Index(inbox.Priorities, t.raise) {
			t.raise = e.event.in.Thread.Priority
		}
	}
	// New threads are inserted in one order, so that two batches never wait for each other in a ring.
	slices.SortFunc(threads, func(a, b *threadChange) int {
		if c := strings.Compare(a.source, b.source); c != 0 {
			return c
		}
		return strings.Compare(a.externalID.id, b.externalID.id)
	})
	return threads
}

const upsertContacts = `
WITH u AS (
  SELECT * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
             AS u (id, source, external_id, name, handle, url, avatar_url)
), there AS (
  SELECT c.id, c.source, c.external_id,
         u.name IN ('', c.name) AND u.handle IN ('', c.handle) AND u.url IN ('', c.url) AND u.avatar_url IN ('', c.avatar_url) AS same
    FROM u CROSS JOIN LATERAL (SELECT * FROM contact WHERE instance_id = $1 AND source = u.source AND external_id = u.external_id LIMIT 1) c
), written AS (
  INSERT INTO contact AS c (instance_id, id, source, external_id, name, handle, url, avatar_url)
  SELECT $1, u.id, u.source, u.external_id, u.name, u.handle, u.url, u.avatar_url
    FROM u LEFT JOIN there t ON t.source = u.source AND t.external_id = u.external_id
   WHERE t.same IS NOT TRUE
   ORDER BY u.source, u.external_id
      ON CONFLICT (instance_id, source, external_id) DO UPDATE SET
         name = coalesce(nullif(excluded.name, ''), c.name), handle = coalesce(nullif(excluded.handle, ''), c.handle),
         url = coalesce(nullif(excluded.url, ''), c.url), avatar_url = coalesce(nullif(excluded.avatar_url, ''), c.avatar_url)
  RETURNING c.id, c.source, c.external_id
)
SELECT id, source, external_id FROM written
UNION ALL
SELECT id, source, external_id FROM there WHERE same`

// An inbound message reopens; a thread's priority is only ever raised by one.
const updateThreads = `
WITH found AS MATERIALIZED (
  SELECT t.id, t.channel_id, t.subject = '' AS no_subject, u.*
    FROM unnest($2::int[], $3::text[], $4::text[], $5::int[], $6::int[], $7::uuid[], $8::text[], $9::uuid[])
           AS u (i, source, external_id, n, unread, last_message_id, priority, made)
   CROSS JOIN LATERAL (
     SELECT id, channel_id, subject FROM thread
      WHERE instance_id = $1 AND source = u.source AND external_id = u.external_id
      ORDER BY episode DESC LIMIT 1) t
   WHERE t.id <> u.made
), locked AS MATERIALIZED (
  SELECT thread_id FROM thread_state
   WHERE instance_id = $1 AND thread_id = ANY (ARRAY (SELECT id FROM found))
   ORDER BY thread_id
     FOR UPDATE
)
UPDATE thread_state s SET
       message_seq = s.message_seq + f.n, unread = s.unread + f.unread,
       last_activity_at = greatest(s.last_activity_at, now()), last_message_id = f.last_message_id,
       status = CASE WHEN f.unread > 0 AND s.status IN ('resolved', 'archived') THEN 'open' ELSE s.status END,
       priority = CASE WHEN array_position('{low,normal,high,urgent}', f.priority) > array_position('{low,normal,high,urgent}', s.priority)
                       THEN f.priority ELSE s.priority END
  FROM found f
 WHERE s.instance_id = $1 AND s.thread_id = f.id AND s.thread_id = ANY (ARRAY (SELECT thread_id FROM locked))
RETURNING f.i, s.thread_id, s.message_seq, f.channel_id, f.no_subject`

// contactsAndThreads writes who wrote, makes the threads that are not there, locks
// and updates those that are, and reads what was answered to the known events' first arrival.
func (tx *ingestTx) contactsAndThreads(ctx context.Context, winners []*entry, threads []*threadChange, known []*entry) error {
	b := &pgx.Batch{}
	tx.queueContacts(b, winners)
	tx.queueNewThreads(b, threads)
	tx.queueThreadUpdate(b, threads)
	tx.queueKnown(b, known)
	if b.Len() == 0 {
		return nil
	}
	if err := tx.run(ctx, b); err != nil {
		return fmt.Errorf("storing contacts and threads: %w", err)
	}
	return nil
}

func (tx *ingestTx) queueContacts(b *pgx.Batch, entries []*entry) {
	latest := make(map[externalID]*entry, len(entries)) // the last word on who somebody is
	var order []externalID
	for _, e := range entries {
		if c := e.event.in.Contact; c != nil {
			x := externalID{clean(e.event.in.Source), clean(c.ExternalID)}
			if latest[x] == nil {
				order = append(order, x)
			}
			latest[x] = e
		}
	}
	if len(order) == 0 {
		return
	}
	n := len(order)
	ids, text := make([]pgtype.UUID, n), [6][]string{}
	for i := range text {
		text[i] = make([]string, n)
	}
	for i, x := range order {
		c := latest[x].event.in.Contact
		ids[i] = uid(latest[x].contactID)
		for j, v := range [6]string{x.source, x.id, clean(c.Name), clean(c.Handle), clean(c.URL), clean(c.AvatarURL)} {
			text[j][i] = v
		}
	}
	b.Queue(upsertContacts, tx.s.instance, ids, text[0], text[1], text[2], text[3], text[4], text[5]).Query(func(rows pgx.Rows) error {
		found := make(map[externalID]inbox.ContactID, n)
		var id [16]byte
		var x externalID
		if _, err := pgx.ForEachRow(rows, []any{&id, &x.source, &x.id}, func() error {
			found[x] = id
			return nil
		}); err != nil {
			return err
		}
		for _, e := range entries {
			if c := e.event.in.Contact; c != nil {
				e.contactID = found[externalID{clean(e.event.in.Source), clean(c.ExternalID)}]
			}
		}
		return nil
	})
}

func (tx *ingestTx) queueThreadUpdate(b *pgx.Batch, threads []*threadChange) {
	n := len(threads)
	if n == 0 {
		return
	}
	index, counts, unread := make([]int32, n), make([]int32, n), make([]int32, n)
	sources, externals, raise := make([]string, n), make([]string, n), make([]pgtype.Text, n)
	last, made := make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	for i, t := range threads {
		made[i] = uid(t.first.threadID)
		index[i], counts[i], unread[i] = int32(i), int32(t.n), int32(t.unread) //nolint:gosec // at most maxBatchEvents
		sources[i], externals[i], raise[i] = t.source, t.externalID.id, optional(string(t.raise))
		last[i] = uid(t.last.messageID)
	}
	b.Queue(updateThreads, tx.s.instance, index, sources, externals, counts, unread, last, raise, made).Query(func(rows pgx.Rows) error {
		var i int32
		var id [16]byte
		var seq int64
		var channel pgtype.UUID
		var noSubject bool
		_, err := pgx.ForEachRow(rows, []any{&i, &id, &seq, &channel, &noSubject}, func() error {
			t := threads[i]
			t.id, t.lastSeq, t.channelID, t.noSubject = id, seq, channel.Bytes, noSubject
			return nil
		})
		return err
	})
}

// A thread is made by whoever comes first; that it was is told by the id it got. A
// contact that was removed since it was found is named by what is no contact's id,
// so that it is refused, and all is tried again.
const insertThreads = `
WITH made AS (
  INSERT INTO thread (instance_id, id, source, external_id, provider, target, channel_id, contact_id, subject)
  SELECT $1, u.id, u.source, u.external_id, u.provider, u.target, u.channel_id, CASE WHEN u.contact IS NOT NULL THEN coalesce(c.id, u.id) END, u.subject
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[], $9::text[])
           AS u (id, source, external_id, provider, target, channel_id, contact, subject)
    LEFT JOIN LATERAL (SELECT id FROM contact WHERE instance_id = $1 AND source = u.source AND external_id = u.contact LIMIT 1) c ON true
    LEFT JOIN LATERAL (SELECT id FROM thread WHERE instance_id = $1 AND source = u.source AND external_id = u.external_id LIMIT 1) t ON true
   WHERE t.id IS NULL
   ORDER BY u.source, u.external_id
      ON CONFLICT DO NOTHING
  RETURNING id
)
INSERT INTO thread_state (instance_id, thread_id, provider, priority, last_message_id, message_seq, unread)
SELECT $1, u.id, u.provider, coalesce(u.priority, 'normal'), u.last_message_id, u.n, u.unread
  FROM unnest($2::uuid[], $5::text[], $10::text[], $11::uuid[], $12::int[], $13::int[]) AS u (id, provider, priority, last_message_id, n, unread)
  JOIN made ON made.id = u.id
RETURNING thread_id`

func (tx *ingestTx) queueNewThreads(b *pgx.Batch, threads []*threadChange) {
	n := len(threads)
	if n == 0 {
		return
	}
	byID := make(map[[16]byte]*threadChange, n)
	ids, channels, last := make([]pgtype.UUID, n), make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	sources, externals, providers, targets, subjects := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	contacts, priorities := make([]pgtype.Text, n), make([]pgtype.Text, n)
	counts, unread := make([]int32, n), make([]int32, n)
	for i, t := range threads {
		in := t.first.event.in
		byID[t.first.threadID] = t
		ids[i], channels[i], last[i] = uid(t.first.threadID), uid(t.first.event.channel), uid(t.last.messageID)
		sources[i], externals[i], providers[i], targets[i] = t.source, t.externalID.id, in.Provider, clean(in.Target)
		subjects[i], priorities[i] = subject(in.Thread.Subject), optional(string(t.raise))
		counts[i], unread[i] = int32(t.n), int32(t.unread) //nolint:gosec // at most maxBatchEvents
		if in.Contact != nil {
			contacts[i] = optional(in.Contact.ExternalID)
		}
	}
	b.Queue(insertThreads, tx.s.instance, ids, sources, externals, providers, targets, channels, contacts, subjects, priorities, last, counts, unread).
		Query(func(rows pgx.Rows) error {
			var id [16]byte
			_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
				t := byID[id]
				t.id, t.lastSeq, t.channelID = id, int64(t.n), t.first.event.channel
				return nil
			})
			return err
		})
}

// maxSubject bounds a subject, in characters: it is a line in a list, and its
// words are indexed.
const maxSubject = 1000

func subject(s string) string {
	s = clean(s)
	if len(s) <= maxSubject {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > maxSubject {
			return s[:i]
		}
	}
	return s
}
