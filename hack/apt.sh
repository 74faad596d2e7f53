#!/bin/sh
# Runs apt-get without questions, as root or with a sudo that asks for no password. It waits for an apt that is already
# running, and tries again where a mirror fails.
#
#   hack/apt.sh update
#   hack/apt.sh install --no-install-recommends wrk
#   hack/apt.sh --usable    only tells, by its exit code, whether that can be done here
set -eu

usable=1
command -v apt-get >/dev/null || usable=
if [ "$(id -u)" = 0 ]; then
	as_root() { "$@"; }
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	as_root() { sudo -n "$@"; }
else
	usable=
fi
if [ -z "$usable" ]; then
	[ "${1-}" = --usable ] || echo "apt-get can't be run here: it needs root, or a sudo that asks for no password" >&2
	exit 1
fi
[ "${1-}" != --usable ] || exit 0

for pause in 5 20 60 ''; do
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >&2 && exit
	[ -n "$pause" ] || break
	echo "apt-get $1 failed; trying again in $pause s" >&2
	sleep "$pause"
done
echo "apt-get $* failed" >&2
exit 1
