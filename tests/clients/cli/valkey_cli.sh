#!/usr/bin/env bash
# The scenario by valkey-cli: commands from its standard input, mass insertion, scripts, subscribers, and many of it at
# once. Prints a transcript; the same server must bring about the same one, whatever stands between.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/valkey-cli.XXXXXX")
trap 'rm -rf "$dir"; kill $(jobs -p) 2>/dev/null || true' EXIT
[ -z "${CVP_PASSWORD:-}" ] || export REDISCLI_AUTH=$CVP_PASSWORD
cli=(valkey-cli -h "$CVP_HOST" -p "$CVP_PORT" ${CVP_PROTOCOL:+"-$CVP_PROTOCOL"})

section() { echo "# $*"; }
# say TITLE: what it reads is the result, on one line. No program is started for it: there are hundreds.
say() {
  local line text=""
  while IFS= read -r line || [ -n "$line" ]; do text+=${text:+ | }$line; done
  [ ${#text} -le 2000 ] || text="<${#text} bytes>"
  printf '%s -> %s\n' "$1" "$text"
}
# run WORD…: a valkey-cli of its own for one command.
run() { "${cli[@]}" --no-raw "$@" 2>&1 | say "$*"; }

ask_test() {
  echo "@$1"
  local answer
  read -r answer
  [ "$answer" = done ] || { echo "the test answered '$answer' to '$1'"; exit 1; }
}

# open NAME: a valkey-cli that lives on, fed by a pipe. `tell NAME WORD…` has it run a command.
declare -A to from
open() {
  mkfifo "$dir/$1.in" "$dir/$1.out"
  "${cli[@]}" --no-raw "${@:2}" <"$dir/$1.in" >"$dir/$1.out" 2>&1 &
  exec {to_fd}>"$dir/$1.in" {from_fd}<"$dir/$1.out"
  to[$1]=$to_fd from[$1]=$from_fd
}
close() {
  exec {to[$1]}>&- {from[$1]}<&-
  rm "$dir/$1.in" "$dir/$1.out"
}
number=0
reply_of() {  # NAME: up to the answer of an ECHO that follows the command
  local line end="\"end-$number\""
  while read -r -t 20 -u "${from[$1]}" line; do
    [ "$line" != "$end" ] || return 0
    echo "$line"
  done
  echo "never answered"
}
tell() {
  number=$((number + 1))
  printf '%s\nECHO end-%s\n' "${*:2}" "$number" >&"${to[$1]}"
  say "${*:2}" < <(reply_of "$1")
}

section commands
open main
while read -r line; do
  case "$line" in "" | "#"*) continue ;; esac
  command=$line
  if [[ $line =~ @([0-9]+) ]]; then command=${line/${BASH_REMATCH[0]}/$(printf 'x%.0s' $(seq "${BASH_REMATCH[1]}"))}; fi
  number=$((number + 1))
  printf '%s\nECHO end-%s\n' "$command" "$number" >&"${to[main]}"
  say "$line" < <(reply_of main)
done <"$here/commands.txt"
"${cli[@]}" CLIENT INFO | grep -o 'resp=[23]' | say RESP

section pipelines
for i in $(seq 5000); do
  printf '*3\r\n$5\r\nRPUSH\r\n$9\r\npipe:list\r\n$4\r\n%04d\r\n' "$((i % 10000))"
done >"$dir/mass"
"${cli[@]}" --pipe <"$dir/mass" 2>&1 | say "--pipe"
run LLEN pipe:list
"${cli[@]}" LRANGE pipe:list 0 -1 | md5sum | say "LRANGE pipe:list, its hash"
"${cli[@]}" -r 20 INCR pipe:n | say "-r 20 INCR"
printf 'binary \x00\x01\r\n\xff' | "${cli[@]}" -x SET pipe:binary | say "-x SET"
"${cli[@]}" GET pipe:binary | od -An -tx1 | say "GET, its bytes"
"${cli[@]}" --json ZRANGE z:c 0 -1 WITHSCORES | say "--json"
"${cli[@]}" --csv LRANGE pipe:list 0 3 | say "--csv"
"${cli[@]}" --scan --pattern 'pipe:*' | sort | say "--scan"

section transactions
open other
# tell_all NAME LINE…: several commands, and all of their replies.
tell_all() {
  local name=$1
  shift
  number=$((number + 1))
  { printf '%s\n' "$@"; echo "ECHO end-$number"; } >&"${to[$name]}"
  reply_of "$name" | say "$(printf '%s; ' "$@")"
}
tell_all main MULTI "SET tx:a 1" "INCR tx:a" "LRANGE tx:none 0 -1" "GET tx:a" EXEC
tell_all main MULTI "INCR tx:a" "LPUSH tx:a 1" EXEC
tell_all main MULTI GET "INCR tx:a" EXEC
tell_all main MULTI "SET tx:a 9" DISCARD "GET tx:a"
tell main WATCH tx:w
tell other SET tx:w another
tell_all main MULTI "SET tx:w mine" EXEC
tell main WATCH tx:w
tell_all main MULTI "SET tx:w mine" EXEC
tell main WATCH tx:w
tell other SET tx:w changed
tell main UNWATCH
tell_all main MULTI "GET tx:w" EXEC

section scripts
echo 'return {KEYS[1], ARGV[1], redis.call("INCRBY", KEYS[1], 3)}' >"$dir/script.lua"
"${cli[@]}" --eval "$dir/script.lua" sc:n , arg | say "--eval"
run EVAL "return redis.error_reply('MY own error')" 0
digest=$("${cli[@]}" SCRIPT LOAD "return redis.call('INCRBY', KEYS[1], ARGV[1])")
for i in $(seq 10); do tell main EVALSHA "$digest" 1 sc:n "$i"; done
run SCRIPT EXISTS "$digest" 0000000000000000000000000000000000000000
run SCRIPT FLUSH
run EVALSHA "$digest" 1 sc:n 1
printf '#!lua name=mine\nserver.register_function("twice", function(keys, args) return args[1] * 2 end)' |
  "${cli[@]}" -x FUNCTION LOAD REPLACE | say "FUNCTION LOAD"
run FCALL twice 0 21

section pub/sub
# subscribe FILE WORD…: a subscriber in the background; it is there when the server counts it.
subscribe() {
  : >"$dir/$1"  # there before anybody looks
  "${cli[@]}" --csv "${@:2}" >"$dir/$1" 2>&1 </dev/null &
  subscriber=$!
}
until_lines() {  # FILE COUNT PATTERN
  for _ in $(seq 2000); do
    [ "$(grep -c "$3" "$dir/$1")" -lt "$2" ] || return 0
    read -r -t 0.005 <> <(:) || true
  done
  echo "never $2 times '$3' in $(cat "$dir/$1")"
}
subscribe news SUBSCRIBE news other
until_lines news 2 '"subscribe"'
for i in $(seq 20); do tell main PUBLISH news "$i"; done
until_lines news 20 '"message"'
say received <"$dir/news"
ask_test "drop pubsub"
wait "$subscriber" 2>/dev/null || true
how='s/: Connection reset by peer\|: Server closed the connection//'  # are the system's words
tail -n 1 "$dir/news" | sed "$how" | say "what a subscriber says when it is cut"
subscribe pattern PSUBSCRIBE 'n*'
until_lines pattern 1 '"psubscribe"'
for i in $(seq 10); do tell main PUBLISH news "$i"; done
until_lines pattern 10 '"pmessage"'
say received <"$dir/pattern"
kill "$subscriber"

section streams
for i in $(seq 20); do tell main XADD st:s "$i-1" n "$i"; done
for line in "XADD st:s 5-1 n 0" "XLEN st:s" "XRANGE st:s 3-0 6-0" "XREVRANGE st:s + - COUNT 2" \
  "XREAD COUNT 10 STREAMS st:s 17-1" "XGROUP CREATE st:s workers 0" "XGROUP CREATE st:s workers 0" \
  "XREADGROUP GROUP workers ann COUNT 4 STREAMS st:s >" "XREADGROUP GROUP workers bob COUNT 4 STREAMS st:s >" \
  "XACK st:s workers 1-1 2-1 5-1 99-1" "XPENDING st:s workers" "XCLAIM st:s workers cleo 0 3-1 4-1" \
  "XAUTOCLAIM st:s workers dan 0 0-0 COUNT 2" "XREADGROUP GROUP workers cleo STREAMS st:s 0" "XDEL st:s 20-1" \
  "XTRIM st:s MAXLEN 10"; do
  tell main "$line"
done

section blocking
tell main BLPOP bl:none 0.05
tell main BZPOPMIN bl:none 0.05
for i in $(seq 10); do
  "${cli[@]}" BLPOP bl:job 10 >"$dir/job" 2>&1 </dev/null &
  consumer=$!
  ask_test "blocked 1"
  tell main RPUSH bl:job "$i"
  wait "$consumer"
  say BLPOP <"$dir/job"
done
tell main LLEN bl:job

section pool
waiting=()
for i in $(seq 20); do
  "${cli[@]}" BLPOP pl:a 10 >"$dir/pool-$i" 2>&1 </dev/null &
  waiting+=($!)
done
ask_test "blocked 20"
tell main RPUSH pl:a 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
wait "${waiting[@]}"
cat "$dir"/pool-* | say "20 waiting"

section reconnects
open two -n 2
# heal NAME: valkey-cli says once that its connection was cut, then connects anew; the proxy may hide the cut of an idle
# connection, so that is no part of the transcript.
heal() {
  local reply
  for _ in 1 2 3; do
    number=$((number + 1))
    printf 'PING\nECHO end-%s\n' "$number" >&"${to[$1]}"
    reply=$(reply_of "$1")
    [ "$reply" != PONG ] || return 0
  done
  echo "$1 does not connect again: $reply"
}
tell two SET re:two two
for _ in 1 2 3 4 5; do
  tell main INCR re:n
  ask_test "drop normal"
  heal main
  tell main GET re:n
done
heal two
tell two SELECT 2
tell two GET re:two
"${cli[@]}" BLPOP re:job 10 >"$dir/job" 2>&1 </dev/null &
consumer=$!
ask_test "blocked 1"
ask_test "drop normal"
wait "$consumer" || true
sed "$how" "$dir/job" | say "BLPOP that was cut"
heal main
tell main RPUSH re:job job
tell main LLEN re:job
ask_test restart
heal main
heal two
tell two SELECT 2
tell main GET re:n
tell two GET re:two
for _ in $(seq 20); do tell main INCR re:n; done
close two
close other
close main
section end
