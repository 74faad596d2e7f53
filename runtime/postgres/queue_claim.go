package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// Bounds of one claim.
const (
	scanLanes  = 256 // lanes looked at
	claimLanes = 64  // lanes claimed from
)

// The lanes that have pending actions, and when the first of each is due: one
// probe of the index a lane, however many actions it holds.
const scanDueLanes = `
WITH RECURSIVE lane AS (
  (SELECT a.instance_id, a.lane, a.not_before FROM action a
    WHERE a.status = 'pending' AND (a.instance_id, a.lane) > ($1::uuid, $2::text)
    ORDER BY a.instance_id, a.lane, a.not_before LIMIT 1)
  UNION ALL
  SELECT n.* FROM lane l CROSS JOIN LATERAL (
    SELECT a.instance_id, a.lane, a.not_before FROM action a
     WHERE a.status = 'pending' AND (a.instance_id, a.lane) > (l.instance_id, l.lane)
     ORDER BY a.instance_id, a.lane, a.not_before LIMIT 1) n
)
SELECT l.instance_id, l.lane, extract(epoch FROM l.not_before - clock_timestamp())::float8, i.suspended OR i.retired_at IS NOT NULL
  FROM (SELECT * FROM lane LIMIT $3) l JOIN instance i ON i.id = l.instance_id
 ORDER BY l.instance_id, l.lane`

// A lane's actions in the order in which they fell due. behind tells one that has
// an older unsettled reply in its thread.
const lockCandidates = `
SELECT u.ord, a.ctid, a.id, a.kind, a.message_id, a.thread_id, a.payload, a.requeues, a.attempts,
       extract(epoch FROM clock_timestamp() - a.queued_at)::float8,
       coalesce(t.provider, ''), coalesce(t.source, ''), coalesce(t.external_id, ''),
       a.kind = 'send_reply' AND (
         SELECT true FROM action o
          WHERE o.instance_id = a.instance_id AND o.thread_id = a.thread_id AND o.thread_seq < a.thread_seq AND o.kind = 'send_reply'
            AND o.status IN ('pending', 'processing', 'awaiting') LIMIT 1) IS NOT NULL AS behind
  FROM unnest($1::uuid[], $2::text[], $3::int[]) WITH ORDINALITY AS u (instance_id, lane, room, ord)
 CROSS JOIN LATERAL (
   SELECT c.ctid, c.* FROM action c
    WHERE c.instance_id = u.instance_id AND c.lane = u.lane AND c.status = 'pending' AND c.not_before <= now()
    ORDER BY c.not_before, c.thread_seq LIMIT u.room FOR NO KEY UPDATE SKIP LOCKED) a
  LEFT JOIN LATERAL (SELECT provider, source, external_id FROM thread WHERE instance_id = a.instance_id AND id = a.thread_id LIMIT 1) t ON true`

const claimActions = `
UPDATE action SET status = 'processing', lease_token = $1, lease_until = $2 WHERE ctid = ANY ($3::tid[])`

const deferActions = `
UPDATE action a SET not_before = ($2::timestamptz[])[array_position($1::tid[], a.ctid)] WHERE a.ctid = ANY ($1::tid[])`

// Replies behind a thread's head would be found due again by every claim. So
// they are put off: the next one for a moment, each further one for a moment more,
// all of them at least as long as their head. Settling the head wakes the next.
const lockFollowers = `
SELECT f.ctid, f.thread_id, h.not_before
  FROM unnest($1::uuid[], $2::uuid[]) AS u (instance_id, thread_id)
 CROSS JOIN LATERAL (
   SELECT o.thread_seq, o.not_before FROM action o
    WHERE o.instance_id = u.instance_id AND o.thread_id = u.thread_id AND o.kind = 'send_reply'
      AND o.status IN ('pending', 'processing', 'awaiting')
    ORDER BY o.thread_seq LIMIT 1) h
 CROSS JOIN LATERAL (
   SELECT c.ctid, c.thread_id, c.thread_seq FROM action c
    WHERE c.instance_id = u.instance_id AND c.thread_id = u.thread_id AND c.kind = 'send_reply' AND c.status = 'pending'
      AND c.thread_seq > h.thread_seq AND c.not_before <= now()
    ORDER BY c.thread_seq LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED) f
 ORDER BY f.thread_id, f.thread_seq`

const (
	followerStep = 500 * time.Millisecond
	followerMost = time.Minute
)

// candidate is a due action that the claim's transaction has locked.
type candidate struct {
	inbox.Claimed
	ctid     pgtype.TID
	thread   pgtype.UUID
	provider string
	source   string // of its thread
	external string // id of its thread
	behind   bool
}

// claim is one claim under way.
type claim struct {
	r          inbox.ClaimRequest
	out        inbox.Claims
	candidates []candidate
	rooms      []int        // of each lane asked
	mediaLeft  int          // files that may still be asked for
	now        time.Time    // by the database
	local      time.Time    // by this process, at the same moment
	taken      []pgtype.TID // replies
	takenMedia []pgtype.TID
	until      time.Time // of the last place in the pacing
	deferred   []pgtype.TID
	deferredTo []pgtype.Timestamptz
	behind     map[pgtype.UUID]pgtype.UUID // threads with replies behind their head, and their instances
	pace       *pacing
}

// Claim implements [inbox.Queue].
func (q *Queue) Claim(ctx context.Context, r inbox.ClaimRequest) (inbox.Claims, error) {
	c := &claim{r: r, mediaLeft: r.MediaLimit, out: inbox.Claims{Last: r.After, Full: map[inbox.Lane]time.Time{}}}
	lanes, err := q.lanes(ctx, c)
	if err != nil {
		return inbox.Claims{}, fmt.Errorf("looking for due actions: %w", err)
	}
	if len(lanes) == 0 {
		return c.out, nil
	}
	result := c.out
	err = q.tx(ctx, func(tx *queueTx, _ int) error {
		again := *c
		again.out.Full = map[inbox.Lane]time.Time{}
		again.behind = map[pgtype.UUID]pgtype.UUID{}
		err := again.run(ctx, tx, lanes)
		result = again.out
		return err
	})
	if err != nil {
		return inbox.Claims{}, fmt.Errorf("claiming actions: %w", err)
	}
	return result, nil
}

// lanes finds those with due actions for which there is room, going round: those
// behind After first, then those before it.
func (q *Queue) lanes(ctx context.Context, c *claim) ([]inbox.Lane, error) {
	var lanes []inbox.Lane
	most := min(claimLanes, c.r.Limit)
	start := c.r.After
	for {
		seen, cut := 0, false
		rows, err := q.pool.Query(ctx, scanDueLanes, pgtype.UUID{Bytes: start.Instance, Valid: true}, start.Name, scanLanes)
		if err != nil {
			return nil, err
		}
		err = eachRow(func(rows pgx.Rows) error {
			var instance pgtype.UUID
			var lane inbox.Lane
			var dueIn float64
			var off bool
			if err := rows.Scan(&instance, &lane.Name, &dueIn, &off); err != nil {
				return err
			}
			lane.Instance = instance.Bytes
			seen++
			switch {
			case cut || off:
			case dueIn > 0:
				c.notDueUntil(time.Now().Add(duration(dueIn)))
			case c.room(lane) <= 0:
			case len(lanes) == most:
				cut = true
			default:
				room := c.room(lane)
				lanes, c.rooms = append(lanes, lane), append(c.rooms, room)
				if lane.Media() {
					c.mediaLeft -= room
				}
			}
			if !cut {
				c.out.Last = lane
			}
			return nil
		})(rows)
		rows.Close()
		if err != nil {
			return nil, err
		}
		if cut || seen == scanLanes {
			c.out.More = true
			return lanes, nil
		}
		c.out.Last = inbox.Lane{}
		if start == c.out.Last {
			return lanes, nil
		}
		if len(lanes) > 0 {
			c.out.More = true
			return lanes, nil
		}
		start = inbox.Lane{}
	}
}

// room is how many actions of a lane may still be claimed.
func (c *claim) room(l inbox.Lane) int {
	room, ok := c.r.Room[l]
	if !ok {
		room = c.r.LaneLimit
	}
	if l.Media() {
		room = min(room, c.mediaLeft)
	}
	return room
}

func (c *claim) notDueUntil(at time.Time) {
	if c.out.NextDue.IsZero() || at.Before(c.out.NextDue) {
		c.out.NextDue = at
	}
}

// run is the claim's transaction.
func (c *claim) run(ctx context.Context, tx *queueTx, lanes []inbox.Lane) error {
	if err := c.lock(ctx, tx, lanes); err != nil {
		return err
	}
	if err := c.readPacing(ctx, tx); err != nil {
		return err
	}
	var token [16]byte
	_, _ = rand.Read(token[:])
	c.decide(token, lanes)
	if err := c.putOff(ctx, tx); err != nil {
		return err
	}
	c.write(tx, token)
	return tx.commit(ctx)
}

// lock begins the transaction and locks each lane's candidates, each lane getting
// an equal share of the limit.
func (c *claim) lock(ctx context.Context, tx *queueTx, lanes []inbox.Lane) error {
	share := max(1, c.r.Limit/len(lanes))
	instances, names, rooms := make([]pgtype.UUID, len(lanes)), make([]string, len(lanes)), make([]int32, len(lanes))
	for i, l := range lanes {
		c.rooms[i] = min(c.rooms[i], share)
		instances[i], names[i], rooms[i] = uid(l.Instance), l.Name, int32(c.rooms[i]) //nolint:gosec // a few hundred
	}
	tx.queue(lockCandidates, instances, names, rooms).Query(eachRow(func(rows pgx.Rows) error {
		var k candidate
		var ord int
		var age float64
		var id, message pgtype.UUID
		if err := rows.Scan(&ord, &k.ctid, &id, &k.Kind, &message, &k.thread, &k.Payload, &k.Requeues, &k.Attempts, &age,
			&k.provider, &k.source, &k.external, &k.behind); err != nil {
			return err
		}
		k.Lane = lanes[ord-1]
		k.Instance, k.Action, k.MessageID, k.Age = k.Lane.Instance, id.Bytes, message.Bytes, duration(age)
		c.candidates = append(c.candidates, k)
		return nil
	}))
	tx.queue("SELECT clock_timestamp()").QueryRow(c.readClock)
	return tx.flush(ctx)
}

func (c *claim) readClock(row pgx.Row) error {
	c.local = time.Now()
	return row.Scan(&c.now)
}

// here is a moment of the database's clock by this process's.
func (c *claim) here(at time.Time) time.Time { return c.local.Add(at.Sub(c.now)) }

// decide picks among the candidates.
func (c *claim) decide(token [16]byte, lanes []inbox.Lane) {
	got := make(map[inbox.Lane]int, len(lanes))
	for i := range c.candidates {
		k := &c.candidates[i]
		got[k.Lane]++
		if k.behind {
			c.behind[k.thread] = uid(k.Instance)
			c.out.More = true
			continue
		}
		at := c.now
		if k.Spacing.Paced() {
			slot, conversation := c.pace.slot(k, c.now)
			switch {
			case slot.After(c.now.Add(c.r.Horizon)):
				c.out.Full[k.Lane] = c.here(slot.Add(-c.r.Horizon / 2))
				continue
			case conversation.After(slot):
				c.put(k.ctid, c.pace.wait(k, conversation))
				c.out.More = true
				continue
			}
			c.pace.take(k, slot)
			at = slot
		}
		k.Token, k.SendAt = token, c.here(at)
		if k.Kind == inbox.FetchMedia {
			c.takenMedia = append(c.takenMedia, k.ctid)
		} else {
			c.taken = append(c.taken, k.ctid)
		}
		if at.After(c.until) {
			c.until = at
		}
		c.out.Claimed = append(c.out.Claimed, k.Claimed)
	}
	for i, l := range lanes {
		if _, full := c.out.Full[l]; !full && got[l] == c.rooms[i] {
			c.out.More = true
		}
	}
}

// put makes an action due later.
func (c *claim) put(ctid pgtype.TID, at time.Time) {
	c.deferred, c.deferredTo = append(c.deferred, ctid), append(c.deferredTo, timestamp(at))
}

// putOff puts off the replies behind the heads of their threads.
func (c *claim) putOff(ctx context.Context, tx *queueTx) error {
	if len(c.behind) == 0 {
		return nil
	}
	instances, threads := make([]pgtype.UUID, 0, len(c.behind)), make([]pgtype.UUID, 0, len(c.behind))
	for thread, instance := range c.behind {
		instances, threads = append(instances, instance), append(threads, thread)
	}
	rank := map[pgtype.UUID]int{}
	tx.queue(lockFollowers, instances, threads).Query(eachRow(func(rows pgx.Rows) error {
		var ctid pgtype.TID
		var thread pgtype.UUID
		var head time.Time
		if err := rows.Scan(&ctid, &thread, &head); err != nil {
			return err
		}
		rank[thread]++
		at := c.now.Add(min(time.Duration(rank[thread])*followerStep, followerMost))
		if head.After(at) {
			at = head
		}
		c.put(ctid, at)
		return nil
	}))
	return tx.flush(ctx)
}

// write queues the transaction's changes.
func (c *claim) write(tx *queueTx, token [16]byte) {
	if len(c.deferred) > 0 {
		tx.queue(deferActions, c.deferred, c.deferredTo)
	}
	c.pace.write(tx)
	if len(c.taken) > 0 {
		tx.queue(claimActions, uid(token), c.until.Add(c.r.Lease), c.taken)
	}
	if len(c.takenMedia) > 0 {
		tx.queue(claimActions, uid(token), c.now.Add(c.r.MediaLease), c.takenMedia)
	}
}
