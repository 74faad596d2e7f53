-- The audit trail, newest first: of one thread, and of what people did. What comes
-- in and what the worker does is most of the log, and in neither index: writing
-- that pays nothing for them.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS event_thread;
CREATE INDEX CONCURRENTLY event_thread ON event (thread_id, instance_id, seq) WHERE thread_id IS NOT NULL AND actor <> 'provider';
DROP INDEX CONCURRENTLY IF EXISTS event_people;
CREATE INDEX CONCURRENTLY event_people ON event (instance_id, seq) WHERE actor <> ALL ('{provider,worker,system}'::text[]);
