#!/usr/bin/env bash
# Builds the console's page into runtime/console/web/dist, from where it goes into the binary, unless it is there and
# its sources are what they were. Installs node and npm if they are missing, and the packages of package-lock.json.
#
#   hack/web.sh                     build
#   hack/web.sh run SCRIPT [ARGS]   run a script of the page's package.json, such as lint or test
#
#   NPM_FLAGS  further flags of npm ci, such as --offline
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
page=$root/runtime/console/web
[ -f "$page/package-lock.json" ] || exit 0 # nothing to build yet
cd "$page"

say() { echo "web: $*" >&2; }

# Vite needs one of these.
fresh_node() {
	command -v node >/dev/null && command -v npm >/dev/null &&
		node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || a === 22 && b >= 12 || a === 20 && b >= 19 ? 0 : 1)'
}

# Where the distribution's node is too old (Debian 12 has 18), the npm registry has it too.
node_version=22.23.3
see_to_node() {
	fresh_node && return
	local own=$root/.cache/node/node_modules cpu
	if [ -d "$own" ]; then
		PATH=$(echo "$own"/node-*/bin):$PATH
		fresh_node && return
	fi
	if ! command -v npm >/dev/null; then
		say "node and npm are missing"
		"$root/hack/debian.sh" nodejs npm
		fresh_node && return
	fi
	cpu=$(node -p 'process.platform + "-" + process.arch')
	say "node is $(node --version), and the page needs 20.19, 22.12 or newer: getting $node_version from the npm registry"
	npm install --prefix "$root/.cache/node" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "node-$cpu@$node_version" >&2
	PATH=$(echo "$own"/node-*/bin):$PATH
	if ! fresh_node; then
		say "that is no node for this machine: install one from https://nodejs.org/en/download"
		exit 1
	fi
}

# Tools are run of the packages' own scripts alone, so that no package runs code while it is installed.
see_to_packages() {
	local stamp
	stamp=$({ node --version && cat package.json package-lock.json; } | cksum)
	[ "$(cat node_modules/.stamp 2>/dev/null)" != "$stamp" ] || return 0
	say "installing the page's packages from the npm registry ($(grep -c '^    "node_modules/' package-lock.json) of package-lock.json)"
	# shellcheck disable=SC2086 # flags
	PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error ${NPM_FLAGS-} >&2
	echo "$stamp" >node_modules/.stamp
}

# What the page is made of; its tests and pictures are not.
sources() {
	find . \( -name node_modules -o -path ./dist -o -path ./e2e -o -path ./screenshots -o -path ./test-results -o -path ./playwright-report -o -path ./coverage \) -prune \
		-o -type f ! -name '*.go' ! -name '*.md' ! -name '*.test.ts' ! -name '*.test.tsx' -print0 | LC_ALL=C sort -z
}

stamp_of() {
	{
		node --version
		cat "$root/hack/web/compress.mjs"
		sources | xargs -0 cksum
	} | cksum
}

mkdir -p "$root/.cache"
if command -v flock >/dev/null; then # one builds, others wait for what it built
	exec 9>"$root/.cache/web.lock"
	flock 9
fi
see_to_node
see_to_packages
case ${1-} in
'') ;;
run)
	exec 9>&-
	exec npm run --silent "$2" -- "${@:3}"
	;;
*)
	echo "usage: hack/web.sh [run SCRIPT [ARGS]]" >&2
	exit 2
	;;
esac

stamp=$(stamp_of)
if [ -f dist/index.html ] && [ "$(cat dist/.stamp 2>/dev/null)" = "$stamp" ]; then
	exit
fi
say "building the page"
start=$SECONDS
aside=$(mktemp -d "$root/.cache/web.XXXXXX")
trap 'rm -rf "$aside"' EXIT
node_modules/.bin/vite build --logLevel warn --outDir "$aside" --emptyOutDir >&2 # types are checked by hack/lint.sh
node "$root/hack/web/compress.mjs" "$aside"
echo "$stamp" >"$aside/.stamp"
# Emptied rather than replaced: git keeps the folder by a file in it.
find dist -mindepth 1 ! -name .gitkeep -delete
cp -R "$aside"/. dist/
say "built the page in $((SECONDS - start)) s"
