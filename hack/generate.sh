#!/bin/sh
# Regenerates what is generated: deep copies and CRDs from the API's types, Go from the SQL queries, and of the chart
# and the kustomize tree what comes from elsewhere (CRDs, the operator's rules, the values' schema, the README).
#
#   hack/generate.sh           write the files in place
#   hack/generate.sh --check   the same, and fail if a file changed by it, naming each
set -eu

cd "$(dirname "$0")/.."

# Every generated file with its checksum. CRDs have no "Code generated" line, so they are listed by folder.
fingerprint() {
	{
		grep -rl --include='*.go' '^// Code generated .* DO NOT EDIT\.$' . --exclude-dir=node_modules --exclude-dir=.cache || true
		find config/crd charts/*/templates/crds -name '*.yaml' 2>/dev/null || true
		for file in config/rbac/operator_role.yaml charts/*/files/operator-rules.yaml charts/*/values.schema.json charts/*/README.md; do
			[ ! -f "$file" ] || echo "$file"
		done
	} | sort | while read -r file; do cksum "$file"; done
}

generate() {
	if ls api/*/*.go >/dev/null 2>&1; then
		echo "generate: deep copies and CRDs from api"
		controller_gen=$(hack/tools.sh controller-gen)
		"$controller_gen" object paths=./api/... crd paths=./api/... output:crd:dir=config/crd
	fi
	find . -name sqlc.yaml -not -path '*/node_modules/*' -not -path './.cache/*' | sort | while read -r conf; do
		echo "generate: Go from the queries of $(dirname "$conf")"
		sqlc=$(hack/tools.sh sqlc)
		"$sqlc" generate --file "$conf"
	done
	if [ -d charts/socialops ]; then
		echo "generate: the operator's rules from controllers"
		operator_rules
		echo "generate: the chart's CRDs, schema and README"
		chart_crds
		values_schema=$(hack/tools.sh values-schema)
		"$values_schema" charts/socialops/values.yaml >charts/socialops/values.schema.json
		helm_docs=$(hack/tools.sh helm-docs)
		"$helm_docs" --log-level warning --chart-search-root charts --sort-values-order file
	fi
}

# The rules that markers beside the code ask for, as the chart's templates take them and as kustomize does. A marker
# with a namespace is about the operator's own, where the rules are written by hand: they name objects.
operator_rules() {
	rules=charts/socialops/files/operator-rules.yaml
	"$controller_gen" rbac:roleName=operator paths=./controllers/... output:stdout |
		awk '/^---$/ { found = 0 } /^kind: /{ cluster = $2 == "ClusterRole" } /^rules:$/ && cluster { found = 1 } found' >"$rules.new"
	mv "$rules.new" "$rules"
	{
		cat <<-'YAML'
			# What the operator does in the namespaces that it watches; here that is its own. Made by hack/generate.sh of
			# the markers beside the code.
			apiVersion: rbac.authorization.k8s.io/v1
			kind: Role
			metadata:
			  name: socialops-operator
			  labels:
			    app.kubernetes.io/component: operator
		YAML
		cat "$rules"
	} >config/rbac/operator_role.yaml
}

# Helm upgrades what is among the templates, and leaves crds/ alone.
chart_crds() {
	for crd in config/crd/socialops.dev_*.yaml; do
		if grep -q '{{' "$crd"; then
			echo "generate: $crd holds what Helm takes for a template" >&2
			return 1
		fi
		{
			echo '{{- if .Values.crds.enabled -}}'
			# An uninstall keeps the CRDs, and with them every instance.
			sed -e '1{/^---$/d}' -e 's|^  annotations:$|  labels: {{- include "socialops.chartLabels" . \| nindent 4 }}\n&\n    helm.sh/resource-policy: keep|' "$crd"
			echo '{{- end }}'
		} >"charts/socialops/templates/crds/$(basename "$crd" | sed 's/^socialops\.dev_//')"
	done
}

case ${1:-} in
'') generate ;;
--check)
	before=$(mktemp) after=$(mktemp)
	trap 'rm -f "$before" "$after"' EXIT
	fingerprint >"$before"
	generate
	fingerprint >"$after"
	stale=$(diff "$before" "$after" | sed -n 's/^[<>] [0-9]* [0-9]* //p' | sort -u)
	if [ -n "$stale" ]; then
		echo "Generated code was out of date. It has now been regenerated in place: look at it (git diff) and commit" >&2
		echo "$stale" | sed 's/^/  /' >&2
		exit 1
	fi
	echo "generated code is up to date"
	;;
*)
	echo "usage: hack/generate.sh [--check]" >&2
	exit 2
	;;
esac
