-- What the console may read and write: of one instance, and of that what its desk
-- does. No credential, no hash of a key, no provider's id of a conversation or a
-- person, no raw payload.

-- A policy locks its table against all, so each statement is by itself; a run that
-- was broken off is begun again.
-- +goose NO TRANSACTION
-- +goose Up
DROP POLICY IF EXISTS console_read ON instance;
CREATE POLICY console_read ON instance FOR SELECT TO socialops_console USING (id = (SELECT console_instance()) OR owner = (SELECT console_owner()));
DROP POLICY IF EXISTS console_read ON account;
CREATE POLICY console_read ON account FOR SELECT TO socialops_console USING (owner = (SELECT console_owner()));
DROP POLICY IF EXISTS console_read ON channel;
CREATE POLICY console_read ON channel FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_read ON contact;
CREATE POLICY console_read ON contact FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_read ON thread;
CREATE POLICY console_read ON thread FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_read ON attachment;
CREATE POLICY console_read ON attachment FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_read ON attachment_content;
CREATE POLICY console_read ON attachment_content FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_read ON balance;
CREATE POLICY console_read ON balance FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_read ON ledger;
CREATE POLICY console_read ON ledger FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_read ON event;
CREATE POLICY console_read ON event FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_read ON message;
CREATE POLICY console_read ON message FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_insert ON message;
CREATE POLICY console_insert ON message FOR INSERT TO socialops_console WITH CHECK (instance_id = (SELECT console_instance()) AND origin = 'ours' AND author_kind = 'agent');
DROP POLICY IF EXISTS console_read ON action;
CREATE POLICY console_read ON action FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_insert ON action;
CREATE POLICY console_insert ON action FOR INSERT TO socialops_console WITH CHECK (instance_id = (SELECT console_instance()) AND status = 'pending' AND attempts = 0 AND requeues = 0 AND error = '');
DROP POLICY IF EXISTS console_read ON thread_state;
CREATE POLICY console_read ON thread_state FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_update ON thread_state;
CREATE POLICY console_update ON thread_state FOR UPDATE TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console ON thread_label;
CREATE POLICY console ON thread_label TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_read ON agent;
CREATE POLICY console_read ON agent FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_insert ON agent;
CREATE POLICY console_insert ON agent FOR INSERT TO socialops_console WITH CHECK (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_update ON agent;
CREATE POLICY console_update ON agent FOR UPDATE TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_read ON api_key;
CREATE POLICY console_read ON api_key FOR SELECT TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console_insert ON api_key;
CREATE POLICY console_insert ON api_key FOR INSERT TO socialops_console WITH CHECK (instance_id = (SELECT console_instance()) AND origin = 'api' AND revoked_at IS NULL);
DROP POLICY IF EXISTS console_update ON api_key;
CREATE POLICY console_update ON api_key FOR UPDATE TO socialops_console USING (instance_id = (SELECT console_instance()) AND origin = 'api' AND revoked_at IS NULL)
  WITH CHECK (instance_id = (SELECT console_instance()) AND origin = 'api' AND revoked_at IS NOT NULL);
DROP POLICY IF EXISTS console ON idempotency;
CREATE POLICY console ON idempotency TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console ON canned_text;
CREATE POLICY console ON canned_text TO socialops_console USING (instance_id = (SELECT console_instance()));
DROP POLICY IF EXISTS console ON saved_view;
CREATE POLICY console ON saved_view TO socialops_console USING (instance_id = (SELECT console_instance()));

GRANT SELECT (id, install_id, namespace, name, alias, owner, providers, billing_account, billing_mode, inbound_price, reply_price, rate_limit, rate_burst,
  body_limit, suspended, thread_days, raw_payload_days, event_days, retired_at, purge_at, purged_at, created_at) ON instance TO socialops_console;
GRANT SELECT (id, install_id, namespace, name, kind, owner, source, display_name, identified_at, removed_at, created_at) ON account TO socialops_console;
GRANT SELECT (instance_id, id, provider, name, account_id, source, external_id, parse_mode, active, is_default, uid, removed_at, created_at) ON channel TO socialops_console;
GRANT SELECT (instance_id, id, hint, name, scopes, origin, created_at, expires_at, revoked_at),
  INSERT (instance_id, id, hash, hint, name, scopes, origin, created_at, expires_at), UPDATE (revoked_at) ON api_key TO socialops_console;
GRANT SELECT, INSERT (instance_id, id, subject, name), UPDATE (name) ON agent TO socialops_console;
GRANT SELECT (instance_id, id, name, handle, url, avatar_url, blocked_at, created_at) ON contact TO socialops_console;
GRANT SELECT (instance_id, id, source, episode, provider, channel_id, contact_id, subject, ai_summary, handler, custom_data, tsv, created_at) ON thread TO socialops_console;
GRANT SELECT, UPDATE (status, priority, assignee_id, last_activity_at, last_message_id, message_seq, unread) ON thread_state TO socialops_console;
GRANT SELECT, INSERT (instance_id, thread_id, label, status, last_activity_at), DELETE ON thread_label TO socialops_console;
GRANT SELECT (instance_id, id, thread_id, seq, source, direction, origin, type, text, url, group_id, data, author_kind, author_id, author_name, parent_id,
  sent_at, created_at, edited_at),
  INSERT (instance_id, id, thread_id, seq, source, direction, origin, type, text, author_kind, author_id, author_name, parent_id) ON message TO socialops_console;
GRANT SELECT (instance_id, id, message_id, position, kind, name, mime_type, size, url, state, error) ON attachment TO socialops_console;
GRANT SELECT ON attachment_content, balance, ledger, event TO socialops_console;
GRANT SELECT, INSERT (instance_id, id, kind, thread_id, message_id, thread_seq, lane, payload) ON action TO socialops_console;
GRANT SELECT, INSERT, DELETE ON idempotency TO socialops_console;
GRANT SELECT, INSERT, UPDATE (name, text, updated_at), DELETE ON canned_text TO socialops_console;
GRANT SELECT, INSERT, UPDATE (name, query, shared), DELETE ON saved_view TO socialops_console;
