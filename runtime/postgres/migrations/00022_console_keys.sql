-- That a key was made or revoked over HTTP or by command is logged. Keys that
-- manifests name come and go with their manifests.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION key_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO event (instance_id, seq, type, key_id, actor)
  VALUES (NEW.instance_id, next_events(NEW.instance_id, 1) + 1, CASE TG_OP WHEN 'INSERT' THEN 'key.created' ELSE 'key.revoked' END, NEW.id, person());
  RETURN NULL;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION key_changed FROM PUBLIC;
CREATE TRIGGER key_created AFTER INSERT ON api_key
  FOR EACH ROW WHEN (NEW.origin = 'api') EXECUTE FUNCTION key_changed();
CREATE TRIGGER key_revoked AFTER UPDATE OF revoked_at ON api_key
  FOR EACH ROW WHEN (NEW.origin = 'api' AND OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION key_changed();
