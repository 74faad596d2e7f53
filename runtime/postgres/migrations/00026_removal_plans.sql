-- Plans that were made while the tables were empty serve on once they are full.

-- +goose Up
-- On tables without statistics an index that begins with the instance looks as good
-- as the one that begins with what is looked for, and a plan that took it reads the
-- tenant's whole table for each probe. IS NOT DISTINCT FROM is no index condition, so
-- it leaves only the right index to take. Where the primary key is the right one, each
-- row is looked up by itself, and what is found is taken by its place.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION remove_messages(instance uuid, ids uuid[], OUT messages bigint, OUT raw_payloads bigint, OUT attachments bigint, OUT actions bigint)
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  DELETE FROM action a WHERE a.message_id = ANY (ids) AND a.instance_id IS NOT DISTINCT FROM instance;
  GET DIAGNOSTICS actions = ROW_COUNT;
  DELETE FROM attachment a WHERE a.message_id = ANY (ids) AND a.instance_id IS NOT DISTINCT FROM instance;
  GET DIAGNOSTICS attachments = ROW_COUNT;
  DELETE FROM raw_payload r WHERE r.ctid = ANY (ARRAY(SELECT x.ctid FROM unnest(ids) u (id)
    CROSS JOIN LATERAL (SELECT p.ctid FROM raw_payload p WHERE p.instance_id = instance AND p.message_id = u.id OFFSET 0) x));
  GET DIAGNOSTICS raw_payloads = ROW_COUNT;
  INSERT INTO removed_message (instance_id, message_id, thread_id)
  SELECT instance, u.id, m.thread_id FROM unnest(ids) u (id)
   CROSS JOIN LATERAL (SELECT x.thread_id, x.origin, x.external_id FROM message x WHERE x.instance_id = instance AND x.id = u.id LIMIT 1) m
   WHERE m.origin <> 'ours' OR m.external_id IS NOT NULL
      ON CONFLICT DO NOTHING;
  DELETE FROM message m WHERE m.ctid = ANY (ARRAY(SELECT x.ctid FROM unnest(ids) u (id)
    CROSS JOIN LATERAL (SELECT y.ctid FROM message y WHERE y.instance_id = instance AND y.id = u.id LIMIT 1) x));
  GET DIAGNOSTICS messages = ROW_COUNT;
END $$;

CREATE OR REPLACE FUNCTION remove_threads(instance uuid, ids uuid[], most integer, OUT threads bigint, OUT messages bigint, OUT raw_payloads bigint,
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
                         + (SELECT coalesce(sum(a.size), 0) FROM attachment a WHERE a.message_id = m.id AND a.instance_id IS NOT DISTINCT FROM instance AND a.state = 'stored') AS size
                    FROM message m WHERE m.thread_id = ANY (ids) AND m.instance_id IS NOT DISTINCT FROM instance
                   ORDER BY m.thread_id, m.seq LIMIT most) m) c
   WHERE c.before < 67108864;
  PERFORM FROM action a WHERE a.message_id = ANY (chunk) AND a.instance_id IS NOT DISTINCT FROM instance ORDER BY a.id FOR UPDATE;
  busy := ARRAY(SELECT DISTINCT a.thread_id FROM action a WHERE a.message_id = ANY (chunk) AND a.instance_id IS NOT DISTINCT FROM instance
                   AND a.kind = 'send_reply' AND a.status IN ('pending', 'processing', 'awaiting'));
  IF cardinality(busy) > 0 THEN
    ids := ARRAY(SELECT t FROM unnest(ids) t WHERE t <> ALL (busy));
    chunk := ARRAY(SELECT c FROM unnest(chunk, chunk_threads) AS u (c, t) WHERE t <> ALL (busy));
  END IF;
  SELECT r.messages, r.raw_payloads, r.attachments, r.actions INTO messages, raw_payloads, attachments, actions FROM remove_messages(instance, chunk) r;
  ids := ARRAY(SELECT t FROM unnest(ids) t WHERE NOT EXISTS (SELECT FROM message m WHERE m.thread_id = t AND m.instance_id IS NOT DISTINCT FROM instance));
  people := people || ARRAY(SELECT t.contact_id FROM unnest(ids) u (id)
    CROSS JOIN LATERAL (SELECT x.contact_id FROM thread x WHERE x.instance_id = instance AND x.id = u.id LIMIT 1) t WHERE t.contact_id IS NOT NULL);
  -- Whoever is being written of at this moment is no such contact.
  people := ARRAY(SELECT c.id FROM contact c WHERE c.ctid = ANY (ARRAY(SELECT x.ctid FROM unnest(people) u (id)
                       CROSS JOIN LATERAL (SELECT y.ctid FROM contact y WHERE y.instance_id = instance AND y.id = u.id LIMIT 1) x))
                     AND NOT EXISTS (SELECT FROM thread t WHERE t.contact_id = c.id AND t.instance_id IS NOT DISTINCT FROM instance AND t.id <> ALL (ids))
                   ORDER BY c.id FOR UPDATE SKIP LOCKED);
  UPDATE contact c SET name = '', handle = '', url = '', avatar_url = ''
   WHERE c.ctid = ANY (ARRAY(SELECT x.ctid FROM unnest(people) u (id)
     CROSS JOIN LATERAL (SELECT y.ctid FROM contact y WHERE y.instance_id = instance AND y.id = u.id LIMIT 1) x)) AND (c.name, c.handle, c.url, c.avatar_url) <> ('', '', '', '');
  -- This one locks the instance's log, so it comes last.
  DELETE FROM thread t WHERE t.ctid = ANY (ARRAY(SELECT x.ctid FROM unnest(ids) u (id)
    CROSS JOIN LATERAL (SELECT y.ctid FROM thread y WHERE y.instance_id = instance AND y.id = u.id LIMIT 1) x));
  GET DIAGNOSTICS threads = ROW_COUNT;
END $$;

CREATE OR REPLACE FUNCTION expire_threads(instance uuid, most integer, OUT threads bigint, OUT messages bigint, OUT raw_payloads bigint,
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
       AND NOT EXISTS (SELECT FROM message m JOIN action a ON a.message_id = m.id AND a.instance_id IS NOT DISTINCT FROM instance
                        WHERE m.thread_id = s.thread_id AND m.instance_id IS NOT DISTINCT FROM instance AND a.status IN ('pending', 'processing', 'awaiting'))
     LIMIT least(most, 100) FOR UPDATE OF s SKIP LOCKED);
  SELECT r.* INTO threads, messages, raw_payloads, attachments, actions FROM remove_threads(instance, ids, most) r;
END $$;
-- +goose StatementEnd
