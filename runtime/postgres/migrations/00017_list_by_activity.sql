-- The inbox by activity alone: one ordered scan a status, where the index by
-- priority takes one for each status and priority.

-- Built while events go on coming in. What a try that was broken off has left is
-- no index that anybody uses.
-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS thread_state_activity;
CREATE INDEX CONCURRENTLY thread_state_activity ON thread_state (instance_id, status, last_activity_at DESC, thread_id DESC);
