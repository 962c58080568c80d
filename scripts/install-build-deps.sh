#!/usr/bin/env bash
# Installs, in an image's build stage on Debian 13, what compiles the product: install-build-deps.sh amd64|arm64
#
# For the other architecture: the compiler that builds across, and that architecture's libraries.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

arch=${1:-amd64} native=$(dpkg --print-architecture)
packages=(ca-certificates)
for package in $(scripts/install-deps.sh list build); do
  if [ "$arch" != "$native" ]; then
    case "$package" in
      g++) package=g++-$(case "$arch" in arm64) echo aarch64-linux-gnu ;; amd64) echo x86-64-linux-gnu ;; esac) ;;
      nlohmann-json3-dev | libcli11-dev | libexpected-dev) ;; # headers alone, for every architecture
      lib*-dev) package=$package:$arch ;;
    esac
  fi
  packages+=("$package")
done
dpkg-query --show --showformat '${db:Status-Status}\n' "${packages[@]}" 2>/dev/null >/tmp/have || true
if [ "$(grep -cx installed /tmp/have)" = ${#packages[@]} ]; then
  echo "install-build-deps.sh: all packages are there"
  exit 0
fi
[ "$arch" = "$native" ] || dpkg --add-architecture "$arch"
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"
