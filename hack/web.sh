#!/usr/bin/env bash
# Builds the console's page into runtime/console/web/dist, from where it goes into the binary, unless it is there and
# its sources are what they were. Installs node and npm if they are missing, and the packages of package-lock.json.
#
#   hack/web.sh                     build
#   hack/web.sh run SCRIPT [ARGS]   run a script of the page's package.json, such as lint or test
#   hack/web.sh path                print the folder that node is in, and build nothing
#
#   NPM_FLAGS  further flags of npm ci, such as --offline
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
page=$root/runtime/console/web
cd "$page"

say() { echo "web: $*" >&2; }

# Vite needs one of these.
fresh_node() {
	command -v node >/dev/null && command -v npm >/dev/null &&
		node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || a === 22 && b >= 12 || a === 20 && b >= 19 ? 0 : 1)'
}

# Where the distribution's node is too old (Debian 12 has 18), the npm registry has one too: hack/web/node says which,
# and by what checksum.
own=$root/.cache/node
see_to_node() {
	fresh_node && return
	if ! command -v npm >/dev/null; then
		say "node and npm are missing"
		"$root/hack/debian.sh" nodejs npm
		fresh_node && return
	fi
	local lock=$root/hack/web/node/package-lock.json
	if ! cmp -s "$lock" "$own/package-lock.json" || ! [ -d "$own/node_modules" ]; then
		say "node is $(node --version), and the page needs 20.19, 22.12 or newer: getting one from the npm registry"
		rm -rf "$own"
		mkdir -p "$own"
		cp "$root/hack/web/node/package.json" "$lock" "$own"
		from_registry --prefix "$own"
	fi
	PATH=$(echo "$own"/node_modules/node-*/bin):$PATH
	if ! fresh_node; then
		# What is optional, as a node for another machine is, npm leaves out without a word, also if it reaches no registry.
		rm -rf "$own"
		say "$(npm config get registry) gave none for this machine: is it reachable? Else install node 22 from https://nodejs.org/en/download"
		exit 1
	fi
}

# Packages run no code of theirs while they are installed: what they are used for, they are run for by name.
from_registry() {
	# shellcheck disable=SC2086 # flags
	if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=4 "$@" ${NPM_FLAGS-} >&2; then
		say "npm could not install them; above it says why. It asks $(npm config get registry), unless 'npm config set registry URL' names a mirror"
		return 1
	fi
}

see_to_packages() {
	local stamp
	stamp=$({ node --version && cat package.json package-lock.json; } | cksum)
	[ "$(cat node_modules/.stamp 2>/dev/null)" != "$stamp" ] || return 0
	say "installing the page's packages from the npm registry ($(grep -c '^    "node_modules/' package-lock.json) of package-lock.json)"
	PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 from_registry
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
if [ "${1-}" = path ]; then
	dirname "$(command -v node)"
	exit
fi
see_to_packages
case ${1-} in
'') ;;
run)
	exec 9>&-
	exec npm run --silent "$2" -- "${@:3}"
	;;
*)
	echo "usage: hack/web.sh [run SCRIPT [ARGS] | path]" >&2
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
