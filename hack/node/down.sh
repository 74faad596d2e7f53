#!/usr/bin/env bash
# Stops the node that hack/node/up.sh started, its containers included, and removes what it made: its folder, its
# bridge, its iptables rules, its cgroups. Only what up.sh wrote down as its own is touched.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/hack/node/node.sh"

[ -e "$STATE/owned" ] || exit 0

stop kubelet kube-proxy coredns kube-scheduler kube-controller-manager
kill_containers
stop containerd kube-apiserver etcd
awk -v a="$NODE/" -v b="$STATE/" 'index($2, a) == 1 || index($2, b) == 1 {print $2}' /proc/mounts | sort -r |
	while read -r mounted; do umount -l "$mounted" 2>/dev/null || true; done # some go with the ones before

# rules removes the chains of kube-proxy, kubelet and this node's CNI network, in one step a table; those of others stay.
rules() {
	local ipt=$1
	command -v "$ipt-save" >/dev/null || return 0
	"$ipt-save" 2>/dev/null | awk '
		function flush_table() {
			if (table == "" || (jumps == "" && chains == "")) return
			printf "*%s\n%s%s%sCOMMIT\n", table, jumps, flushes, chains
		}
		function ours(chain) { return chain ~ /^KUBE-/ || chain in network }
		/^\*/ { flush_table(); table = substr($0, 2); jumps = flushes = chains = ""; delete network; n = 0 }
		/^:/ { name[n++] = substr($1, 2) }
		# The bridge plugin names its chains by a hash and tells in a comment whose they are.
		/^-A / && /name: .*"socialops-node\\"/ { for (i = 3; i < NF; i++) if ($i == "-j" && $(i+1) ~ /^CNI-/) network[$(i+1)] = 1; line[l++] = $0; next }
		/^-A / { line[l++] = $0 }
		/^COMMIT/ {
			for (i = 0; i < n; i++) if (ours(name[i])) { flushes = flushes "-F " name[i] "\n"; chains = chains "-X " name[i] "\n" }
			for (i = 0; i < l; i++) {
				split(line[i], w, " ")
				if (ours(w[2])) continue
				target = ""
				if (match(line[i], / -j [^ ]+/)) target = substr(line[i], RSTART + 4, RLENGTH - 4)
				if (ours(target)) { sub(/^-A/, "-D", line[i]); jumps = jumps line[i] "\n" }
			}
			l = 0
			flush_table(); table = ""
		}' >"$RUN/$ipt.undo"
	[ ! -s "$RUN/$ipt.undo" ] || "$ipt-restore" --noflush "$RUN/$ipt.undo"
}

tac "$STATE/owned" | while read -r kind what value; do
	case $kind in
	link) ip link del "$what" 2>/dev/null || true ;;
	rules) for ipt in iptables ip6tables; do rules $ipt || echo "node: some rules of $ipt were left" >&2; done ;;
	cgroup) [ ! -d "$what" ] || find "$what" -depth -type d -exec rmdir {} \; 2>/dev/null || true ;;
	sysctl) echo "$value" >"/proc/sys/${what//.//}" ;;
	esac
done
rm -rf "$NODE"
rm -rf "$STATE"
