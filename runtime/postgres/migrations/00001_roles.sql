-- Group roles. Every instance has a login role of its own that is a member of
-- socialops_runtime and holds nothing else: grants and policies go to the groups,
-- because grants to thousands of roles do not fit a catalogue row.

-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['socialops_runtime', 'socialops_worker'] LOOP
    BEGIN
      -- Roles belong to the whole cluster: another database may have made them.
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN', r);
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END LOOP;
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO socialops_runtime, socialops_worker', current_database());
END $$;
-- +goose StatementEnd
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO socialops_runtime, socialops_worker;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- The search index is led by the instance; GIN needs this for uuid.
CREATE EXTENSION IF NOT EXISTS btree_gin;
