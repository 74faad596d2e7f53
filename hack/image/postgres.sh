#!/usr/bin/env bash
# Packs the Postgres of Debian's packages into an image that keeps the official image's contract (POSTGRES_USER,
# POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, POSTGRES_DB, PGDATA; arguments go to the server), for the chart's
# trial database where no registry can be reached. It runs as any user, 999 unless told otherwise, with a read-only
# root filesystem but for PGDATA, /tmp and /var/run/postgresql. Prints the archive's path.
#
#   hack/image/postgres.sh IMAGE ARCHIVE
set -euo pipefail
cd "$(dirname "$0")/../.."
image=$1 archive=$(realpath -m "$2")
mkdir -p "$(dirname "$archive")"

hack/postgres.sh >&2
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
version=$(basename "$(dirname "$bin")")
stamp=$({ echo "$image"; cat hack/image/postgres.sh hack/image/archive.sh; ls hack/image/postgres && cat hack/image/postgres/*; dpkg-query -W "postgresql-$version" libpq5 libc6; } | cksum)
if [ -e "$archive" ] && [ "$(cat "$archive.stamp" 2>/dev/null)" = "$stamp" ]; then
	echo "$archive"
	exit
fi

root=$(mktemp -d "$archive.root.XXXXXX")
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{etc,proc,usr/bin,usr/sbin,usr/lib,usr/lib64,usr/local/bin,var/lib/postgresql/data,var/run/postgresql}
mkdir -m 1777 "$root/tmp"
chmod 0777 "$root/var/lib/postgresql/data" "$root/var/run/postgresql"
ln -s usr/bin "$root/bin"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
echo 'postgres:x:999:999::/var/lib/postgresql:/bin/sh' >"$root/etc/passwd"
echo 'postgres:x:999:' >"$root/etc/group"

# The server and its data files, less what JIT needs: that is larger than everything else.
{
	dpkg -L "postgresql-$version" "postgresql-client-$version" | grep -Ev '/bitcode/|/llvmjit|^/usr/share/(doc|man|locale)/'
	find /usr/share/zoneinfo/UTC /usr/share/zoneinfo/Etc/UTC /usr/lib/locale/C.utf8
} | while read -r file; do
	if [ -f "$file" ] || [ -L "$file" ]; then echo "${file#/}"; fi
done | sort -u | tar -C / --no-recursion -cf - --files-from=- | tar -C "$root" -xf -
for tool in sh cat mkdir chmod; do cp -L "/bin/$tool" "$root/usr/bin/"; done
cp hack/image/postgres/entrypoint.sh "$root/usr/local/bin/docker-entrypoint.sh"
chmod 0755 "$root/usr/local/bin/docker-entrypoint.sh"

# Every library that one of these is linked with. What is no program, ldd complains of.
{ find "$root/usr" -type f \( -perm -100 -o -name '*.so*' \) -print0 | xargs -0 ldd 2>/dev/null || true; } |
	sed -nE 's/.*(=> | )(\/[^ ]+) \(0x.*/\2/p;s/^\s*(\/lib64[^ ]+) \(0x.*/\1/p' | sort -u | while read -r library; do
	case $library in "$root"*) continue ;; esac
	target=$root$(dirname "$library")
	mkdir -p "$target"
	cp -L "$library" "$target/"
done

hack/image/archive.sh "$root" "$image" "$archive" --user 999:999 \
	--env "PATH=/usr/local/bin:$bin:/usr/bin" --env LANG=C.UTF-8 --env PGDATA=/var/lib/postgresql/data \
	/usr/local/bin/docker-entrypoint.sh
echo "$stamp" >"$archive.stamp"
