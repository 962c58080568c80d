#!/usr/bin/env bash
# make demo: from nothing to a SET through an injected sidecar, on real parts: Valkey with TLS, etcd, kube-apiserver,
# kube-controller-manager, the operator with the chart's own rights, and the proxy. The cloud is the emulator; there is
# no kubelet, so podrun runs the admitted pod's sidecar. Every value is read from the real parts and asserted: the first
# claim that does not hold ends the demo with exit status 1.
#
# Everything is kept in .demo/ (DEMO_DIR); ports from 16379. At a terminal it stays up until Ctrl-C; without one, or
# with DEMO_ONCE=1, it ends with the proof.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
demo=$(realpath -m "${DEMO_DIR:-.demo}")
bin=$root/build/release
began=$EPOCHREALTIME
project=demo-project location=europe-west3 instance=my-valkey
name=projects/$project/locations/$location/instances/$instance
lone=16379 lone_readers=16380 lone_admin=16381 sidecar=16382 sidecar_admin=16383
webhook=16384 operator_metrics=16385 operator_probes=16386 impostor=16387 refused=16388 refused_admin=16389

mkdir -p "$demo"
exec 8>"$demo/lock" # not handed on to what is started here
flock -n 8 || { echo "make demo: another demo runs in $demo; end it first, or set DEMO_DIR" >&2; exit 1; }
rm -rf "${demo:?}/log" "$demo/run"
mkdir -p "$demo/log" "$demo/run"
# shellcheck source=scripts/demo_lib.sh
source scripts/demo_lib.sh
trap 'status=$?; trap - EXIT INT TERM; stop_started; exit $status' EXIT
trap 'exit 130' INT TERM

# What is asked of the parts again and again.
admin() { curl -fsS --max-time 20 -X "$1" "$emulator_admin/admin/$2" ${3:+-d "$3"}; }
valkey_admin() { admin POST "instances/$name:command" "{\"words\":[$1]}" | jq -r .reply; }
kube() { "$tools/kubectl" --kubeconfig "$demo/run/cluster/admin.kubeconfig" "$@"; }
redis() { local port=$1; shift; timeout 20 valkey-cli --raw -h 127.0.0.1 -p "$port" "$@" 2>&1; }
proxy_status() { curl -fsS --max-time 5 "http://127.0.0.1:$1/status"; }
restarts() { kube get pod shop -o jsonpath='{.status.initContainerStatuses[?(@.name=="cloud-valkey-proxy")].restartCount}'; }
sidecar_pid() { pgrep -f '^/cloud-valkey-proxy --connection' | head -n 1; }
primary_port() { admin GET "instances/$name" | jq '[.endpoints[].connections[].pscAutoConnection | select(.connectionType == "CONNECTION_TYPE_PRIMARY")][0].port'; }
free_port() { timeout 1 bash -c "</dev/tcp/127.0.0.1/$1" 2>/dev/null && return 1 || return 0; }

for port in $lone $lone_readers $lone_admin $sidecar $sidecar_admin $webhook $operator_metrics $operator_probes \
    $impostor $refused $refused_admin; do
    free_port "$port" || fail "port $port is in use; the demo needs 16379 to 16389 on 127.0.0.1"
done

title "Ground"
run packages scripts/install-deps.sh test
tick "packages"
# The test cluster comes from Go modules, the product from here: one builds while the other does.
tests/tools/build.sh etcd kube-apiserver kube-controller-manager kubectl helm >"$demo/run/tools" 2>"$logs/tools.log" 8>&- &
tools_build=$!
run build scripts/build.sh release cloud-valkey-proxy cloud-valkey-operator cloud-valkey-emulator podrun cvp-control-plane
tick "build: $("$bin/proxy/cloud-valkey-proxy" version), operator, emulator, podrun"
wait "$tools_build" || fail "building the test cluster failed" "$logs/tools.log"
tools=$(tail -n 1 "$demo/run/tools")
tick "etcd, kube-apiserver, kube-controller-manager, kubectl, helm"

title "The instance"
start emulator "$bin/tests/emulator/cloud-valkey-emulator" --dir "$demo/run/cloud" --project $project \
    --zone $location-a --cluster-location $location --email shop@$project.iam.gserviceaccount.com \
    --instance "$name:valkey,replica"
until_true 20 "the emulator" test -s "$demo/run/cloud/ready.json"
ready=$(cat "$demo/run/cloud/ready.json")
emulator_admin=$(jq -r .admin <<<"$ready")
export CVP_GOOGLE_API_BASE GCE_METADATA_HOST
CVP_GOOGLE_API_BASE=$(jq -r .rest <<<"$ready")
GCE_METADATA_HOST=$(jq -r .metadata <<<"$ready")
server_port=$(jq -r ".instances[\"$name\"].primary.port" <<<"$ready")
ca_file=$(jq -r ".instances[\"$name\"].caFile" <<<"$ready")
document=$(admin GET "instances/$name")
expect "transit encryption" "$(jq -r .transitEncryptionMode <<<"$document")" SERVER_AUTHENTICATION
expect "authorization" "$(jq -r .authorizationMode <<<"$document")" IAM_AUTH
expect "plain port" "$(valkey_admin '"CONFIG","GET","port"' | jq -r '.[1]')" 0
version=$(valkey_admin '"INFO","server"' | tr -d '\r' | sed -n 's/^valkey_version://p')
tick "Valkey $version at 127.0.0.1:$server_port: TLS, IAM_AUTH, CA until $(openssl x509 -in "$ca_file" -noout -enddate | cut -d= -f2)"

title "As you are"
plain=$(redis "$server_port" PING || true)
[ "$plain" != PONG ] || fail "a plain client was served"
tick "a plain client is refused: ${plain:-the server closed the connection}"
bare=$(redis "$server_port" --tls --cacert "$ca_file" PING || true)
[[ $bare == NOAUTH* ]] || fail "a bare TLS PING answered '$bare'"
tick "with TLS but no token: $bare"

title "Alone: cloud-valkey-proxy --instance $instance"
start lone "$bin/proxy/cloud-valkey-proxy" --instance $instance --port $lone --readers-port $lone_readers \
    --admin-listen 127.0.0.1:$lone_admin --log-format text
until_true 15 "the lone proxy's first login" curl -fsS "http://127.0.0.1:$lone_admin/startup"
expect "PING through the lone proxy" "$(redis $lone PING)" PONG
connection=$(proxy_status $lone_admin | jq '.connections[0]')
primary=$(jq '[.ports[] | select(.role == "primary")][0]' <<<"$connection")
expect "TLS version" "$(jq -r .upstream.tlsVersion <<<"$primary")" TLSv1.3
expect "verified identity" "$(jq -r .upstream.verifiedIdentity <<<"$primary")" ip:127.0.0.1
tick "PONG on 127.0.0.1:$lone; TLSv1.3, verified ip:127.0.0.1, login GoogleIAM"
redis $lone_readers INFO replication | grep -q '^role:slave' || fail "port $lone_readers is no replica"
tick "the reader on 127.0.0.1:$lone_readers"

title "Cluster (no kubelet here: pods are admitted, we run the sidecar)"
start control-plane env "KUBEBUILDER_ASSETS=$tools" "$bin/tests/support/cvp-control-plane" "$demo/run/cluster" --apply crds
until_true 60 "the API server" grep -q ^ready "$logs/control-plane.log"
tick "Kubernetes $(kube version -o json | jq -r .serverVersion.gitVersion), etcd, controllers"
kube create namespace cloud-valkey >/dev/null
run chart "$tools/helm" template cloud-valkey-proxy charts/cloud-valkey-proxy --namespace cloud-valkey \
    --set "webhook.url=https://127.0.0.1:$webhook/mutate-pods"
run apply-chart kube apply --server-side -f "$logs/chart.log"
until_true 20 "the operator's ServiceAccount" kube -n cloud-valkey get serviceaccount cloud-valkey-operator
until_true 20 "the default ServiceAccount" kube get serviceaccount default
token=$(kube -n cloud-valkey create token cloud-valkey-operator)
kube config view --raw --minify -o json |
    jq --arg token "$token" '.users[0].user = {token: $token} | .contexts[0].context.namespace = "cloud-valkey"' \
        >"$demo/run/operator.kubeconfig"
start operator "$bin/operator/cloud-valkey-operator" --kubeconfig "$demo/run/operator.kubeconfig" \
    --proxy-image cloud-valkey-proxy:demo --webhook-port $webhook \
    --metrics-port $operator_metrics --probe-port $operator_probes --log-format text
until_true 20 "the operator's readiness" curl -fsS "http://127.0.0.1:$operator_probes/readyz"
tick "the operator, with the rights of its chart and no more"

title "kubectl apply -f examples/quickstart"
run apply kube apply -f examples/quickstart
pod=$(kube get pod shop -o json)
container=$(jq '.spec.initContainers[]? | select(.name == "cloud-valkey-proxy")' <<<"$pod")
[ -n "$container" ] || fail "the pod that the API server stored has no sidecar"
expect "restartPolicy of the sidecar" "$(jq -r .restartPolicy <<<"$container")" Always
expect "label of the pod" "$(jq -r '.metadata.labels["cloudvalkey.dev/injected"]' <<<"$pod")" true
tick "pod shop as stored: init container cloud-valkey-proxy, $(jq -c .args <<<"$container")"
run ready kube wait --for=condition=Ready --timeout=30s valkeyconnection/sessions
kube get vkc sessions | sed 's/^/    /'
tick "the connection is Ready: resolved once, ConfigMap cloudvalkey-sessions written"
start podrun "$bin/tests/support/podrun/podrun" --kubeconfig "$demo/run/cluster/admin.kubeconfig" --namespace default --pod shop \
    --image "cloud-valkey-proxy:demo=$bin/proxy/cloud-valkey-proxy" --env "CVP_ADMIN_LISTEN=127.0.0.1:$sidecar_admin" \
    --env "GCE_METADATA_HOST=$GCE_METADATA_HOST" --env CVP_LOG_FORMAT=text --log "$logs/sidecar.log"
run started kube wait --for=jsonpath='{.status.initContainerStatuses[0].started}'=true --timeout=30s pod/shop
expect "SET through the sidecar" "$(redis $sidecar SET greeting "hello from a pod")" OK
expect "GET through the sidecar" "$(redis $sidecar GET greeting)" "hello from a pod"
tick "SET and GET on 127.0.0.1:$sidecar"
# What the server itself says of our connection while one is open.
exec 7<>"/dev/tcp/127.0.0.1/$sidecar"
printf 'PING\r\nCLIENT ID\r\n' >&7
read -r -t 5 pong <&7 && read -r -t 5 id <&7 || fail "no answer through the sidecar"
expect "answer" "${pong%$'\r'}" +PONG
id=${id%$'\r'}
line=$(valkey_admin '"CLIENT","LIST"' | grep "^id=${id#:} ") || fail "the server's CLIENT LIST does not show us"
address=$(sed -n 's/.* addr=\([^ ]*\) .*/\1/p' <<<"$line")
expect "local address at the server" "$(sed -n 's/.* laddr=\([^ ]*\) .*/\1/p' <<<"$line")" "127.0.0.1:$server_port"
[ "$(sed -n 's/.* tot-cmds=\([0-9]*\).*/\1/p' <<<"$line")" -gt 0 ] || fail "the server counts no command: $line"
ss -Htnp state established "src $address" | grep -q "pid=$(sidecar_pid)," || fail "$address is not the sidecar's"
exec 7>&-
tick "the server sees the sidecar at $address, on its TLS port $server_port"

title "What it survives"
before=$(proxy_status $sidecar_admin | jq '.tokens[0].refreshes')
admin POST tokens:expire >/dev/null
expect "PING with an expired token behind us" "$(redis $sidecar PING)" PONG
# A spare may have answered, which was logged in; its successor is refused, and a token is at most fetched once a second.
has_new_token() { after=$(proxy_status $sidecar_admin | jq '.tokens[0].refreshes') && [ "$after" -gt "$before" ]; }
until_true 10 "a new token of the sidecar" has_new_token
expect "PING with the new token" "$(redis $sidecar PING)" PONG
tick "every token expired: a new connection logs in with a new one (number $after)"
admin POST "instances/$name:move" >/dev/null
moved_port=$(primary_port)
[ "$moved_port" != "$server_port" ] || fail "the instance did not move"
kube annotate vkc sessions "cloudvalkey.dev/refresh=moved" --overwrite >/dev/null
until_true 20 "the sidecar's new endpoint" bash -c \
    "curl -fsS http://127.0.0.1:$sidecar_admin/status | jq -e '.connections[0].ports[0].upstream.peer == \"127.0.0.1:$moved_port\"'"
expect "GET after the move" "$(redis $sidecar SET moved yes)" OK
expect "restarts of the sidecar" "$(restarts)" 0
tick "the instance moved from port $server_port to $moved_port: the sidecar follows, 0 restarts"
# An impostor with a certificate of its own: openssl prints every application byte that it gets.
run impostor-key openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=impostor \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$demo/run/impostor.key" -out "$demo/run/impostor.crt"
start impostor openssl s_server -accept "127.0.0.1:$impostor" -key "$demo/run/impostor.key" -cert "$demo/run/impostor.crt" -quiet
until_true 10 "the impostor" bash -c "</dev/tcp/127.0.0.1/$impostor"
kube get configmap cloudvalkey-sessions -o jsonpath='{.data.connection\.yaml}' |
    sed "s/port: $moved_port/port: $impostor/" >"$demo/run/impostor.yaml"
grep -q "port: $impostor" "$demo/run/impostor.yaml" || fail "the document does not name the impostor's port"
start refused "$bin/proxy/cloud-valkey-proxy" --config "$demo/run/impostor.yaml" --port $refused \
    --admin-listen 127.0.0.1:$refused_admin --log-format text
until_true 10 "the proxy before the impostor" bash -c "</dev/tcp/127.0.0.1/$refused"
answer=$(redis $refused PING || true)
[[ $answer == "ERR cloud-valkey-proxy sessions: TlsChain"* ]] || fail "the wrong CA was not refused: $answer"
[ ! -s "$logs/impostor.log" ] || grep -qvE '^(ERROR|[0-9A-F]+:error:)' "$logs/impostor.log" && fail "the impostor got bytes" "$logs/impostor.log"
tick "a wrong CA: $answer"

title "What it costs"
pid=$(sidecar_pid)
tick "resident: $(awk '/^VmRSS/{r=$2} /^RssAnon/{a=$2} END{printf "%.1f MB, of it private %.1f MB", r/1024, a/1024}' "/proc/$pid/status")"
latency() { valkey-benchmark "$@" -c 1 -n 5000 -t ping_mbulk --csv 2>/dev/null | tail -n 1 | cut -d, -f5 | tr -d '"'; }
admin_token=$(admin POST tokens '{"lifetimeSeconds":600}' | jq -er .accessToken)
direct_ms=$(REDISCLI_AUTH=$admin_token VALKEYCLI_AUTH=$admin_token latency -h 127.0.0.1 -p "$moved_port" --tls --cacert "$ca_file" -a "$admin_token")
proxied_ms=$(latency -h 127.0.0.1 -p $sidecar)
tick "median of a PING: ${proxied_ms} ms through the sidecar, ${direct_ms} ms directly over TLS"

printf '\n%s\n' "$(bold "Proven in $(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN{printf "%.1f", b-a}') s.") Everything is in $demo"
how_to_go_on() {
    cat <<GO

  valkey-cli -p $sidecar                                  through the injected sidecar
  valkey-cli -p $lone                                  through the lone proxy
  curl 127.0.0.1:$sidecar_admin/status                        what the sidecar does
  $tools/kubectl --kubeconfig $demo/run/cluster/admin.kubeconfig get vkc,cm,pod
  curl $emulator_admin/admin/state          the emulated cloud
  tail -f $logs/operator.log

GO
}
if [ -t 0 ] && [ -z "${DEMO_ONCE:-}" ]; then
    echo "It stays up until Ctrl-C:"
    how_to_go_on
    trap 'echo; echo "ending"; exit 0' INT TERM
    while sleep 3600 & wait $!; do :; done
fi
