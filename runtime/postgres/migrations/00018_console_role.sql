-- The console is one process for all its users: its role reaches whichever instance
-- each transaction names. That keeps a mistake in its code to one inbox, and from
-- what no console needs; who may see which inbox is the console's to decide.

-- +goose Up
-- +goose StatementBegin
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'socialops_console') THEN
    CREATE ROLE socialops_console NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another database made it just now
END $$;

DO $$
BEGIN
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO socialops_console', current_database());
END $$;

-- console_instance is the instance that a console's transaction is about.
CREATE FUNCTION console_instance() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT nullif(current_setting('socialops.instance_id', true), '')::uuid
$$;

-- console_owner is whose instances and accounts a console's transaction is about.
CREATE FUNCTION console_owner() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT nullif(current_setting('socialops.owner', true), '')
$$;

-- is_console tells whether a console is logged in, and nobody who could be anybody.
CREATE FUNCTION is_console() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT pg_has_role(session_user, 'socialops_console', 'usage')
     AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = session_user AND rolsuper)
$$;

-- person is the actor of what only people do: whoever writes to the database itself is an admin.
CREATE FUNCTION person() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE actor() WHEN 'system' THEN 'admin' ELSE actor() END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION console_instance, console_owner, is_console, person FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO socialops_console;
GRANT EXECUTE ON FUNCTION console_instance, console_owner, schema_version, oldest_binary TO socialops_console;
