#!/usr/bin/env bash
# The first process of a cluster's namespaces: node.sh STATE. With it everything in them ends.
#
# It makes the network and the mounts that nobody outside shall see, starts the services in their order, and then
# collects whoever loses his parent: shims and containers, mostly.
set -euo pipefail
state=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/cluster/layout.sh
source "$here/layout.sh"

# What kubelet and containerd write at fixed places stays in here; of sysctls only the network's are the cluster's own.
hide_places() {
  local place
  mount --make-rshared / # kubelet hands mounts on to containers
  for place in /run /var/log /var/lib/cni /var/lib/kubelet; do
    mkdir -p "$place"
    mount -t tmpfs tmpfs "$place"
  done
  mount --bind /proc/sys /proc/sys
  mount -o remount,ro,bind /proc/sys
  mount --bind /proc/sys/net /proc/sys/net
  mount -o remount,rw,bind /proc/sys/net
  # kubelet wants these of the whole machine, and finds them.
  mkdir -p "$run/sysctl"
  show vm/overcommit_memory 1
  show vm/panic_on_oom 0
  show kernel/panic 10
  show kernel/panic_on_oops 1
  show kernel/keys/root_maxkeys 1000000
  show kernel/keys/root_maxbytes 25000000
}
# show SYSCTL VALUE: in here it has that value.
show() {
  local file=$run/sysctl/${1##*/}
  echo "$2" >"$file"
  mount --bind "$file" "/proc/sys/$1"
}

make_network() {
  ip link set lo up
  ip link add node0 type veth peer name node1 # the kernel may have no dummy interfaces
  ip address add "$node_address/24" dev node0
  ip link set node0 up
  ip link set node1 up
  ip route add "$service_range" dev node0 # so that a service's address has a way on which kube-proxy changes it
  echo 1 >/proc/sys/net/ipv4/ip_forward
}

make_cgroups() {
  local root
  for root in $(cgroup_roots); do mkdir -p "$root/$cgroup"; done
}

await() {
  local seconds=$1
  shift
  for _ in $(seq $((seconds * 20))); do
    ! "$@" >/dev/null 2>&1 || return 0
    sleep 0.05
  done
  echo "node.sh: not within $seconds s: $*" >&2
  return 1
}

start() { "$here/services.sh" "$state" start "$1"; }
ctr() { "$state/bin/ctr" --address "$containerd_socket" --namespace k8s.io "$@"; }
is_api_ready() { curl -fsS --cacert "$certificates/ca.crt" --cert "$certificates/admin.crt" --key "$certificates/admin.key" "https://$node_address:6443/readyz"; }

hide_places
make_network
make_cgroups
start etcd
start kube-apiserver
start containerd
await 20 ctr version
for image in "$images"/*.tar; do ctr images import "$image" >/dev/null; done
await 60 is_api_ready
for service in kube-controller-manager kube-scheduler kubelet kube-proxy; do start $service; done
touch "$run/started"

# wait alone would end with the last child of its own.
while true; do
  sleep infinity &
  wait $! || true
done
