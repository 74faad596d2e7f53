#!/usr/bin/env bash
# Proves the whole product on a real cluster. Up to 35 minutes the first time, while a cluster's binaries are built
# from source, and about 10 minutes from then on.
#
#   hack/e2e.sh            on kind where Docker and kind are, else on a node that hack/node starts (root, Debian)
#   hack/e2e.sh -keep      leaves the cluster in the end
#
#   E2E_CONTEXT  context of a cluster to use instead; the current context is never used unless it is named
#   E2E_LOAD     with E2E_CONTEXT: command that makes image archives known to that cluster
#   E2E_OFFLINE  with E2E_CONTEXT: not empty if that cluster reaches no public registry
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p bin
echo "e2e: building the tests" >&2
go build -trimpath -buildvcs=false -o bin/e2e ./hack/e2e
exec bin/e2e -root . "$@"
