#!/usr/bin/env bash
# Compiles the product on Debian 13, where its images are made (GCC 14, Boost 1.83, OpenSSL 3.5), and runs it there.
# The root with the build packages is made once by mmdebstrap and kept in ${XDG_CACHE_HOME:-~/.cache}. Needs root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { echo "build-in-trixie.sh: $*" >&2; }

[ "$(id -u)" = 0 ] || { say "needs root, for a chroot"; exit 69; }
packages=$(scripts/install-deps.sh list build | paste -sd,)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloud-valkey-proxy
root=$cache/trixie-$(sha256sum <<<"$packages" | head -c 12)
if [ ! -d "$root" ]; then
  mirror=$(scripts/install-deps.sh mirror)
  [ -n "$mirror" ] || { say "no mirror of Debian in /etc/apt; apt-get update has to run once"; exit 69; }
  say "making a root of Debian 13 (about 40 s)"
  mkdir -p "$cache"
  rm -rf --one-file-system "$root.new"
  mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" trixie "$root.new" "$mirror" \
    >"$root.log" 2>&1 || { tail -n 10 "$root.log" >&2; say "mmdebstrap failed; the whole log: $root.log"; exit 70; }
  mv "$root.new" "$root"
  rm -f "$root.log"
fi

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
