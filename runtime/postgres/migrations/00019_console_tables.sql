-- What people keep in the console.

-- Each statement by itself, as a foreign key locks the table that it refers to.
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS canned_text (
  instance_id uuid NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  id          uuid NOT NULL,
  name        text NOT NULL CHECK (name <> '' AND length(name) <= 60),
  text        text NOT NULL CHECK (text <> '' AND octet_length(text) <= 65536),
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, id),
  UNIQUE (instance_id, name)
);
CREATE TABLE IF NOT EXISTS saved_view (
  instance_id uuid NOT NULL,
  id          uuid NOT NULL,
  agent_id    uuid NOT NULL,
  name        text NOT NULL CHECK (name <> '' AND length(name) <= 60),
  query       text NOT NULL CHECK (length(query) <= 1000), -- as the page's URL has it
  shared      boolean NOT NULL DEFAULT false,              -- with every agent
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, id),
  FOREIGN KEY (instance_id, agent_id) REFERENCES agent (instance_id, id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS saved_view_agent ON saved_view (agent_id, instance_id);
ALTER TABLE canned_text ENABLE ROW LEVEL SECURITY;
ALTER TABLE saved_view ENABLE ROW LEVEL SECURITY;
