#!/usr/bin/env bash
# Builds and runs tiers of tests: run-tests.sh TIER…
#
#   unit lint integration kubernetes chart    ctest labels of the dev build (ASan, UBSan); with integration the
#                                             release build of the proxy is there too, see CVP_RELEASE_DIR
#   clients                                   real client libraries: the same transcript directly and through the proxy
#   chaos                                     faults of servers, networks and identities under applications that write
#   checklist                                 docs/kubernetes-checklist.md against what these tiers ran
#   oracle                                    100,000 generated commands directly and through the proxy, byte by byte
#   oracle-long                               1,000,000 on Valkey 8.0, 8.1 and 9.1, with logins all the time, and with
#                                             faults of those
#   fuzz                                      each fuzz target for 10 s from its committed corpus
#   fuzz-long                                 each for 10 minutes of CPU, and what the corpora cover
#   tsan                                      the unit tests, built with TSan
#   oldest                                    kubernetes and chart on the oldest API server that we support
#   removal                                   CRD, release, namespace and pods deleted in each of the 24 orders
#   availability                              two replicas under 3,000 admissions a round, three rounds; a long outage
#   skew                                      proxies and operators of today with those of the frozen commit
#   mutations                                 the code broken on purpose, line by line: does a test notice?
#   image                                     both images for amd64, built on Debian 13 (while the other tiers run)
#                                             and run with runc
#   image-long                                each built a second time from nothing: is it the same digest? Those for
#                                             arm64, run by qemu
#   trixie                                    the product compiled on Debian 13
#
#   CVP_IMAGES="proxy operator"               what is built meanwhile; .ci/run adds what `make e2e` needs beyond them
#
# A line per tier closes it, then one for all. Any failure, or a tier without a test, makes it exit 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

results=build/test-results
mkdir -p "$results"
passed=0 failed=0 skipped=0
summary=()

# count JUNIT: "passed failed skipped" of a ctest run, counted by GoogleTest's own lines, because one ctest entry may
# hold many tests; an entry without such lines, or one that failed and names no failed test (it crashed), counts as one.
count() {
  awk '
    /<testcase /           { status = $0; sub(/.* status="/, "", status); sub(/".*/, "", status); ok = bad = skip = empty = 0 }
    /Running 0 tests from/   { empty = 1 }
    /\[       OK \] .*ms\)/  { ok++ }
    /\[  FAILED  \] .*ms\)/  { bad++ }
    /\[  SKIPPED \] .*ms\)/  { skip++ }
    /<\/testcase>/ {
      if (ok + bad + skip == 0) { if (status == "run" && !empty) ok = 1; if (status == "disabled") skip = 1 }
      if (bad == 0 && status != "run" && !((status == "notrun" || status == "disabled") && skip)) bad = 1
      p += ok; f += bad; s += skip
    }
    END { print p + 0, f + 0, s + 0 }' "$1"
}

# close TIER SECONDS PASSED FAILED SKIPPED: adds a line to the summary.
close() {
  local note=""
  if [ $(($3 + $4 + $5)) = 0 ]; then
    note="   no test ran"
    set -- "$1" "$2" 0 1 0
  fi
  summary+=("$(printf '%-12s %5d passed %4d failed %4d skipped %5d s%s' "$1" "$3" "$4" "$5" "$2" "$note")")
  passed=$((passed + $3)) failed=$((failed + $4)) skipped=$((skipped + $5))
}

# ctest_tier TIER PRESET LABELS JOBS
ctest_tier() {
  local junit=$PWD/$results/$1.xml started=$SECONDS
  rm -f "$junit"
  echo "== $1"
  ctest --test-dir "build/$2" -L "^($3)\$" --parallel "$4" --output-on-failure --no-tests=ignore \
    --test-output-size-passed 50000000 --test-output-size-failed 50000000 --output-junit "$junit" |
    grep --line-buffered -vE '^ +Start |  Passed +[0-9.]+ sec$|^Internal ctest' || true
  # shellcheck disable=SC2046  # three words
  close "$1" $((SECONDS - started)) $([ -e "$junit" ] && count "$junit" || echo 0 0 0)
}

# oracle_long: one server after the other, the newest two in roots of their own.
oracle_long() {
  local proxy=build/release/proxy/cloud-valkey-proxy suite server
  for suite in "" trixie forky; do
    server=valkey-server
    [ -z "$suite" ] || server=$(scripts/valkey-root.sh "$suite") || return 1
    build/dev/tests/oracle/cvp-oracle --proxy "$proxy" --server "$server" --commands 1000000 --shrink 300 || return 1
  done
  build/dev/tests/oracle/cvp-oracle --proxy "$proxy" --commands 1000000 --shrink 300 --relogin-every 200ms || return 1
  build/dev/tests/oracle/cvp-oracle --proxy "$proxy" --commands 1000000 --shrink 300 --relogin-every 20ms --login-faults
}

# script_tier TIER: one script, which counts as one test.
script_tier() {
  local started=$SECONDS ok=0
  echo "== $1"
  case "$1" in
    checklist) scripts/check-checklist.sh "$results"/{unit,integration,kubernetes,chart}.xml && ok=1 ;;
    fuzz) scripts/fuzz.sh all 10 && ok=1 ;;
    fuzz-long) scripts/fuzz.sh all 600 && scripts/fuzz-coverage.sh && ok=1 ;;
    mutations) scripts/mutations.sh && ok=1 ;;
    image) run_images && ok=1 ;;
    image-long) tests/image/reproducible.sh && tests/image/run.sh arm64 && ok=1 ;;
    trixie) scripts/build-in-trixie.sh && ok=1 ;;
    oracle-long) oracle_long && ok=1 ;;
  esac
  close "$1" $((SECONDS - started)) "$ok" $((1 - ok)) 0
}

build() {
  echo "== building: $*"
  scripts/build.sh "$@"
}

# What the tiers need, each thing once, before the first test runs.
case " $* " in *" unit "* | *" lint "* | *" integration "* | *" clients "* | *" chaos "* | *" oracle "* | *" oracle-long "* | *" kubernetes "* | *" chart "* | *" oldest "* | *" availability "* | *" removal "* | *" skew "*) build dev ;; *" image "* | *" image-long "*) build dev cloud-valkey-emulator ;; esac
case " $* " in *" integration "* | *" oracle-long "*)
  build release cloud-valkey-proxy bench_probe bench_clients ;;
esac
# Compiling the images needs no test, and most tests leave processors idle: both at once, the tests first.
build_images() {
  local part
  for part in ${CVP_IMAGES:-proxy operator}; do chrt --idle 0 scripts/image.sh "$part" amd64 || return 1; done
}
run_images() {
  wait "$images" || { tail -n 20 "$results/image-build.log" && return 1; }
  CVP_IMAGES_BUILT=1 tests/image/run.sh
}
case " $* " in *" image "*)
  build_images >"$results/image-build.log" 2>&1 &
  images=$!
  trap 'kill "$images" 2>/dev/null || true' EXIT ;;
esac
case " $* " in *" kubernetes "* | *" chart "* | *" availability "* | *" removal "*) tests/tools/build.sh >/dev/null ;; esac
case " $* " in *" clients "*) scripts/install-clients.sh >/dev/null ;; esac
case " $* " in *" oldest "*) tests/tools/build.sh kube-apiserver-1.30.4 kube-controller-manager etcd kubectl helm >/dev/null ;; esac
export CVP_RELEASE_DIR=$PWD/build/release

for tier in "$@"; do
  case "$tier" in
    unit | lint | integration | clients | chaos) ctest_tier "$tier" dev "$tier" "$(nproc)" ;;
    oracle | kubernetes | chart | availability | removal) ctest_tier "$tier" dev "$tier" 1 ;;
    tsan)
      build tsan unit_tests
      ctest_tier tsan tsan unit "$(nproc)" ;;
    skew)
      CVP_FROZEN_DIR=$(scripts/build-frozen.sh)
      export CVP_FROZEN_DIR
      ctest_tier skew dev skew 1 ;;
    oldest) CVP_KUBERNETES_VERSION=1.30.4 ctest_tier oldest dev "kubernetes|chart" 1 ;;
    checklist | fuzz | fuzz-long | mutations | image | image-long | trixie | oracle-long) script_tier "$tier" ;;
    *) echo "run-tests.sh: unknown tier '$tier'" >&2; exit 64 ;;
  esac
done

echo
printf '%s\n' "${summary[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
