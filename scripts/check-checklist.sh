#!/usr/bin/env bash
# Holds docs/kubernetes-checklist.md to what ran: check-checklist.sh RESULTS…
#
# RESULTS are JUnit files of ctest with GoogleTest's lines in them. Every test that the table names must be there as
# passed; a line is "proven" and names a test, "not applicable" and says why, or "open". Any fault makes it exit 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
table=docs/kubernetes-checklist.md

passed=$(mktemp)
trap 'rm -f "$passed"' EXIT
grep -ohE '\[       OK \] [A-Za-z0-9_/]+\.[A-Za-z0-9_/]+' "$@" | awk '{print $4}' | sort -u >"$passed"

awk -F ' *\\| *' -v passed="$passed" '
  function fault(what) { printf "%s: line %d: %s\n", FILENAME, FNR, what; faults++ }
  BEGIN { while ((getline name < passed) > 0) ok[name] = 1 }
  !/^\|/ || /^\|[-| ]+\|$/ || $2 == "line" { next }
  {
    state = $5; tests = $4; lines++; count[state]++
    if (NF != 6) { fault("a row has four columns: line, how, tests, state"); next }
    if (state != "proven" && state != "not applicable" && state != "open") fault("unknown state \"" state "\"")
    if (state == "not applicable" && length($3) < 20) fault("does not say why it is not applicable")
    named = 0
    while (match(tests, /`[A-Za-z0-9_\/]+\.[A-Za-z0-9_\/]+`/)) {
      name = substr(tests, RSTART + 1, RLENGTH - 2); tests = substr(tests, RSTART + RLENGTH); named++; total[name] = 1
      if (!(name in ok)) fault("the test " name " does not exist, did not run or did not pass")
    }
    if (state == "proven" && named == 0) fault("proven, and no test is named")
  }
  END {
    for (name in total) names++
    printf "checklist: %d lines, %d proven, %d not applicable, %d open; %d tests named\n",
      lines, count["proven"], count["not applicable"], count["open"], names
    if (lines == 0) { print FILENAME ": no table"; faults++ }
    exit faults > 0
  }' "$table"
