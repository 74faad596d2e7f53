#!/usr/bin/env bash
# An inbox that lives: installs Postgres if it is missing, builds, and runs `socialops dev` with the samples of
# config/samples, sample events of every provider and a reply through the bundled Telegram simulator.
#
#   LISTEN     address to serve on (default 127.0.0.1:8080)
#   DATA_DIR   where data and keys are kept; a second run goes on from there (default .socialops)
set -euo pipefail
cd "$(dirname "$0")/.."
hack/postgres.sh
make --no-print-directory build
exec bin/socialops dev --demo --log-level "${LOG_LEVEL:-warn}" --listen "${LISTEN:-127.0.0.1:8080}" --data-dir "${DATA_DIR:-.socialops}" --manifests config/samples
