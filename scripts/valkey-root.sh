#!/usr/bin/env bash
# Makes another version of Valkey available from Debian's own packages: valkey-root.sh SUITE
#
#   trixie   Valkey 8.1
#   forky    Valkey 9.1
#
# Prints the command that starts its valkey-server, for a configuration file to be added. The packages are unpacked, not
# installed, into ${XDG_CACHE_HOME:-~/.cache}, once. The server runs with the C library of that suite by that library's
# own loader and not in a chroot, so it sees the caller's files, and nobody has to be root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { echo "valkey-root.sh: $*" >&2; }

suite=${1:-}
case "$suite" in trixie | forky) ;; *) say "usage: valkey-root.sh trixie|forky"; exit 64 ;; esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloud-valkey-proxy
root=$cache/valkey-$suite
if [ ! -d "$root" ]; then
  mirror=$(scripts/install-deps.sh mirror)
  [ -n "$mirror" ] || { say "no mirror of Debian in /etc/apt; apt-get update has to run once"; exit 69; }
  command -v mmdebstrap >/dev/null || { say "mmdebstrap is missing: scripts/install-deps.sh all"; exit 69; }
  say "unpacking Valkey of Debian $suite"
  mkdir -p "$cache"
  rm -rf --one-file-system "$root.new"
  # A mirror may lag behind the date until which a suite that moves calls itself valid.
  mmdebstrap --quiet --variant=extract --include=valkey-server --aptopt='Acquire::Check-Valid-Until "false"' \
    "$suite" "$root.new" "$mirror" >"$root.log" 2>&1 ||
    { tail -n 10 "$root.log" >&2; say "mmdebstrap failed; the whole log: $root.log"; exit 70; }
  mv "$root.new" "$root"
  rm -f "$root.log"
fi

loader=$(find "$root" -name 'ld-linux*.so.*' -print -quit)
libc=$(find "$root" -name libc.so.6 -print -quit)
[ -n "$loader" ] && [ -n "$libc" ] && [ -e "$root/usr/bin/valkey-server" ] ||
  { say "$root is not what it should be; remove it"; exit 70; }
echo "$loader --library-path $(dirname "$libc") $root/usr/bin/valkey-server"
