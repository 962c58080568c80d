#!/usr/bin/env bash
# Shows which share of the branches of the fuzzed files the committed corpora of tests/fuzz cover, as clang counts them.
#
#   fuzz-coverage.sh [TARGET…]    all by default; exit 1 if it is below 90 % for a file (CVP_FUZZ_COVERAGE: another bound)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bound=${CVP_FUZZ_COVERAGE:-90}
dir=build/fuzz-coverage/tests/fuzz
[ $# -gt 0 ] || set -- $(scripts/fuzz.sh list)
scripts/build.sh fuzz-coverage $(printf 'fuzz_%s ' "$@") >&2

failed=0
for target in "$@"; do
  LLVM_PROFILE_FILE=$dir/$target.profraw "$dir/fuzz_$target" -runs=0 "tests/fuzz/corpus/$target" >"$dir/$target.log" 2>&1
  llvm-profdata-14 merge -sparse "$dir/$target.profraw" -o "$dir/$target.profdata"
  # By the end of their names: a compiler cache may have made the paths relative.
  llvm-cov-14 export -summary-only -instr-profile="$dir/$target.profdata" "$dir/fuzz_$target" |
    jq --raw-output --rawfile covers "$dir/$target.covers" --argjson bound "$bound" '
      ($covers | split("\n") | map(select(. != ""))) as $files |
      .data[0].files[] | .filename as $path | ([$files[] | select(. as $name | $path | endswith("/" + $name))][0]) as $name |
      select($name) | .summary.branches as $b |
      [($b.percent * 10 | floor / 10), "\($b.covered)/\($b.count)", $name,
       (if $b.percent < $bound then "BELOW \($bound) %" else "" end)] | @tsv' |
    awk -F'\t' -v target="$target" -v want="$(grep -c . "$dir/$target.covers")" '{ printf "%-16s %6s %% %9s  %s %s\n", target, $1, $2, $3, $4; if ($4) bad = 1 }
      END { if (NR != want) print target ": " NR " of " want " files were found"; exit bad || NR != want }' || failed=1
done
exit $failed
