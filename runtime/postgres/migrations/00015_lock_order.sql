-- An instance's two counters are locked in one order: what the ledger's trigger
-- locks, then what the log's does. A change of a thread or its labels is logged
-- before the message that makes it is charged, so it takes the first one too: two
-- ingests at once would else wait for each other, until one is ended a second later.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION next_events_before_charges(instance uuid, n bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM balance b WHERE b.instance_id = instance FOR NO KEY UPDATE;
  RETURN next_events(instance, n);
END $$;

DO $$
DECLARE f regproc;
BEGIN
  FOREACH f IN ARRAY '{thread_state_changed,thread_changed,labels_added,labels_removed}'::regproc[] LOOP
    EXECUTE replace(pg_get_functiondef(f), 'next_events(', 'next_events_before_charges(');
  END LOOP;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION next_events_before_charges FROM PUBLIC;
