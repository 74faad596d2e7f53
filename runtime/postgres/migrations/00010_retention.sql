-- What is not kept for good: how long an instance keeps things, and how they go.
-- Money always stays. So does the hash of each event, with its ids: a repeat of an
-- event whose message is gone is a repeat all the same.

-- +goose Up
-- Days; 0: for good.
ALTER TABLE instance
  ADD COLUMN thread_days      integer NOT NULL DEFAULT 0 CHECK (thread_days >= 0),      -- of a resolved or archived thread without activity
  ADD COLUMN raw_payload_days integer NOT NULL DEFAULT 0 CHECK (raw_payload_days >= 0),
  ADD COLUMN event_days       integer NOT NULL DEFAULT 0 CHECK (event_days >= 0);

-- In which thread a message was that is gone. Receipts name their message, and no
-- index leads back from it to them, as every ingest would pay for one: so a receipt
-- finds its thread here.
CREATE TABLE removed_message (
  instance_id uuid NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  message_id  uuid NOT NULL,
  thread_id   uuid NOT NULL,
  PRIMARY KEY (instance_id, message_id)
);
ALTER TABLE removed_message ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON removed_message TO socialops_runtime
  USING (instance_id = (SELECT r.instance_id FROM instance_role r WHERE r.role_name = current_user));
GRANT SELECT ON removed_message TO socialops_runtime;
