-- Every role may ask which version the schema has; goose's own table stays its own.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION schema_version() RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  RETURN (SELECT max(version_id) FROM goose_db_version WHERE is_applied);
END $$;
-- +goose StatementEnd
GRANT EXECUTE ON FUNCTION schema_version TO socialops_runtime, socialops_worker;
