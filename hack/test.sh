#!/bin/sh
# Every test that needs no cluster node, under the race detector.
#
#   hack/test.sh                     all: Go, the page's own, and the console in a real browser
#   hack/test.sh ./runtime/inbox     only these packages, or any other arguments of go test
#
# Tests that take long or kill processes are behind the build tag "long"; they run here, and not in a plain
# `go test ./...`. Benchmarks, behind "bench", belong to `make bench`.
set -eu

cd "$(dirname "$0")/.."

command -v cc >/dev/null || hack/debian.sh gcc libc6-dev # for the race detector
echo "test: finding Postgres"
hack/postgres.sh
if [ -z "${KUBEBUILDER_ASSETS-}" ]; then
	echo "test: finding etcd and kube-apiserver (built once from their modules, which takes 5 minutes on two cores)"
	KUBEBUILDER_ASSETS=$(hack/kubernetes.sh etcd kube-apiserver)
	export KUBEBUILDER_ASSETS
fi
echo "test: finding helm, kustomize and promtool (built once from their modules, which takes 4 minutes on two cores)"
hack/tools.sh helm kustomize promtool >/dev/null

# One package at a time: some measure time, some kill processes, and each takes all the cores there are.
go_test() { CGO_ENABLED=1 go test -race -tags long -p 1 -timeout 20m "$@"; }
if [ $# -gt 0 ]; then
	go_test "$@"
	exit
fi

echo "test: finding Chromium"
hack/chromium.sh

# part NAME COMMAND… runs one part of it all; the others run whatever becomes of it.
summary='' failed=''
part() {
	name=$1
	shift
	echo "test: $name"
	start=$(date +%s)
	if "$@"; then verdict=ok; else
		verdict=FAILED
		failed="$failed, $name"
	fi
	summary="$summary
  $name: $verdict ($(($(date +%s) - start)) s)"
}

part "the page is built" hack/web.sh
part "the page's own tests" hack/web.sh run test
part "go vet" go vet -tags long ./...
part "go test -race" go_test ./...
part "the console in a browser" hack/browser.sh e2e
echo "test: in all:$summary"
if [ -n "$failed" ]; then
	echo "test: failed: ${failed#, }" >&2
	exit 1
fi
