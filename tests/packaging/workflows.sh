#!/usr/bin/env bash
# Does what the workflows call exist? Every `make TARGET` in the Makefile, every script with its execute bit; and no
# workflow names a registry: that is the repository's variable.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}"
status=0
complain() { echo "$*" >&2; status=1; }

shopt -s nullglob
workflows=(.github/workflows/*.yml)
[ ${#workflows[@]} -gt 0 ] || { echo "no workflow found" >&2; exit 1; }
calls=0
for workflow in "${workflows[@]}"; do
  commands=$(grep -v '^ *#' "$workflow" | sed 's/apt-get install.*//')
  for target in $(grep -oE '(^|[ :;&|])make [a-z-]+' <<<"$commands" | sed 's/.*make //'); do
    calls=$((calls + 1))
    grep -q "^$target:" Makefile || complain "$workflow: make $target: the Makefile has no such target"
  done
  for script in $(grep -oE '(scripts|tests)/[A-Za-z0-9_/-]+\.sh' <<<"$commands"); do
    calls=$((calls + 1))
    [ -x "$script" ] || complain "$workflow: $script does not exist or is not executable"
  done
done
[ "$calls" -ge 3 ] || complain "only $calls calls were found in the workflows: does this test still read them?"
for script in $(grep -oE 'scripts/[A-Za-z0-9_-]+\.sh' Makefile | sort -u); do
  [ -x "$script" ] || complain "Makefile: $script does not exist or is not executable"
done
# A host before a path, as image names have it.
if grep -nE '(docker://|image: *"?|tags: *)[a-z0-9-]+(\.[a-z0-9-]+)+/' "${workflows[@]}"; then
  complain "a workflow names a registry; use \${{ vars.REGISTRY }}"
fi
exit $status
