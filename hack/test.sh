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

if ! command -v cc >/dev/null; then
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "the race detector needs a C compiler: install gcc and libc6-dev" >&2
		exit 1
	fi
	echo "test: installing a C compiler"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev
fi
echo "test: finding Postgres"
hack/postgres.sh
if [ -z "${KUBEBUILDER_ASSETS-}" ]; then
	echo "test: finding etcd and kube-apiserver (built once from their modules, which takes 5 minutes on two cores)"
	KUBEBUILDER_ASSETS=$(hack/kubernetes.sh etcd kube-apiserver)
	export KUBEBUILDER_ASSETS
fi
echo "test: finding helm, kustomize and promtool (built once from their modules, which takes 4 minutes on two cores)"
hack/tools.sh helm kustomize promtool >/dev/null

go_test() {
	echo "test: go vet"
	go vet -tags long ./... || return
	echo "test: go test -race"
	# One package at a time: some measure time, some kill processes, and each takes all the cores there are.
	CGO_ENABLED=1 go test -race -tags long -p 1 -timeout 20m "$@"
}
if [ $# -gt 0 ]; then
	go_test "$@"
	exit
fi

echo "test: finding Chromium"
hack/chromium.sh
echo "test: building the console's page"
hack/web.sh
failed=
echo "test: the page's own tests"
hack/web.sh run test || failed="$failed page"
go_test ./... || failed="$failed go"
echo "test: the console in a browser"
hack/browser.sh e2e || failed="$failed browser"
if [ -n "$failed" ]; then
	echo "test: failed:$failed" >&2
	exit 1
fi
