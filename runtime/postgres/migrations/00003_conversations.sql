-- Conversations.
--
-- Primary keys begin with instance_id; other indexes begin with what they are for.
-- On tables without statistics, every index that begins with the instance looks as
-- good as the primary key, and a plan made then (a foreign key's, cached for the
-- session) would read the tenant's whole table for each row.
--
-- What a new message changes is kept apart from what it does not:
-- thread_state and its narrow indexes take each message's update, while thread,
-- wide and indexed for search, is only written when the conversation is.

-- +goose Up
CREATE TABLE agent (
  instance_id uuid NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  id          uuid NOT NULL,
  subject     text NOT NULL,                  -- OIDC sub
  name        text NOT NULL DEFAULT '',
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, id),
  UNIQUE (instance_id, subject)
);

CREATE TABLE contact (
  instance_id uuid NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  id          uuid NOT NULL,
  source      text NOT NULL,
  external_id text NOT NULL,
  name        text NOT NULL DEFAULT '',
  handle      text NOT NULL DEFAULT '',
  url         text NOT NULL DEFAULT '',
  avatar_url  text NOT NULL DEFAULT '',
  blocked_at  timestamptz,                    -- since when it takes no messages from us
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, id),
  UNIQUE (external_id, source, instance_id)
);

CREATE TABLE thread (
  instance_id uuid NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  id          uuid NOT NULL,
  source      text NOT NULL,
  external_id text NOT NULL,
  episode     integer NOT NULL DEFAULT 0,     -- counts the cases of one conversation
  provider    text NOT NULL,
  target      text NOT NULL DEFAULT '',       -- external channel, such as a chat: what a binding names
  channel_id  uuid,
  contact_id  uuid,
  subject     text NOT NULL DEFAULT '',
  ai_summary  text NOT NULL DEFAULT '',
  handler     text NOT NULL DEFAULT 'agents' CHECK (handler IN ('agents', 'bot')),
  custom_data jsonb NOT NULL DEFAULT '{}',
  tsv         tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', subject || ' ' || ai_summary)) STORED,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, id),
  UNIQUE (external_id, source, instance_id, episode),
  FOREIGN KEY (instance_id, channel_id) REFERENCES channel (instance_id, id) ON DELETE SET NULL (channel_id),
  FOREIGN KEY (instance_id, contact_id) REFERENCES contact (instance_id, id)
);
-- Without the pending list a reader never pays for the writers before it.
CREATE INDEX thread_search ON thread USING gin (instance_id, tsv) WITH (fastupdate = off);
CREATE INDEX thread_contact ON thread (contact_id, instance_id);

CREATE TABLE thread_state (
  instance_id      uuid NOT NULL,
  thread_id        uuid NOT NULL,
  status           text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'pending', 'resolved', 'archived')),
  priority         text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
  provider         text NOT NULL,             -- the thread's, here for the indexes
  assignee_id      uuid,
  last_activity_at timestamptz NOT NULL DEFAULT now(), -- last message in or out, our clock
  last_message_id  uuid,                      -- the last that is no note
  message_seq      bigint NOT NULL DEFAULT 0, -- of the newest message; its update is the thread's lock
  unread           integer NOT NULL DEFAULT 0,
  expires_at       timestamptz,
  PRIMARY KEY (instance_id, thread_id),
  FOREIGN KEY (instance_id, thread_id) REFERENCES thread (instance_id, id) ON DELETE CASCADE,
  FOREIGN KEY (instance_id, assignee_id) REFERENCES agent (instance_id, id)
) WITH (fillfactor = 80);
-- A list merges one ordered scan for each combination of the leading columns that its filter leaves open.
CREATE INDEX thread_state_priority ON thread_state (instance_id, status, priority, last_activity_at DESC, thread_id DESC);
CREATE INDEX thread_state_provider ON thread_state (instance_id, status, provider, last_activity_at DESC, thread_id DESC);
CREATE INDEX thread_state_assignee ON thread_state (instance_id, status, assignee_id, last_activity_at DESC, thread_id DESC) WHERE assignee_id IS NOT NULL;
CREATE INDEX thread_state_unassigned ON thread_state (instance_id, status, last_activity_at DESC, thread_id DESC) WHERE assignee_id IS NULL;

-- Status and activity are copies, kept by a trigger, so that a list by label is one ordered scan too.
CREATE TABLE thread_label (
  instance_id      uuid NOT NULL,
  thread_id        uuid NOT NULL,
  label            text NOT NULL CHECK (label <> '' AND length(label) <= 100),
  status           text NOT NULL,
  last_activity_at timestamptz NOT NULL,
  PRIMARY KEY (instance_id, thread_id, label),
  FOREIGN KEY (instance_id, thread_id) REFERENCES thread_state (instance_id, thread_id) ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE INDEX thread_label_activity ON thread_label (instance_id, label, status, last_activity_at DESC, thread_id DESC);

CREATE TABLE message (
  instance_id uuid NOT NULL,
  id          uuid NOT NULL,
  thread_id   uuid NOT NULL,
  seq         bigint NOT NULL CHECK (seq > 0),
  source      text NOT NULL,
  external_id text,
  direction   text NOT NULL CHECK (direction IN ('inbound', 'outbound', 'internal')),
  origin      text NOT NULL CHECK (origin IN ('theirs', 'ours', 'ours_elsewhere')),
  type        text NOT NULL DEFAULT 'text',
  text        text NOT NULL DEFAULT '',
  url         text NOT NULL DEFAULT '',
  group_id    text NOT NULL DEFAULT '',
  data        jsonb,
  author_kind text NOT NULL CHECK (author_kind IN ('contact', 'agent', 'api_key', 'system')),
  author_id   uuid,                           -- of the contact, agent or key; it may be gone by now
  author_name text NOT NULL DEFAULT '',
  parent_id   uuid,
  sent_at     timestamptz,                    -- the provider's time
  created_at  timestamptz NOT NULL DEFAULT now(),
  edited_at   timestamptz,
  PRIMARY KEY (instance_id, id),
  UNIQUE (thread_id, seq, instance_id),
  FOREIGN KEY (instance_id, thread_id) REFERENCES thread (instance_id, id) ON DELETE CASCADE,
  CHECK ((direction = 'inbound') = (origin = 'theirs')),
  CHECK (direction <> 'internal' OR origin = 'ours')
);
CREATE UNIQUE INDEX message_external ON message (external_id, source, instance_id) WHERE external_id IS NOT NULL;

CREATE TABLE attachment (
  instance_id uuid NOT NULL,
  id          uuid NOT NULL,
  message_id  uuid NOT NULL,
  position    integer NOT NULL,
  kind        text NOT NULL,
  name        text NOT NULL DEFAULT '',
  mime_type   text NOT NULL DEFAULT '',
  size        bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
  url         text NOT NULL DEFAULT '',
  ref         text NOT NULL DEFAULT '',       -- the provider's; never shown
  state       text NOT NULL CHECK (state IN ('linked', 'remote', 'stored', 'failed')),
  error       text NOT NULL DEFAULT '',
  PRIMARY KEY (instance_id, id),
  FOREIGN KEY (instance_id, message_id) REFERENCES message (instance_id, id) ON DELETE CASCADE
);
CREATE INDEX attachment_message ON attachment (message_id, instance_id);

CREATE TABLE attachment_content (
  instance_id   uuid NOT NULL,
  attachment_id uuid NOT NULL,
  content       bytea NOT NULL,
  PRIMARY KEY (instance_id, attachment_id),
  FOREIGN KEY (instance_id, attachment_id) REFERENCES attachment (instance_id, id) ON DELETE CASCADE
);
ALTER TABLE attachment_content ALTER COLUMN content SET STORAGE EXTERNAL; -- media is compressed already

-- Webhook bodies byte for byte, for audit. An edit adds a row of its own to its message.
CREATE TABLE raw_payload (
  instance_id  uuid NOT NULL,
  message_id   uuid NOT NULL,
  id           uuid NOT NULL,
  content_type text NOT NULL DEFAULT '',
  body         bytea NOT NULL,
  received_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, message_id, id),
  FOREIGN KEY (instance_id, message_id) REFERENCES message (instance_id, id) ON DELETE CASCADE
);

-- One row an accepted event: the dedupe. It holds a hash and ids only, so it stays
-- when the message goes, and a redelivery then stores nothing.
CREATE TABLE event_receipt (
  instance_id uuid NOT NULL,
  key         uuid NOT NULL,                  -- 128 bits of SHA-256 over source and event id
  message_id  uuid,
  thread_id   uuid,                           -- filled in when the message is deleted
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, key)
);

-- Results of calls made with an Idempotency-Key, for 24 h.
CREATE TABLE idempotency (
  instance_id uuid NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  caller      text NOT NULL,
  route       text NOT NULL,
  key         text NOT NULL CHECK (length(key) <= 255),
  body_hash   bytea NOT NULL,
  result      jsonb NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, caller, route, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
