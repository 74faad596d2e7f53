#!/usr/bin/env bash
# Runs what the console's page does in a real browser against bin/socialops, and installs what is missing for it.
#
#   hack/browser.sh e2e [ARGUMENTS]    the browser tests; arguments are Playwright's
#   hack/browser.sh screenshots        the pictures of the main views, in runtime/console/web/screenshots
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1-} in
e2e | screenshots) ;;
*)
	echo "usage: hack/browser.sh e2e|screenshots [ARGUMENTS]" >&2
	exit 2
	;;
esac
hack/postgres.sh >&2
CHROMIUM=$(hack/chromium.sh)
make --no-print-directory build >&2
export CHROMIUM SOCIALOPS=$PWD/bin/socialops
exec hack/web.sh run "$@"
