#!/usr/bin/env bash
# Keeps what there is to see of a failed case: collect.sh CASE NAMESPACE. In build/e2e/failed/CASE: its events, objects,
# descriptions and the logs of every container, of the operator too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=build/e2e/failed/$1 namespace=$2
kubectl=${CVP_CLUSTER:-build/cluster}/bin/kubectl
mkdir -p "$out"
"$kubectl" get events --namespace "$namespace" --sort-by=.lastTimestamp >"$out/events"
"$kubectl" get all,configmaps,vkc --namespace "$namespace" --output=wide >"$out/objects"
"$kubectl" describe pods,vkc --namespace "$namespace" >"$out/describe"
"$kubectl" describe pods --namespace cloud-valkey >"$out/operator.describe"
"$kubectl" get events --namespace cloud-valkey --sort-by=.lastTimestamp >"$out/operator.events"
for where in "$namespace" cloud-valkey cloud; do
  for pod in $("$kubectl" get pods --namespace "$where" --output=name); do
    file=$out/$where.${pod#pod/}.log
    "$kubectl" logs "$pod" --namespace "$where" --all-containers --prefix >"$file" 2>&1 || true # one that never ran
    "$kubectl" logs "$pod" --namespace "$where" --all-containers --prefix --previous >>"$file" 2>/dev/null || true
  done
done
echo "$out"
