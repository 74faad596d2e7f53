#!/usr/bin/env bash
# Packs Traefik, built from its module, into an image: the ingress controller of the cluster tests where no registry
# can be reached. Prints the archive's path.
#
#   hack/image/traefik.sh IMAGE ARCHIVE
set -euo pipefail
cd "$(dirname "$0")/../.."
image=$1 archive=$(realpath -m "$2")
mkdir -p "$(dirname "$archive")"

bin=$(hack/kubernetes.sh traefik)
stamp=$({ echo "$image"; cat hack/image/traefik.sh hack/image/archive.sh "$bin/.traefik.stamp"; } | cksum)
if [ ! -e "$archive" ] || [ "$(cat "$archive.stamp" 2>/dev/null)" != "$stamp" ]; then
	root=$(mktemp -d "$archive.root.XXXXXX")
	trap 'rm -rf "$root"' EXIT
	mkdir -m 1777 "$root/tmp"
	cp "$bin/traefik" "$root/traefik"
	hack/image/archive.sh "$root" "$image" "$archive" --user 65532:65532 /traefik >/dev/null
	echo "$stamp" >"$archive.stamp"
fi
echo "$archive"
