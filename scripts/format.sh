#!/usr/bin/env bash
# Formats the C++ sources in place, those not yet tracked too; with --check it changes nothing, names what is not formatted, and fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=-i
[ "${1:-}" != --check ] || mode="--dry-run --Werror"
# shellcheck disable=SC2086  # mode is two words
git ls-files -z --cached --others --exclude-standard '*.cpp' '*.hpp' | xargs -0 --no-run-if-empty --max-args=20 --max-procs="$(nproc)" clang-format-14 $mode
