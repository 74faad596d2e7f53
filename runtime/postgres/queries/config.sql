-- What a runtime reads of its own instance's configuration.

-- name: GetInstance :one
SELECT alias, owner, providers, billing_account, billing_mode, inbound_price, reply_price, rate_limit, rate_burst, body_limit, suspended,
       thread_days, raw_payload_days, event_days
  FROM instance WHERE id = @instance_id;

-- name: ListChannels :many
SELECT id, provider, name, account_id, source, external_id, parse_mode, active, is_default
  FROM channel WHERE instance_id = @instance_id AND removed_at IS NULL ORDER BY created_at, id;

-- name: ListKeys :many
SELECT id, hash, hint, name, scopes, origin, created_at, expires_at, revoked_at
  FROM api_key
 WHERE instance_id = @instance_id
   AND (revoked_at IS NULL OR revoked_at > @gone::timestamptz) AND (expires_at IS NULL OR expires_at > @gone)
 ORDER BY created_at, id;

-- name: ListProofs :many
SELECT account_id, provider, source, token_hash, old_token_hash, old_until, secret
  FROM account_proof WHERE instance_id = @instance_id ORDER BY account_id;
