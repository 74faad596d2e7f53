-- The log tells which status a thread got, as the audit trail says who resolved it.

-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE
  was text := pg_get_functiondef('thread_state_changed'::regproc);
  is_now text := replace(replace(was, 'thread_id, changed, actor)', 'thread_id, changed, status, actor)'),
    'actor()', 'CASE WHEN n.status <> o.status THEN n.status END, actor()');
BEGIN
  IF is_now NOT LIKE '%changed, status, actor)%END, actor()%' THEN
    RAISE EXCEPTION 'thread_state_changed is not as it was';
  END IF;
  EXECUTE is_now;
END $$;
-- +goose StatementEnd
