#!/bin/sh
# Runs each native fuzz target of the repository in turn for FUZZTIME (20s unless told). An input that breaks
# one is kept by go test under the package's testdata/fuzz: commit it with the fix, it is a test from then on.
set -eu

cd "$(dirname "$0")/.."
fuzztime=${FUZZTIME:-20s}

targets=$(grep -rnoE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]*' . | sort | sed -E 's/^(.*)\/[^/]*:[0-9]+:func /\1 /')
if [ -z "$targets" ]; then
	echo "fuzz: no targets"
	exit 0
fi
echo "fuzz: $(echo "$targets" | wc -l) targets, $fuzztime each"

failed=$(mktemp)
trap 'rm -f "$failed"' EXIT
echo "$targets" | while read -r dir target; do
	echo "fuzz: $dir $target"
	go test -tags long -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" "$dir" </dev/null || echo "$dir $target" >>"$failed"
done
if [ -s "$failed" ]; then
	echo "fuzz: failed:" >&2
	sed 's/^/  /' "$failed" >&2
	exit 1
fi
