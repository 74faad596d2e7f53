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
SELECT u.ord, a.id, a.kind, a.message_id, a.thread_id, a.payload, a.requeues, a.attempts,
       extract(epoch FROM clock_timestamp() - a.queued_at)::float8,
       coalesce(t.provider, ''), coalesce(t.source, ''), coalesce(t.external_id, ''),
       a.kind = 'send_reply' AND EXISTS (
         SELECT FROM action o
          WHERE o.instance_id = a.instance_id AND o.thread_id = a.thread_id AND o.thread_seq < a.thread_seq AND o.kind = 'send_reply'
            AND o.status IN ('pending', 'processing', 'awaiting')) AS behind
  FROM unnest($1::uuid[], $2::text[], $3::int[]) WITH ORDINALITY AS u (instance_id, lane, room, ord)
 CROSS JOIN LATERAL (
   SELECT c.* FROM action c
    WHERE c.instance_id = u.instance_id AND c.lane = u.lane AND c.status = 'pending' AND c.not_before <= now()
    ORDER BY c.not_before, c.thread_seq LIMIT u.room FOR NO KEY UPDATE SKIP LOCKED) a
  LEFT JOIN thread t ON t.instance_id = a.instance_id AND t.id = a.thread_id
 ORDER BY u.ord, a.not_before, a.thread_seq`

const claimActions = `
UPDATE action a SET status = 'processing', lease_token = $1, lease_until = u.until
  FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) AS u (instance_id, id, until)
 WHERE a.instance_id = u.instance_id AND a.id = u.id`

const deferActions = `
UPDATE action a SET not_before = u.at
  FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS u (instance_id, id, at)
 WHERE a.instance_id = u.instance_id AND a.id = u.id`

// Replies behind a thread's head would be found due again by every claim. So
// they are put off: the next one for a moment, each further one for a moment more,
// all of them at least as long as their head. Settling the head wakes the next.
const parkFollowers = `
UPDATE action a SET not_before = f.until
  FROM (SELECT b.instance_id, b.id,
               greatest(now() + least(interval '500 ms' * row_number() OVER (PARTITION BY b.instance_id, b.thread_id ORDER BY b.thread_seq), interval '1 minute'),
                        b.head_at) AS until
          FROM (SELECT f.instance_id, f.id, f.thread_id, f.thread_seq, h.not_before AS head_at
                  FROM unnest($1::uuid[], $2::uuid[]) AS u (instance_id, thread_id)
                 CROSS JOIN LATERAL (
                   SELECT o.thread_seq, o.not_before FROM action o
                    WHERE o.instance_id = u.instance_id AND o.thread_id = u.thread_id AND o.kind = 'send_reply'
                      AND o.status IN ('pending', 'processing', 'awaiting')
                    ORDER BY o.thread_seq LIMIT 1) h
                 CROSS JOIN LATERAL (
                   SELECT c.* FROM action c
                    WHERE c.instance_id = u.instance_id AND c.thread_id = u.thread_id AND c.kind = 'send_reply' AND c.status = 'pending'
                      AND c.thread_seq > h.thread_seq AND c.not_before <= now()
                    ORDER BY c.thread_seq LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED) f) b) f
 WHERE a.instance_id = f.instance_id AND a.id = f.id`

// candidate is a due action that the claim's transaction has locked.
type candidate struct {
	inbox.Claimed
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
	rooms      []int     // of each lane asked
	mediaLeft  int       // files that may still be asked for
	now        time.Time // by the database
	local      time.Time // by this process, at the same moment
	taken      []pgtype.Timestamptz
	deferred   []*candidate
	deferredTo []pgtype.Timestamptz
	parked     map[pgtype.UUID]pgtype.UUID // instances by thread
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
	err = q.tx(ctx, func(tx *queueTx) error {
		again := *c
		again.out.Full = map[inbox.Lane]time.Time{}
		again.parked = map[pgtype.UUID]pgtype.UUID{}
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
		if err := rows.Scan(&ord, &id, &k.Kind, &message, &k.thread, &k.Payload, &k.Requeues, &k.Attempts, &age,
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
			c.parked[k.thread] = uid(k.Instance)
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
				c.deferred = append(c.deferred, k)
				c.deferredTo = append(c.deferredTo, timestamp(c.pace.wait(k, conversation)))
				c.out.More = true
				continue
			}
			c.pace.take(k, slot)
			at = slot
		}
		k.Token, k.SendAt = token, c.here(at)
		lease := c.r.Lease
		if k.Kind == inbox.FetchMedia {
			lease = c.r.MediaLease
		}
		c.taken = append(c.taken, timestamp(at.Add(lease)))
		c.out.Claimed = append(c.out.Claimed, k.Claimed)
	}
	for i, l := range lanes {
		if _, full := c.out.Full[l]; !full && got[l] == c.rooms[i] {
			c.out.More = true
		}
	}
}

// write queues the transaction's changes.
func (c *claim) write(tx *queueTx, token [16]byte) {
	if len(c.parked) > 0 {
		instances, threads := make([]pgtype.UUID, 0, len(c.parked)), make([]pgtype.UUID, 0, len(c.parked))
		for thread, instance := range c.parked {
			instances, threads = append(instances, instance), append(threads, thread)
		}
		tx.queue(parkFollowers, instances, threads)
	}
	if len(c.deferred) > 0 {
		instances, ids := make([]pgtype.UUID, len(c.deferred)), make([]pgtype.UUID, len(c.deferred))
		for i, k := range c.deferred {
			instances[i], ids[i] = uid(k.Instance), uid(k.Action)
		}
		tx.queue(deferActions, instances, ids, c.deferredTo)
	}
	c.pace.write(tx)
	if n := len(c.out.Claimed); n > 0 {
		instances, ids := make([]pgtype.UUID, n), make([]pgtype.UUID, n)
		for i, k := range c.out.Claimed {
			instances[i], ids[i] = uid(k.Instance), uid(k.Action)
		}
		tx.queue(claimActions, uid(token), instances, ids, c.taken)
	}
}
