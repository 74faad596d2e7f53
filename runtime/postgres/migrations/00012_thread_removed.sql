-- That a thread is gone is logged like any other change, but for an instance that
-- goes as a whole, and its log with it.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION thread_removed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE s record; base bigint;
BEGIN
  FOR s IN SELECT r.instance_id AS id, count(*) AS n FROM removed r JOIN instance i ON i.id = r.instance_id AND i.purge_at IS NULL
            GROUP BY r.instance_id ORDER BY r.instance_id LOOP
    base := next_events(s.id, s.n);
    INSERT INTO event (instance_id, seq, type, thread_id, actor)
    SELECT s.id, base + row_number() OVER (ORDER BY r.id), 'thread.deleted', r.id, actor() FROM removed r WHERE r.instance_id = s.id;
  END LOOP;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER thread_removed AFTER DELETE ON thread REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION thread_removed();
