-- The log tells of what was removed.

-- +goose Up
-- The rows that are there need no look: what the narrower constraint let in, this one does.
ALTER TABLE event DROP CONSTRAINT event_type_check, ADD CONSTRAINT event_type_check CHECK (type IN ('message.created', 'message.updated', 'message.deleted',
  'thread.updated', 'thread.deleted', 'contact.updated', 'contact.deleted', 'action.updated')) NOT VALID;
