#!/usr/bin/env bash
# Builds the product's image and writes it as a docker-archive tar file: with docker where it runs, else with
# buildah, else straight from the binary. Prints the archive's path.
#
#   hack/image.sh [IMAGE [ARCHIVE]]
#
#   IMAGE    name and tag (default ghcr.io/open4x/socialops:VERSION)
#   ARCHIVE  the file to write (default .cache/image/socialops.tar)
#   SOURCE   environment: folder of the sources to build (default: this repository)
#   VERSION  environment: what the binary calls itself (default: git describe)
#   BUILDER  environment: docker, buildah or archive, to choose by oneself
set -euo pipefail
cd "$(dirname "$0")/.."
VERSION=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}
image=${1:-ghcr.io/open4x/socialops:$VERSION}
archive=$(realpath -m "${2:-.cache/image/socialops.tar}")
mkdir -p "$(dirname "$archive")"

if [ -z "${BUILDER-}" ]; then
	if docker info >/dev/null 2>&1; then
		BUILDER=docker
	elif command -v buildah >/dev/null && [ "$(id -u)" = 0 ]; then
		BUILDER=buildah
	else
		BUILDER=archive
	fi
fi
context=$(mktemp -d "$archive.context.XXXXXX")
trap 'rm -rf "$context"' EXIT
[ "$(realpath "${SOURCE:-.}")" != "$PWD" ] || hack/web.sh # other sources are built for tests, without the page
(cd "${SOURCE:-.}" && CGO_ENABLED=0 GOOS=linux go build -trimpath -buildvcs=false \
	-ldflags "-s -w -X main.version=$VERSION" -o "$context/socialops" .)
echo "image: packing $image with $BUILDER" >&2
case $BUILDER in
docker)
	docker build --quiet --file Dockerfile --tag "$image" "$context" >&2
	docker save --output "$archive" "$image"
	;;
buildah)
	# vfs needs neither a kernel module nor a mount, and copies nothing for one layer.
	buildah --storage-driver vfs build --quiet --isolation chroot --file Dockerfile --timestamp 0 --tag "$image" "$context" >&2
	rm -f "$archive"
	buildah --storage-driver vfs push --quiet "$image" "docker-archive:$archive:$image" >&2
	buildah --storage-driver vfs rmi "$image" >/dev/null
	;;
archive)
	hack/image/archive.sh "$context" "$image" "$archive" --user 65532:65532 /socialops >/dev/null
	;;
*)
	echo "image: BUILDER $BUILDER: want docker, buildah or archive" >&2
	exit 2
	;;
esac
echo "$archive"
