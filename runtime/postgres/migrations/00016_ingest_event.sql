-- One event in one statement. As statements of a pipeline, each with its own
-- parameters, portal and plan to start, an event took twice the time.

-- +goose Up
-- ingest_event stores an event that adds a message and returns the thread that it
-- is in, or null if the event or its message was known: then nothing but a receipt
-- is stored. It runs with the caller's rights. event_key is null for an event that
-- nothing identifies. What arrives twice at once, or makes the same thread at once,
-- waits for the first at a unique index.
-- +goose StatementBegin
CREATE FUNCTION ingest_event(
  instance uuid, event_key uuid, event_source text, event_provider text, event_target text, event_channel uuid,
  new_thread uuid, thread_external text, thread_subject text, thread_priority text, thread_labels text[],
  new_contact uuid, contact_external text, contact_name text, contact_handle text, contact_url text, contact_avatar text,
  new_message uuid, message_external text, parent_external text, message_direction text, message_origin text, message_type text,
  message_text text, message_url text, message_group text, message_data text, message_sent_at timestamptz,
  message_attachments text, raw_type text, raw_body bytea
) RETURNS uuid LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  is_unread integer := CASE WHEN message_direction = 'inbound' THEN 1 ELSE 0 END;
  known uuid; author uuid; parent uuid; there record; own_thread uuid; place bigint;
BEGIN
  IF message_external IS NOT NULL THEN
    SELECT m.id INTO known FROM message m
     WHERE m.instance_id = instance AND m.source = event_source AND m.external_id = message_external LIMIT 1;
  END IF;
  IF event_key IS NOT NULL THEN
    INSERT INTO event_receipt (instance_id, key, message_id) VALUES (instance, event_key, coalesce(known, new_message)) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
  END IF;
  IF known IS NOT NULL THEN
    RETURN NULL;
  END IF;

  IF contact_external IS NOT NULL THEN
    SELECT c.id INTO author FROM contact c
     WHERE c.instance_id = instance AND c.source = event_source AND c.external_id = contact_external
       AND contact_name IN ('', c.name) AND contact_handle IN ('', c.handle) AND contact_url IN ('', c.url) AND contact_avatar IN ('', c.avatar_url)
     LIMIT 1;
    IF NOT FOUND THEN
      INSERT INTO contact AS c (instance_id, id, source, external_id, name, handle, url, avatar_url)
      VALUES (instance, new_contact, event_source, contact_external, contact_name, contact_handle, contact_url, contact_avatar)
          ON CONFLICT (instance_id, source, external_id) DO UPDATE SET
             name = coalesce(nullif(excluded.name, ''), c.name), handle = coalesce(nullif(excluded.handle, ''), c.handle),
             url = coalesce(nullif(excluded.url, ''), c.url), avatar_url = coalesce(nullif(excluded.avatar_url, ''), c.avatar_url)
      RETURNING c.id INTO author;
    END IF;
  END IF;

  FOR try IN 1..2 LOOP
    SELECT t.id, t.channel_id, t.subject INTO there FROM thread t
     WHERE t.instance_id = instance AND t.source = event_source AND t.external_id = thread_external
     ORDER BY t.episode DESC LIMIT 1;
    EXIT WHEN FOUND;
    INSERT INTO thread (instance_id, id, source, external_id, provider, target, channel_id, contact_id, subject)
    VALUES (instance, new_thread, event_source, thread_external, event_provider, event_target, event_channel, author, thread_subject)
        ON CONFLICT DO NOTHING;
    IF FOUND THEN
      INSERT INTO thread_state (instance_id, thread_id, provider, priority, last_message_id, message_seq, unread)
      VALUES (instance, new_thread, event_provider, coalesce(thread_priority, 'normal'), new_message, 1, is_unread);
      own_thread := new_thread;
      place := 1;
      EXIT;
    END IF;
  END LOOP;
  IF own_thread IS NULL THEN
    own_thread := there.id;
    UPDATE thread_state s SET
           message_seq = s.message_seq + 1, unread = s.unread + is_unread,
           last_activity_at = greatest(s.last_activity_at, now()), last_message_id = new_message,
           status = CASE WHEN is_unread > 0 AND s.status IN ('resolved', 'archived') THEN 'open' ELSE s.status END,
           priority = CASE WHEN array_position('{low,normal,high,urgent}', thread_priority) > array_position('{low,normal,high,urgent}', s.priority)
                           THEN thread_priority ELSE s.priority END
     WHERE s.instance_id = instance AND s.thread_id = own_thread
    RETURNING s.message_seq INTO place;
    IF NOT FOUND THEN
      RAISE foreign_key_violation USING MESSAGE = 'the thread was removed meanwhile'; -- tried again, the message makes a new one
    END IF;
    IF event_channel <> there.channel_id OR (event_channel IS NOT NULL AND there.channel_id IS NULL) OR (there.subject = '' AND thread_subject <> '') THEN
      UPDATE thread t SET channel_id = coalesce(event_channel, t.channel_id), subject = CASE WHEN t.subject = '' THEN thread_subject ELSE t.subject END
       WHERE t.instance_id = instance AND t.id = own_thread;
    END IF;
  END IF;

  IF thread_labels IS NOT NULL THEN
    INSERT INTO thread_label (instance_id, thread_id, label, status, last_activity_at)
    SELECT instance, own_thread, l.label, s.status, s.last_activity_at
      FROM unnest(thread_labels) AS l (label)
     CROSS JOIN LATERAL (SELECT x.status, x.last_activity_at FROM thread_state x WHERE x.instance_id = instance AND x.thread_id = own_thread LIMIT 1) s
     ORDER BY l.label
        ON CONFLICT DO NOTHING;
  END IF;
  IF parent_external IS NOT NULL THEN
    SELECT m.id INTO parent FROM message m
     WHERE m.instance_id = instance AND m.source = event_source AND m.external_id = parent_external LIMIT 1;
  END IF;

  -- Its triggers (00005) write charge and event, and lock the instance's counters
  -- until commit: it comes last but for the rows that hang on it.
  INSERT INTO message (instance_id, id, thread_id, seq, source, external_id, direction, origin, type, text, url, group_id, data,
                       author_kind, author_id, author_name, parent_id, sent_at)
  VALUES (instance, new_message, own_thread, place, event_source, message_external, message_direction, message_origin, message_type,
          message_text, message_url, message_group, message_data::jsonb,
          CASE WHEN contact_external IS NULL THEN 'system' ELSE 'contact' END, author, coalesce(contact_name, ''), parent, message_sent_at);
  IF message_attachments IS NOT NULL THEN
    INSERT INTO attachment (instance_id, id, message_id, position, kind, name, mime_type, size, url, ref, state)
    SELECT instance, a.id, new_message, a.position, a.kind, a.name, a.mime_type, a.size, a.url, a.ref, a.state
      FROM jsonb_to_recordset(message_attachments::jsonb)
           AS a (id uuid, position integer, kind text, name text, mime_type text, size bigint, url text, ref text, state text);
  END IF;
  IF raw_body IS NOT NULL THEN
    INSERT INTO raw_payload (instance_id, message_id, id, content_type, body) VALUES (instance, new_message, new_message, raw_type, raw_body);
  END IF;
  RETURN own_thread;
END $$;
-- +goose StatementEnd
GRANT EXECUTE ON FUNCTION ingest_event TO socialops_runtime;
