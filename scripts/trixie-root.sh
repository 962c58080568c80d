#!/usr/bin/env bash
# Makes a root of Debian 13 in which the product is compiled, and prints its path: trixie-root.sh [base|build]
#
#   base    Debian 13 and CA certificates: what the Dockerfiles call debian:trixie
#   build   those, and the packages that compile the product (the default)
#
# From Debian's own packages by mmdebstrap, once; kept in ${XDG_CACHE_HOME:-~/.cache}. Needs root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { echo "trixie-root.sh: $*" >&2; }

[ "$(id -u)" = 0 ] || { say "needs root, for a chroot"; exit 69; }
case "${1:-build}" in
  base) packages=ca-certificates ;;
  build) packages=$({ echo ca-certificates; scripts/install-deps.sh list build; } | paste -sd,) ;;
  *) say "usage: trixie-root.sh [base|build]"; exit 64 ;;
esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloud-valkey-proxy
root=$cache/trixie-$(sha256sum <<<"$packages" | head -c 12)
mkdir -p "$cache"
exec 8>"$root.lock" # two runs at once would build into one directory
flock 8
if [ ! -d "$root" ]; then
  mirror=$(scripts/install-deps.sh mirror)
  [ -n "$mirror" ] || { say "no mirror of Debian in /etc/apt; apt-get update has to run once"; exit 69; }
  say "making a root of Debian 13 (about 40 s)"
  rm -rf --one-file-system "$root.new"
  mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" trixie "$root.new" "$mirror" \
    >"$root.log" 2>&1 8>&- || { tail -n 10 "$root.log" >&2; say "mmdebstrap failed; the whole log: $root.log"; exit 70; }
  mv "$root.new" "$root"
  rm -f "$root.log"
fi
echo "$root"
