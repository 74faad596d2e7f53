package pgtest

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/inbox"
)

// SeedOptions says how much history [Seed] makes up.
type SeedOptions struct {
	Threads  int
	Messages int       // of all threads together, evenly; at least one each
	Until    time.Time // when the last thread began; the first one began a year before. Zero: now
}

// What Seed makes, besides status (newest tenth: mostly open; older: mostly
// resolved and archived), priority (1 in 100 urgent, 1 in 10 high) and provider
// (6 in 10 generic-webhook, 3 telegram, 1 github):
const (
	SeedAgents = 20 // agents, with the subjects that SeedAgent names

	SeedLabelCommon = "ops"    // on 1 thread in 5
	SeedLabelSome   = "vip"    // on 1 in 100
	SeedLabelRare   = "refund" // on 1 in 10,000
)

// SeedAgent is the OIDC subject of the seed's n-th agent, from 1. Agents work on
// 49 of 50 threads, so that unassigned ones are few.
func SeedAgent(n int) string { return fmt.Sprintf("agent-%d", n) }

// SeedWord is a word in the subject of 1 thread in n, for n of 10, 1,000 and 100,000.
func SeedWord(n int) string { return fmt.Sprintf("onein%d", n) }

// Seed fills an instance with made-up threads and messages, the same for the same
// options but for their ids. Triggers and foreign keys are off meanwhile, so that
// a million threads take a minute or two: the pool must be the superuser's, and
// there are no events, charges or raw payloads. Statistics are fresh afterwards.
func Seed(ctx context.Context, superuser *pgxpool.Pool, instance inbox.InstanceID, o SeedOptions) error {
	if o.Threads <= 0 {
		return fmt.Errorf("seeding: want some threads, not %d", o.Threads)
	}
	if o.Until.IsZero() {
		o.Until = time.Now()
	}
	perThread := max(1, o.Messages/o.Threads)
	err := pgx.BeginFunc(ctx, superuser, func(tx pgx.Tx) error {
		for _, step := range seedSteps {
			if _, err := tx.Exec(ctx, step.sql, pgx.QueryExecModeExec, pgx.NamedArgs{
				"instance": instance.UUID(), "threads": o.Threads, "until": o.Until, "per_thread": perThread,
				"more": max(0, o.Messages-perThread*o.Threads), "agents": SeedAgents,
				"common": SeedLabelCommon, "some": SeedLabelSome, "rare": SeedLabelRare,
			}); err != nil {
				return fmt.Errorf("seeding %s: %w", step.what, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := superuser.Exec(ctx, "VACUUM ANALYZE agent, contact, thread, thread_state, thread_label, message, attachment, action"); err != nil {
		return fmt.Errorf("seeding: gathering statistics: %w", err)
	}
	return nil
}

// The steps share pg_temp.seed_thread: a row a thread, numbered from 0, oldest first.
// Hashes of the number stand for chance. External ids rise with it, so that the
// pages of their indexes are written once.
var seedSteps = []struct{ what, sql string }{
	{"(as the superuser, without triggers)", `SET LOCAL session_replication_role = replica`},
	{"(without the search index, which is quicker made at the end)", `SET LOCAL maintenance_work_mem = '256MB'`},
	{"(without the search index)", `DROP INDEX thread_search`},
	{"helpers", `
CREATE OR REPLACE FUNCTION pg_temp.chance(n bigint, salt int, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
  'SELECT (hashint8extended(n, salt) & 9223372036854775807) % sides'`},
	{"helpers", `
CREATE OR REPLACE FUNCTION pg_temp.uuid7(at timestamptz, entropy text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT overlay(overlay(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || substr(md5(entropy), 1, 20)
         PLACING '7' FROM 13) PLACING '8' FROM 17)::uuid $$`},
	{"agents", `
INSERT INTO agent (instance_id, id, subject, name)
SELECT @instance::uuid, pg_temp.uuid7(@until::timestamptz, @instance || 'agent' || n), 'agent-' || n, 'Agent ' || n
  FROM generate_series(1, @agents::int) n`},
	{"contacts", `
INSERT INTO contact (instance_id, id, source, external_id, name, handle)
SELECT @instance::uuid, pg_temp.uuid7(@until::timestamptz - interval '1 year', @instance || 'contact' || n), 'seed', 'user-' || lpad(n::text, 9, '0'),
       'Person ' || n, 'person' || n
  FROM generate_series(0, (@threads::bigint + 1) / 2 - 1) n`},
	{"threads", `DROP TABLE IF EXISTS pg_temp.seed_thread`},
	{"threads", `
CREATE TEMP TABLE seed_thread ON COMMIT DROP AS
SELECT t.*, pg_temp.uuid7(t.created_at, @instance || 'thread' || t.n) AS id,
       least(@until::timestamptz, t.created_at + pg_temp.chance(t.n, 1, 2592000) * interval '1 second') AS last_activity_at,
       (ARRAY['open', 'pending', 'resolved', 'archived'])[
         CASE WHEN t.n >= @threads::bigint * 9 / 10 THEN width_bucket(pg_temp.chance(t.n, 2, 100), ARRAY[0, 60, 70, 99]::bigint[])
              ELSE width_bucket(pg_temp.chance(t.n, 2, 100), ARRAY[0, 8, 10, 75]::bigint[]) END] AS status,
       (ARRAY['urgent', 'high', 'low', 'normal'])[width_bucket(pg_temp.chance(t.n, 3, 100), ARRAY[0, 1, 10, 30]::bigint[])] AS priority,
       (ARRAY['github', 'telegram', 'generic-webhook'])[width_bucket(pg_temp.chance(t.n, 4, 100), ARRAY[0, 10, 40]::bigint[])] AS provider,
       CASE WHEN pg_temp.chance(t.n, 5, 50) > 0 THEN
         pg_temp.uuid7(@until::timestamptz, @instance || 'agent' || 1 + pg_temp.chance(t.n, 6, @agents::int)) END AS assignee_id,
       @per_thread::bigint + CASE WHEN t.n < @more::bigint THEN 1 ELSE 0 END AS messages
  FROM (SELECT n, date_trunc('milliseconds', @until::timestamptz - interval '1 year' * ((@threads::bigint - n)::float8 / @threads::bigint)) AS created_at
          FROM generate_series(0, @threads::bigint - 1) n) t`},
	{"threads", `
INSERT INTO thread (instance_id, id, source, external_id, provider, channel_id, contact_id, subject, ai_summary, created_at)
SELECT @instance::uuid, t.id, 'seed', 'thread-' || lpad(t.n::text, 9, '0'), t.provider,
       (SELECT c.id FROM channel c WHERE c.instance_id = @instance::uuid AND c.provider = t.provider LIMIT 1),
       pg_temp.uuid7(@until::timestamptz - interval '1 year', @instance || 'contact' || t.n / 2),
       concat_ws(' ', 'Case', t.n, 'a' || pg_temp.chance(t.n, 10, 50), 'b' || pg_temp.chance(t.n, 11, 500), 'c' || pg_temp.chance(t.n, 12, 5000),
         CASE WHEN t.n % 10 = 3 THEN 'onein10' END, CASE WHEN t.n % 1000 = 17 THEN 'onein1000' END,
         CASE WHEN t.n % 100000 = 4321 THEN 'onein100000' END),
       concat_ws(' ', 'The customer says', 'd' || pg_temp.chance(t.n, 13, 100), 'e' || pg_temp.chance(t.n, 14, 1000), 'f' || pg_temp.chance(t.n, 15, 10000),
         'and wants', 'g' || pg_temp.chance(t.n, 16, 100), 'h' || pg_temp.chance(t.n, 17, 1000)),
       t.created_at
  FROM seed_thread t ORDER BY t.n`},
	{"the search index", `CREATE INDEX thread_search ON thread USING gin (instance_id, tsv) WITH (fastupdate = off)`},
	{"thread states", `
INSERT INTO thread_state (instance_id, thread_id, status, priority, provider, assignee_id, last_activity_at, last_message_id, message_seq, unread)
SELECT @instance::uuid, id, status, priority, provider, assignee_id, last_activity_at,
       pg_temp.uuid7(last_activity_at, id::text || messages), messages, pg_temp.chance(n, 7, 4)
  FROM seed_thread ORDER BY n`},
	{"labels", `
INSERT INTO thread_label (instance_id, thread_id, label, status, last_activity_at)
SELECT @instance::uuid, t.id, l.label, t.status, t.last_activity_at
  FROM seed_thread t, (VALUES (@common::text, 5), (@some, 100), (@rare, 10000)) l (label, sides)
 WHERE t.n % l.sides = 2 ORDER BY t.n`},
	{"messages", `
INSERT INTO message (instance_id, id, thread_id, seq, source, external_id, direction, origin, text, author_kind, author_id, author_name, sent_at, created_at)
SELECT @instance::uuid, pg_temp.uuid7(m.at, t.id::text || m.seq), t.id, m.seq, 'seed', lpad(t.n::text, 9, '0') || '-' || m.seq,
       CASE WHEN m.ours THEN 'outbound' ELSE 'inbound' END, CASE WHEN m.ours THEN 'ours' ELSE 'theirs' END,
       'Message ' || m.seq || ' of case ' || t.n || ': ' || repeat('so it goes on and on. ', 1 + (t.n + m.seq)::int % 8),
       CASE WHEN m.ours THEN 'agent' ELSE 'contact' END,
       CASE WHEN m.ours THEN t.assignee_id ELSE pg_temp.uuid7(@until::timestamptz - interval '1 year', @instance || 'contact' || t.n / 2) END,
       CASE WHEN m.ours THEN 'An agent' ELSE 'Person ' || t.n / 2 END, m.at, m.at
  FROM seed_thread t,
       LATERAL (SELECT seq, t.created_at + (t.last_activity_at - t.created_at) * (seq::float8 / t.messages) AS at, (t.n + seq) % 10 = 0 AS ours
                  FROM generate_series(1, t.messages) seq) m
 ORDER BY t.n, m.seq`},
	{"attachments", `
INSERT INTO attachment (instance_id, id, message_id, position, kind, name, mime_type, size, url, state)
SELECT @instance::uuid, pg_temp.uuid7(t.created_at, 'attachment' || t.id), pg_temp.uuid7(t.last_activity_at, t.id::text || t.messages), 0,
       'image', 'photo.jpg', 'image/jpeg', 1000, 'https://example.com/photo.jpg', 'linked'
  FROM seed_thread t WHERE t.n % 50 = 7`},
	{"actions", `
INSERT INTO action (instance_id, id, kind, thread_id, message_id, thread_seq, lane, status, attempts, created_at, queued_at, settled_at)
SELECT @instance::uuid, pg_temp.uuid7(m.created_at, 'action' || m.id), 'send_reply', m.thread_id, m.id, m.seq, 'seed', 'completed', 1,
       m.created_at, m.created_at, m.created_at
  FROM message m WHERE m.instance_id = @instance::uuid AND m.origin = 'ours'`},
}
