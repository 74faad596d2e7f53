#!/bin/sh
# Sees to it that Chromium is there for the console's tests in a real browser, and prints its path. On Debian it is
# installed if missing, with fonts for the scripts that people write in and for emoji; elsewhere any Chromium or Chrome does.
#
#   CHROMIUM   path of the browser to use instead
set -eu

cd "$(dirname "$0")/.."
found() {
	for name in "${CHROMIUM-}" chromium google-chrome-stable google-chrome chromium-browser; do
		[ -n "$name" ] || continue
		# Ubuntu's package chromium-browser is a script that asks for snap.
		if path=$(command -v "$name") && timeout 20 "$path" --version >/dev/null 2>&1; then
			echo "$path"
			return 0
		fi
	done
	return 1
}

if [ -z "${CHROMIUM-}" ] && [ -r /etc/debian_version ] && ! grep -q '^ID=ubuntu' /etc/os-release; then
	# What can't be installed is no failure where another browser is.
	hack/debian.sh chromium fonts-noto-core fonts-noto-color-emoji || found >/dev/null || exit 1
fi
if ! found; then
	echo "no Chromium is found: install one (or Google Chrome), or name it with CHROMIUM=/path/to/it" >&2
	exit 1
fi
