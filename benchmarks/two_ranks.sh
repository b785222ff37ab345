# shellcheck shell=bash
# What comparisons of two ranks with one, and with two runs side by side, share.  Sourced, not run.

# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

# work_in DIR: a directory in DIR, $work, that goes with the script.
work_in() {
  mkdir -p "$1"
  work=$(mktemp -d "$1/$(basename "$0" .sh).XXXXXX")
  trap 'rm -rf "$work"' EXIT
}

# run_on CORES RANKS NAME COMMAND DECK [-key value ...]: the seconds that its progress tells, into $work/NAME.seconds.  Ranks are bound to
# cores, as mpirun does by itself; a run that is to have another core than the first says which.
run_on() {
  local out=$work/$3.out
  mpirun --bind-to core --cpu-set "$1" -n "$2" "$SCORIA_BUILD/scoria" "$4" "$SCORIA_SOURCE/input/$5" -run_dir "$work/$3" "${@:6}" \
    </dev/null >"$out" 2>&1 || { cat "$out" >&2 && fail "$4 failed"; }
  sed -n 's/.*"event":"progress".*"seconds":\([0-9.]*\).*/\1/p' "$work/$3/log.jsonl" | tail -1 >"$work/$3.seconds"
}

# medians FILE COLUMNS: the median of each of the first columns, on one line.
medians() {
  for ((column = 1; column <= $2; column++)); do
    awk -v c="$column" '{ print $c }' "$1" | sort -n | awk '{ x[NR] = $1 } END { print (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2 }'
  done | paste -s -d ' '
}
