#!/usr/bin/env bash
# cmake --install of a build: is the program where the unit looks for it, and the page where it says? install.sh BUILD
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
DESTDIR=$work cmake --install "$1" --component proxy >"$work/log" || { cat "$work/log" >&2; exit 1; }
unit=$(find "$work" -name 'cloud-valkey-proxy@.service')
[ -n "$unit" ] || { echo "no unit was installed" >&2; cat "$work/log" >&2; exit 1; }
program=$(sed -n 's/^ExecStart=//p' "$unit")
page=$(sed -n 's|^Documentation=file://||p' "$unit")
"$work$program" version
[ -s "$work$page" ] || { echo "the unit names $page, which is not installed" >&2; exit 1; }
[ -z "$(find "$work" -name 'cloud-valkey-operator*')" ] || { echo "the operator came along" >&2; exit 1; }
DESTDIR=$work cmake --install "$1" --component plugin >"$work/log" || { cat "$work/log" >&2; exit 1; }
"$(find "$work" -name kubectl-cloudvalkey)" version
