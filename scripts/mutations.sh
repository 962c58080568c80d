#!/usr/bin/env bash
# Breaks the code on purpose, one line at a time, and expects a test to notice: mutations.sh [PATTERN]
#
# Each block of tests/mutations/*.txt is one mutation. It is made in a worktree of the last commit, so the tree is left
# alone and what is not committed is not seen. The worktree's build is kept in build/mutations; the first takes minutes.
# Tests that fail without a mutation prove nothing, so all filters run on the unbroken code first. PATTERN chooses
# mutations by name, file, tests or text: mutations.sh operator/runtime. About 20 s each.
# Exits 1 if a mutation survives, or can no longer be made.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
pattern=${1:-.}
top=$PWD tree=$PWD/build/mutations
list=$(mktemp)
trap 'rm -f "$list"' EXIT

# One mutation a line: name, file, before, after, executable, filter; newlines within a field as \x01.
awk '
  function flush() {
    if (name) printf "%s\002%s\002%s\002%s\002%s\002%s\n", name, field["file"], field["-"], field["+"], field["run"], field["filter"]
    name = ""; delete field
  }
  /^#/ { next }
  /^mutation: / { flush(); name = substr($0, 11); next }
  /^(file|run|filter): / { key = $1; sub(":", "", key); field[key] = substr($0, length($1) + 2); next }
  /^[-+]/ { key = substr($0, 1, 1); field[key] = field[key] (field[key] != "" ? "\001" : "") substr($0, 2) }
  END { flush() }' tests/mutations/*.txt | grep -E "$pattern" >"$list" || { echo "no mutation matches '$pattern'" >&2; exit 64; }

if [ -e "$tree/.git" ]; then
  git -C "$tree" checkout --quiet --force --detach "$(git rev-parse HEAD)"
else
  git worktree prune
  git worktree add --quiet --force --detach "$tree" HEAD
fi
cd "$tree"
targets=$(cut -d $'\x02' -f 5 "$list" | xargs -n 1 basename | sort -u | tr '\n' ' ')
echo "== building: $targets"
# shellcheck disable=SC2086  # several words
scripts/build.sh dev $targets >/dev/null

# run_tests EXECUTABLE FILTER: their output goes to build/mutation.log.
run_tests() { timeout 300 "build/dev/$1" --gtest_filter="$2" </dev/null >"$top/build/mutation.log" 2>&1; }

echo "== the tests without a mutation"
while IFS=$'\x02' read -r executable filter; do
  run_tests "$executable" "$filter" || { tail -n 30 "$top/build/mutation.log" >&2; echo "$executable $filter fails without a mutation" >&2; exit 1; }
done < <(cut -d $'\x02' -f 5,6 "$list" | sort -u)

total=0 caught=0
while IFS=$'\x02' read -r name file before after executable filter; do
  total=$((total + 1))
  printf '%-70s ' "$name"
  if ! BEFORE=${before//$'\x01'/$'\n'} AFTER=${after//$'\x01'/$'\n'} perl -0 -pi -e \
    'BEGIN { ($b, $a) = @ENV{"BEFORE", "AFTER"} } $n = () = /\Q$b\E/g; s/\Q$b\E/$a/; END { exit($n == 1 ? 0 : 1) }' "$file"; then
    echo "CANNOT BE MADE: $file does not hold the text exactly once"
  elif ! scripts/build.sh dev "$(basename "$executable")" </dev/null >"$top/build/mutation.log" 2>&1; then
    echo "DOES NOT COMPILE: build/mutation.log"
  elif run_tests "$executable" "$filter"; then
    echo "SURVIVED"
  else
    caught=$((caught + 1))
    echo "caught by $(grep -m 1 -oE '\[  FAILED  \] [A-Za-z0-9_/]+\.[A-Za-z0-9_/]+' "$top/build/mutation.log" | cut -c 14- || echo 'a crash')"
  fi
  git checkout --quiet -- "$file"
done <"$list"
cd "$top"
echo "$caught of $total mutations caught"
[ "$caught" = "$total" ]
