-- What the worker does seldom. Its claims, starts and settlements are pipelines
-- over arrays, which sqlc can't describe: see queue_claim.go and those beside it.

-- name: SweepLeases :many
SELECT instance_id, id, kind, requeues, (started_at IS NOT NULL)::bool AS started
  FROM action
 WHERE status = 'processing' AND lease_until < now()
 ORDER BY lease_until
 LIMIT 500
   FOR NO KEY UPDATE SKIP LOCKED;

-- name: SweepDeadlines :many
SELECT instance_id, id, kind, requeues
  FROM action
 WHERE status = 'awaiting' AND deadline < now()
 ORDER BY deadline
 LIMIT 500
   FOR NO KEY UPDATE SKIP LOCKED;

-- name: LockLease :one
SELECT id FROM action
 WHERE instance_id = $1 AND id = $2 AND status = 'processing' AND lease_token = $3
   FOR NO KEY UPDATE;

-- name: StoreContent :exec
INSERT INTO attachment_content (instance_id, attachment_id, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: FinishAttachment :exec
UPDATE attachment SET state = $3, error = $4,
       size = CASE WHEN sqlc.arg(size)::bigint > 0 THEN sqlc.arg(size)::bigint ELSE size END,
       mime_type = CASE WHEN mime_type = '' OR mime_type = 'application/octet-stream' THEN sqlc.arg(mime_type)::text ELSE mime_type END
 WHERE instance_id = $1 AND id = $2;

-- name: FinishAction :exec
UPDATE action SET status = $3, error = $4, settled_at = now(), lease_token = NULL, lease_until = NULL, started_at = NULL
 WHERE instance_id = $1 AND id = $2;

-- name: PurgeIdempotency :execrows
DELETE FROM idempotency i USING (
  SELECT instance_id, caller, route, key FROM idempotency WHERE created_at < now() - interval '24 hours'
   ORDER BY created_at LIMIT 5000) old
 WHERE i.instance_id = old.instance_id AND i.caller = old.caller AND i.route = old.route AND i.key = old.key;

-- Pacing that is an hour old says nothing any more.
-- name: PurgePace :execrows
DELETE FROM pace p USING (
  SELECT instance_id, key FROM pace WHERE next_at < now() - interval '1 hour' LIMIT 20000 FOR UPDATE SKIP LOCKED) old
 WHERE p.instance_id = old.instance_id AND p.key = old.key;

-- name: RetentionDue :many
SELECT instance_id::uuid AS instance_id, kind::text AS kind FROM retention_due();

-- name: ExpireThreads :one
SELECT threads::bigint AS threads, messages::bigint AS messages, raw_payloads::bigint AS raw_payloads, attachments::bigint AS attachments,
       actions::bigint AS actions
  FROM expire_threads(sqlc.arg(instance_id)::uuid, sqlc.arg(most)::int);

-- name: ExpireRawPayloads :one
SELECT removed::bigint AS removed, last::uuid AS last FROM expire_raw_payloads(sqlc.arg(instance_id)::uuid, sqlc.arg(after)::uuid, sqlc.arg(most)::int);

-- name: ExpireEvents :one
SELECT removed::bigint AS removed, last::bigint AS last FROM expire_events(sqlc.arg(instance_id)::uuid, sqlc.arg(after)::bigint, sqlc.arg(most)::int);

-- name: QueueDepth :many
SELECT d.kind, d.status, count(*) AS actions,
       coalesce(extract(epoch FROM now() - min(d.queued_at) FILTER (WHERE NOT i.suspended AND i.retired_at IS NULL)), 0)::float8 AS oldest
  FROM ((SELECT instance_id, kind, status, queued_at FROM action WHERE status = 'pending' LIMIT 10000)
        UNION ALL
        (SELECT instance_id, kind, status, queued_at FROM action WHERE status = 'processing' LIMIT 10000)
        UNION ALL
        (SELECT instance_id, kind, status, queued_at FROM action WHERE status = 'awaiting' LIMIT 10000)) d
  JOIN instance i ON i.id = d.instance_id
 GROUP BY d.kind, d.status;

-- One probe an instance, as no index leads to an action by its id alone.
-- name: FindAction :one
SELECT a.instance_id, a.kind, a.status FROM instance i JOIN action a ON a.instance_id = i.id AND a.id = $1;

-- name: RequeueAction :one
SELECT requeue_action(sqlc.arg(instance_id)::uuid, sqlc.arg(action_id)::uuid);

-- name: ActAs :exec
SELECT set_config('socialops.actor', sqlc.arg(actor)::text, true);
