#!/usr/bin/env bash
# A disk that is full, ends in errors, loses halves of writes or turns bits: exit 4 and one line that names a file, nothing wrong that looks
# finished, and the right bytes from the next start.  Every FAULT_STRIDE-th step, from another one on each time (1: all of them).
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
stride=${FAULT_STRIDE:-127}
commands=${FAULT_COMMANDS:-generate train sample uq compare}
fault_deck "$deck"
make_reference generate train sample uq compare

errors=0 told=0 first=${FAULT_FIRST:-0}
# One line of the program's own that names a file of the run directory, and no trace of a library's.
clear_line() { # DIR WHAT
  if [ "$(grep -c '^scoria: ' "$work/err")" -ne 1 ] || ! grep -q "^scoria: .*$1" "$work/err" || grep -q 'PETSC ERROR\|Segmentation\|HDF5-DIAG\|signal' "$work/err"; then
    fail "$2: expected one line that names the file"
    cat "$work/out" "$work/err" >&2
  fi
}

# After a bit was turned on its way to the disk, where the program had written it well: whole, or refused with a line.
again_or_refused() { # COMMAND WHAT
  local got=0
  wait_free "$work/run"
  scoria 2 "$1" "$deck" -run_dir "$work/run" </dev/null >"$work/out" 2>"$work/err" || got=$?
  right "$work/run" "$1" "$2"
  case $got in
    0) ;;
    3 | 4) clear_line "$work/run" "$2, then" ;;
    *) fail "$2: exit $got at the next start" ;;
  esac
}

# error_at COMMAND RANK KIND ACTION: exit 4 with its line, or, where the program does not depend on the call, the right end.
error_at() {
  local command=$1 rank=$2 kind=$3 action=$4 at what
  count_calls "$command" 2 "$rank" "$kind"
  first=$(((first + 23) % stride))
  for ((at = 1 + first; at <= number; at += stride)); do
    what="$command, $action for rank $rank at call $at of $number ($kind)"
    prepare "$work/run" "$command"
    injected 2 "SCORIA_FAULT_RANK=$rank SCORIA_FAULT_KIND=$kind SCORIA_FAULT_AT=$at SCORIA_FAULT_DO=$action" "$command" "$work/run"
    first_code=$code
    case $code in
      0) [ -e "$work/run/$(result_of "$command")" ] || fail "$what: exit 0 without a result" ;;
      4) clear_line "$work/run" "$what" ;;
      *) fail "$what: exit $code" && cat "$work/out" "$work/err" >&2 ;;
    esac
    right "$work/run" "$command" "$what"
    if [ "$action" = flip ]; then again_or_refused "$command" "$what"; else again $((at % 3 + 1)) "$command" "$work/run" "$what"; fi
    errors=$((errors + 1))
    [ "$first_code" -ne 4 ] || told=$((told + 1))
  done
}

for command in $commands; do
  for action in ENOSPC+ EIO EFBIG+; do error_at "$command" 0 any "$action"; done
  for action in ENOSPC short flip; do error_at "$command" 0 write "$action"; done
  error_at "$command" 0 write ENOSPC+
  error_at "$command" 1 any EIO
done
# Every open of the other rank alone: its own, and the one within MPI, from which only the limit on time leads back.
stride=1
error_at generate 1 open EIO
echo "$errors faults, $told of them told"
[ "$told" -gt 0 ] || fail "no fault was told"
finish
