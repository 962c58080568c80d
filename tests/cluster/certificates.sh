#!/usr/bin/env bash
# The cluster's CA, a certificate and a kubeconfig for each of its parts: certificates.sh STATE
set -euo pipefail
state=$1
# shellcheck source=tests/cluster/layout.sh
source "$(dirname "${BASH_SOURCE[0]}")/layout.sh"
mkdir -p "$certificates"
cd "$certificates"

new_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${new_key[@]}" -days 30 -subj "/CN=cluster CA" -keyout ca.key -out ca.crt 2>/dev/null
openssl req -x509 "${new_key[@]}" -days 30 -subj "/CN=service accounts" -keyout service-accounts.key \
  -out service-accounts.crt 2>/dev/null

# issue NAME SUBJECT [EXTENSION]
issue() {
  openssl req "${new_key[@]}" -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  printf '%s\n' "extendedKeyUsage=serverAuth,clientAuth" ${3:+"$3"} >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  rm "$1.csr" "$1.ext"
}

# kubeconfig FILE NAME: for the certificate of that name.
kubeconfig() {
  cat >"$1" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: cluster, cluster: {server: "https://$node_address:6443", certificate-authority: $certificates/ca.crt}}]
users: [{name: $2, user: {client-certificate: $certificates/$2.crt, client-key: $certificates/$2.key}}]
contexts: [{name: cluster, context: {cluster: cluster, user: $2}}]
current-context: cluster
YAML
}

issue apiserver /CN=kube-apiserver "subjectAltName=IP:$node_address,IP:$api_service,IP:127.0.0.1,DNS:kubernetes.default.svc"
issue apiserver-kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
issue admin /O=system:masters/CN=admin
issue kubelet "/O=system:nodes/CN=system:node:$node_name"
for part in kube-controller-manager kube-scheduler kube-proxy; do issue $part /CN=system:$part; done
for part in kubelet kube-controller-manager kube-scheduler kube-proxy; do kubeconfig "$certificates/$part.kubeconfig" $part; done
kubeconfig "$admin_kubeconfig" admin
