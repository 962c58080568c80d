#!/usr/bin/env bash
# Fuzzes: builds the targets of tests/fuzz and runs them from their committed corpora.
#
#   fuzz.sh TARGET SECONDS    a target, or all: each for that long of CPU time; any finding makes it exit 1
#   fuzz.sh merge TARGET      what earlier runs found that covers more goes into the committed corpus
#   fuzz.sh list              the targets
#
# New inputs are kept in build/fuzz/corpus/TARGET, findings in build/fuzz/findings/TARGET-*.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

list_targets() {
  sed -n 's/^cvp_add_fuzzer(\([a-z_]*\).*/\1/p' tests/fuzz/CMakeLists.txt
}

# run TARGET OPTION… DIRECTORY…
run() {
  local target=$1 dict=tests/fuzz/$1.dict
  shift
  [ ! -e "$dict" ] || set -- "-dict=$dict" "$@"
  UBSAN_OPTIONS=print_stacktrace=1 "build/fuzz/tests/fuzz/fuzz_$target" -timeout=10 -rss_limit_mb=2048 "$@"
}

fuzz() {
  local target=$1 seconds=$2 log=build/fuzz/$1.log spent=0 round
  mkdir -p "build/fuzz/corpus/$target" build/fuzz/findings
  echo "fuzz.sh: $target for $seconds s of CPU"
  # libFuzzer counts the wall's seconds; on a busy machine it takes several rounds to get as many of the CPU.
  while ((spent < seconds)); do
    round=$((seconds - spent > 5 ? seconds - spent : 5))
    if ! { TIMEFORMAT=%0U; time run "$target" "-max_total_time=$round" \
      "-artifact_prefix=build/fuzz/findings/$target-" -print_final_stats=1 \
      "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; } 2>"$log.cpu"; then
      tail -n 40 "$log" >&2
      echo "fuzz.sh: $target: a FINDING; see above, and build/fuzz/findings" >&2
      return 1
    fi
    spent=$((spent + $(<"$log.cpu")))
    # The last line of progress and how many inputs were tried.
    grep -E '^#[0-9]+.*DONE|number_of_executed_units' "$log" | sed "s/^/fuzz.sh: $target: $spent s: /"
  done
}

merge() {
  local target=$1 merged
  merged=$(mktemp -d)
  # A line that runs more often is nothing new here: hundreds of files instead of thousands.
  run "$target" -merge=1 -use_counters=0 "$merged" "tests/fuzz/corpus/$target" "build/fuzz/corpus/$target" >"build/fuzz/$target.log" 2>&1
  rm -f "tests/fuzz/corpus/$target"/*
  cp "$merged"/* "tests/fuzz/corpus/$target/"
  rm -r "$merged"
  echo "fuzz.sh: tests/fuzz/corpus/$target has $(ls "tests/fuzz/corpus/$target" | wc -l) inputs"
}

case "${1:-} $#" in
  "list 1") list_targets; exit ;;
  "merge 2") scripts/build.sh fuzz "fuzz_$2"; merge "$2"; exit ;;
  *" 2") ;;
  *) echo "usage: fuzz.sh TARGET|all SECONDS | merge TARGET | list" >&2; exit 64 ;;
esac
targets=$1
[ "$targets" != all ] || targets=$(list_targets)
scripts/build.sh fuzz $(printf 'fuzz_%s ' $targets)
failed=0
for target in $targets; do
  fuzz "$target" "$2" || failed=1
done
exit $failed
