package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// entry is an event on its way into the tables.
type entry struct {
	event   *pendingEvent
	key     [16]byte // of its receipt, when keyed
	keyed   bool
	follows *entry // the entry of the same batch that it repeats (repeats) or shares a message with
	repeats bool

	messageID inbox.MessageID
	threadID  inbox.ThreadID // proposed; the thread that is there keeps its own
	contactID inbox.ContactID
	known     bool // its receipt or its message is there already
	thread    *threadChange
	seq       int64

	receipt inbox.Receipt
	err     error
}

// externalID is an external id in its scope.
type externalID struct{ source, id string }

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

func (s *Store) newEntries(events []*pendingEvent) []*entry {
	now := s.now()
	entries := make([]*entry, len(events))
	for i, ev := range events {
		e := &entry{event: ev, messageID: inbox.NewID[inbox.MessageID](now), threadID: inbox.NewID[inbox.ThreadID](now)}
		if ev.in.Contact != nil {
			e.contactID = inbox.NewID[inbox.ContactID](now)
		}
		e.key, e.keyed = ev.in.DedupeKey()
		entries[i] = e
	}
	return entries
}

// reset forgets what a failed try found.
func (e *entry) reset() { e.known, e.thread, e.seq, e.receipt = false, nil, 0, inbox.Receipt{} }

// addMessages stores a batch whose entries repeat neither an event nor a message
// among themselves: receipts first, and only their winners touch anything else.
func (tx *ingestTx) addMessages(ctx context.Context, entries []*entry) error {
	if len(entries) == 1 {
		if stored, err := tx.addAlone(ctx, entries[0]); stored || err != nil {
			return err
		}
	}
	for _, e := range entries {
		e.reset()
	}
	b := &pgx.Batch{}
	tx.queueReceipts(b, entries)
	if err := tx.run(ctx, b); err != nil {
		return fmt.Errorf("storing receipts: %w", err)
	}
	var winners, known []*entry
	for _, e := range entries {
		if e.known {
			known = append(known, e)
		} else {
			winners = append(winners, e)
		}
	}
	threads := groupThreads(winners)
	if err := tx.contactsAndThreads(ctx, winners, threads, known); err != nil {
		return err
	}
	for _, t := range threads {
		if t.id.IsZero() {
			return errThreadRemoved
		}
	}
	numberMessages(winners)
	for _, e := range winners {
		e.receipt = inbox.Receipt{ThreadID: e.thread.id, MessageID: e.messageID}
	}
	return tx.writeMessages(ctx, winners, threads)
}

// planOnce keeps Postgres from planning each statement anew for the arrays at hand,
// which takes as long as carrying it out: one plan serves every batch.
const planOnce = "SET LOCAL plan_cache_mode = force_generic_plan"

// The statements of the ingest look rows up by LATERAL … LIMIT 1 and by = ANY of
// an array: forms that are one index probe a row whatever the statistics say. As
// joins, on tables that were empty when a session planned them, they would read the
// whole tenant.

const insertReceipts = `
INSERT INTO event_receipt (instance_id, key, message_id)
SELECT $1, u.key, coalesce(m.id, u.message_id)
  FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) AS u (key, message_id, source, external_id)
  LEFT JOIN LATERAL (SELECT id FROM message WHERE instance_id = $1 AND source = u.source AND external_id = u.external_id LIMIT 1) m ON true
 ORDER BY u.key
    ON CONFLICT DO NOTHING
RETURNING key, message_id`

const findMessages = `
SELECT u.i, m.id, m.thread_id
  FROM unnest($2::int[], $3::text[], $4::text[]) AS u (i, source, external_id)
 CROSS JOIN LATERAL (SELECT id, thread_id FROM message WHERE instance_id = $1 AND source = u.source AND external_id = u.external_id LIMIT 1) m`

// queueReceipts opens the transaction and stores the receipts: an entry that wins
// neither its receipt nor its message is known.
func (tx *ingestTx) queueReceipts(b *pgx.Batch, entries []*entry) {
	b.Queue("BEGIN")
	b.Queue(planOnce)
	byKey := make(map[[16]byte]*entry, len(entries))
	var keys, ids []pgtype.UUID
	var sources []string
	var externals []pgtype.Text
	var bareIndex []int32
	var bareSources, bareExternals []string
	for i, e := range entries {
		in := e.event.in
		if e.keyed {
			e.known = true // until its receipt is won
			byKey[e.key] = e
			keys, ids = append(keys, uid(e.key)), append(ids, uid(e.messageID))
			sources, externals = append(sources, clean(in.Source)), append(externals, optional(in.Message.ExternalID))
		} else if in.Message.ExternalID != "" {
			bareIndex = append(bareIndex, int32(i))
			bareSources, bareExternals = append(bareSources, clean(in.Source)), append(bareExternals, clean(in.Message.ExternalID))
		}
	}
	if len(keys) > 0 {
		b.Queue(insertReceipts, tx.s.instance, keys, ids, sources, externals).Query(func(rows pgx.Rows) error {
			var key, id [16]byte
			_, err := pgx.ForEachRow(rows, []any{&key, &id}, func() error {
				e := byKey[key]
				// A winner that was given another id is a new event about a known message.
				e.known = inbox.MessageID(id) != e.messageID
				return nil
			})
			return err
		})
	}
	if len(bareIndex) > 0 {
		b.Queue(findMessages, tx.s.instance, bareIndex, bareSources, bareExternals).Query(func(rows pgx.Rows) error {
			var i int32
			var id, thread [16]byte
			_, err := pgx.ForEachRow(rows, []any{&i, &id, &thread}, func() error {
				entries[i].known = true
				return nil
			})
			return err
		})
	}
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

func (e *entry) direction() inbox.Direction {
	if e.event.in.Message.Origin == inbox.OursElsewhere {
		return inbox.DirectionOutbound
	}
	return inbox.DirectionInbound
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

const findReceipts = `
SELECT r.key, r.message_id, coalesce(r.thread_id, m.thread_id, g.thread_id)
  FROM event_receipt r
  LEFT JOIN LATERAL (SELECT thread_id FROM message WHERE instance_id = $1 AND id = r.message_id LIMIT 1) m ON true
  LEFT JOIN LATERAL (SELECT thread_id FROM removed_message WHERE instance_id = $1 AND message_id = r.message_id LIMIT 1) g ON true
 WHERE r.instance_id = $1 AND r.key = ANY ($2::uuid[])`

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

func (tx *ingestTx) queueKnown(b *pgx.Batch, known []*entry) {
	byKey := make(map[[16]byte]*entry, len(known))
	var keys []pgtype.UUID
	var index []int32
	var sources, externals []string
	for i, e := range known {
		e.receipt.Duplicate = true
		if e.keyed {
			byKey[e.key] = e
			keys = append(keys, uid(e.key))
			continue
		}
		index = append(index, int32(i))
		sources, externals = append(sources, clean(e.event.in.Source)), append(externals, clean(e.event.in.Message.ExternalID))
	}
	if len(keys) > 0 {
		b.Queue(findReceipts, tx.s.instance, keys).Query(func(rows pgx.Rows) error {
			var key [16]byte
			var message, thread pgtype.UUID
			_, err := pgx.ForEachRow(rows, []any{&key, &message, &thread}, func() error {
				byKey[key].receipt.MessageID, byKey[key].receipt.ThreadID = message.Bytes, thread.Bytes
				return nil
			})
			return err
		})
	}
	if len(index) > 0 {
		b.Queue(findMessages, tx.s.instance, index, sources, externals).Query(func(rows pgx.Rows) error {
			var i int32
			var message, thread [16]byte
			_, err := pgx.ForEachRow(rows, []any{&i, &message, &thread}, func() error {
				known[i].receipt.MessageID, known[i].receipt.ThreadID = message, thread
				return nil
			})
			return err
		})
	}
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

// numberMessages gives each message its place in its thread, in the order of arrival.
func numberMessages(entries []*entry) {
	next := make(map[*threadChange]int64, len(entries))
	for _, e := range entries {
		if _, started := next[e.thread]; !started {
			next[e.thread] = e.thread.lastSeq - int64(e.thread.n)
		}
		next[e.thread]++
		e.seq = next[e.thread]
	}
}

func jsonText(data map[string]any) (pgtype.Text, error) {
	if len(data) == 0 {
		return pgtype.Text{}, nil
	}
	b, err := json.Marshal(data)
	if err != nil {
		return pgtype.Text{}, inbox.Errorf(inbox.CodeInvalid, "the event's data is not JSON")
	}
	// jsonb can't hold U+0000, which json.Marshal always writes as this escape.
	text := escapedNUL.ReplaceAllStringFunc(string(b), func(m string) string {
		if strings.Count(m, `\`)%2 == 0 { // an escaped backslash before "u0000"
			return m
		}
		return m[:len(m)-len(`\u0000`)] + `\ufffd`
	})
	return pgtype.Text{String: text, Valid: true}, nil
}
