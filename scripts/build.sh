#!/usr/bin/env bash
# Configures and builds one preset: build.sh PRESET [TARGET…], e.g. build.sh release cloud-valkey-proxy
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=$1
shift
[ -e "build/$preset/build.ninja" ] || cmake --preset "$preset"
# As many jobs as cores, not more: a file with Beast in it takes 1.3 GB.
exec cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"}
