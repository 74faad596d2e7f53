-- Who may read and write what. A tenant's role reaches the rows of its own
-- instance, and of these only what the API would do: it has no way to write money,
-- the log, configuration, or an action's fate.

-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOR t IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'instance_id'
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ('instance_role') LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY worker ON %I TO socialops_worker USING (true) WITH CHECK (true)', t);
    IF t <> 'action' THEN
      EXECUTE format('CREATE POLICY tenant ON %I TO socialops_runtime
        USING (instance_id = (SELECT r.instance_id FROM instance_role r WHERE r.role_name = current_user))', t);
    END IF;
  END LOOP;
END $$;
-- +goose StatementEnd
ALTER TABLE instance ENABLE ROW LEVEL SECURITY;
CREATE POLICY worker ON instance TO socialops_worker USING (true);
CREATE POLICY tenant ON instance TO socialops_runtime
  USING (id = (SELECT r.instance_id FROM instance_role r WHERE r.role_name = current_user));
ALTER TABLE instance_role ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON instance_role TO socialops_runtime USING (role_name = current_user);
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
CREATE POLICY worker ON account TO socialops_worker USING (true);

CREATE POLICY tenant_read ON action FOR SELECT TO socialops_runtime
  USING (instance_id = (SELECT r.instance_id FROM instance_role r WHERE r.role_name = current_user));
CREATE POLICY tenant_insert ON action FOR INSERT TO socialops_runtime
  WITH CHECK (instance_id = (SELECT r.instance_id FROM instance_role r WHERE r.role_name = current_user)
    AND status = 'pending' AND attempts = 0 AND requeues = 0 AND error = '');

GRANT SELECT ON instance, instance_role, account_proof, channel, api_key, agent, contact, thread, thread_state, thread_label,
  message, attachment, attachment_content, event_receipt, idempotency, action, action_part, ledger, balance, event
  TO socialops_runtime;
GRANT INSERT ON agent, contact, thread, thread_state, message, attachment, raw_payload, event_receipt, idempotency TO socialops_runtime;
GRANT INSERT (instance_id, thread_id, label, status, last_activity_at), DELETE ON thread_label TO socialops_runtime;
GRANT INSERT (instance_id, id, kind, thread_id, message_id, thread_seq, lane, payload) ON action TO socialops_runtime;
GRANT UPDATE (name, handle, url, avatar_url, blocked_at) ON contact TO socialops_runtime;
GRANT UPDATE (external_id, target, channel_id, contact_id, subject, ai_summary, handler, custom_data) ON thread TO socialops_runtime;
GRANT UPDATE (status, priority, assignee_id, last_activity_at, last_message_id, message_seq, unread, expires_at) ON thread_state TO socialops_runtime;
GRANT UPDATE (type, text, data, edited_at) ON message TO socialops_runtime;
GRANT UPDATE (state) ON attachment TO socialops_runtime;
GRANT DELETE ON idempotency TO socialops_runtime;

GRANT SELECT ON instance, account, channel, contact, thread, thread_state, message, attachment, action, action_part, pace, ledger, balance, event
  TO socialops_worker;
GRANT UPDATE (status, attempts, not_before, lease_token, lease_until, started_at, deadline, error, settled_at) ON action TO socialops_worker;
GRANT INSERT ON action_part, pace, ledger, attachment_content TO socialops_worker;
GRANT UPDATE, DELETE ON pace TO socialops_worker;
GRANT UPDATE (external_id) ON message TO socialops_worker;
GRANT UPDATE (external_id, target) ON thread TO socialops_worker;
GRANT UPDATE (blocked_at) ON contact TO socialops_worker;
GRANT UPDATE (size, mime_type, state, error) ON attachment TO socialops_worker;
GRANT SELECT, DELETE ON idempotency TO socialops_worker;

-- A failed reply goes back to the queue when a person asks. A tenant may not write
-- an action's status; this is the one change that the API makes.
-- +goose StatementBegin
CREATE FUNCTION requeue_action(instance uuid, action_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF pg_has_role(session_user, 'socialops_runtime', 'usage')
     AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = session_user AND rolsuper)
     AND NOT EXISTS (SELECT FROM instance_role WHERE role_name = session_user AND instance_id = instance) THEN
    RETURN false;
  END IF;
  UPDATE action SET status = 'pending', requeues = requeues + 1, not_before = now(), queued_at = now(), settled_at = NULL, error = ''
   WHERE instance_id = instance AND id = action_id AND status = 'failed' AND kind = 'send_reply';
  RETURN FOUND;
END $$;
-- +goose StatementEnd
GRANT EXECUTE ON FUNCTION requeue_action TO socialops_runtime, socialops_worker;
