#!/usr/bin/env bash
# Loads image archives (docker-archive tar files) into the node that hack/node/up.sh started.
#
#   hack/node/load.sh ARCHIVE…
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/hack/node/node.sh"

for archive in "$@"; do ctr images import "$archive" >/dev/null; done
