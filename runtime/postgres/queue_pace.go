package postgres

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// Pacing is a row for each account and each conversation: when its next send may
// leave. A claim gives each send its time and moves the row on by the spacing, so
// that workers whose runs overlap share one schedule. The account's row is locked
// while that goes on; it guards those of the account's conversations too.

const makePaces = `
INSERT INTO pace (instance_id, key, next_at)
SELECT u.instance_id, u.key, now() FROM unnest($1::uuid[], $2::text[]) AS u (instance_id, key)
 ORDER BY u.instance_id, u.key
    ON CONFLICT DO NOTHING`

const lockPaces = `
SELECT p.instance_id, p.key, p.next_at
  FROM pace p JOIN unnest($1::uuid[], $2::text[]) AS u (instance_id, key) ON p.instance_id = u.instance_id AND p.key = u.key
 ORDER BY p.instance_id, p.key FOR NO KEY UPDATE OF p`

const readPaces = `
SELECT p.instance_id, p.key, p.next_at
  FROM pace p JOIN unnest($1::uuid[], $2::text[]) AS u (instance_id, key) ON p.instance_id = u.instance_id AND p.key = u.key`

// A row never goes back: another writer may have held the account back meanwhile.
const movePaces = `
INSERT INTO pace AS p (instance_id, key, next_at)
SELECT u.instance_id, u.key, u.next_at FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS u (instance_id, key, next_at)
 ORDER BY u.instance_id, u.key
    ON CONFLICT (instance_id, key) DO UPDATE SET next_at = greatest(p.next_at, excluded.next_at)`

// holdPaces keeps sends back for some seconds from now.
const holdPaces = `
INSERT INTO pace AS p (instance_id, key, next_at)
SELECT u.instance_id, u.key, clock_timestamp() + make_interval(secs => u.seconds)
  FROM unnest($1::uuid[], $2::text[], $3::float8[]) AS u (instance_id, key, seconds)
 ORDER BY u.instance_id, u.key
    ON CONFLICT (instance_id, key) DO UPDATE SET next_at = greatest(p.next_at, excluded.next_at)`

// paceKey names a row.
type paceKey struct {
	instance inbox.InstanceID
	key      string
}

func accountPace(instance inbox.InstanceID, source string) paceKey {
	return paceKey{instance, "account:" + clean(source)}
}

func conversationPace(instance inbox.InstanceID, source, conversation string) paceKey {
	return paceKey{instance, "chat:" + clean(source) + ":" + clean(conversation)}
}

// comparePaceKeys is the order in which rows are locked.
func comparePaceKeys(a, b paceKey) int {
	if c := strings.Compare(string(a.instance[:]), string(b.instance[:])); c != 0 {
		return c
	}
	return strings.Compare(a.key, b.key)
}

// pacing is the rows that concern a claim.
type pacing struct {
	next  map[paceKey]time.Time
	waits map[paceKey]time.Time // when the next of those that wait for a conversation may
	moved map[paceKey]bool
}

// readPacing asks the provider for each candidate's spacing, and locks and reads its rows.
func (c *claim) readPacing(ctx context.Context, tx *queueTx) error {
	c.pace = &pacing{next: map[paceKey]time.Time{}, waits: map[paceKey]time.Time{}, moved: map[paceKey]bool{}}
	accounts, conversations := map[paceKey]bool{}, map[paceKey]bool{}
	for i := range c.candidates {
		k := &c.candidates[i]
		if k.behind || k.Kind != inbox.SendReply {
			continue
		}
		if k.Spacing = c.r.Pace(k.provider, k.external); !k.Spacing.Paced() {
			continue
		}
		accounts[accountPace(k.Instance, k.source)] = true
		if k.Spacing.Conversation > 0 {
			conversations[conversationPace(k.Instance, k.source, k.Spacing.ConversationKey)] = true
		}
	}
	if len(accounts) == 0 {
		return nil
	}
	read := eachRow(func(rows pgx.Rows) error {
		var instance pgtype.UUID
		var key string
		var next time.Time
		if err := rows.Scan(&instance, &key, &next); err != nil {
			return err
		}
		c.pace.next[paceKey{instance.Bytes, key}] = next
		return nil
	})
	instances, keys := paceColumns(accounts)
	tx.queue(makePaces, instances, keys)
	tx.queue(lockPaces, instances, keys).Query(read)
	if len(conversations) > 0 {
		instances, keys := paceColumns(conversations)
		tx.queue(readPaces, instances, keys).Query(read)
	}
	tx.queue("SELECT clock_timestamp()").QueryRow(c.readClock) // the lock may have been waited for
	return tx.flush(ctx)
}

func paceColumns(keys map[paceKey]bool) (instances []pgtype.UUID, names []string) {
	for _, k := range slices.SortedFunc(maps.Keys(keys), comparePaceKeys) {
		instances, names = append(instances, uid(k.instance)), append(names, k.key)
	}
	return instances, names
}

// slot is when the candidate's account may send next, and when its conversation may.
func (p *pacing) slot(k *candidate, now time.Time) (slot, conversation time.Time) {
	slot = now
	if next := p.next[accountPace(k.Instance, k.source)]; next.After(now) {
		slot = next
	}
	if k.Spacing.Conversation > 0 {
		conversation = p.next[conversationPace(k.Instance, k.source, k.Spacing.ConversationKey)]
	}
	return slot, conversation
}

// take gives the candidate a slot.
func (p *pacing) take(k *candidate, slot time.Time) {
	move := func(key paceKey, next time.Time) { p.next[key], p.moved[key] = next, true }
	if k.Spacing.Account > 0 {
		move(accountPace(k.Instance, k.source), slot.Add(k.Spacing.Account))
	}
	if k.Spacing.Conversation > 0 {
		move(conversationPace(k.Instance, k.source, k.Spacing.ConversationKey), slot.Add(k.Spacing.Conversation))
	}
}

// wait is when a candidate should ask again whose conversation is not free before
// some time: those that wait for one conversation, such as a forum's topics, do
// not all come back at once.
func (p *pacing) wait(k *candidate, free time.Time) time.Time {
	key := conversationPace(k.Instance, k.source, k.Spacing.ConversationKey)
	at := free
	if later := p.waits[key]; later.After(at) {
		at = later
	}
	p.waits[key] = at.Add(k.Spacing.Conversation)
	return at
}

func (p *pacing) write(tx *queueTx) {
	if len(p.moved) == 0 {
		return
	}
	instances, keys := paceColumns(p.moved)
	next := make([]pgtype.Timestamptz, len(keys))
	for i := range keys {
		next[i] = timestamp(p.next[paceKey{instances[i].Bytes, keys[i]}])
	}
	tx.queue(movePaces, instances, keys, next)
}

// queueHolds keeps back what a provider asked to keep back.
func queueHolds(tx *queueTx, settlements []inbox.Settlement) {
	holds := map[paceKey]time.Duration{}
	for _, s := range settlements {
		if s.Hold > 0 && s.Spacing.Conversation > 0 {
			key := conversationPace(s.Instance, s.Source, s.Spacing.ConversationKey)
			holds[key] = max(holds[key], s.Hold)
		}
		if s.HoldAccount > 0 && s.Spacing.Paced() {
			key := accountPace(s.Instance, s.Source)
			holds[key] = max(holds[key], s.HoldAccount)
		}
	}
	if len(holds) == 0 {
		return
	}
	keys := slices.SortedFunc(maps.Keys(holds), comparePaceKeys)
	instances, names, secs := make([]pgtype.UUID, len(keys)), make([]string, len(keys)), make([]float64, len(keys))
	for i, k := range keys {
		instances[i], names[i], secs[i] = uid(k.instance), k.key, seconds(holds[k])
	}
	tx.queue(holdPaces, instances, names, secs)
}
