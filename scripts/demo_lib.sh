# What scripts/demo.sh is written with: steps with a tick and a time, processes that end with the demo, waits with a
# deadline. Sourced, not run. Needs $demo (the demo's directory).

logs=$demo/log
declare -a started=()
step_log=""

bold() { if [ -t 1 ]; then printf '\033[1m%s\033[0m' "$1"; else printf '%s' "$1"; fi; }

title() { printf '\n%s\n' "$(bold "$1")"; clock=$EPOCHREALTIME; }

# tick TEXT: this step held; prints the time since the one before.
tick() {
    local now=$EPOCHREALTIME
    local micros=$((${now/./} - ${clock/./}))
    printf '  ✓ %-88s %4d.%02d s\n' "$1" $((micros / 1000000)) $((micros % 1000000 / 10000))
    clock=$EPOCHREALTIME
}

note() { printf '    %s\n' "$1"; }

# fail TEXT [LOG]: prints why, the log's path and its last lines, and ends the demo.
fail() {
    local log=${2:-$step_log}
    printf '  ✗ %s\n' "$1" >&2
    if [ -n "$log" ] && [ -s "$log" ]; then
        printf '    log: %s, its last lines:\n' "$log" >&2
        tail -n 12 "$log" | sed 's/^/      /' >&2
    fi
    exit 1
}

# expect WHAT ACTUAL WANTED: exact comparison.
expect() { [ "$2" = "$3" ] || fail "$1: got '$2', want '$3'"; }

# run NAME COMMAND…: a command whose output goes to a log and whose failure ends the demo.
run() {
    local name=$1
    shift
    step_log=$logs/$name.log
    "$@" >"$step_log" 2>&1 8>&- || fail "$name failed ($*)"
}

# start NAME COMMAND…: a process that lives until the demo ends.
start() {
    local name=$1
    shift
    step_log=$logs/$name.log
    "$@" >"$step_log" 2>&1 </dev/null 8>&- &
    started+=($!)
    printf -v "pid_${name//-/_}" '%s' $!
}

# stop_started: ends what start() started, last first, by pid. After SIGTERM the operator answers admissions for 10 s
# more, as a rollout needs it; a second one ends it at once.
stop_started() {
    local i pid try
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do
        pid=${started[i]}
        kill -TERM "$pid" 2>/dev/null || continue
        for try in $(seq 200); do
            kill -0 "$pid" 2>/dev/null || continue 2
            [ "$try" != 20 ] || kill -TERM "$pid" 2>/dev/null || true
            sleep 0.05
        done
        kill -KILL "$pid" 2>/dev/null || true
    done
    started=()
    wait 2>/dev/null || true
}

# until_true SECONDS WHAT COMMAND…: repeats a quick check until it holds.
until_true() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$what did not happen in time"
        sleep 0.05
    done
}
