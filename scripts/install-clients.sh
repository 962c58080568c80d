#!/usr/bin/env bash
# Installs the Valkey clients that tests/clients runs, each at the version pinned there:
# redis-py, valkey-py and valkey-glide (pip), ioredis and BullMQ (npm), go-redis and valkey-go (go build).
#
# The last line on stdout is the directory that holds them (venv, node_modules, goredis, valkeygo); progress goes to
# stderr. They are kept outside the tree, in ${XDG_CACHE_HOME:-~/.cache}/cloud-valkey-proxy/clients, so only the first
# run takes its minute, and the first one after a change of what is pinned takes what changed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/clients" && pwd)
clients=${XDG_CACHE_HOME:-$HOME/.cache}/cloud-valkey-proxy/clients
parts=(python node go)
die() { echo "install-clients.sh: $1" >&2; exit "$2"; }

# Each installs into the directory $1.
install_python() {
  python3 -m venv "$1/venv"
  "$1/venv/bin/python" -m pip install --disable-pip-version-check --only-binary :all: --no-deps \
    -r "$here/python/requirements.txt"
}

install_node() {
  cp "$here"/node/package{,-lock}.json "$1"
  # The one optional part is a native build that BullMQ does without.
  (cd "$1" && npm ci --omit=optional --ignore-scripts --no-audit --no-fund)
}

install_go() {
  # auto: any Go from 1.21 fetches the toolchain that go.mod asks for; the machine may say otherwise.
  (cd "$here/go" &&
    GOTOOLCHAIN=auto GOFLAGS=-mod=readonly GOWORK=off CGO_ENABLED=0 go build -trimpath -o "$1/" ./goredis ./valkeygo)
}

# What decides whether a part is there already.
inputs_of() {
  declare -f "install_$1"
  case "$1" in
    python) cat "$here/python/requirements.txt" ;;
    node) cat "$here/node/package-lock.json" ;;
    go) find "$here/go" -type f | LC_ALL=C sort | xargs cat ;;
  esac
}

install() {  # PART DIRECTORY
  local started=$SECONDS log=$clients/$1.log partial=$2.partial
  printf 'installing the clients for %s… ' "$1" >&2
  rm -rf "$partial"
  mkdir "$partial"
  if ! "install_$1" "$partial" >"$log" 2>&1; then
    printf 'failed\n' >&2
    tail -n 20 "$log" >&2
    die "the whole log: $log" 70
  fi
  rm -f "$log"
  # The virtual environment's scripts keep the old path; its python, which is all that is used, works anywhere.
  mv "$partial" "$2"
  printf '%d s\n' $((SECONDS - started)) >&2
}

declare -A dir
for part in "${parts[@]}"; do dir[$part]=$clients/$part-$(inputs_of "$part" | sha256sum | head -c 12); done
all=$clients/$(printf '%s\n' "${dir[@]}" | LC_ALL=C sort | sha256sum | head -c 12)

if [ ! -d "$all" ]; then
  for program in python3 node npm go; do
    command -v "$program" >/dev/null || die "needs $program on PATH: scripts/install-deps.sh test installs it" 69
  done
  mkdir -p "$clients"
  exec 9>"$clients/.lock"
  flock --nonblock 9 || { echo "waiting for another run of install-clients.sh" >&2; flock 9; }
  for part in "${parts[@]}"; do [ -d "${dir[$part]}" ] || install "$part" "${dir[$part]}" 9>&-; done
  rm -rf "$all.partial"
  mkdir "$all.partial"
  ln -s "${dir[python]}/venv" "${dir[node]}/node_modules" "${dir[go]}"/* "$all.partial/"
  [ -d "$all" ] || mv "$all.partial" "$all"
  exec 9>&-
fi
echo "$all"
