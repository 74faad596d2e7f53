-- name: GetInstance :one
SELECT * FROM instance;

-- name: ListChannels :many
SELECT * FROM channel ORDER BY instance_id, created_at, id;

-- name: ListKeys :many
SELECT * FROM api_key ORDER BY created_at, id;

-- name: ListProofs :many
SELECT * FROM account_proof ORDER BY account_id;
