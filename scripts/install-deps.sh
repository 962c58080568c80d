#!/usr/bin/env bash
# Installs what this project needs on Debian 12, from Debian's own packages; does nothing, quickly, where all is there.
#
#   install-deps.sh [build|test|bench|all]    build: compile the product
#                                             test:  build, and `make test` and `make demo` (the default)
#                                             bench: test, and the peers of `make bench`
#                                             all:   test, and `make tidy` and `make test-long`
#   install-deps.sh list [build|test|bench|all]    print the packages, one per line
#   install-deps.sh mirror                         print the mirror that this machine has Debian from
#
# As root, or through sudo. It starts no service. Elsewhere it prints what is needed and exits 69; with
# CVP_SKIP_DEPS=1 it believes that everything is there.
set -euo pipefail

build=(g++ cmake ninja-build ccache mold pkg-config libboost-dev libboost-system-dev libssl-dev libzstd-dev
  libyaml-cpp-dev nlohmann-json3-dev libfmt-dev libspdlog-dev libcli11-dev libexpected-dev libcpprest-dev)
test=(googletest libgtest-dev libgmock-dev libbenchmark-dev clang-format-14 openssl curl jq git ca-certificates
  iproute2 procps util-linux lua5.4 clang-14 libclang-rt-14-dev llvm-14 python3 python3-venv nodejs npm
  mmdebstrap buildah runc systemd containernetworking-plugins nftables)
bench=(haproxy stunnel4)
long=(clang-tidy-14 qemu-user-static)
# Too old in Debian 12 itself, or not there: from its backports, and only where the programs are not on PATH.
valkey=(valkey-server valkey-tools)
go=(golang-go)

say() { echo "install-deps.sh: $*" >&2; }
has_valkey() { command -v valkey-server && command -v valkey-cli && command -v valkey-benchmark; } >/dev/null
has_go() {  # 1.21 or newer: from there on Go fetches the toolchain that a go.mod asks for
  local version
  version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || return 1
  [ "$(printf '%s\n' go1.21 "$version" | sort -V | head -n 1)" = go1.21 ]
}

has_venv() { python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; }
has_node() { node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null; }

list_packages() {
  case "$1" in
    build) printf '%s\n' "${build[@]}" ;;
    test) printf '%s\n' "${build[@]}" "${test[@]}" "${valkey[@]}" "${go[@]}" ;;
    bench) printf '%s\n' "${build[@]}" "${test[@]}" "${valkey[@]}" "${go[@]}" "${bench[@]}" ;;
    all) printf '%s\n' "${build[@]}" "${test[@]}" "${valkey[@]}" "${go[@]}" "${long[@]}" ;;
    *) say "unknown set '$1'; it knows build, test, bench and all"; exit 64 ;;
  esac
}

list_missing() {
  local package installed
  installed=" $(dpkg-query --show --showformat '${db:Status-Status}:${Package}\n' 2>/dev/null |
    sed -n 's/^installed://p' | tr '\n' ' ')"
  for package in $(list_packages "$1"); do
    case "$installed" in *" $package "*) continue ;; esac
    case "$package" in
      valkey-*) has_valkey && continue ;;
      golang-go) has_go && continue ;;
      python3-venv) has_venv && continue ;;
      nodejs) has_node && continue ;;
      npm) has_node && command -v npm >/dev/null && continue ;;
    esac
    echo "$package"
  done
  # Installed from Debian 12 itself, Go is 1.19: only the pin below makes it a newer one.
  case "$installed" in *" golang-go "*) [ "$1" = build ] || has_go || echo golang-go ;; esac
}

# mirror_of SUITE: apt itself knows, once it has updated, where a suite comes from, in whatever form that is written.
mirror_of() {
  apt-get indextargets --format '$(IDENTIFIER) $(RELEASE) $(COMPONENT) $(REPO_URI)' |
    sed -n "s/^Packages $1 main //p" | sort -u | head -n 1
}

# Only what is named here comes from backports; everything else stays as it is, also in later upgrades.
add_backports() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  if [ -z "$(mirror_of bookworm-backports)" ]; then
    mirror=$(mirror_of bookworm)
    [ -n "$mirror" ] || { say "no source of Debian 12 (bookworm main) in /etc/apt"; exit 70; }
    {
      printf 'Types: deb\nURIs: %s\nSuites: bookworm-backports\nComponents: main\n' "$mirror"
      [ ! -e "$keyring" ] || printf 'Signed-By: %s\n' "$keyring"
    } >/etc/apt/sources.list.d/cloud-valkey-proxy-backports.sources
  fi
  cat >/etc/apt/preferences.d/cloud-valkey-proxy-backports <<'PIN'
Package: *
Pin: release n=bookworm-backports
Pin-Priority: 100

Package: valkey-* golang-*
Pin: release n=bookworm-backports
Pin-Priority: 600
PIN
}

# invoke-rc.d and deb-systemd-invoke ask this file before they start anything.
policy=/usr/sbin/policy-rc.d
forbid_services() {
  [ ! -e "$policy" ] || mv "$policy" "$policy.saved"
  trap 'rm -f "$policy"; [ ! -e "$policy.saved" ] || mv "$policy.saved" "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    "$@" </dev/null >>"$log" 2>&1 && return
  tail -n 15 "$log" >&2
  say "apt-get $1 failed; the whole log: $log"
  exit 70
}

install_as_root() {
  local started=$SECONDS
  log=$(mktemp "${TMPDIR:-/tmp}/install-deps.XXXXXX.log")
  say "installing $# packages: $*"
  forbid_services
  apt update
  case " $* " in *" valkey-"* | *" golang-"*) add_backports && apt update ;; esac
  apt install --no-install-recommends "$@"
  local service
  for service in valkey-server haproxy stunnel4; do  # ours are started by hand; at the next boot there shall be none either
    case " $* " in *" $service "*)
      deb-systemd-helper disable "$service.service"
      update-rc.d "$service" disable ;;
    esac >/dev/null 2>&1 || true
  done
  rm -f "$log"
  say "installed in $((SECONDS - started)) s"
}

refuse() {
  say "$1. What is needed ($set), by the names of Debian 12's packages:"
  list_packages "$set" | paste -sd' ' | fold -sw 100 | sed 's/^/  /' >&2
  echo "valkey-server (8 or newer) and golang-go (1.21 or newer) are in its backports. Where all of it is there," \
    "set CVP_SKIP_DEPS=1." >&2
  exit 69
}

case "${1:-test}" in
  list) list_packages "${2:-test}"; exit ;;
  mirror) mirror_of bookworm; exit ;;
  --as-root) shift; install_as_root "$@"; exit ;;
esac
set=${1:-test}
list_packages "$set" >/dev/null
[ -z "${CVP_SKIP_DEPS:-}" ] || exit 0
mapfile -t missing < <(list_missing "$set")
if [ ${#missing[@]} = 0 ]; then
  say "all packages of '$set' are there"
  exit 0
fi

os=$(. /etc/os-release 2>/dev/null && echo "${ID:-}-${VERSION_ID:-}") || os=
[ "$os" = debian-12 ] || refuse "this is not Debian 12, so nothing was installed"
if [ "$(id -u)" = 0 ]; then
  install_as_root "${missing[@]}"
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  sudo "$0" --as-root "${missing[@]}"
else
  refuse "not root and no sudo, so nothing was installed"
fi
[ "$set" = build ] || has_go || { say "Go was installed, but the go first on PATH is older than 1.21"; exit 69; }
