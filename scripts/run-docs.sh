#!/usr/bin/env bash
# Runs what README and docs tell their readers to type: run-docs.sh [FILE…]
#
# Every fenced block of sh, page by page, each in a shell of its own at the root of the tree. It finds what its reader
# has: kubectl and helm for a cluster (a real API server and the operator; no nodes), a cloud (the emulator, with the
# instance my-valkey) and the programs of this build on PATH; REGISTRY is set. The words behind sh say more:
#
#   ```sh skip: WHY       is not run, and WHY is printed; there is no other way not to be run
#   ```sh serves PORT     is a server: started, awaited on that port, and ended with its page
#   ```sh alone           is run before all that, on the bare machine: it brings what it needs
#
# The first block that fails ends it with 1 and shows its output.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
demo=$root/build/run-docs
bin=$root/build/release
project=my-project location=europe-west3
export REGISTRY=registry.invalid/team

rm -rf "$demo"
mkdir -p "$demo/log" "$demo/run" "$demo/blocks"
# shellcheck source=scripts/demo_lib.sh
source scripts/demo_lib.sh
trap 'status=$?; trap - EXIT INT TERM; stop_started; exit $status' EXIT
trap 'exit 130' INT TERM

# The order of a reader: how to leave comes last.
pages=("$@")
[ $# -gt 0 ] || mapfile -t pages < <(echo README.md; find docs -name '*.md' ! -name uninstall.md ! -path 'docs/adr/*' | sort; echo docs/uninstall.md)

# extract PAGE: its blocks go to files NUMBER.LINE.sh; prints "NUMBER LINE WORDS" of each.
extract() {
    awk -v out="$demo/blocks/$(tr / - <<<"$1")" '
        /^ *```/ && inside { inside = 0; if (file) close(file); next }
        /^ *```sh/ { inside = 1; n++; file = out "." n ".sh"; indent = match($0, /`/) - 1; words = $0
                     sub(/^ *```sh */, "", words); print file "\t" NR "\t" words; printf "" >file; next }
        /^ *```/ { inside = 1; file = ""; next }
        inside && file { print substr($0, indent + 1) >file }' "$1"
}

is_served() { timeout 1 bash -c "</dev/tcp/127.0.0.1/$1" 2>/dev/null; }

ran=0 skipped=0
# run_block NAME FILE
run_block() {
    step_log=$logs/$(basename "$2").log
    bash -euo pipefail "$2" >"$step_log" 2>&1 </dev/null 8>&- || fail "$1 failed: $(head -n 3 "$2" | tr '\n' ' ')"
    ran=$((ran + 1))
    tick "$1: $(head -n 1 "$2" | cut -c 1-60)"
}

title "Alone"
for page in "${pages[@]}"; do
    while IFS=$'\t' read -r file line words; do
        [ "$words" != alone ] || run_block "$page:$line" "$file"
    done < <(extract "$page")
done

title "Ground"
run packages scripts/install-deps.sh test
run build scripts/build.sh release cloud-valkey-proxy cloud-valkey-operator kubectl-cloudvalkey cloud-valkey-emulator cvp-control-plane
tests/tools/build.sh etcd kube-apiserver kube-controller-manager kubectl helm >"$demo/run/tools" 2>"$logs/tools.log" ||
    fail "building the test cluster failed" "$logs/tools.log"
tools=$(tail -n 1 "$demo/run/tools")
start emulator "$bin/tests/emulator/cloud-valkey-emulator" --dir "$demo/run/cloud" --project $project \
    --zone $location-a --cluster-location $location --email shop@$project.iam.gserviceaccount.com \
    --instance "projects/$project/locations/$location/instances/my-valkey:valkey,replica"
until_true 20 "the emulator" test -s "$demo/run/cloud/ready.json"
start control-plane env "KUBEBUILDER_ASSETS=$tools" "$bin/tests/support/cvp-control-plane" "$demo/run/cluster"
until_true 60 "the API server" grep -q ^ready "$logs/control-plane.log"
export CVP_GOOGLE_API_BASE GCE_METADATA_HOST KUBECONFIG=$demo/run/cluster/admin.kubeconfig
CVP_GOOGLE_API_BASE=$(jq -r .rest "$demo/run/cloud/ready.json")
GCE_METADATA_HOST=$(jq -r .metadata "$demo/run/cloud/ready.json")
export PATH=$tools:$bin/proxy:$bin/operator:$bin/operator/cli:$PATH
kubectl create namespace cloud-valkey >/dev/null
start operator cloud-valkey-operator --proxy-image $REGISTRY/cloud-valkey-proxy:1 --webhook-port 16384 \
    --metrics-port 16385 --probe-port 16386
until_true 20 "the operator's readiness" curl -fsS http://127.0.0.1:16386/livez
tick "a cloud, an API server, an operator"

for page in "${pages[@]}"; do
    title "$page"
    before=${#started[@]}
    while IFS=$'\t' read -r file line words; do
        case "$words" in
            "") run_block "$page:$line" "$file" ;;
            alone) ;;
            "skip: "?*)
                skipped=$((skipped + 1))
                note "not run, $page:$line: ${words#skip: }" ;;
            "serves "[0-9]*)
                ! is_served "${words#serves }" || fail "port ${words#serves } is in use; $page:$line needs it"
                sed -i '1s/^/exec /' "$file" # so that the process is the server
                start "block_$line" bash "$file"
                until_true 20 "$page:$line on port ${words#serves }" is_served "${words#serves }"
                ran=$((ran + 1))
                tick "$page:$line: $(head -n 1 "$file" | cut -c 1-60)" ;;
            *) fail "$page:$line: '\`\`\`sh $words' is none of: nothing, alone, serves PORT, skip: WHY" "" ;;
        esac
    done < <(extract "$page")
    for ((i = ${#started[@]} - 1; i >= before; i--)); do
        kill -TERM "${started[i]}"
        wait "${started[i]}" || true
        unset "started[$i]"
    done
done
echo
echo "$ran blocks run, $skipped not run, each with its reason"
