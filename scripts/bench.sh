#!/usr/bin/env bash
# Builds what ships and measures it beside its peers: the table on standard output, build/bench/results.json beside it.
# What can be set: the head of tests/bench/bench.py. A whole run takes a quarter of an hour; the machine must be quiet.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/build.sh release cloud-valkey-proxy bench_probe bench_clients >&2
exec python3 -B tests/bench/bench.py build/release build/bench/results.json
