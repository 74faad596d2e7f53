#!/bin/sh
# Makes the database on the first start, as the official Postgres image does, then becomes the server.
set -eu

case ${1-postgres} in
-* | postgres) [ "${1-}" != postgres ] || shift ;;
*) exec "$@" ;;
esac

user=${POSTGRES_USER:-postgres}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	if [ -n "${POSTGRES_PASSWORD_FILE-}" ]; then
		POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
	fi
	if [ -z "${POSTGRES_PASSWORD-}" ]; then
		echo "set POSTGRES_PASSWORD_FILE to the path of a file with the superuser's password" >&2
		exit 1
	fi
	mkdir -p "$PGDATA"
	chmod 0700 "$PGDATA"
	# initdb reads the password from a file that lives in memory only as long as it needs it.
	umask 077
	printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/.password
	initdb --username="$user" --pwfile=/tmp/.password --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >&2
	: >/tmp/.password
	printf 'host all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
	if [ "${POSTGRES_DB:-$user}" != postgres ]; then
		printf 'CREATE DATABASE "%s";\n' "${POSTGRES_DB:-$user}" | postgres --single -D "$PGDATA" postgres >&2
	fi
fi
unset POSTGRES_PASSWORD
exec postgres -c listen_addresses='*' -c jit=off "$@"
