#!/usr/bin/env bash
# Rows per second and rank of generate on two ranks, over those of one rank alone and of two runs side by side, which
# is what the machine can give.  Rounds alternate, so that a machine that changes its speed changes all three; told are
# the ratios of every round and their medians.  DIR chooses the file system: a disk, or /dev/shm for none.
#
#   benchmarks/efficiency.sh DIR [ROUNDS=9] [CONDITIONS=512]      conditions a rank, of 128 realisations
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ] || [ "$#" -gt 3 ]; then fail "usage: benchmarks/efficiency.sh DIR [ROUNDS] [CONDITIONS]"; fi
rounds=${2:-9}
conditions=${3:-512}
mkdir -p "$1"
work=$(mktemp -d "$1/efficiency.XXXXXX")
trap 'rm -rf "$work"' EXIT

# generate RANKS NAME CONDITIONS [CORE]: the seconds that its rows took, into NAME.seconds.  Ranks are bound to cores, as
# mpirun does by itself; a run that is to have another core than the first says which.
generate() {
  mpirun --bind-to core --cpu-set "${4:-0-1}" -n "$1" "$SCORIA_BUILD/scoria" generate "$SCORIA_SOURCE/input/electrode.yaml" -run_dir "$work/$2" \
    -ensemble_conditions "$3" </dev/null >"$work/$2.out" 2>&1 || { cat "$work/$2.out" >&2 && fail "generate failed"; }
  sed -n 's/.*"event":"progress".*"seconds":\([0-9.]*\).*/\1/p' "$work/$2/log.jsonl" | tail -1 >"$work/$2.seconds"
}

median() {
  sort -n | awk '{ x[NR] = $1 } END { print (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2 }'
}

for ((round = 1; round <= rounds; round++)); do
  for what in two one pair; do
    rm -rf "$work/a" "$work/b"
    sync
    case $what in
      two) generate 2 a $((2 * conditions)) ;;
      one) generate 1 a "$conditions" ;;
      pair) generate 1 a "$conditions" 0 & generate 1 b "$conditions" 1 && wait $! ;;
    esac
    cp "$work/a.seconds" "$work/$what"
  done
  awk '{ t[FNR == 1 ? ++n : n] = $1 } END { printf "%.3f %.3f %.3f %.2f\n", t[2] / t[1], (t[3] + t[4]) / 2 / t[1], t[2] / ((t[3] + t[4]) / 2), t[2] }' \
    "$work/two" "$work/one" "$work/a.seconds" "$work/b.seconds" | tee -a "$work/ratios" |
    awk '{ print "two ranks over one: " $1 "   over a pair of runs: " $2 "   pair over one: " $3 "   (one: " $4 " s)" }'
done
for column in 1 2 3; do awk -v c=$column '{ print $c }' "$work/ratios" | median; done | paste -s -d ' ' |
  awk -v n="$rounds" '{ printf "medians of %d: two ranks over one %.3f, over a pair of runs %.3f; pair over one %.3f\n", n, $1, $2, $3 }'
