#!/bin/sh
# Sees to it that Postgres 15 or newer is installed, for `socialops dev`, the tests and the benchmarks, which
# start private servers of their own. It installs where that needs no questions (Debian and Ubuntu, as root or
# with a sudo that asks for no password) and elsewhere prints the command.
#
#   hack/postgres.sh          install if missing
#   hack/postgres.sh --check  only say whether it is there
set -eu

cd "$(dirname "$0")/.."
oldest=15

# The same places as runtime/dev/privatepg looks at.
installed() {
	for bin in "$(dirname "$(command -v postgres || echo /nowhere/postgres)")" \
		/usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql* \
		/opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin /usr/local/pgsql/bin \
		"$(pg_config --bindir 2>/dev/null || echo /nowhere)"; do
		if [ ! -x "$bin/postgres" ] || [ ! -x "$bin/initdb" ]; then
			continue
		fi
		major=$("$bin/postgres" --version | sed -n 's/.*(PostgreSQL) \([0-9]*\).*/\1/p')
		if [ "${major:-0}" -ge "$oldest" ]; then
			echo "$bin"
			return 0
		fi
	done
	return 1
}

if bin=$(installed); then
	echo "Postgres is installed: $bin"
	exit 0
fi
if [ "${1-}" = --check ]; then
	echo "no Postgres $oldest or newer found; hack/postgres.sh installs it" >&2
	exit 1
fi

say() {
	echo "no Postgres $oldest or newer found; install it with:" >&2
	echo "  $1" >&2
	exit 1
}

if command -v apt-get >/dev/null; then
	hack/apt.sh --usable || say "sudo hack/postgres.sh"
	hack/apt.sh update || echo "going on with the lists of packages that are there" >&2
	found=$(apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
	if [ "${found:-0}" -lt "$oldest" ]; then
		say "packages from https://www.postgresql.org/download/: this release has Postgres ${found:-none}"
	fi
	# The package would make and start a system cluster, which nobody here needs. Its configuration comes with
	# postgresql-common, so that goes first, and the server after it was told.
	hack/apt.sh install --no-install-recommends postgresql-common
	root=
	[ "$(id -u)" = 0 ] || root="sudo -n"
	$root mkdir -p /etc/postgresql-common/createcluster.d
	echo 'create_main_cluster = false' | $root tee /etc/postgresql-common/createcluster.d/socialops.conf >/dev/null
	hack/apt.sh install --no-install-recommends postgresql
elif command -v dnf >/dev/null; then
	say "sudo dnf install -y postgresql-server"
elif command -v apk >/dev/null; then
	say "sudo apk add postgresql"
elif command -v brew >/dev/null; then
	say "brew install postgresql@18"
else
	say "packages from https://www.postgresql.org/download/, and put their bin directory into PATH"
fi

if ! bin=$(installed); then
	echo "the packages are installed, but no Postgres $oldest or newer is where they should have put it" >&2
	exit 1
fi
echo "Postgres is installed: $bin"
