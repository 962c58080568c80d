#!/usr/bin/env bash
# Runs clang-tidy on the C++ sources that differ from BASE (default: where this branch left main), committed or not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
base=${1:-$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main)}
[ -e build/dev/compile_commands.json ] || cmake --preset dev
mapfile -t files < <({ git diff --name-only --diff-filter=d "$base" -- '*.cpp'
  git ls-files --others --exclude-standard -- '*.cpp'; } | sort -u)
[ ${#files[@]} -gt 0 ] || { echo "tidy.sh: no C++ source differs from $base"; exit 0; }
echo "tidy.sh: ${#files[@]} files"
printf '%s\0' "${files[@]}" | xargs -0 --max-args=1 --max-procs="$(nproc)" clang-tidy-14 --quiet -p build/dev \
  2> >(grep -v ' warnings generated.$' >&2)
