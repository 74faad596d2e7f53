-- Which binaries may run on this schema. A migration that takes something away
-- replaces the function, and thereby ends those that still need it.

-- +goose Up
-- +goose StatementBegin
-- The least newest-known version (MaxSchema) of a binary that works here.
CREATE FUNCTION oldest_binary() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 8::bigint';
-- +goose StatementEnd
GRANT EXECUTE ON FUNCTION oldest_binary TO socialops_runtime, socialops_worker;
