-- That a contact is gone is logged as a thread is (00012).

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION contact_removed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE s record; base bigint;
BEGIN
  FOR s IN SELECT r.instance_id AS id, count(*) AS n FROM removed r JOIN instance i ON i.id = r.instance_id AND i.purge_at IS NULL
            GROUP BY r.instance_id ORDER BY r.instance_id LOOP
    base := next_events(s.id, s.n);
    INSERT INTO event (instance_id, seq, type, contact_id, actor)
    SELECT s.id, base + row_number() OVER (ORDER BY r.id), 'contact.deleted', r.id, actor() FROM removed r WHERE r.instance_id = s.id;
  END LOOP;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER contact_removed AFTER DELETE ON contact REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION contact_removed();
