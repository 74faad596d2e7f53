#!/bin/sh
# Measures SocialOps against its bars and prints them as a table. Takes up to 40 minutes.
#
#   hack/bench.sh                        everything
#   ONLY=ingest,memory hack/bench.sh     some: memory, ingest, latency, delivery, pacing, reply, inbox, rows, search;
#                                        console: console-streams and, in a browser, console-first, console-open,
#                                        console-scroll, console-live; operator, on an API server of the bench's own:
#                                        operator-apply, operator-latency, operator-rest, operator-memory
#   SCALE=small hack/bench.sh            short runs on little data, to see that it works
#   OUTPUT=json hack/bench.sh            for machines
#
# A missed bar is printed as such and is no failure of the script. Nothing else should run on the machine meanwhile.
set -eu

cd "$(dirname "$0")/.."

if ! command -v wrk >/dev/null; then # makes the load
	hack/debian.sh wrk
fi
hack/postgres.sh >&2
case ",${ONLY:-console}," in *,console* | *" console"*)
	echo "bench: finding Chromium" >&2
	CHROMIUM=$(hack/chromium.sh)
	PATH=$(hack/web.sh path):$PATH
	export CHROMIUM PATH
	;;
esac
case ",${ONLY:-operator}," in *,operator* | *" operator"*)
	if [ -z "${KUBEBUILDER_ASSETS-}" ]; then
		echo "bench: finding etcd and kube-apiserver (built once from their modules, which takes 5 minutes on two cores)" >&2
		KUBEBUILDER_ASSETS=$(hack/kubernetes.sh etcd kube-apiserver)
		export KUBEBUILDER_ASSETS
	fi
	;;
esac

echo "bench: building" >&2
make --no-print-directory build >&2
go build -trimpath -o bin/bench ./hack/bench
# River is a module of its own, so that the product does not depend on it.
(cd hack/bench/river && GOWORK=off CGO_ENABLED=0 go build -trimpath -o ../../../bin/bench-river .)

exec bin/bench -only "${ONLY-}" -scale "${SCALE:-full}" -o "${OUTPUT:-table}" "$@"
