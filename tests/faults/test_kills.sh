#!/usr/bin/env bash
# Killed at its steps, one rank or the whole job, a command leaves nothing that looks finished and is not, and ends in the same bytes when it is
# started again.  Every FAULT_STRIDE-th step, from another one on each time (1: all of them).
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
stride=${FAULT_STRIDE:-59}
commands=${FAULT_COMMANDS:-generate train sample uq compare}
fault_deck "$deck"
make_reference generate train sample uq compare

kills=0
# kill_at COMMAND RANK KIND ACTION: at every stride-th call of that kind, in a run on two ranks; started again on 1, 2 or 3.
kill_at() {
  local command=$1 rank=$2 kind=$3 action=$4 at what
  count_calls "$command" 2 "$rank" "$kind"
  first=$(((first + 23) % stride))
  for ((at = 1 + first; at <= number; at += stride)); do
    what="$command, $action of rank $rank at call $at of $number ($kind)"
    prepare "$work/run" "$command"
    injected 2 "SCORIA_FAULT_RANK=$rank SCORIA_FAULT_KIND=$kind SCORIA_FAULT_AT=$at SCORIA_FAULT_DO=$action" "$command" "$work/run"
    [ "$code" -ne 0 ] || fail "$what: exit 0"
    wait_free "$work/run"
    right "$work/run" "$command" "$what"
    again $((at % 3 + 1)) "$command" "$work/run" "$what"
    kills=$((kills + 1))
  done
}

first=${FAULT_FIRST:-0}
for command in $commands; do
  kill_at "$command" 0 any kill
  kill_at "$command" 0 write torn
  kill_at "$command" 1 any kill
  kill_at "$command" 0 any job
done
echo "$kills kills"
[ "$kills" -gt 0 ] || fail "nothing was killed"
finish
