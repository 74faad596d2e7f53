-- How things go that are kept no longer, or that somebody asked to be forgotten.

-- +goose Up
-- The functions below look rows up by arrays of ids, each one a probe of an index.
-- Joins of other kinds are off, as those would read the tenant's whole table once a
-- plan was made for it while it was small. What is off makes a plan look dear, and
-- what looks dear would be compiled, for a second.

-- remove_messages removes messages with all that hangs on them. Their threads are
-- locked by the caller.
-- +goose StatementBegin
CREATE FUNCTION remove_messages(instance uuid, ids uuid[], OUT messages bigint, OUT raw_payloads bigint, OUT attachments bigint, OUT actions bigint)
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  DELETE FROM action a WHERE a.message_id = ANY (ids) AND a.instance_id = instance;
  GET DIAGNOSTICS actions = ROW_COUNT;
  DELETE FROM attachment a WHERE a.message_id = ANY (ids) AND a.instance_id = instance;
  GET DIAGNOSTICS attachments = ROW_COUNT;
  DELETE FROM raw_payload r WHERE r.instance_id = instance AND r.message_id = ANY (ids);
  GET DIAGNOSTICS raw_payloads = ROW_COUNT;
  INSERT INTO removed_message (instance_id, message_id, thread_id)
  SELECT m.instance_id, m.id, m.thread_id FROM message m WHERE m.instance_id = instance AND m.id = ANY (ids) AND (m.origin <> 'ours' OR m.external_id IS NOT NULL)
      ON CONFLICT DO NOTHING;
  DELETE FROM message m WHERE m.instance_id = instance AND m.id = ANY (ids);
  GET DIAGNOSTICS messages = ROW_COUNT;
END $$;

-- remove_threads removes the first messages of threads, at most most and about
-- 64 MiB, and those threads that have none left. A thread in which somebody has just
-- asked for another try of a reply is left alone. The caller has locked the threads,
-- and calls again until nothing is removed any more.
--
-- Of contacts who have no conversation left, only the id stays by which they are
-- known again. They may have written in others' conversations, and all that somebody
-- wrote must be found by one id. What else there was comes with their next message.
CREATE FUNCTION remove_threads(instance uuid, ids uuid[], most integer, OUT threads bigint, OUT messages bigint, OUT raw_payloads bigint,
  OUT attachments bigint, OUT actions bigint)
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE chunk uuid[]; chunk_threads uuid[]; people uuid[]; busy uuid[];
BEGIN
  SELECT coalesce(array_agg(c.id), '{}'), coalesce(array_agg(c.thread_id), '{}'),
         coalesce(array_agg(DISTINCT c.author_id) FILTER (WHERE c.author_kind = 'contact' AND c.author_id IS NOT NULL), '{}')
    INTO chunk, chunk_threads, people
    FROM (SELECT m.*, sum(m.size) OVER (ORDER BY m.thread_id, m.seq) - m.size AS before
            FROM (SELECT m.id, m.thread_id, m.seq, m.author_kind, m.author_id,
                         (SELECT coalesce(sum(octet_length(r.body)), 0) FROM raw_payload r WHERE r.instance_id = instance AND r.message_id = m.id)
                         + (SELECT coalesce(sum(a.size), 0) FROM attachment a WHERE a.message_id = m.id AND a.instance_id = instance AND a.state = 'stored') AS size
                    FROM message m WHERE m.thread_id = ANY (ids) AND m.instance_id = instance
                   ORDER BY m.thread_id, m.seq LIMIT most) m) c
   WHERE c.before < 67108864;
  PERFORM FROM action a WHERE a.message_id = ANY (chunk) AND a.instance_id = instance ORDER BY a.id FOR UPDATE;
  busy := ARRAY(SELECT DISTINCT a.thread_id FROM action a WHERE a.message_id = ANY (chunk) AND a.instance_id = instance
                   AND a.kind = 'send_reply' AND a.status IN ('pending', 'processing', 'awaiting'));
  IF cardinality(busy) > 0 THEN
    ids := ARRAY(SELECT t FROM unnest(ids) t WHERE t <> ALL (busy));
    chunk := ARRAY(SELECT c FROM unnest(chunk, chunk_threads) AS u (c, t) WHERE t <> ALL (busy));
  END IF;
  SELECT r.messages, r.raw_payloads, r.attachments, r.actions INTO messages, raw_payloads, attachments, actions FROM remove_messages(instance, chunk) r;
  ids := ARRAY(SELECT t FROM unnest(ids) t WHERE NOT EXISTS (SELECT FROM message m WHERE m.thread_id = t AND m.instance_id = instance));
  people := people || ARRAY(SELECT t.contact_id FROM thread t WHERE t.instance_id = instance AND t.id = ANY (ids) AND t.contact_id IS NOT NULL);
  -- Whoever is being written of at this moment is no such contact.
  people := ARRAY(SELECT c.id FROM contact c WHERE c.instance_id = instance AND c.id = ANY (people)
                     AND NOT EXISTS (SELECT FROM thread t WHERE t.contact_id = c.id AND t.instance_id = instance AND t.id <> ALL (ids))
                   ORDER BY c.id FOR UPDATE SKIP LOCKED);
  UPDATE contact c SET name = '', handle = '', url = '', avatar_url = ''
   WHERE c.instance_id = instance AND c.id = ANY (people) AND (c.name, c.handle, c.url, c.avatar_url) <> ('', '', '', '');
  -- This one locks the instance's log, so it comes last.
  DELETE FROM thread t WHERE t.instance_id = instance AND t.id = ANY (ids);
  GET DIAGNOSTICS threads = ROW_COUNT;
END $$;

-- before_v7 is the least UUIDv7 of a moment.
CREATE FUNCTION before_v7(moment timestamptz) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- What the worker may do: remove what an instance keeps no longer, and nothing
-- else. For how long that is follows from the instance's row, so that no caller can
-- have it otherwise. Of several that come at once, one removes and the others find
-- nothing to do.

-- retention_due tells of which instances something is to be removed.
CREATE FUNCTION retention_due() RETURNS TABLE (instance_id uuid, kind text) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  RETURN QUERY
  SELECT i.id, k.kind
    FROM instance i
   CROSS JOIN LATERAL (
     SELECT 'thread' AS kind
      WHERE i.thread_days > 0 AND EXISTS (
        SELECT FROM thread_state s
         WHERE s.instance_id = i.id AND s.status = ANY ('{resolved,archived}') AND s.priority = ANY ('{low,normal,high,urgent}')
           AND s.last_activity_at < now() - make_interval(days => i.thread_days))
     UNION ALL
     SELECT 'raw_payload'
      WHERE i.raw_payload_days > 0 AND EXISTS (
        SELECT FROM raw_payload r
         WHERE r.instance_id = i.id AND r.message_id < before_v7(now() - make_interval(days => i.raw_payload_days))
           AND r.received_at < now() - make_interval(days => i.raw_payload_days))
     UNION ALL
     SELECT 'event'
      WHERE i.event_days > 0
        AND (SELECT e.at FROM event e WHERE e.instance_id = i.id ORDER BY e.seq LIMIT 1) < now() - make_interval(days => i.event_days)) k
   WHERE (i.thread_days > 0 OR i.raw_payload_days > 0 OR i.event_days > 0) AND i.purge_at IS NULL;
END $$;

-- expire_threads removes threads that are over, with all that is in them. One with
-- an action that is not settled is not over.
CREATE FUNCTION expire_threads(instance uuid, most integer, OUT threads bigint, OUT messages bigint, OUT raw_payloads bigint,
  OUT attachments bigint, OUT actions bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE days integer; ids uuid[];
BEGIN
  SELECT 0, 0, 0, 0, 0 INTO threads, messages, raw_payloads, attachments, actions;
  SELECT i.thread_days INTO days FROM instance i WHERE i.id = instance AND i.thread_days > 0 AND i.purge_at IS NULL;
  IF NOT FOUND OR NOT pg_try_advisory_xact_lock(hashtextextended('retention/' || instance, 0)) THEN
    RETURN;
  END IF;
  PERFORM set_config('socialops.actor', 'retention', true);
  ids := ARRAY(
    SELECT s.thread_id FROM thread_state s
     WHERE s.instance_id = instance AND s.status = ANY ('{resolved,archived}') AND s.priority = ANY ('{low,normal,high,urgent}')
       AND s.last_activity_at < now() - make_interval(days => days)
       AND NOT EXISTS (SELECT FROM action a WHERE a.instance_id = instance AND a.thread_id = s.thread_id AND a.kind = 'send_reply'
                          AND a.status IN ('pending', 'processing', 'awaiting'))
       AND NOT EXISTS (SELECT FROM message m JOIN action a ON a.message_id = m.id AND a.instance_id = instance
                        WHERE m.thread_id = s.thread_id AND m.instance_id = instance AND a.status IN ('pending', 'processing', 'awaiting'))
     LIMIT least(most, 100) FOR UPDATE OF s SKIP LOCKED);
  SELECT r.* INTO threads, messages, raw_payloads, attachments, actions FROM remove_threads(instance, ids, most) r;
END $$;

-- expire_raw_payloads removes payloads of messages from after on, and tells of which
-- the last one was, for the next call to go on there. It goes by the messages' ids,
-- which have the order in which they were made; when a payload came decides.
CREATE FUNCTION expire_raw_payloads(instance uuid, after uuid, most integer, OUT removed bigint, OUT last uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE days integer;
BEGIN
  SELECT 0, after INTO removed, last;
  SELECT i.raw_payload_days INTO days FROM instance i WHERE i.id = instance AND i.raw_payload_days > 0 AND i.purge_at IS NULL;
  IF NOT FOUND OR NOT pg_try_advisory_xact_lock(hashtextextended('retention/' || instance, 0)) THEN
    RETURN;
  END IF;
  WITH old AS MATERIALIZED (
    SELECT r.message_id, r.id, octet_length(r.body) AS size FROM raw_payload r
     WHERE r.instance_id = instance AND r.message_id >= after AND r.message_id < before_v7(now() - make_interval(days => days))
       AND r.received_at < now() - make_interval(days => days)
     ORDER BY r.message_id, r.id LIMIT most
  ), chunk AS MATERIALIZED (
    SELECT o.message_id, o.id FROM (SELECT *, sum(size) OVER (ORDER BY old.message_id, old.id) - size AS before FROM old) o WHERE o.before < 67108864
  ), gone AS (
    DELETE FROM raw_payload r USING chunk c WHERE r.instance_id = instance AND r.message_id = c.message_id AND r.id = c.id RETURNING r.message_id
  )
  SELECT count(*), coalesce((array_agg(g.message_id ORDER BY g.message_id DESC))[1], after) INTO removed, last FROM gone g;
END $$;

-- expire_events removes the log's oldest events behind after, and tells the last one
-- removed. What is left has no gap, and the newest one always stays: it tells where
-- the log ends.
CREATE FUNCTION expire_events(instance uuid, after bigint, most integer, OUT removed bigint, OUT last bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE days integer; oldest bigint; newest bigint; keep bigint;
BEGIN
  SELECT 0, after INTO removed, last;
  SELECT i.event_days INTO days FROM instance i WHERE i.id = instance AND i.event_days > 0 AND i.purge_at IS NULL;
  IF NOT FOUND OR NOT pg_try_advisory_xact_lock(hashtextextended('retention/' || instance, 0)) THEN
    RETURN;
  END IF;
  SELECT e.seq INTO oldest FROM event e WHERE e.instance_id = instance AND e.seq > after ORDER BY e.seq LIMIT 1;
  SELECT e.seq INTO newest FROM event e WHERE e.instance_id = instance ORDER BY e.seq DESC LIMIT 1;
  SELECT e.seq INTO keep FROM event e
   WHERE e.instance_id = instance AND e.seq >= oldest AND e.seq < oldest + most AND e.at >= now() - make_interval(days => days)
   ORDER BY e.seq LIMIT 1;
  keep := least(coalesce(keep, oldest + most), newest);
  DELETE FROM event e WHERE e.instance_id = instance AND e.seq >= oldest AND e.seq < keep;
  GET DIAGNOSTICS removed = ROW_COUNT;
  last := coalesce(keep - 1, after);
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION thread_removed, contact_removed, remove_messages, remove_threads, before_v7, retention_due,
  expire_threads, expire_raw_payloads, expire_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retention_due, expire_threads, expire_raw_payloads, expire_events TO socialops_worker;
