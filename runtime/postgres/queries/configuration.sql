-- name: InstanceByAlias :one
SELECT * FROM instance WHERE alias = $1 AND purged_at IS NULL;

-- name: InstanceOf :one
SELECT * FROM instance WHERE install_id = $1 AND namespace = $2 AND name = $3 AND retired_at IS NULL;

-- name: Instances :many
SELECT * FROM instance WHERE install_id = $1 AND retired_at IS NULL ORDER BY created_at, id;

-- name: Purging :many
SELECT * FROM instance WHERE install_id = $1 AND purge_at IS NOT NULL AND purged_at IS NULL ORDER BY purge_at, id;

-- name: EndPurge :exec
UPDATE instance SET purged_at = @now, sealed_key = '', key_id = '', conditions = '[]', updated_at = now() WHERE id = @id;

-- name: PutInstance :exec
INSERT INTO instance (id, install_id, namespace, name, uid, uid_since, generation, alias, owner, providers, billing_account, billing_mode,
  inbound_price, reply_price, rate_limit, rate_burst, body_limit, suspended, sealed_key, key_id, deletion_policy, retired_at, released_at, purge_at, conditions, created_at,
  thread_days, raw_payload_days, event_days)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
ON CONFLICT (id) DO UPDATE SET install_id = excluded.install_id, namespace = excluded.namespace, name = excluded.name,
  uid = excluded.uid, uid_since = excluded.uid_since, generation = excluded.generation, owner = excluded.owner, providers = excluded.providers,
  billing_account = excluded.billing_account, billing_mode = excluded.billing_mode, inbound_price = excluded.inbound_price,
  reply_price = excluded.reply_price, rate_limit = excluded.rate_limit, rate_burst = excluded.rate_burst, body_limit = excluded.body_limit, suspended = excluded.suspended,
  sealed_key = excluded.sealed_key, key_id = excluded.key_id, deletion_policy = excluded.deletion_policy, retired_at = excluded.retired_at, released_at = excluded.released_at,
  purge_at = excluded.purge_at, conditions = excluded.conditions, thread_days = excluded.thread_days,
  raw_payload_days = excluded.raw_payload_days, event_days = excluded.event_days, updated_at = now();

-- name: KeysOf :many
SELECT * FROM api_key WHERE instance_id = $1 ORDER BY created_at, id;

-- name: PutKey :exec
INSERT INTO api_key (instance_id, id, hash, hint, name, scopes, origin, created_at, expires_at, revoked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (instance_id, id) DO UPDATE SET name = excluded.name, scopes = excluded.scopes, expires_at = excluded.expires_at, revoked_at = excluded.revoked_at;

-- name: DeleteManifestKey :exec
DELETE FROM api_key WHERE instance_id = $1 AND id = $2 AND origin = 'manifest';

-- name: ChannelsOf :many
SELECT * FROM channel WHERE instance_id = $1 ORDER BY created_at, id;

-- name: ChannelsByID :many
SELECT * FROM channel WHERE id = $1;

-- name: BoundChannels :many
SELECT c.* FROM channel c JOIN instance i ON i.id = c.instance_id
 WHERE i.install_id = $1 AND i.retired_at IS NULL AND NOT c.is_default AND c.removed_at IS NULL ORDER BY c.created_at, c.id;

-- name: PutChannel :exec
INSERT INTO channel (instance_id, id, provider, name, account_id, source, external_id, parse_mode, active, is_default, uid, uid_since,
  generation, removed_at, conditions, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (instance_id, id) DO UPDATE SET provider = excluded.provider, name = excluded.name, account_id = excluded.account_id,
  source = excluded.source, external_id = excluded.external_id, parse_mode = excluded.parse_mode, active = excluded.active,
  uid = excluded.uid, uid_since = excluded.uid_since, generation = excluded.generation, removed_at = excluded.removed_at,
  conditions = excluded.conditions, updated_at = now();

-- name: AccountsOf :many
SELECT * FROM account WHERE install_id = $1 ORDER BY created_at, id;

-- name: AccountByID :one
SELECT * FROM account WHERE id = $1;

-- name: PutAccount :exec
INSERT INTO account (id, install_id, namespace, name, kind, owner, source, display_name, credential, key_id, fingerprint, tried, identified_at,
  check_at, webhook_secret, webhook_hash, webhook_url, webhook_tried, webhook_check_at, webhook_instance_id, removed_at, conditions, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, owner = excluded.owner, source = excluded.source, display_name = excluded.display_name,
  credential = excluded.credential, key_id = excluded.key_id, fingerprint = excluded.fingerprint, tried = excluded.tried,
  identified_at = excluded.identified_at, check_at = excluded.check_at, webhook_secret = excluded.webhook_secret,
  webhook_hash = excluded.webhook_hash, webhook_url = excluded.webhook_url, webhook_tried = excluded.webhook_tried,
  webhook_check_at = excluded.webhook_check_at, webhook_instance_id = excluded.webhook_instance_id, removed_at = excluded.removed_at,
  conditions = excluded.conditions, updated_at = now();

-- name: DeleteAccount :exec
DELETE FROM account WHERE id = $1;

-- name: AccountUse :many
SELECT DISTINCT instance_id FROM channel WHERE account_id = $1 AND active ORDER BY instance_id;

-- name: WebhookHolder :one
SELECT * FROM account WHERE source = $1 AND webhook_instance_id IS NOT NULL;

-- name: ProofOf :one
SELECT * FROM account_proof WHERE instance_id = $1 AND account_id = $2;

-- name: PutProof :exec
INSERT INTO account_proof (instance_id, account_id, provider, source, token_hash, old_token_hash, old_until, secret)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (instance_id, account_id) DO UPDATE SET provider = excluded.provider, source = excluded.source, token_hash = excluded.token_hash,
  old_token_hash = excluded.old_token_hash, old_until = excluded.old_until, secret = excluded.secret;

-- name: DeleteProof :exec
DELETE FROM account_proof WHERE instance_id = $1 AND account_id = $2;

-- name: RetireInstance :exec
UPDATE instance SET retired_at = @now, updated_at = now() WHERE id = @id AND retired_at IS NULL;

-- name: RetireKeys :exec
DELETE FROM api_key WHERE instance_id = $1 AND origin = 'manifest';

-- name: RetireProofs :exec
DELETE FROM account_proof WHERE instance_id = $1;

-- name: RetireChannels :exec
UPDATE channel SET active = false, removed_at = coalesce(removed_at, CASE WHEN is_default THEN NULL ELSE @now::timestamptz END), updated_at = now()
 WHERE instance_id = @id;
