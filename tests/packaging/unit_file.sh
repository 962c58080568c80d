#!/usr/bin/env bash
# The systemd unit: does systemd understand every line of it, and how exposed does it find the service?
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unit=$work/cloud-valkey-proxy@sessions.service
# Any program will do: only whether it is there is looked at.
sed -e 's|@CVP_BINDIR@/cloud-valkey-proxy|/bin/true|' -e "s|@CVP_DOCDIR@|$work|" \
  packaging/systemd/cloud-valkey-proxy@.service >"$unit"
! grep -q '@[A-Z_]*@' "$unit" || { echo "a variable of CMake is left in the unit" >&2; exit 1; }
# Ours alone: what else is installed on this machine is not our business.
complaints=$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no --recursive-errors=no "$unit" 2>&1 | grep -F "$(basename "$unit")" || true)
[ -z "$complaints" ] || { echo "$complaints" >&2; exit 1; }
# 10 is all of the system, 0 nothing; systemd calls below 2 "OK" at its best.
systemd-analyze security --offline=true --threshold=20 --no-pager "$unit" >"$work/security" ||
  { cat "$work/security" >&2; exit 1; }
tail -n 1 "$work/security"
