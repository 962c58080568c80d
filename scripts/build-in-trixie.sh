#!/usr/bin/env bash
# Compiles the product on Debian 13, where its images are made (GCC 14, Boost 1.83, OpenSSL 3.5), and runs it there.
# Needs root; scripts/trixie-root.sh makes the root with the build packages, once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$(scripts/trixie-root.sh build)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloud-valkey-proxy

# In mount and process namespaces of its own, so that nothing stays mounted or running, however it ends.
mkdir -p "$root"/{src,ccache} "$cache/trixie-ccache"
export ROOT=$root SRC=$PWD CCACHE=$cache/trixie-ccache
export INSIDE='
  set -e
  cd /src
  cmake --preset release -B build/trixie -DCVP_BUILD_TESTS=OFF -Wno-dev >/dev/null
  cmake --build build/trixie --parallel "$(nproc)" \
    --target cloud-valkey-proxy cloud-valkey-operator -- -k 0
  build/trixie/proxy/cloud-valkey-proxy version
  build/trixie/operator/cloud-valkey-operator version'
exec unshare --mount --propagation private --pid --fork --kill-child bash -ec '
  mount --bind "$SRC" "$ROOT/src"
  mount --bind "$CCACHE" "$ROOT/ccache"
  mount --rbind /dev "$ROOT/dev"
  mount -t proc proc "$ROOT/proc"
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CCACHE_DIR=/ccache \
    chroot "$ROOT" bash -c "$INSIDE"'
