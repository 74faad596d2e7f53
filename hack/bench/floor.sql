\set n :n + 1
\set id :n * 64 + :client_id
\set t random(1, 20000)
WITH k AS (
  SELECT :instance::uuid AS instance, lpad(to_hex(:id::bigint), 32, '0')::uuid AS id, md5(:run || :id)::uuid AS key,
         md5('incident_' || :t)::uuid AS thread, 'incident_' || :t AS external
), receipt AS (
  INSERT INTO event_receipt (instance_id, key, message_id) SELECT instance, key, id FROM k
      ON CONFLICT DO NOTHING
  RETURNING message_id
), thread AS (
  INSERT INTO thread (instance_id, id, source, external_id, provider, channel_id, subject)
  SELECT instance, thread, 'generic-webhook', external, 'generic-webhook', :channel::uuid, 'Incident opened' FROM k, receipt
      ON CONFLICT DO NOTHING
), state AS (
  INSERT INTO thread_state AS s (instance_id, thread_id, provider, message_seq, unread, last_message_id)
  SELECT instance, thread, 'generic-webhook', 1, 1, id FROM k, receipt
      ON CONFLICT (instance_id, thread_id) DO UPDATE SET
         message_seq = s.message_seq + 1, unread = s.unread + 1, last_activity_at = now(), last_message_id = excluded.last_message_id
  RETURNING message_seq
), message AS (
  INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, type, text, author_kind)
  SELECT instance, id, thread, message_seq, 'generic-webhook', 'inbound', 'theirs', 'text', 'API latency is high', 'system' FROM k, state
), raw AS (
  INSERT INTO raw_payload (instance_id, message_id, id, content_type, body)
  SELECT instance, id, id, 'application/json', :body::bytea FROM k, receipt
), charge AS (
  INSERT INTO ledger (instance_id, reference, kind, amount) SELECT instance, 'inbound:' || id, 'inbound', -200 FROM k, receipt
)
INSERT INTO event (instance_id, seq, type, thread_id, message_id, actor)
SELECT instance, :id::bigint, 'message.created', thread, id, 'provider' FROM k, receipt;
