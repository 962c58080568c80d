#!/usr/bin/env bash
# Builds the programs that tests and demo run as the Kubernetes API, from the Go modules pinned beside this script.
#
#   build.sh [NAME…]    etcd kube-apiserver kube-controller-manager kubectl helm; without a name, all of these
#   build.sh node       what the one-node cluster needs beyond them: scheduler, kubelet, container runtime, DNS
#   build.sh kube-apiserver-1.30.4    the oldest one that the operator supports, beside them
#
# The last line on stdout is the directory that holds them; progress goes to stderr. They are kept outside the tree, in
# ${XDG_CACHE_HOME:-~/.cache}/cloud-valkey-proxy/tools, so only the first run takes its minutes (5 to 7 on two cores).
# Programs found in $KUBEBUILDER_ASSETS (the convention of envtest) are used as they are.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kubernetes=v1.36.3
all=(etcd kube-apiserver kube-controller-manager kubectl helm)
node=(kube-scheduler kube-proxy kubelet containerd containerd-shim-runc-v2 ctr coredns)
die() { echo "build.sh: $1" >&2; exit "$2"; }

# Sets module, package, estimate and flags of one program.
describe() {
  module=$here flags="-s -w"
  # Without gitVersion the server calls itself v0.0.0 and clients refuse it.
  local stamp="-X k8s.io/component-base/version.gitVersion=$kubernetes"
  case "$1" in
    etcd) package=go.etcd.io/etcd/server/v3 estimate="about 40 s" ;;
    kube-apiserver) package=k8s.io/kubernetes/cmd/kube-apiserver flags+=" $stamp" estimate="about 3 min" ;;
    kube-apiserver-1.30.4)
      module=$here/kubernetes-1.30.4 package=k8s.io/kubernetes/cmd/kube-apiserver estimate="about 3 min"
      flags+=" -X k8s.io/component-base/version.gitVersion=v1.30.4" ;;
    kube-controller-manager) package=k8s.io/kubernetes/cmd/kube-controller-manager flags+=" $stamp" estimate="about 1 min" ;;
    kube-scheduler | kube-proxy | kubelet) package=k8s.io/kubernetes/cmd/$1 flags+=" $stamp" estimate="about 20 s" ;;
    containerd | containerd-shim-runc-v2 | ctr)
      module=$here/containerd package=github.com/containerd/containerd/v2/cmd/$1 estimate="about 30 s"
      flags+=" -X github.com/containerd/containerd/v2/version.Version=v2.4.2" ;; # kubelet asks for it
    coredns) module=$here/coredns package=. estimate="about 1 min" ;;
    kubectl) package=k8s.io/kubernetes/cmd/kubectl flags+=" $stamp" estimate="about 20 s" ;;
    helm)
      module=$here/helm package=helm.sh/helm/v3/cmd/helm estimate="about 1 min"
      # `helm template` takes this for the cluster's version; its built-in one is too old for the chart.
      local capabilities=helm.sh/helm/v3/pkg/chartutil.k8sVersion
      flags+=" -X ${capabilities}Major=1 -X ${capabilities}Minor=36" ;;
    *) die "unknown program '$1'; it builds ${all[*]} ${node[*]}" 64 ;;
  esac
}

build() {
  local name=$1 started=$SECONDS log="$dir/$1.log"
  describe "$name"
  printf 'building %s (%s on 2 cores)… ' "$name" "$estimate" >&2
  if ! (cd "$module" && go build -trimpath -ldflags "$flags" -o "$dir/.$name.$$" "$package") >"$log" 2>&1; then
    printf 'failed\n' >&2
    rm -f "$dir/.$name.$$"
    tail -n 20 "$log" >&2
    die "go build of $name failed; the whole log: $log" 70
  fi
  mv "$dir/.$name.$$" "$dir/$name"
  rm -f "$log"
  printf '%d s\n' $((SECONDS - started)) >&2
}

[ $# -gt 0 ] || set -- "${all[@]}"
[ "$*" != node ] || set -- "${node[@]}"
wanted=("$@")
for name in "${wanted[@]}"; do describe "$name"; done

key=$({ declare -f describe; cat "$here"/{,helm/,kubernetes-1.30.4/,containerd/,coredns/}go.{mod,sum} "$here/coredns/main.go"; } | sha256sum)
tools=${XDG_CACHE_HOME:-$HOME/.cache}/cloud-valkey-proxy/tools
dir=$tools/$kubernetes-${key:0:12}
assets=${KUBEBUILDER_ASSETS:-}

is_given() { [ -n "$assets" ] && [ -x "$assets/$1" ]; }
is_there() { is_given "$1" || [ -x "$dir/$1" ]; }
list_missing() { for name in "${wanted[@]}"; do is_there "$name" || echo "$name"; done; }

if [ -n "$(list_missing)" ]; then
  command -v go >/dev/null || die "needs Go 1.21 or newer on PATH: scripts/install-deps.sh test installs it" 69
  # auto: any Go from 1.21 fetches the toolchain that go.mod asks for; the machine may say otherwise.
  export GOTOOLCHAIN=auto GOFLAGS=-mod=readonly GOWORK=off CGO_ENABLED=0
  mkdir -p "$dir"
  exec 9>"$tools/.lock"
  flock --nonblock 9 || { echo "waiting for another run of build.sh" >&2; flock 9; }
  for name in $(list_missing); do build "$name" 9>&-; done
  exec 9>&-
fi

# Some are given and some are built: one directory of links serves both.
for name in "${wanted[@]}"; do is_given "$name" && given=1 || built=1; done
case "${given:-0}${built:-0}" in
  10) dir=$assets ;;
  11)
    mixed=$dir/with-$(printf %s "$assets" | sha256sum | head -c 12)
    mkdir -p "$mixed"
    for name in "${wanted[@]}"; do
      if is_given "$name"; then ln -sfn "$assets/$name" "$mixed/$name"; else ln -sfn "$dir/$name" "$mixed/$name"; fi
    done
    dir=$mixed ;;
esac
echo "$dir"
