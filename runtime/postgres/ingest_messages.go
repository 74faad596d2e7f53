package postgres

import (
	"context"
	"encoding/json"
	"fmt"
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

func (e *entry) direction() inbox.Direction {
	if e.event.in.Message.Origin == inbox.OursElsewhere {
		return inbox.DirectionOutbound
	}
	return inbox.DirectionInbound
}

const findReceipts = `
SELECT r.key, r.message_id, coalesce(r.thread_id, m.thread_id, g.thread_id)
  FROM event_receipt r
  LEFT JOIN LATERAL (SELECT thread_id FROM message WHERE instance_id = $1 AND id = r.message_id LIMIT 1) m ON true
  LEFT JOIN LATERAL (SELECT thread_id FROM removed_message WHERE instance_id = $1 AND message_id = r.message_id LIMIT 1) g ON true
 WHERE r.instance_id = $1 AND r.key = ANY ($2::uuid[])`

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
