#!/usr/bin/env bash
# Runs the README's commands as they are printed, one after another, as someone does who has just cloned this.
# Usage, in the root of a clone: infra/follow-readme.sh [--list] [--with-tests]     --list prints them and runs none
# They are the indented lines of the sections named below. What the README leaves to its reader goes by these rules:
#   serve        goes on to the end, as in a terminal of its own; what comes next waits until it answers
#   watch        is ended by Ctrl-C when there are clusters
#   --follow     is ended by Ctrl-C after five seconds
#   test         is left out without --with-tests: it takes half an hour
# Exits with 1 at the first command that fails, and when at the end no cluster has items and a name.
set -euo pipefail
sections=("Try it" "On your own images")
# By the name that the README gives to the dataset.
dataset=photos
# Where commands ask, and how long they may take, the building before the first of them included.
gateway=${SHOAL_SILO:-127.0.0.1:30000}
patience=1800

fail() { echo "FAILED: $1" >&2; exit 1; }

# commands SECTION: what is indented in it, outside of fences, which show output.
commands() {
  awk -v heading="## $1" '/^```/ { fence = !fence } !fence && /^# |^## / { inside = $0 == heading } inside && !fence && /^    [^ ]/ { print substr($0, 5) }' README.md \
    | grep . || fail "README.md has no commands under '## $1'"
}

# start COMMAND: in the background, and in a process group of its own, as a terminal does it: Ctrl-C goes to all of that.
set -m
# Where this script runs in the background, Ctrl-C may be ignored, and what it starts would be deaf to it.
start() { env --default-signal=INT bash -c "$1" < /dev/null & job=$!; }
interrupt() { kill -INT -- "-$1" 2> /dev/null || true; }

# finish COMMAND [HOW OK]: waits until it ends, which must be with 0 or OK.
finish() {
  local status=0
  wait "$job" || status=$?
  job=''
  [ $status = 0 ] || [ $status = "${3:-0}" ] || fail "$1 (exit code $status${2:-})"
}
end() { interrupt "$job"; finish "$1" " upon Ctrl-C" 130; }

# until_true COMMAND CHECK...: waits for a check while the command goes on.
until_true() {
  local what=$1 began=$SECONDS
  shift
  until "$@"; do
    kill -0 "$job" 2> /dev/null || fail "$what (it ended)"
    [ $((SECONDS - began)) -lt $patience ] || fail "$what ($* not true within $patience s)"
    sleep 0.2
  done
}

answers() { ./shoal status > /dev/null 2>&1; }
clusters() { ./shoal clusters "$dataset" --json 2> /dev/null | grep -qE "$1"; }

run() {
  case $1 in
    "./shoal serve"*)
      # Another silo would be told what is meant for this one.
      if (: < "/dev/tcp/${gateway/://}") 2> /dev/null; then fail "$1 (something listens at $gateway already)"; fi
      start "$1"
      server=$job
      until_true "$1" answers
      job='' ;;
    "./shoal watch"*)
      start "$1"
      until_true "$1" clusters '"count":[1-9]'
      end "$1" ;;
    *--follow*)
      start "$1"
      sleep 5
      kill -0 "$job" 2> /dev/null || fail "$1 (it ended)"
      end "$1" ;;
    *)
      start "$1"
      finish "$1" ;;
  esac
}

job='' server='' with_tests=false list=false
for argument in "$@"; do
  case $argument in
    --list) list=true ;;
    --with-tests) with_tests=true ;;
    *) echo "follow-readme.sh: unknown: $argument" >&2; exit 2 ;;
  esac
done
printed=$(for section in "${sections[@]}"; do commands "$section"; done)
if $list; then echo "$printed"; exit; fi

# Only process groups that were started here.
stop() {
  local group
  for group in $job $server; do interrupt "$group"; done
  wait
}
trap stop EXIT
while IFS= read -r command <&3; do
  if [ "$command" = "./shoal test" ] && ! $with_tests; then echo "== left out: $command"; continue; fi
  echo "== $command"
  began=$SECONDS
  run "$command"
  echo "== ok ($((SECONDS - began)) s)"
done 3<<< "$printed"
clusters '"name":"[^"]+","count":[1-9]' || fail "no cluster of $dataset has items and a name"
echo "Every command of the README did what it says, in $SECONDS s; a cluster has items and a name."
