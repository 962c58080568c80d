#!/usr/bin/env bash
# Builds both images and runs them with runc as a user would: run.sh [ARCH]. With CVP_IMAGES_BUILT=1 they are there.
#
# Another architecture's images are not run by runc but their programs by qemu, up to one PONG.
#
# Root, no capability, no new privileges, a read-only root and a network namespace in which nothing but the emulator
# (with a real Valkey) and a name server listens. Every claim is asserted; the first that does not hold ends the test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
arch=${1:-amd64}
work=$(mktemp -d /tmp/cvp-image.XXXXXX)
demo=$work
mkdir -p "$work/log"
# shellcheck source=scripts/demo_lib.sh
source scripts/demo_lib.sh
# shellcheck source=scripts/image_storage.sh
source scripts/image_storage.sh
network=cvp-image-$$
containers=() mounted=()
finish() {
  local status=$? id
  trap - EXIT
  stop_started
  for id in "${containers[@]}"; do runc --root "$work/runc" delete --force "$id" 2>/dev/null || true; done
  for id in "${mounted[@]}"; do in_storage rm "$id" >/dev/null 2>&1 || true; done
  ip netns delete "$network" 2>/dev/null || true
  [ "$status" != 0 ] || rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM
metadata_name=metadata.cloud.test

# unpack NAME: its root is at $root, its configuration in $config, its compressed bytes in $bytes.
unpack() {
  local container archive=build/image/$1-$arch.tar
  container=$(in_storage from --pull-never --signature-policy "$policy" "localhost/$1:$arch")
  mounted+=("$container")
  root=$(in_storage mount "$container")
  mkdir -p "$work/$1"
  tar -xf "$archive" -C "$work/$1"
  local manifest
  manifest=$(jq -r '.manifests[0].digest' "$work/$1/index.json")
  bytes=$(jq '[.layers[].size] | add' "$work/$1/blobs/sha256/${manifest#sha256:}")
  config=$(jq -r .config.digest "$work/$1/blobs/sha256/${manifest#sha256:}")
  config=$work/$1/blobs/sha256/${config#sha256:}
}

# bundle ID VARIABLES ARGUMENT…: what `docker run -e … IMAGE ARGUMENT…` means, without the engine.
bundle() {
  local id=$1 variables=$2
  shift 2
  mkdir -p "$work/$id"
  local arguments # by way of its input, because jq takes "-f" for an option of its own
  arguments=$(for argument; do printf '%s\n' "$argument"; done | jq -cnR '[inputs]')
  jq -n --argjson arguments "$arguments" --slurpfile image "$config" --arg root "$root" --arg network "/run/netns/$network" --arg id "$id" \
    --arg group "/$network-$id" --arg resolv "$work/resolv.conf" --argjson more "$variables" '
    $image[0].config as $c | ($c.User | split(":") | map(tonumber)) as $user | {
      ociVersion: "1.0.2",
      process: {
        terminal: false, cwd: ($c.WorkingDir // "/" | if . == "" then "/" else . end), noNewPrivileges: true,
        user: {uid: $user[0], gid: $user[1]}, env: (($c.Env // []) + $more),
        args: ($c.Entrypoint + $arguments),
        capabilities: {bounding: [], effective: [], permitted: [], inheritable: [], ambient: []}
      },
      root: {path: $root, readonly: true}, hostname: $id,
      mounts: [
        {destination: "/proc", type: "proc", source: "proc"},
        {destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=64k"]},
        {destination: "/etc/resolv.conf", type: "bind", source: $resolv, options: ["bind", "ro"]}
      ],
      linux: {
        cgroupsPath: $group,
        namespaces: [{type: "pid"}, {type: "ipc"}, {type: "uts"}, {type: "mount"}, {type: "network", path: $network}]
      }
    }' >"$work/$id/config.json"
}
in_network() { nsenter --net="/run/netns/$network" "$@"; }
run_in() { local id=$1; containers+=("$id"); shift; runc --root "$work/runc" run --bundle "$work/$id" "$@" "$id"; }
pid_of() { runc --root "$work/runc" state "$1" | jq .pid; }
milliseconds() { echo $(((${EPOCHREALTIME/./} - ${1/./}) / 1000)); }

# check_contents NAME LIMIT: size, user, what is executable, what it was made from.
check_contents() {
  local name=$1 limit=$2 library
  [ "$bytes" -le "$limit" ] || fail "$name is $bytes bytes compressed; it may be $limit"
  tick "$name: $((bytes / 1000)) KB compressed of at most $((limit / 1000)) KB; $(cat "build/image/$name-$arch.digest")"
  expect "USER of $name" "$(jq -r .config.User "$config")" 65532:65532
  expect "architecture of $name" "$(jq -r .architecture "$config")" "$arch"
  for label in title description version licenses; do
    [ -n "$(jq -r ".config.Labels[\"org.opencontainers.image.$label\"] // empty" "$config")" ] || fail "$name: no label $label"
  done
  # Nothing can be executed but the program itself and what the loader maps.
  expect "programs in $name" "$(cd "$root" && find . -type f -perm /111 ! -name '*.so' ! -name '*.so.*')" "./$name"
  expect "packages named in the list" "$(jq '[.packages[] | select(.name | startswith("libc6"))] | length > 0' "$root/sbom.spdx.json")" true
  for library in libssl yaml-cpp fmt spdlog nlohmann boost; do
    jq -e --arg l "$library" '[.packages[] | select((.name | contains($l)) and .versionInfo != "")] | length > 0' \
      "$root/sbom.spdx.json" >/dev/null || fail "$name: sbom.spdx.json does not list $library"
  done
  expect "dangling entries of the list" "$(jq '([.packages[].SPDXID] + ["SPDXRef-DOCUMENT"]) as $known | [.relationships[] | .spdxElementId, .relatedSpdxElement | select(IN($known[]) | not)] | length' "$root/sbom.spdx.json")" 0
  tick "$name: uid 65532, no shell nor any other program; $(jq '.packages | length - 1' "$root/sbom.spdx.json") packages in its SPDX list"
}

title "Images ($arch)"
# Where a build fails, its last lines say why.
for part in proxy operator; do
  [ -n "${CVP_IMAGES_BUILT:-}" ] || run "build-$part" scripts/image.sh "$part" "$arch"
  tick "cloud-valkey-$part built: $(cat "build/image/cloud-valkey-$part-$arch.digest")"
done

title "The cloud"
ip netns add "$network"
in_network ip link set lo up
echo 'nameserver 127.0.0.1' >"$work/resolv.conf"
start names nsenter --net="/run/netns/$network" python3 tests/image/names.py $metadata_name 127.0.0.1
until_true 10 "the name server" grep -q ready "$logs/names.log"
project=image-project location=europe-west3
instance=projects/$project/locations/$location/instances/my-valkey
start emulator nsenter --net="/run/netns/$network" \
  "${CVP_EMULATOR:-build/dev/tests/emulator/cloud-valkey-emulator}" --dir "$work/cloud" --project $project \
  --zone $location-a --cluster-location $location --email shop@$project.iam.gserviceaccount.com --instance "$instance:valkey"
until_true 60 "the emulator" test -s "$work/cloud/ready.json"
api=$(jq -r .rest "$work/cloud/ready.json")
metadata=$metadata_name:$(jq -r .metadata "$work/cloud/ready.json" | sed 's/.*://')
cloud=$(jq -n --arg api "$api" --arg metadata "$metadata" '["CVP_GOOGLE_API_BASE=" + $api, "GCE_METADATA_HOST=" + $metadata]')
tick "the emulator with a real Valkey; the metadata server is known by name alone"

# run_foreign: by qemu, with the libraries of the images, each program up to what it can answer.
run_foreign() {
  local qemu
  qemu=$(command -v "qemu-$(uname_of "$arch")-static") || fail "qemu-user-static is not installed"
  title "The programs of $arch, by qemu"
  unpack cloud-valkey-proxy
  check_contents cloud-valkey-proxy 8000000
  start proxy nsenter --net="/run/netns/$network" env -i CVP_GOOGLE_API_BASE="$api" GCE_METADATA_HOST="127.0.0.1:${metadata##*:}" \
    "$qemu" -L "$root" "$root/cloud-valkey-proxy" --instance="$instance"
  until_true 60 "a PONG" in_network bash -c '[ "$(valkey-cli -h 127.0.0.1 PING)" = PONG ]'
  tick "cloud-valkey-proxy: PONG, through TLS and login"
  kill -TERM "$pid_proxy"
  local status=0
  wait "$pid_proxy" || status=$?
  expect "exit status after SIGTERM" "$status" 0
  unpack cloud-valkey-operator
  check_contents cloud-valkey-operator 20000000
  env -i "$qemu" -L "$root" "$root/cloud-valkey-operator" version >"$logs/version.log" 2>&1 || fail "version failed" "$logs/version.log"
  tick "$(cat "$logs/version.log")"
}
uname_of() { case "$1" in arm64) echo aarch64 ;; amd64) echo x86_64 ;; esac; }

if [ "$arch" != "$(dpkg --print-architecture)" ]; then
  run_foreign
  exit
fi

title "docker run cloud-valkey-proxy"
unpack cloud-valkey-proxy
check_contents cloud-valkey-proxy 8000000
line=$(jq -c ". + [\"VALKEY_INSTANCE_NAME=$instance\", \"CVP_LISTEN=0.0.0.0\"]" <<<"$cloud")
bundle proxy-bare "$line"
status=0
run_in proxy-bare >"$logs/bare.log" 2>&1 || status=$?
expect "exit status without CVP_ALLOW_OPEN_LISTEN" "$status" 64
for word in clientAuth allow-open-listen; do
  grep -qi -- "${word/clientAuth/client-\\?auth}" "$logs/bare.log" || fail "without its last variable it does not name $word" "$logs/bare.log"
done
tick "without CVP_ALLOW_OPEN_LISTEN: exit 64, and both remedies named"

# An abstract name belongs to the network namespace, so the program inside reaches it without a mount.
start manager nsenter --net="/run/netns/$network" python3 -u tests/image/manager.py cvp-manager
until_true 10 "the service manager's socket" grep -q ready "$logs/manager.log"
bundle proxy "$(jq -c '. + ["CVP_ALLOW_OPEN_LISTEN=true", "NOTIFY_SOCKET=@cvp-manager"]' <<<"$line")"
containers+=(proxy)
begun=$EPOCHREALTIME
start proxy runc --root "$work/runc" run --bundle "$work/proxy" proxy
until_true 20 "listening" in_network bash -c '</dev/tcp/127.0.0.1/6379'
listening=$(milliseconds "$begun")
until_true 20 "a PONG" in_network bash -c '[ "$(valkey-cli -h 127.0.0.1 PING)" = PONG ]'
pong=$(milliseconds "$begun")
tick "PONG; $listening ms to listening, $pong ms to the first PONG, runc's own start included"
grep -qx $metadata_name "$logs/names.log" || fail "nobody asked the name server"
tick "DNS inside: $metadata_name was asked for and reached"
pid=$(pid_of proxy)
expect "uid" "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$pid/status")" "65532 65532 65532 65532"
expect "capabilities" "$(awk '/^Cap(Prm|Eff|Bnd):/ { print $2 }' "/proc/$pid/status" | sort -u)" 0000000000000000
expect "no new privileges" "$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$pid/status")" 1
awk '$5 == "/" { print $6 }' "/proc/$pid/mountinfo" | grep -qE '(^|,)ro(,|$)' || fail "the root is not read-only"
! runc --root "$work/runc" exec proxy /bin/sh -c true 2>/dev/null || fail "there is a shell"
runc --root "$work/runc" exec proxy /cloud-valkey-proxy probe 2>"$logs/probe.log" || fail "the probe inside failed" "$logs/probe.log"
tick "uid 65532, no capability, read-only root, no shell; probe inside: $(cat "$logs/probe.log")"
runc --root "$work/runc" kill proxy TERM
status=0
wait "$pid_proxy" || status=$?
expect "exit status after SIGTERM" "$status" 0
until_true 5 "STOPPING=1" grep -qx STOPPING=1 "$logs/manager.log"
expect "what a service manager was told" "$(paste -sd' ' "$logs/manager.log")" "ready READY=1 STOPPING=1"
tick "SIGTERM: exit 0; a service manager was told READY=1 and STOPPING=1"

title "docker run cloud-valkey-operator"
unpack cloud-valkey-operator
check_contents cloud-valkey-operator 20000000
bundle operator-version "[]" version
run_in operator-version >"$logs/version.log" 2>&1 || fail "version failed" "$logs/version.log"
tick "$(cat "$logs/version.log"), started with the libraries of its image"
bundle operator-resolve "$cloud" resolve -f -
: >"$logs/asked" && cp "$logs/names.log" "$logs/asked"
run_in operator-resolve >"$logs/resolve.log" 2>"$logs/resolve-errors.log" <<YAML || fail "resolve failed" "$logs/resolve-errors.log"
apiVersion: cloudvalkey.dev/v1alpha1
kind: ValkeyConnection
metadata: {name: sessions, namespace: shop}
spec: {instance: {memorystoreValkey: {name: $instance}}}
YAML
grep -q '^kind: ResolvedConnection' "$logs/resolve.log" || fail "no resolved document" "$logs/resolve.log"
[ "$(grep -c "^$metadata_name$" "$logs/names.log")" -gt "$(grep -c "^$metadata_name$" "$logs/asked")" ] ||
  fail "the operator did not ask the name server"
tick "DNS inside; resolve prints a ResolvedConnection"
