#!/usr/bin/env bash
# Packs a folder into an image of one layer, as a docker-archive tar file, without any container tool. The same
# folder gives the same bytes. Prints the archive's path.
#
#   hack/image/archive.sh FOLDER IMAGE ARCHIVE [--user UID:GID] [--env NAME=VALUE]… [--label NAME=VALUE]… [ENTRYPOINT ARGUMENT…]
set -euo pipefail
folder=$1 image=$2 archive=$3
shift 3

# quoted prints its arguments as JSON strings with commas between. None holds a quote or a backslash.
quoted() {
	local separator='' s
	for s in "$@"; do
		printf '%s"%s"' "$separator" "$s"
		separator=,
	done
}

user='' env=() labels=''
while [[ ${1-} == --* ]]; do
	case $1 in
	--user) user=$2 ;;
	--env) env+=("$2") ;;
	--label) labels+="${labels:+,}\"${2%%=*}\":\"${2#*=}\"" ;;
	*)
		echo "hack/image/archive.sh: unknown flag $1" >&2
		exit 2
		;;
	esac
	shift 2
done
case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
*) arch=$(uname -m) ;;
esac

work=$(mktemp -d "$archive.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 0755 "$folder" # it becomes the root folder, which every user has to get into
pack=(tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu)
"${pack[@]}" -C "$folder" -cf "$work/layer.tar" .
layer=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
cat >"$work/config" <<JSON
{"architecture":"$arch","os":"linux","created":"1970-01-01T00:00:00Z","config":{"User":"$user","Env":[$(quoted "${env[@]}")],"Entrypoint":[$(quoted "$@")],"WorkingDir":"/","Labels":{$labels}},"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]}}
JSON
config=$(sha256sum "$work/config" | cut -d' ' -f1)
mv "$work/config" "$work/$config.json"
echo "[{\"Config\":\"$config.json\",\"RepoTags\":[\"$image\"],\"Layers\":[\"layer.tar\"]}]" >"$work/manifest.json"
"${pack[@]}" -C "$work" -cf "$work/image" manifest.json "$config.json" layer.tar
mv "$work/image" "$archive"
echo "$archive"
