#!/usr/bin/env bash
# The cluster's own processes, one at a time: services.sh STATE start|stop|restart|kill NAME
#
# Inside the cluster's namespaces (layout.sh, inside()). What they print is in STATE/log/NAME.log.
set -euo pipefail
state=$1
# shellcheck source=tests/cluster/layout.sh
source "$(dirname "${BASH_SOURCE[0]}")/layout.sh"
export PATH=$state/bin:/usr/sbin:/usr/bin:/sbin:/bin # containerd looks for its shim there, kube-proxy for nft

# command_of NAME: sets $command.
command_of() {
  case "$1" in
    etcd) command=(etcd "--data-dir=$state/etcd" --unsafe-no-fsync --log-level=warn) ;;
    kube-apiserver)
      command=(kube-apiserver --etcd-servers=http://127.0.0.1:2379 --secure-port=6443
        "--advertise-address=$node_address" "--service-cluster-ip-range=$service_range"
        --authorization-mode=Node,RBAC --allow-privileged=true
        "--client-ca-file=$certificates/ca.crt"
        "--tls-cert-file=$certificates/apiserver.crt" "--tls-private-key-file=$certificates/apiserver.key"
        "--kubelet-client-certificate=$certificates/apiserver-kubelet-client.crt"
        "--kubelet-client-key=$certificates/apiserver-kubelet-client.key"
        --kubelet-preferred-address-types=InternalIP
        --service-account-issuer=https://kubernetes.default.svc
        "--service-account-key-file=$certificates/service-accounts.crt"
        "--service-account-signing-key-file=$certificates/service-accounts.key") ;;
    kube-controller-manager)
      command=(kube-controller-manager "--kubeconfig=$certificates/kube-controller-manager.kubeconfig"
        "--root-ca-file=$certificates/ca.crt" --use-service-account-credentials=true --leader-elect=false
        "--service-account-private-key-file=$certificates/service-accounts.key") ;;
    kube-scheduler)
      command=(kube-scheduler "--kubeconfig=$certificates/kube-scheduler.kubeconfig" --leader-elect=false) ;;
    kube-proxy) command=(kube-proxy "--config=$config/kube-proxy.yaml") ;;
    containerd) command=(containerd "--config=$config/containerd.toml") ;;
    kubelet)
      command=(kubelet "--config=$config/kubelet.yaml" "--kubeconfig=$certificates/kubelet.kubeconfig"
        "--root-dir=$state/kubelet" "--cert-dir=$state/kubelet/pki" "--node-ip=$node_address"
        "--hostname-override=$node_name") ;;
    *) echo "services.sh: there is no $1" >&2; exit 64 ;;
  esac
}

set -m # a group of its own from the start: whoever called this may end his
start() {
  command_of "$1"
  "${command[@]}" >>"$logs/$1.log" 2>&1 </dev/null &
  echo $! >"$run/$1.pid"
}

# stop NAME SIGNAL: returns once it has ended.
stop() {
  local pid
  pid=$(cat "$run/$1.pid")
  kill "-$2" "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
}

case "$2" in
  start) start "$3" ;;
  stop) stop "$3" TERM ;;
  restart) stop "$3" TERM; start "$3" ;;
  kill) stop "$3" KILL ;;
  *) echo "services.sh: STATE start|stop|restart|kill NAME" >&2; exit 64 ;;
esac
