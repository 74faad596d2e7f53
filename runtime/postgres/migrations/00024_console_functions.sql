-- What the console does by function only.

-- +goose Up
-- log_channel writes to the log that somebody changed a channel. That is a change of
-- its manifest, of which this database learns later.
-- +goose StatementBegin
CREATE FUNCTION log_channel(channel uuid, what text, fields text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE place bigint := next_events(console_instance(), 1) + 1;
BEGIN
  IF what NOT IN ('channel.created', 'channel.updated') OR channel IS NULL THEN
    RAISE invalid_parameter_value USING MESSAGE = 'only changes of a channel are logged here';
  END IF;
  INSERT INTO event (instance_id, seq, type, channel_id, changed, actor) VALUES (console_instance(), place, what, channel, coalesce(fields, '{}'), person());
  RETURN place;
END $$;

-- A provider's own payload is shown in two steps, so that nobody looks and then rolls
-- the log back: log_raw writes down who is about to look, and read_raw shows what an
-- event of the last minute names that is committed, as it is another transaction's.

-- log_raw returns the event's place, or null if there is no such message.
CREATE FUNCTION log_raw(thread uuid, message uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE place bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM message m WHERE m.instance_id = console_instance() AND m.id = message AND m.thread_id = thread) THEN
    RETURN NULL;
  END IF;
  place := next_events(console_instance(), 1) + 1;
  INSERT INTO event (instance_id, seq, type, thread_id, message_id, actor) VALUES (console_instance(), place, 'raw.shown', thread, message, person());
  RETURN place;
END $$;

-- read_raw returns at least one row for a message that is still there.
CREATE FUNCTION read_raw(shown bigint) RETURNS TABLE (external_thread text, external_message text, content_type text, body bytea, received_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE own uuid := console_instance();
BEGIN
  RETURN QUERY
  SELECT t.external_id, m.external_id, r.content_type, r.body, r.received_at
    FROM event e
    JOIN message m ON m.instance_id = own AND m.id = e.message_id
    JOIN thread t ON t.instance_id = own AND t.id = m.thread_id
    LEFT JOIN raw_payload r ON r.instance_id = own AND r.message_id = m.id
   WHERE e.instance_id = own AND e.seq = shown AND e.type = 'raw.shown' AND e.at <> now() AND e.at > now() - interval '1 minute'
   ORDER BY r.received_at, r.id;
END $$;

-- owned_unread counts the unread among the newest open and pending threads of each
-- instance of console_owner, up to most.
CREATE FUNCTION owned_unread(most bigint) RETURNS TABLE (instance uuid, unread bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT i.id, (SELECT count(*) FROM (
    SELECT FROM (
      (SELECT s.unread FROM thread_state s WHERE s.instance_id = i.id AND s.status = 'open' ORDER BY s.last_activity_at DESC, s.thread_id DESC LIMIT 10000)
      UNION ALL
      (SELECT s.unread FROM thread_state s WHERE s.instance_id = i.id AND s.status = 'pending' ORDER BY s.last_activity_at DESC, s.thread_id DESC LIMIT 10000)
    ) newest WHERE newest.unread > 0 LIMIT most) counted)
    FROM instance i WHERE i.owner = console_owner() AND i.retired_at IS NULL AND i.purge_at IS NULL;
END $$;

-- As in 00006, but that a console acts for the instance that its transaction names.
CREATE OR REPLACE FUNCTION requeue_action(instance uuid, action_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF pg_has_role(session_user, 'socialops_runtime', 'usage')
     AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = session_user AND rolsuper)
     AND NOT EXISTS (SELECT FROM instance_role WHERE role_name = session_user AND instance_id = instance) THEN
    RETURN false;
  END IF;
  IF is_console() AND instance IS DISTINCT FROM console_instance() THEN
    RETURN false;
  END IF;
  UPDATE action SET status = 'pending', requeues = requeues + 1, not_before = now(), queued_at = now(), settled_at = NULL, error = ''
   WHERE instance_id = instance AND id = action_id AND status = 'failed' AND kind = 'send_reply';
  RETURN FOUND;
END $$;

-- As in 00007, but that a console looks in the instance that its transaction names.
CREATE OR REPLACE FUNCTION search_threads(words text) RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000
-- What is left to the planner is a bitmap of the search index.
SET search_path = public, pg_temp SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off
AS $$
DECLARE
  own uuid := (SELECT r.instance_id FROM instance_role r WHERE r.role_name = session_user);
  terms tsquery := websearch_to_tsquery('simple', words);
BEGIN
  IF own IS NULL AND is_console() THEN
    own := console_instance();
  END IF;
  IF own IS NULL OR numnode(terms) = 0 THEN
    RETURN;
  END IF;
  -- The index's entry for an instance names each of its threads. Where they are most
  -- threads of all, reading that entry takes longer than reading a few of others in
  -- vain (measured, 1 million threads, a word in 1 of 1,000: 4.9 against 1.4 ms).
  IF EXISTS (SELECT FROM pg_stats s, unnest(s.most_common_vals::text::uuid[], s.most_common_freqs) AS m (instance, share)
              WHERE s.schemaname = 'public' AND s.tablename = 'thread' AND s.attname = 'instance_id' AND m.instance = own AND m.share > 0.5) THEN
    RETURN QUERY SELECT t.id FROM thread t WHERE t.instance_id IS NOT DISTINCT FROM own AND t.tsv @@ terms;
  ELSE
    RETURN QUERY SELECT t.id FROM thread t WHERE t.instance_id = own AND t.tsv @@ terms;
  END IF;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION log_channel, log_raw, read_raw, owned_unread FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log_channel, log_raw, read_raw, owned_unread, requeue_action, search_threads TO socialops_console;
