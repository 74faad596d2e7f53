-- Full-text search. Under row-level security Postgres uses leakproof operators
-- only as index conditions, and @@ is none: asked by a tenant's role, every thread
-- of the instance would be read. This one function looks into the index for it.

-- +goose Up
-- search_threads names the threads of the caller's own instance that match, in no
-- order. Whose they are follows from the role that logged in, which SQL can't
-- change; whoever is no instance's role gets nothing. Any words will do: those
-- that make no search term (blanks, punctuation) match nothing.
-- +goose StatementBegin
CREATE FUNCTION search_threads(words text) RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000
-- What is left to the planner is a bitmap of the search index.
SET search_path = public, pg_temp SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off
AS $$
DECLARE
  own uuid := (SELECT r.instance_id FROM instance_role r WHERE r.role_name = session_user);
  terms tsquery := websearch_to_tsquery('simple', words);
BEGIN
  IF own IS NULL OR numnode(terms) = 0 THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT t.id FROM thread t WHERE t.instance_id = own AND t.tsv @@ terms;
END $$;
-- +goose StatementEnd
GRANT EXECUTE ON FUNCTION search_threads TO socialops_runtime;
