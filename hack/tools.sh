#!/bin/sh
# Builds development tools from their committed modules under hack/tools and prints one path a line.
#
#   hack/tools.sh sqlc controller-gen
#
# Each tool is a module of its own, so that its dependencies never meet the product's. Binaries land in
# hack/tools/bin beside a stamp of what they were built from; a warm run only compares stamps. A file "tags" beside
# go.mod holds the build tags to use.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/hack/tools/bin

if [ $# -eq 0 ]; then
	echo "usage: hack/tools.sh NAME…; the tools are:" >&2
	for mod in "$root"/hack/tools/*/go.mod; do
		echo "  $(basename "$(dirname "$mod")")" >&2
	done
	exit 2
fi

# Tools are built for this machine whatever the product is being built for, and without cgo: sqlc's own C
# parser takes minutes to compile and has a WebAssembly twin that needs no compiler.
unset GOOS GOARCH GOARM GOAMD64
export GOWORK=off CGO_ENABLED=0

for name in "$@"; do
	dir=$root/hack/tools/$name
	if [ ! -f "$dir/go.mod" ]; then
		echo "hack/tools.sh: no module hack/tools/$name" >&2
		exit 2
	fi
	stamp=$(cd "$dir" && { go version; cat ./*; } | cksum)
	if [ ! -x "$bin/$name" ] || [ "$(cat "$bin/.$name.stamp" 2>/dev/null)" != "$stamp" ]; then
		echo "building $name (first time only)" >&2
		mkdir -p "$bin"
		# Built aside and renamed: a second run at the same time, or an interrupted one, never leaves half a tool.
		tmp=$(mktemp -d "$bin/.build.XXXXXX")
		trap 'rm -rf "$tmp"' EXIT INT TERM
		pkg=tool
		[ -f "$dir/main.go" ] && pkg=.
		tags=
		[ -f "$dir/tags" ] && tags=$(cat "$dir/tags")
		(cd "$dir" && go build -tags "$tags" -trimpath -ldflags '-s -w' -o "$tmp/" "$pkg")
		mv "$tmp/$name" "$bin/$name"
		rm -rf "$tmp"
		trap - EXIT INT TERM
		echo "$stamp" >"$bin/.$name.stamp"
	fi
	echo "$bin/$name"
done
