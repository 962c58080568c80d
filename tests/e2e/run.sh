#!/usr/bin/env bash
# make e2e: the product as its users run it, on a node of its own: images from our Dockerfiles, the operator by the chart,
# pods that a kubelet and containerd start. A line for each case, then what was measured; build/e2e/failed/CASE tells
# more of one that failed. Ends with the cluster gone.
#
#   run.sh [FILTER]         GoogleTest's filter; all cases by default
#   CVP_E2E_KEEP=1          leave the cluster up
#   CVP_CLUSTER=DIR         its folder (build/e2e/cluster, so that one of `make cluster` is not touched)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
filter=${1:-*}
out=$PWD/build/e2e
demo=$out
rm -rf "$out/failed" "$out/report" "$out/log"
mkdir -p "$out/images" "$out/log"
# shellcheck source=scripts/demo_lib.sh
source scripts/demo_lib.sh
export CVP_CLUSTER=${CVP_CLUSTER:-$out/cluster} CVP_REPORT=$out/report
finish() {
  local status=$?
  trap - EXIT
  [ "$status" = 0 ] || cp -r "$CVP_CLUSTER/log" "$out/failed-node" 2>/dev/null || true
  [ -n "${CVP_E2E_KEEP:-}" ] || scripts/cluster.sh down
  exit "$status"
}
kube() { "$CVP_CLUSTER/bin/kubectl" "$@"; }
# What a cluster could leave behind on the machine, a line each.
traces() {
  findmnt --raw --noheadings --output TARGET,SOURCE
  lsns --noheadings --raw --output NS,TYPE
  ip -oneline link show | cut -d ' ' -f 2
  ip route show
  nft list ruleset
  find /run/netns /sys/fs/cgroup -maxdepth 2 2>/dev/null || true # the first may not be there
  sysctl net.ipv4.ip_forward
}

title "Parts"
run build scripts/build.sh dev e2e_tests
tick "the suite"
run images tests/e2e/images.sh "$out/images"
tick "images of proxy, operator, emulator and application"
rm -rf "$out/failed-node"
scripts/cluster.sh down >/dev/null
traces | sort >"$out/traces-before"
trap finish EXIT
trap 'exit 130' INT TERM
scripts/cluster.sh up

title "The product"
run load scripts/cluster.sh load "$out"/images/*.tar
tick "images loaded"
run cloud kube apply --filename tests/e2e/manifests/cloud.yaml
run cloud kube wait --namespace cloud pod/cloud --for=condition=Ready --timeout=60s
# On Google's nodes something at this address answers each pod, whatever its network.
run metadata kube patch service metadata --namespace cloud --subresource status --type merge \
  --patch '{"status": {"loadBalancer": {"ingress": [{"ip": "169.254.169.254"}]}}}'
kube exec --namespace cloud cloud -- cat /data/api-ca.crt >"$out/api-ca.crt"
kube create namespace cloud-valkey >/dev/null
kube create namespace trial >/dev/null
kube create configmap cloud-ca --namespace cloud-valkey --from-file=ca.crt="$out/api-ca.crt" >/dev/null
tick "the cloud: 169.254.169.254, metadata.google.internal and memorystore.googleapis.com are the emulator"
run install "$CVP_CLUSTER/bin/helm" install cloud-valkey-proxy charts/cloud-valkey-proxy --namespace cloud-valkey \
  --values tests/e2e/manifests/values.yaml --wait --timeout 3m
tick "helm install"

# suite NAME FILTER: a line per case; its whole output is kept.
suite() {
  scripts/cluster.sh enter build/dev/tests/e2e/e2e_tests --gtest_filter="$2" --gtest_output="xml:$out/$1.xml" 2>&1 |
    tee -a "$out/log/suite.log" | show_cases
}
ended='^\[ +(OK|FAILED) +\] ([^ ]+) \(([0-9]+) ms\)$'
show_cases() {
  local line mark
  while IFS= read -r line; do
    [[ $line =~ $ended ]] || { [[ $line != *Failure ]] || note "$line"; continue; }
    mark=✓
    [ "${BASH_REMATCH[1]}" = OK ] || mark=✗
    printf '  %s %-100s %4d.%d s\n' $mark "${BASH_REMATCH[2]//_/ }" $((BASH_REMATCH[3] / 1000)) $((BASH_REMATCH[3] % 1000 / 100))
  done
}
title "Cases"
failed=0
suite cases "$filter:-Leaving.*" || failed=1
case "$filter" in '*' | *Leaving*) suite leaving 'Leaving.*' || failed=1 ;; esac
title "Measured"
sed 's/^/  /' "$CVP_REPORT"
step_log=$out/log/suite.log
[ "$failed" = 0 ] || fail "not all passed; more is in $out/failed"

[ -z "${CVP_E2E_KEEP:-}" ] || exit 0
title "The end"
pkill -KILL -f "^unshare .*tests/cluster/node.sh $CVP_CLUSTER\$" # as a careless hand does
scripts/cluster.sh down >/dev/null
traces | sort >"$out/traces-after"
expect "what is left of a cluster that was killed" "$(comm -13 "$out/traces-before" "$out/traces-after")" ""
tick "killed, and nothing is left of it: no process, mount, namespace, cgroup, interface or rule"
