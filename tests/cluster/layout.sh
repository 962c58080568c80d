# Names, addresses and places of a cluster. Sourced with $state, the cluster's folder, an absolute path.

node_name=node
node_address=10.98.0.1
pod_range=10.99.0.0/24
service_range=10.96.0.0/16
api_service=10.96.0.1
dns_service=10.96.0.10
# Of all hierarchies, where kubelet puts what it runs: another folder is another cluster.
cgroup=cvp-cluster-$(cksum <<<"$state" | cut -d ' ' -f 1)

certificates=$state/certificates
config=$state/config
logs=$state/log
run=$state/run
images=$state/images
containerd_socket=$run/containerd.sock
admin_kubeconfig=$state/admin.kubeconfig

# cgroup_roots: each hierarchy in which groups are made: one where the kernel has cgroup v2 alone; in a hybrid one runc
# makes some in v2's, too.
cgroup_roots() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts; }

# cluster_pid: the process whose end is the cluster's end, as the host sees it; nothing if there is none.
cluster_pid() { { pgrep -f -- "^bash [^ ]*tests/cluster/node.sh $state\$" || true; } | head -n 1; }

# inside PID COMMAND…: in the cluster's processes, mounts and network.
inside() {
  local pid=$1
  shift
  nsenter --target "$pid" --mount --net --pid --uts --ipc -- "$@"
}
