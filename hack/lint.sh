#!/bin/sh
# Every check that needs no running code. All of them run, whatever the first one finds; the exit code tells
# whether any failed.
set -u

cd "$(dirname "$0")/.." || exit
failed=

# step NAME COMMAND… runs one check and prints its verdict and seconds.
step() {
	name=$1
	shift
	start=$(date +%s)
	if "$@"; then verdict=ok; else
		verdict=FAILED
		failed="$failed $name"
	fi
	echo "lint: $name: $verdict ($(($(date +%s) - start)) s)"
}

golangci() {
	tool=$(hack/tools.sh golangci-lint) && "$tool" run ./...
}

# Scripts are told by their first line, so that those without an ending (.ci/run) count too.
scripts() {
	git ls-files --cached --others --exclude-standard | while read -r file; do
		[ -f "$file" ] && head -n 1 "$file" | grep -qE '^#!/(usr/)?bin/(env )?(ba)?sh' && echo "$file"
	done
}

shell_scripts() {
	bad=0
	for script in $(scripts); do
		case $(head -n 1 "$script") in
		*bash*) bash -n "$script" || bad=1 ;;
		*) sh -n "$script" || bad=1 ;;
		esac
	done
	if command -v shellcheck >/dev/null; then
		# shellcheck disable=SC2046 # no script's name has a space
		shellcheck --severity=warning $(scripts) || bad=1
	else
		echo "shellcheck is not installed: scripts were only parsed"
	fi
	return $bad
}

modules() {
	# The diff of go.sum may be hundreds of lines and tells nothing that go.mod's does not.
	if ! diff=$(go mod tidy -diff 2>&1); then
		echo "$diff" | sed '/^diff .*go\.sum/,$d' | head -n 60
		echo "go.mod or go.sum is not tidy: run 'go mod tidy' and commit both" >&2
		return 1
	fi
}

# The tool takes a minute to build, so the database is asked first.
vulnerabilities() {
	if ! curl --silent --fail --head --max-time 5 --output /dev/null https://vuln.go.dev/index/db.json; then
		echo "govulncheck was left out: its database (vuln.go.dev) can't be reached from here"
		return 0
	fi
	tool=$(hack/tools.sh govulncheck) && "$tool" ./...
}

page() { hack/web.sh run lint && hack/web.sh run typecheck:e2e; }

charts() {
	helm=$(hack/tools.sh helm) || return 1
	for chart in charts/*/Chart.yaml; do
		"$helm" lint --strict "$(dirname "$chart")" || return 1
	done
}

# Generated code comes first: the linters read it.
step "generated code" hack/generate.sh --check
step golangci-lint golangci
step modules modules
step scripts shell_scripts
step vulnerabilities vulnerabilities
step page page
if [ -d charts ]; then step charts charts; fi

if [ -n "$failed" ]; then
	echo "lint failed:$failed" >&2
	exit 1
fi
