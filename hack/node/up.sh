#!/usr/bin/env bash
# Starts one real Kubernetes node on this machine, as root and without Docker: etcd, the control plane, containerd,
# kubelet, kube-proxy and CoreDNS, each built from Go modules by hack/kubernetes.sh. Prints the kubeconfig's path.
#
#   NODE_DIR  where the node keeps its state (default: .node); a node that was left there, or whose processes are all
#             gone, is taken down first
#
# Pods reach servers on this machine at 10.88.0.1; this machine reaches pods (10.88.0.0/16) and Services
# (10.96.0.0/16). NetworkPolicies are taken and not enforced. Nothing is started where another cluster seems to
# live. hack/node/down.sh removes all of it.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/hack/node/node.sh"

if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ]; then
	echo "node: this needs Linux and root" >&2
	exit 1
fi
"$ROOT/hack/debian.sh" containernetworking-plugins iptables iproute2 openssl procps >&2
wanted=$(realpath -m "${NODE_DIR:-$ROOT/.node}")
if [ -e "$STATE/owned" ]; then
	if [ "$NODE" != "$wanted" ] && alive; then
		echo "node: one runs already, in $NODE" >&2
		exit 1
	fi
	echo "node: taking down the one that was left in $NODE" >&2
	"$ROOT/hack/node/down.sh"
fi
NODE=$wanted KUBECONFIG_ADMIN=$wanted/admin.kubeconfig

# another prints what of another cluster is on this machine.
another() {
	if [ -e /sys/class/net/cni0 ]; then echo "the network interface cni0"; fi
	if (exec 3<>/dev/tcp/127.0.0.1/6443) 2>/dev/null; then echo "a server on port 6443"; fi
	if iptables-save 2>/dev/null | grep -q '^:KUBE-'; then echo "iptables chains of Kubernetes"; fi
	if pgrep -x kubelet >/dev/null; then echo "a kubelet"; fi
	if [ -e "$STATE" ]; then echo "$STATE"; fi
}
found=$(another)
if [ -n "$found" ]; then
	echo "node: another cluster seems to live on this machine, which is left alone. Found:" >&2
	echo "$found" | sed 's/^/  /' >&2
	exit 1
fi

"$ROOT/hack/kubernetes.sh" etcd kube-apiserver kubectl kube-controller-manager kube-scheduler kubelet kube-proxy \
	containerd containerd-shim-runc-v2 ctr runc coredns pause >/dev/null
if [ -e "$NODE/.socialops-node" ]; then # left by a machine that was restarted
	rm -rf "$NODE"
elif [ -n "$(ls -A "$NODE" 2>/dev/null)" ]; then
	echo "node: $NODE holds something else" >&2
	exit 1
fi
mkdir -p "$NODE"/{pki,etcd,logs,cni} "$RUN"
cd "$NODE"
touch .socialops-node
echo "$NODE" >"$STATE/folder"
: >"$STATE/owned"

for name in net.ipv4.ip_forward net.ipv4.conf.all.route_localnet vm.overcommit_memory kernel.panic kernel.panic_on_oops; do
	own "sysctl $name $(cat "/proc/sys/${name//.//}")" # kubelet and kube-proxy set them
done
for controller in /sys/fs/cgroup /sys/fs/cgroup/*/; do # version 2 has one tree, version 1 one a controller
	path=${controller%/}/kubepods
	if [ ! -e "$path" ]; then own "cgroup $path"; fi
done
own rules
own "link cni0"
ip link add cni0 type bridge
ip addr add "$GATEWAY/16" dev cni0
ip link set cni0 up
# A Service's address that kube-proxy doesn't know yet must lead nowhere, not out of this machine. (A blackhole would
# be looked up before kube-proxy's rules.)
ip route add 10.96.0.0/16 dev cni0
echo 1 >/proc/sys/net/ipv4/ip_forward

# Certificates.
openssl ecparam -name prime256v1 -genkey -noout -out pki/ca.key
openssl req -x509 -new -key pki/ca.key -out pki/ca.crt -subj /CN=socialops-node -days 30
certificate() { # NAME SUBJECT ALTERNATIVE-NAMES
	openssl ecparam -name prime256v1 -genkey -noout -out "pki/$1.key"
	openssl req -new -key "pki/$1.key" -subj "$2" -out "pki/$1.csr"
	openssl x509 -req -in "pki/$1.csr" -CA pki/ca.crt -CAkey pki/ca.key -CAcreateserial -days 30 -out "pki/$1.crt" \
		-extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3") 2>/dev/null
}
certificate apiserver /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,IP:127.0.0.1,IP:10.96.0.1,IP:$GATEWAY"
certificate admin /O=system:masters/CN=admin DNS:admin
certificate kubelet /O=system:nodes/CN=system:node:node1 "DNS:node1,IP:127.0.0.1,IP:$GATEWAY"
openssl genrsa -out pki/service-accounts.key 2048 2>/dev/null
openssl rsa -in pki/service-accounts.key -pubout -out pki/service-accounts.pub 2>/dev/null
for who in admin kubelet; do
	cat >"$who.kubeconfig" <<-YAML
		apiVersion: v1
		kind: Config
		current-context: socialops-node
		contexts: [{name: socialops-node, context: {cluster: socialops-node, user: $who}}]
		clusters: [{name: socialops-node, cluster: {server: "https://127.0.0.1:6443", certificate-authority: $NODE/pki/ca.crt}}]
		users: [{name: $who, user: {client-certificate: $NODE/pki/$who.crt, client-key: $NODE/pki/$who.key}}]
	YAML
done

# The control plane.
start etcd etcd --data-dir etcd --listen-client-urls http://127.0.0.1:23790 --advertise-client-urls http://127.0.0.1:23790 \
	--listen-peer-urls http://127.0.0.1:23800 --unsafe-no-fsync
start kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:23790 --secure-port=6443 --bind-address=0.0.0.0 \
	--advertise-address="$GATEWAY" --tls-cert-file=pki/apiserver.crt --tls-private-key-file=pki/apiserver.key \
	--client-ca-file=pki/ca.crt --service-account-key-file=pki/service-accounts.pub \
	--service-account-signing-key-file=pki/service-accounts.key --service-account-issuer=https://kubernetes.default.svc \
	--service-cluster-ip-range=10.96.0.0/16 --authorization-mode=Node,RBAC --allow-privileged \
	--kubelet-client-certificate=pki/admin.crt --kubelet-client-key=pki/admin.key --kubelet-preferred-address-types=InternalIP

# The node, while the API server comes up.
cat >containerd.toml <<TOML
version = 3
root = "$NODE/containerd"
state = "$STATE/containerd"
[grpc]
  address = "$SOCKET"
[ttrpc]
  address = "$SOCKET.ttrpc"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "docker.io/local/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "$NODE/cni"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = false
  BinaryName = "$BIN/runc"
TOML
cat >cni/10-bridge.conflist <<JSON
{"cniVersion": "1.0.0", "name": "socialops-node", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$STATE/ipam", "ranges": [[{"subnet": "10.88.0.0/16", "gateway": "$GATEWAY"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
cat >kubelet.yaml <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $NODE/pki/ca.crt}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$SOCKET
tlsCertFile: $NODE/pki/kubelet.crt
tlsPrivateKeyFile: $NODE/pki/kubelet.key
clusterDNS: [$GATEWAY]
clusterDomain: cluster.local
resolvConf: ""
enforceNodeAllocatable: []
evictionHard: {memory.available: 100Mi}
YAML
cat >kube-proxy.yaml <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: 10.88.0.0/16
hostnameOverride: node1
clientConnection: {kubeconfig: $NODE/admin.kubeconfig}
conntrack: {maxPerCore: 0, min: 0}
YAML
cat >Corefile <<CADDY
cluster.local:53 {
  bind $GATEWAY
  kubernetes {
    kubeconfig $NODE/admin.kubeconfig socialops-node
  }
}
CADDY
start_containerd
mkdir -p pause
cp "$BIN/pause" pause/pause
"$ROOT/hack/image/archive.sh" pause docker.io/local/pause:1 pause.tar --user 65535:65535 /pause >/dev/null
"$ROOT/hack/node/load.sh" pause.tar

await kube-apiserver kubectl get --raw /readyz
start kube-controller-manager kube-controller-manager --kubeconfig=admin.kubeconfig --authentication-kubeconfig=admin.kubeconfig \
	--authorization-kubeconfig=admin.kubeconfig --service-account-private-key-file=pki/service-accounts.key --root-ca-file=pki/ca.crt \
	--cluster-signing-cert-file=pki/ca.crt --cluster-signing-key-file=pki/ca.key --use-service-account-credentials --leader-elect=false
start kube-scheduler kube-scheduler --kubeconfig=admin.kubeconfig --authentication-kubeconfig=admin.kubeconfig \
	--authorization-kubeconfig=admin.kubeconfig --leader-elect=false
start_kubelet
start coredns coredns -conf Corefile
await kubelet kubectl wait --for=condition=Ready node/node1 --timeout=10s
await coredns runs coredns
await kube-controller-manager kubectl -n default get serviceaccount default
echo "$KUBECONFIG_ADMIN"
