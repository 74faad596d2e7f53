#!/bin/sh
# Sees to it that Debian packages are installed: installs those that are missing, as root or with a sudo that
# asks for no password, and elsewhere prints the command.
#
#   hack/debian.sh iptables iproute2
set -eu

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
if [ "$(id -u)" = 0 ]; then
	as_root() { "$@"; }
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	as_root() { sudo -n "$@"; }
else
	echo "packages are missing; install them with: sudo apt-get install$missing" >&2
	exit 1
fi
echo "installing$missing" >&2
apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=120 "$@" >&2; }
apt update
# shellcheck disable=SC2086 # names of packages
apt install --no-install-recommends $missing
