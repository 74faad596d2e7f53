-- Money, and the log of what happened. Both are appended by triggers alone, so
-- that no writer can forget a charge or an event, and no tenant can forge one.
-- Rows written for every event have no foreign key to instance: the policies tie
-- them to it, and the key's check would lock that one row in every transaction.

-- +goose Up
CREATE TABLE ledger (
  instance_id uuid NOT NULL,
  reference   text NOT NULL,                  -- unique: inbound:<message>, reply:<action>:<requeue>, refund:<entry>, credit:<…>
  kind        text NOT NULL CHECK (kind IN ('inbound', 'reply', 'refund', 'credit')),
  amount      bigint NOT NULL CHECK (CASE WHEN kind IN ('inbound', 'reply') THEN amount <= 0 ELSE amount >= 0 END), -- micro-USD
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, reference)
);
CREATE INDEX ledger_period ON ledger (instance_id, created_at) INCLUDE (kind, amount);

CREATE TABLE balance (
  instance_id uuid PRIMARY KEY REFERENCES instance (id) ON DELETE CASCADE,
  amount      bigint NOT NULL DEFAULT 0       -- micro-USD: the sum of the instance's entries
) WITH (fillfactor = 10);

CREATE TABLE event (
  instance_id uuid NOT NULL,
  seq         bigint NOT NULL,                -- gapless, in commit order
  type        text NOT NULL CHECK (type IN ('message.created', 'message.updated', 'thread.updated', 'contact.updated', 'action.updated')),
  thread_id   uuid,
  message_id  uuid,
  action_id   uuid,
  contact_id  uuid,
  changed     text[] NOT NULL DEFAULT '{}',   -- names of fields, never their content
  status      text,                           -- of an action
  detail      text,                           -- audit note of an action
  actor       text NOT NULL,
  at          timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance_id, seq)
);
CREATE INDEX event_action ON event (instance_id, action_id, seq) WHERE action_id IS NOT NULL;

CREATE TABLE event_counter (
  instance_id uuid PRIMARY KEY REFERENCES instance (id) ON DELETE CASCADE,
  seq         bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

-- +goose StatementBegin
CREATE FUNCTION instance_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO balance (instance_id) SELECT id FROM added ON CONFLICT DO NOTHING;
  INSERT INTO event_counter (instance_id) SELECT id FROM added ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER instance_added AFTER INSERT ON instance REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION instance_added();

-- A charge that an Enforce instance can't pay fails the statement with SO402.
-- +goose StatementBegin
CREATE FUNCTION ledger_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE s record; left_over bigint;
BEGIN
  FOR s IN SELECT a.instance_id AS id, sum(a.amount)::bigint AS amount, i.billing_mode AS mode
             FROM added a JOIN instance i ON i.id = a.instance_id
            GROUP BY a.instance_id, i.billing_mode ORDER BY a.instance_id LOOP
    UPDATE balance b SET amount = b.amount + s.amount WHERE b.instance_id = s.id RETURNING b.amount INTO left_over;
    IF s.mode = 'Enforce' AND s.amount < 0 AND left_over < 0 THEN
      RAISE EXCEPTION 'the balance does not cover the charge' USING ERRCODE = 'SO402';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_added AFTER INSERT ON ledger REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_added();

-- +goose StatementBegin
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: correct an entry by another one', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- next_events takes n places in an instance's log and returns the one before the
-- first. The counter's row stays locked until commit: that makes the order the commit order.
-- (PL/pgSQL keeps its plan; a function in SQL would be planned at every call.)
-- +goose StatementBegin
CREATE FUNCTION next_events(instance uuid, n bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE before bigint;
BEGIN
  UPDATE event_counter SET seq = seq + n WHERE instance_id = instance RETURNING seq - n INTO before;
  RETURN before;
END $$;

-- actor is who the transaction says it works for: a note for the audit, not a right.
CREATE FUNCTION actor() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce(nullif(current_setting('socialops.actor', true), ''), 'system')
$$;

-- A message made by a provider event is charged; every message is logged.
CREATE FUNCTION message_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE s record; base bigint;
BEGIN
  INSERT INTO ledger (instance_id, reference, kind, amount)
  SELECT a.instance_id, 'inbound:' || a.id, 'inbound', -i.inbound_price
    FROM added a JOIN instance i ON i.id = a.instance_id
   WHERE a.origin <> 'ours' AND i.billing_mode <> 'Off';
  FOR s IN SELECT instance_id AS id, count(*) AS n FROM added GROUP BY instance_id ORDER BY instance_id LOOP
    base := next_events(s.id, s.n);
    INSERT INTO event (instance_id, seq, type, thread_id, message_id, actor)
    SELECT s.id, base + row_number() OVER (ORDER BY a.thread_id, a.seq), 'message.created', a.thread_id, a.id,
           CASE WHEN a.origin = 'ours' THEN actor() ELSE 'provider' END
      FROM added a WHERE a.instance_id = s.id;
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION message_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE s record; base bigint;
BEGIN
  FOR s IN SELECT n.instance_id AS id, count(*) AS n FROM new_rows n JOIN old_rows o USING (instance_id, id)
            WHERE n.text <> o.text OR n.data IS DISTINCT FROM o.data OR n.edited_at IS DISTINCT FROM o.edited_at
            GROUP BY n.instance_id ORDER BY n.instance_id LOOP
    base := next_events(s.id, s.n);
    INSERT INTO event (instance_id, seq, type, thread_id, message_id, changed, actor)
    SELECT s.id, base + row_number() OVER (ORDER BY n.thread_id, n.seq), 'message.updated', n.thread_id, n.id,
           array_remove(ARRAY[CASE WHEN n.text <> o.text THEN 'text' END, CASE WHEN n.data IS DISTINCT FROM o.data THEN 'data' END,
                              CASE WHEN n.edited_at IS DISTINCT FROM o.edited_at THEN 'edited_at' END], NULL),
           'provider'
      FROM new_rows n JOIN old_rows o USING (instance_id, id)
     WHERE n.instance_id = s.id AND (n.text <> o.text OR n.data IS DISTINCT FROM o.data OR n.edited_at IS DISTINCT FROM o.edited_at);
  END LOOP;
  RETURN NULL;
END $$;

-- New activity alone is the message's event; here it only keeps the labels' copies true.
CREATE FUNCTION thread_state_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE s record; base bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM new_rows) THEN -- the ingest's update, when every thread is new
    RETURN NULL;
  END IF;
  UPDATE thread_label l SET status = n.status, last_activity_at = n.last_activity_at
    FROM new_rows n WHERE l.instance_id = n.instance_id AND l.thread_id = n.thread_id
     AND l.instance_id = ANY (ARRAY (SELECT instance_id FROM new_rows)) AND l.thread_id = ANY (ARRAY (SELECT thread_id FROM new_rows)) -- by index, whatever the statistics
     AND (l.status <> n.status OR l.last_activity_at <> n.last_activity_at);
  FOR s IN SELECT n.instance_id AS id, count(*) AS n FROM new_rows n JOIN old_rows o USING (instance_id, thread_id)
            WHERE n.status <> o.status OR n.priority <> o.priority OR n.assignee_id IS DISTINCT FROM o.assignee_id
            GROUP BY n.instance_id ORDER BY n.instance_id LOOP
    base := next_events(s.id, s.n);
    INSERT INTO event (instance_id, seq, type, thread_id, changed, actor)
    SELECT s.id, base + row_number() OVER (ORDER BY n.thread_id), 'thread.updated', n.thread_id,
           array_remove(ARRAY[CASE WHEN n.status <> o.status THEN 'status' END, CASE WHEN n.priority <> o.priority THEN 'priority' END,
                              CASE WHEN n.assignee_id IS DISTINCT FROM o.assignee_id THEN 'assignee' END], NULL),
           actor()
      FROM new_rows n JOIN old_rows o USING (instance_id, thread_id)
     WHERE n.instance_id = s.id AND (n.status <> o.status OR n.priority <> o.priority OR n.assignee_id IS DISTINCT FROM o.assignee_id);
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION thread_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE s record; base bigint;
BEGIN
  FOR s IN SELECT n.instance_id AS id, count(*) AS n FROM new_rows n JOIN old_rows o USING (instance_id, id)
            WHERE (n.subject, n.ai_summary, n.handler, n.custom_data, n.channel_id, n.contact_id)
                  IS DISTINCT FROM (o.subject, o.ai_summary, o.handler, o.custom_data, o.channel_id, o.contact_id)
            GROUP BY n.instance_id ORDER BY n.instance_id LOOP
    base := next_events(s.id, s.n);
    INSERT INTO event (instance_id, seq, type, thread_id, changed, actor)
    SELECT s.id, base + row_number() OVER (ORDER BY n.id), 'thread.updated', n.id,
           array_remove(ARRAY[CASE WHEN n.subject <> o.subject THEN 'subject' END, CASE WHEN n.ai_summary <> o.ai_summary THEN 'ai_summary' END,
                              CASE WHEN n.handler <> o.handler THEN 'handler' END, CASE WHEN n.custom_data <> o.custom_data THEN 'custom_data' END,
                              CASE WHEN n.channel_id IS DISTINCT FROM o.channel_id THEN 'channel' END,
                              CASE WHEN n.contact_id IS DISTINCT FROM o.contact_id THEN 'contact' END], NULL),
           actor()
      FROM new_rows n JOIN old_rows o USING (instance_id, id)
     WHERE n.instance_id = s.id AND (n.subject, n.ai_summary, n.handler, n.custom_data, n.channel_id, n.contact_id)
           IS DISTINCT FROM (o.subject, o.ai_summary, o.handler, o.custom_data, o.channel_id, o.contact_id);
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION labels_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE s record; base bigint;
BEGIN
  FOR s IN SELECT instance_id AS id, count(DISTINCT thread_id) AS n FROM changed GROUP BY instance_id ORDER BY instance_id LOOP
    base := next_events(s.id, s.n);
    INSERT INTO event (instance_id, seq, type, thread_id, changed, actor)
    SELECT s.id, base + row_number() OVER (ORDER BY d.thread_id), 'thread.updated', d.thread_id, '{labels}', actor()
      FROM (SELECT DISTINCT thread_id FROM changed WHERE instance_id = s.id) d;
  END LOOP;
  RETURN NULL;
END $$;

-- A thread that is deleted takes its labels with it: that is no change of theirs.
CREATE FUNCTION labels_removed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE t record; base bigint;
BEGIN
  FOR t IN SELECT DISTINCT c.instance_id, c.thread_id FROM changed c
            CROSS JOIN LATERAL (SELECT FROM thread WHERE instance_id = c.instance_id AND id = c.thread_id LIMIT 1) there
            ORDER BY c.instance_id, c.thread_id LOOP
    base := next_events(t.instance_id, 1);
    INSERT INTO event (instance_id, seq, type, thread_id, changed, actor)
    VALUES (t.instance_id, base + 1, 'thread.updated', t.thread_id, '{labels}', actor());
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION contact_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE s record; base bigint;
BEGIN
  FOR s IN SELECT n.instance_id AS id, count(*) AS n FROM new_rows n JOIN old_rows o USING (instance_id, id)
            WHERE (n.blocked_at IS NULL) <> (o.blocked_at IS NULL) GROUP BY n.instance_id ORDER BY n.instance_id LOOP
    base := next_events(s.id, s.n);
    INSERT INTO event (instance_id, seq, type, contact_id, changed, actor)
    SELECT s.id, base + row_number() OVER (ORDER BY n.id), 'contact.updated', n.id, '{blocked}', actor()
      FROM new_rows n JOIN old_rows o USING (instance_id, id)
     WHERE n.instance_id = s.id AND (n.blocked_at IS NULL) <> (o.blocked_at IS NULL);
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION action_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE s record; base bigint;
BEGIN
  FOR s IN SELECT instance_id AS id, count(*) AS n FROM added GROUP BY instance_id ORDER BY instance_id LOOP
    base := next_events(s.id, s.n);
    INSERT INTO event (instance_id, seq, type, thread_id, message_id, action_id, status, actor)
    SELECT s.id, base + row_number() OVER (ORDER BY a.thread_id, a.thread_seq), 'action.updated', a.thread_id, a.message_id, a.id, a.status, actor()
      FROM added a WHERE a.instance_id = s.id;
  END LOOP;
  RETURN NULL;
END $$;

-- Joins of the rows before and after never go by nested loops, which a plan made
-- for a single row would do for hundreds.
CREATE FUNCTION action_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_nestloop = off AS $$
BEGIN
  WITH changed AS MATERIALIZED (
    SELECT n.instance_id, n.id, n.thread_id, n.thread_seq, n.message_id, n.status, n.error
      FROM new_rows n JOIN old_rows o USING (instance_id, id)
     WHERE n.status <> o.status OR n.error <> o.error
  ), base AS MATERIALIZED (
    SELECT c.instance_id, next_events(c.instance_id, c.n) AS seq
      FROM (SELECT instance_id, count(*) AS n FROM changed GROUP BY instance_id ORDER BY instance_id) c
  )
  INSERT INTO event (instance_id, seq, type, thread_id, message_id, action_id, changed, status, detail, actor)
  SELECT c.instance_id, b.seq + row_number() OVER (PARTITION BY c.instance_id ORDER BY c.thread_id, c.thread_seq), 'action.updated',
         c.thread_id, c.message_id, c.id, '{status}', c.status, nullif(c.error, ''), actor()
    FROM changed c JOIN base b USING (instance_id);
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER message_added AFTER INSERT ON message REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION message_added();
CREATE TRIGGER message_changed AFTER UPDATE ON message REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION message_changed();
CREATE TRIGGER thread_state_changed AFTER UPDATE ON thread_state REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION thread_state_changed();
CREATE TRIGGER thread_changed AFTER UPDATE ON thread REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION thread_changed();
CREATE TRIGGER labels_added AFTER INSERT ON thread_label REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION labels_added();
CREATE TRIGGER labels_removed AFTER DELETE ON thread_label REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION labels_removed();
CREATE TRIGGER contact_changed AFTER UPDATE ON contact REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION contact_changed();
CREATE TRIGGER action_added AFTER INSERT ON action REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION action_added();
CREATE TRIGGER action_changed AFTER UPDATE ON action REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION action_changed();
CREATE TRIGGER event_append_only BEFORE UPDATE ON event FOR EACH STATEMENT EXECUTE FUNCTION append_only();
