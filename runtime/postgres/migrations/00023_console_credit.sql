-- That a credit was granted is logged; for entries of other kinds the trigger is not called.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION credit_granted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO event (instance_id, seq, type, detail, actor)
  VALUES (NEW.instance_id, next_events_before_charges(NEW.instance_id, 1) + 1, 'credit.granted', NEW.reference, person());
  RETURN NULL;
END $$;

-- grant_credit adds to the balance of whoever has an alias, once for each reference,
-- and returns what was granted under the reference, now or before. It returns
-- nothing when nobody has the alias.
CREATE FUNCTION grant_credit(of_alias text, credit bigint, entry text) RETURNS TABLE (granted bigint, balance bigint, repeated boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  whose uuid := (SELECT i.id FROM instance i WHERE i.alias = of_alias AND i.purged_at IS NULL);
  again boolean;
BEGIN
  IF credit <= 0 OR entry NOT LIKE 'credit:_%' OR octet_length(entry) > 200 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'a credit is more than 0 and has a reference that begins with credit:';
  END IF;
  IF whose IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO ledger (instance_id, reference, kind, amount) VALUES (whose, entry, 'credit', credit) ON CONFLICT DO NOTHING;
  again := NOT FOUND;
  RETURN QUERY SELECT l.amount, b.amount, again FROM ledger l JOIN balance b ON b.instance_id = l.instance_id
                WHERE l.instance_id = whose AND l.reference = entry;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION credit_granted, grant_credit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION grant_credit TO socialops_console;
CREATE TRIGGER credit_granted AFTER INSERT ON ledger
  FOR EACH ROW WHEN (NEW.kind = 'credit') EXECUTE FUNCTION credit_granted();
