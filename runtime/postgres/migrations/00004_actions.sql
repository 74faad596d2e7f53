-- Work for the worker.

-- +goose Up
CREATE TABLE action (
  instance_id uuid NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  id          uuid NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('send_reply', 'fetch_media')),
  thread_id   uuid,
  message_id  uuid,
  thread_seq  bigint NOT NULL DEFAULT 0,      -- the message's: a thread's replies leave in this order
  lane        text NOT NULL,                  -- what is paced and shared out together: a source
  payload     jsonb NOT NULL DEFAULT '{}',
  status      text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'awaiting', 'completed', 'failed')),
  attempts    integer NOT NULL DEFAULT 0,     -- starts of a send
  requeues    integer NOT NULL DEFAULT 0,     -- times a person asked again
  not_before  timestamptz NOT NULL DEFAULT now(),
  lease_token uuid,                           -- of the claim that may start and settle it
  lease_until timestamptz,
  started_at  timestamptz,                    -- a send of this claim may be under way since
  deadline    timestamptz,                    -- of an awaiting action
  error       text NOT NULL DEFAULT '',
  created_at  timestamptz NOT NULL DEFAULT now(),
  queued_at   timestamptz NOT NULL DEFAULT now(), -- created, or last requeued
  settled_at  timestamptz,
  PRIMARY KEY (instance_id, id),
  FOREIGN KEY (instance_id, message_id) REFERENCES message (instance_id, id) ON DELETE CASCADE,
  CHECK ((status = 'processing') = (lease_token IS NOT NULL)),
  CHECK ((lease_token IS NULL) = (lease_until IS NULL)),
  CHECK (started_at IS NULL OR status = 'processing'),
  CHECK ((status IN ('completed', 'failed')) = (settled_at IS NOT NULL)),
  CHECK (kind <> 'send_reply' OR (thread_id IS NOT NULL AND message_id IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX action_due ON action (instance_id, lane, not_before, thread_seq) WHERE status = 'pending';
CREATE INDEX action_unsettled ON action (instance_id, thread_id, thread_seq) WHERE status IN ('pending', 'processing', 'awaiting') AND kind = 'send_reply';
CREATE INDEX action_lease ON action (lease_until) WHERE status = 'processing';
CREATE INDEX action_deadline ON action (deadline) WHERE status = 'awaiting';
CREATE INDEX action_message ON action (message_id, instance_id);
-- However many look at a file at once, it is fetched once.
CREATE UNIQUE INDEX action_fetch ON action (instance_id, (payload ->> 'attachment_id'))
  WHERE kind = 'fetch_media' AND status IN ('pending', 'processing', 'awaiting');

-- What became of each part of a reply, so that a retry never repeats one.
CREATE TABLE action_part (
  instance_id uuid NOT NULL,
  action_id   uuid NOT NULL,
  part        integer NOT NULL,               -- from 0
  external_id text NOT NULL DEFAULT '',
  delivered_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, action_id, part),
  FOREIGN KEY (instance_id, action_id) REFERENCES action (instance_id, id) ON DELETE CASCADE
);

-- When the next send of an account or a conversation may leave. Kept here because
-- the worker's runs overlap.
CREATE TABLE pace (
  instance_id uuid NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  key         text NOT NULL,
  next_at     timestamptz NOT NULL,
  PRIMARY KEY (instance_id, key)
) WITH (fillfactor = 50);
