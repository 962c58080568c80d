#!/usr/bin/env bash
# Builds proxy and operator of the commit with which form 1 was frozen (tests/skew/frozen-commit), as they shipped, in
# build/frozen, and prints that directory. For the tests of versions that run together: scripts/run-tests.sh skew
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
commit=$(cat tests/skew/frozen-commit)
tree=$PWD/build/frozen/$commit
if ! git rev-parse --quiet --verify "$commit^{commit}" >/dev/null; then
  echo "build-frozen.sh: this clone lacks commit $commit: git fetch --unshallow" >&2
  exit 1
fi
if [ ! -e "$tree/CMakeLists.txt" ]; then
  mkdir -p "$tree"
  git archive "$commit" | tar -x -C "$tree"
fi
"$tree/scripts/build.sh" release cloud-valkey-proxy cloud-valkey-operator >&2
echo "$tree/build/release"
