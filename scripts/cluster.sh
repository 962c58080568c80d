#!/usr/bin/env bash
# A one-node Kubernetes without Docker: cluster.sh up|down    (make cluster, make cluster-down)
#
#   cluster.sh check                                 can there be one on this machine? says why not, and exits 69
#   cluster.sh load ARCHIVE…                         images for its pods, OCI archives
#   cluster.sh start|stop|restart|kill SERVICE       one of its processes: tests/cluster/services.sh
#   cluster.sh enter COMMAND…                        in its network, as its administrator
#
# All of it is one tree of processes in namespaces of its own (processes, mounts, network): etcd, API server, controller
# manager, scheduler, containerd, kubelet, kube-proxy, and what they run. So one signal ends it, in whatever state it
# is, and mounts, interfaces and rules go with their namespaces; what remains is cgroups and one folder.
#
#   CVP_CLUSTER=DIR    its folder (build/cluster)
#
# It has no way out and none in: DIR/bin/kubectl and DIR/bin/helm speak to it from within. Needs root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
state=$(realpath -m "${CVP_CLUSTER:-build/cluster}")
demo=$state
# shellcheck source=scripts/demo_lib.sh
source scripts/demo_lib.sh
# shellcheck source=tests/cluster/layout.sh
source tests/cluster/layout.sh
refuse() { echo "cluster.sh: $1" >&2; exit 69; }
check_machine() {
  local controller
  [ "$(id -u)" = 0 ] || refuse "needs root, for namespaces, mounts and cgroups"
  grep -qw overlay /proc/filesystems || refuse "the kernel has no overlayfs, which containers' roots are made of"
  unshare --net true 2>/dev/null || refuse "no new network namespace can be made here"
  unshare --pid --mount --fork true 2>/dev/null || refuse "no new process and mount namespaces can be made here"
  unshare --net ip link add probe0 type veth peer name probe1 2>/dev/null || refuse "the kernel has no veth, which connects pods"
  unshare --net nft add table ip probe 2>/dev/null || refuse "the kernel has no nf_tables, which services are made of"
  for controller in cpu memory pids; do
    grep -q "^$controller	.*	1$" /proc/cgroups || refuse "the kernel has no cgroup controller $controller"
  done
}

make_config() {
  local file variable
  mkdir -p "$config" "$logs" "$run" "$images"
  cp -r tests/cluster/config/. "$config"
  # The kernel stacks no overlay upon another.
  local snapshotter=overlayfs
  [ "$(stat -f -c %T "$state")" != overlayfs ] || snapshotter=native
  for variable in state certificates config logs run containerd_socket cgroup node_name pod_range dns_service snapshotter; do
    find "$config" -type f -exec sed -i "s|@$variable@|${!variable}|g" {} +
  done
}

# entrance NAME DIRECTORY: STATE/bin/NAME, which runs the program of the directory as `enter` does.
entrance() {
  printf '#!/bin/sh\nexec env CVP_CLUSTER=%q %q enter %q "$@"\n' "$state" "$PWD/scripts/cluster.sh" "$2/$1" >"$state/bin/$1"
  chmod +x "$state/bin/$1"
}
enter() {
  local pid
  pid=$(cluster_pid)
  [ -n "$pid" ] || { echo "the cluster in $state is down: make cluster" >&2; exit 69; }
  KUBECONFIG=$admin_kubeconfig exec nsenter --target "$pid" --net -- "$@"
}

kube() { "$state/bin/kubectl" "$@"; }
say_how() {
  cat <<TEXT

  $state/bin/kubectl get pods -A
  $state/bin/helm list -A
  its logs: $logs; CVP_CLUSTER=$state make cluster-down ends it
TEXT
}

up() {
  check_machine
  if [ -n "$(cluster_pid)" ]; then
    echo "The cluster is up."
    say_how
    return
  fi
  down
  mkdir -p "$state/bin" "$logs"
  title "A node"
  local tools node_tools
  tools=$(tests/tools/build.sh | tail -n 1) || fail "building the cluster's programs failed"
  node_tools=$(tests/tools/build.sh node | tail -n 1) || fail "building the node's programs failed"
  ln -s "$tools"/{etcd,kube-apiserver,kube-controller-manager} \
    "$node_tools"/{kube-scheduler,kube-proxy,kubelet,containerd,containerd-shim-runc-v2,ctr,coredns} "$state/bin"
  entrance kubectl "$tools"
  entrance helm "$tools"
  tick "etcd, Kubernetes, containerd, CoreDNS: $tools"
  make_config
  run certificates tests/cluster/certificates.sh "$state"
  run images tests/cluster/images.sh "$state"
  tick "certificates, images of pause and CoreDNS"
  # Not one of ours: it outlives this script.
  setsid unshare --fork --kill-child --pid --mount-proc --net --uts --ipc bash "$PWD/tests/cluster/node.sh" "$state" \
    >"$logs/node.log" 2>&1 </dev/null &
  step_log=$logs/node.log
  until_true 90 "the start of all services" test -e "$run/started"
  readlink "/proc/$(cluster_pid)/ns/pid" >"$state/namespace"
  tick "etcd, API server, controllers, scheduler, containerd, kubelet, kube-proxy"
  run dns kube apply --filename "$config/dns.yaml"
  run node kube wait --for=create "node/$node_name" --timeout=60s
  run node kube wait --for=condition=Ready "node/$node_name" --timeout=60s
  tick "the node is Ready"
  run dns kube rollout status deployment/coredns --namespace kube-system --timeout=60s
  tick "CoreDNS answers"
  say_how
}

# What is left of a cluster, whichever way it ended.
down() {
  local pid root
  pid=$(cluster_pid)
  if [ -n "$pid" ]; then
    readlink "/proc/$pid/ns/pid" >"$state/namespace" # should its start have been broken off
    kill -KILL "$pid" # the first of its namespace: all others end with it
  fi
  until_true 20 "the end of its processes" is_namespace_gone
  for root in $(cgroup_roots); do
    [ -d "$root/$cgroup" ] || continue
    until_true 20 "the end of what ran in $root/$cgroup" is_unused "$root/$cgroup"
    find "$root/$cgroup" -depth -type d -exec rmdir {} +
  done
  rm -rf --one-file-system "$state"
}
# By the processes that are in it, those too that are about to end.
is_namespace_gone() {
  [ ! -e "$state/namespace" ] || ! { readlink /proc/[0-9]*/ns/pid || true; } | grep -qxF "$(cat "$state/namespace")"
}
is_unused() { [ -z "$(find "$1" -name cgroup.procs -exec cat {} +)" ]; }

inside_cluster() {
  local pid
  pid=$(cluster_pid)
  [ -n "$pid" ] || fail "the cluster in $state is down: make cluster"
  inside "$pid" "$@"
}

case "${1:-}" in
  up) up ;;
  check) check_machine ;;
  load)
    shift
    for archive; do
      inside_cluster "$state/bin/ctr" --address "$containerd_socket" --namespace k8s.io images import "$(realpath "$archive")"
    done ;;
  start | stop | restart | kill) inside_cluster "$PWD/tests/cluster/services.sh" "$state" "$1" "$2" ;;
  enter)
    shift
    enter "$@" ;;
  down)
    [ "$(id -u)" = 0 ] || refuse "needs root"
    down
    echo "The cluster is gone." ;;
  *) echo "cluster.sh: up, down, check, load ARCHIVE…, start|stop|restart|kill SERVICE, or enter COMMAND…" >&2; exit 64 ;;
esac
