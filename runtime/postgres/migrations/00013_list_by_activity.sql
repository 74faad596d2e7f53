-- The inbox by activity alone: one ordered scan a status, where the index by
-- priority takes one for each status and priority.

-- +goose Up
CREATE INDEX thread_state_activity ON thread_state (instance_id, status, last_activity_at DESC, thread_id DESC);
