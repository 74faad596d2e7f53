#!/usr/bin/env bash
# Sees to it that binaries of a Kubernetes node are there, and prints the folder that they are in. Those that tests
# need are downloaded where setup-envtest can be reached; what can't be had so is built from Go modules.
#
#   hack/kubernetes.sh etcd kube-apiserver     what tests against an API server need
#   hack/kubernetes.sh --list                  every name
#
# Each comes from a committed module under hack/kubernetes. They land in .cache/kubernetes, each beside a stamp of
# what it was built from; a warm run only compares stamps.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/.cache/kubernetes
names=(etcd kube-apiserver kubectl kube-controller-manager kube-scheduler kubelet kube-proxy
	containerd containerd-shim-runc-v2 ctr runc coredns pause traefik)

# source NAME sets what NAME is built from: its module's folder, the package in it, flags of go build, and how
# long it takes on two cores when nothing is cached yet.
source_of() {
	cgo=0 tags='' stamped='' takes=''
	case $1 in
	etcd) module=etcd package=go.etcd.io/etcd/server/v3 takes='25 s' ;;
	kube-apiserver) module=kubernetes package=k8s.io/kubernetes/cmd/$1 takes='4 min' ;;
	kubectl | kubelet | kube-proxy | kube-scheduler | kube-controller-manager)
		module=kubernetes package=k8s.io/kubernetes/cmd/$1 takes='1 min after kube-apiserver' ;;
	containerd | containerd-shim-runc-v2 | ctr)
		module=containerd package=github.com/containerd/containerd/v2/cmd/$1 takes='1 min'
		tags=no_btrfs,no_devmapper,no_zfs ;;
	runc) module=runc package=github.com/opencontainers/runc takes='10 s' cgo=1 tags=seccomp ;;
	coredns) module=coredns package=github.com/coredns/coredns takes='90 s' ;;
	pause) module=pause package=. ;;
	traefik) module=traefik package=github.com/traefik/traefik/v3/cmd/traefik takes='5 min' ;;
	*)
		echo "hack/kubernetes.sh: no binary is called $1; there are: ${names[*]}" >&2
		exit 2
		;;
	esac
	if [ $module = kubernetes ]; then
		stamped=$(sed -n 's/^\s*k8s.io\/kubernetes \(v[^ ]*\).*/\1/p;s/^require k8s.io\/kubernetes \(v.*\)/\1/p' "$root/hack/kubernetes/kubernetes/go.mod")
	fi
}

stamp_of() {
	source_of "$1"
	{ go version; echo "$package $cgo $tags"; cat "$root/hack/kubernetes/$module"/*; } | cksum
}

is_built() { [ -x "$bin/$1" ] && [ "$(cat "$bin/.$1.stamp" 2>/dev/null)" = "$(stamp_of "$1")" ]; }

# build NAME builds aside and renames: a run that is cut short, or a second one, never leaves half a binary.
build() {
	source_of "$1"
	echo "kubernetes: building $1${takes:+, which takes about $takes when nothing is cached}" >&2
	[ "$1" != runc ] || "$root/hack/debian.sh" gcc libc6-dev pkg-config libseccomp-dev
	local start=$SECONDS
	(cd "$root/hack/kubernetes/$module" && CGO_ENABLED=$cgo go build -trimpath -buildvcs=false -tags "$tags" \
		-ldflags "-s -w${stamped:+ -X k8s.io/component-base/version.gitVersion=$stamped}" -o "$aside/$1" "$package" 2> >(grep -v '^go: downloading' >&2))
	mv "$aside/$1" "$bin/$1"
	stamp_of "$1" >"$bin/.$1.stamp"
	echo "kubernetes: built $1 in $((SECONDS - start)) s" >&2
}

# download tries to get what tests need as setup-envtest does. Where its index is not answered at once, it is not to be had.
index=${ENVTEST_INDEX:-https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml}
download() {
	local name tool found version
	for name in etcd kube-apiserver kubectl; do is_built $name || break; done
	! is_built $name || return 0
	curl --silent --fail --max-time 3 --output /dev/null "$index" || return 0
	source_of kube-apiserver
	version=${stamped#v}
	echo "kubernetes: downloading etcd, kube-apiserver and kubectl ${version%.*}" >&2
	tool=$("$root/hack/tools.sh" setup-envtest)
	if ! found=$(timeout 120 "$tool" use "${version%.*}.x" --index "$index" --bin-dir "$bin/envtest" --print path); then
		echo "kubernetes: they can't be had, and are built instead" >&2
		return 0
	fi
	for name in etcd kube-apiserver kubectl; do
		is_built $name && continue
		cp "$found/$name" "$aside/$name"
		mv "$aside/$name" "$bin/$name"
		stamp_of $name >"$bin/.$name.stamp"
	done
}

case ${1-} in
'')
	echo "usage: hack/kubernetes.sh NAME…; the names are: ${names[*]}" >&2
	exit 2
	;;
--list)
	printf '%s\n' "${names[@]}"
	exit
	;;
esac

unset GOOS GOARCH GOARM GOAMD64
export GOWORK=off GOFLAGS=
mkdir -p "$bin"
missing=()
for name in "$@"; do is_built "$name" || missing+=("$name"); done
if ((${#missing[@]} > 0)); then
	aside=$(mktemp -d "$bin/.build.XXXXXX")
	trap 'rm -rf "$aside"' EXIT
	if command -v flock >/dev/null; then # one builds, others wait for what it built
		exec 9>"$bin/.lock"
		flock 9
	fi
	case " ${missing[*]} " in *" etcd "* | *" kube-apiserver "* | *" kubectl "*) download ;; esac
	for name in "${missing[@]}"; do is_built "$name" || build "$name"; done
fi
echo "$bin"
