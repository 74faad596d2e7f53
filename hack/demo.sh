#!/usr/bin/env bash
# An inbox that lives: installs what is missing (Postgres, node for the console's page), builds, and runs `socialops dev`
# with the samples of config/samples, sample events of every provider, a reply through the bundled Telegram simulator,
# and a small support desk that goes on while one looks at the console.
#
#   LISTEN     address to serve on (default 127.0.0.1:8080)
#   DATA_DIR   where data, keys and manifests are kept; a second run goes on from there (default .socialops)
set -euo pipefail
cd "$(dirname "$0")/.."
hack/postgres.sh
make --no-print-directory build
data=${DATA_DIR:-.socialops}
# The console writes manifests, and those of the repository stay as they are.
if [ ! -d "$data/manifests" ]; then
	echo "demo: copying config/samples to $data/manifests, where the console writes"
	(umask 066 && mkdir -p "$data")
	rm -rf "$data/manifests.new"
	mkdir "$data/manifests.new"
	cp config/samples/*.yaml "$data/manifests.new"
	mv "$data/manifests.new" "$data/manifests"
fi
open=
[ ! -t 1 ] || open=--open # somebody looks
exec bin/socialops dev --demo $open --log-level "${LOG_LEVEL:-warn}" --listen "${LISTEN:-127.0.0.1:8080}" --data-dir "$data" --manifests "$data/manifests"
