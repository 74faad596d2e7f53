#!/usr/bin/env bash
# What the scripts of this folder share: where the node keeps things, and how its parts are started and stopped.
# Sourced by them, after they set -euo pipefail. Needs $ROOT, the repository.
#
# Everything that the node makes outside its folder is written into $STATE/owned before it is made, so that down.sh
# removes that and nothing else:
#
#   link NAME | rules | cgroup PATH | sysctl NAME VALUE-BEFORE

# There is one node a machine. What it is known by is in one place, which a restart of the machine empties as it
# does the rest: a copy of this repository finds what a run in another one left behind.
STATE=/run/socialops-node
RUN=$STATE/run # of each process, its id and its program
if [ -e "$STATE/folder" ]; then
	NODE=$(cat "$STATE/folder")
else
	NODE=${NODE_DIR:-$ROOT/.node}
fi
SOCKET=$STATE/containerd.sock
GATEWAY=10.88.0.1 # this machine, as pods see it
BIN=$ROOT/.cache/kubernetes
KUBECONFIG_ADMIN=$NODE/admin.kubeconfig

owns() { grep -qx "$1" "$STATE/owned" 2>/dev/null; }
own() { owns "$1" || echo "$1" >>"$STATE/owned"; }

# runs NAME tells whether the process that was started as NAME still is that program.
runs() {
	local pid exe
	pid=$(cat "$RUN/$1.pid" 2>/dev/null) && exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
	[ "${exe% (deleted)}" = "$(cat "$RUN/$1.exe")" ]
}

# alive tells whether any part of the node runs.
alive() {
	local pid
	for pid in "$RUN"/*.pid; do
		if [ -e "$pid" ] && runs "$(basename "$pid" .pid)"; then return 0; fi
	done
	[ -n "$(shims)" ]
}

# start NAME PROGRAM ARGUMENT…
start() {
	local name=$1 program=$BIN/$2
	shift 2
	echo "$program" >"$RUN/$name.exe"
	setsid nohup "$program" "$@" >>"$NODE/logs/$name.log" 2>&1 </dev/null &
	echo $! >"$RUN/$name.pid"
}

# stop NAME… asks all of them, waits, and insists.
stop() {
	local name
	for name in "$@"; do
		if runs "$name"; then kill "$(cat "$RUN/$name.pid")" 2>/dev/null || true; fi
	done
	for name in "$@"; do
		for _ in $(seq 50); do
			runs "$name" || break
			sleep 0.1
		done
		if runs "$name"; then kill -9 "$(cat "$RUN/$name.pid")" 2>/dev/null || true; fi
		rm -f "$RUN/$name.pid" "$RUN/$name.exe"
	done
}

# await WHAT COMMAND… tries for a minute.
await() {
	local what=$1 deadline=$((SECONDS + 60))
	shift
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS >= deadline)); then
			echo "node: $what did not come up; its log is in $NODE/logs" >&2
			return 1
		fi
		sleep 0.1
	done
}

kubectl() { "$BIN/kubectl" --kubeconfig="$KUBECONFIG_ADMIN" "$@"; }
ctr() { "$BIN/ctr" --address "$SOCKET" --namespace k8s.io "$@" 2> >(grep -v 'cgroup v1 is deprecated' >&2); }

start_containerd() {
	start containerd containerd --config "$NODE/containerd.toml"
	await containerd ctr version
}

start_kubelet() {
	start kube-proxy kube-proxy --config="$NODE/kube-proxy.yaml"
	start kubelet kubelet --config="$NODE/kubelet.yaml" --kubeconfig="$NODE/kubelet.kubeconfig" --hostname-override=node1 \
		--node-ip="$GATEWAY" --root-dir="$NODE/kubelet" --cert-dir="$NODE/pki"
}

# shims are the processes that hold this node's containers, whether or not containerd still runs.
shims() {
	local proc exe
	for proc in /proc/[0-9]*; do
		exe=$(readlink "$proc/exe" 2>/dev/null) || continue
		[ "$(basename "${exe% (deleted)}")" = containerd-shim-runc-v2 ] || continue
		if tr '\0' ' ' <"$proc/cmdline" 2>/dev/null | grep -q -- "-address $SOCKET"; then echo "${proc#/proc/}"; fi
	done
}

# kill_containers kills every container of the node at once, as a power cut would.
kill_containers() {
	local shim
	for shim in $(shims); do
		pkill -9 --parent "$shim" 2>/dev/null || true # the first process of a container takes the others along
		kill -9 "$shim" 2>/dev/null || true
	done
	for _ in $(seq 50); do
		[ -n "$(shims)" ] || return 0
		sleep 0.1
	done
}
