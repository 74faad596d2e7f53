#!/usr/bin/env bash
# Restarts the data plane of the node that hack/node/up.sh started, as a power cut would: every container is killed
# at once, and with them kubelet, kube-proxy and containerd; then these are started anew. Returns when the node has
# told that it is ready again; its pods come back from there on. The control plane goes on meanwhile.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/hack/node/node.sh"

for name in kubelet kube-proxy containerd; do
	if runs $name; then kill -9 "$(cat "$RUN/$name.pid")"; fi
done
kill_containers
start_containerd
start_kubelet
await kubelet curl --silent --fail --insecure --cert "$NODE/pki/admin.crt" --key "$NODE/pki/admin.key" "https://127.0.0.1:10250/healthz"
