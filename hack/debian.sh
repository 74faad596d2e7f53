#!/bin/sh
# Sees to it that Debian packages are installed: installs those that are missing, and where it may not, prints the
# command.
#
#   hack/debian.sh iptables iproute2
set -eu

cd "$(dirname "$0")/.."
missing=
for package in "$@"; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "these are needed, by the names of Debian's packages, and this system has no apt-get:$missing" >&2
	exit 1
fi
if ! hack/apt.sh --usable; then
	echo "packages are missing; install them with: sudo apt-get install$missing" >&2
	exit 1
fi
echo "installing$missing" >&2
hack/apt.sh update || echo "going on with the lists of packages that are there" >&2
# shellcheck disable=SC2086 # names of packages
hack/apt.sh install --no-install-recommends $missing
