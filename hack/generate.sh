#!/bin/sh
# Regenerates what is generated: deep copies and CRDs from the API's types, Go from the SQL queries.
#
#   hack/generate.sh           write the files in place
#   hack/generate.sh --check   the same, and fail if a file changed by it, naming each
set -eu

cd "$(dirname "$0")/.."

# Every generated file with its checksum. CRDs have no "Code generated" line, so they are listed by folder.
fingerprint() {
	{
		grep -rl --include='*.go' '^// Code generated .* DO NOT EDIT\.$' . --exclude-dir=node_modules || true
		find config/crd -name '*.yaml' 2>/dev/null || true
	} | sort | while read -r file; do cksum "$file"; done
}

generate() {
	if ls api/*/*.go >/dev/null 2>&1; then
		echo "generate: deep copies and CRDs from api"
		controller_gen=$(hack/tools.sh controller-gen)
		"$controller_gen" object paths=./api/... crd paths=./api/... output:crd:dir=config/crd
	fi
	find . -name sqlc.yaml -not -path '*/node_modules/*' | sort | while read -r conf; do
		echo "generate: Go from the queries of $(dirname "$conf")"
		sqlc=$(hack/tools.sh sqlc)
		"$sqlc" generate --file "$conf"
	done
}

case ${1:-} in
'') generate ;;
--check)
	before=$(mktemp) after=$(mktemp)
	trap 'rm -f "$before" "$after"' EXIT
	fingerprint >"$before"
	generate
	fingerprint >"$after"
	stale=$(diff "$before" "$after" | sed -n 's/^[<>] [0-9]* [0-9]* //p' | sort -u)
	if [ -n "$stale" ]; then
		echo "Generated code was out of date. It has now been regenerated in place: look at it (git diff) and commit" >&2
		echo "$stale" | sed 's/^/  /' >&2
		exit 1
	fi
	echo "generated code is up to date"
	;;
*)
	echo "usage: hack/generate.sh [--check]" >&2
	exit 2
	;;
esac
