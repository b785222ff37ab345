#!/usr/bin/env bash
# Rows per second and rank of generate on two ranks, over those of one rank alone and of two runs side by side, which
# is what the machine can give.  Rounds alternate, so that a machine that changes its speed changes all three; told are
# the ratios of every round and their medians.  DIR chooses the file system: a disk, or /dev/shm for none.
#
#   benchmarks/efficiency.sh DIR [ROUNDS=9] [CONDITIONS=512]      conditions a rank, of 128 realisations
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=two_ranks.sh
source "$(dirname "${BASH_SOURCE[0]}")/two_ranks.sh"

if [ "$#" -lt 1 ] || [ "$#" -gt 3 ]; then fail "usage: benchmarks/efficiency.sh DIR [ROUNDS] [CONDITIONS]"; fi
rounds=${2:-9}
conditions=${3:-512}
work_in "$1"

# rows CORES RANKS NAME CONDITIONS
rows() {
  run_on "$1" "$2" "$3" generate electrode.yaml -ensemble_conditions "$4"
}

for ((round = 1; round <= rounds; round++)); do
  for what in two one pair; do
    rm -rf "$work/a" "$work/b"
    sync
    case $what in
      two) rows 0-1 2 a $((2 * conditions)) ;;
      one) rows 0-1 1 a "$conditions" ;;
      pair) rows 0 1 a "$conditions" & rows 1 1 b "$conditions" && wait $! ;;
    esac
    cp "$work/a.seconds" "$work/$what"
  done
  awk '{ t[FNR == 1 ? ++n : n] = $1 } END { printf "%.3f %.3f %.3f %.2f\n", t[2] / t[1], (t[3] + t[4]) / 2 / t[1], t[2] / ((t[3] + t[4]) / 2), t[2] }' \
    "$work/two" "$work/one" "$work/a.seconds" "$work/b.seconds" | tee -a "$work/ratios" |
    awk '{ print "two ranks over one: " $1 "   over a pair of runs: " $2 "   pair over one: " $3 "   (one: " $4 " s)" }'
done
medians "$work/ratios" 3 |
  awk -v n="$rounds" '{ printf "medians of %d: two ranks over one %.3f, over a pair of runs %.3f; pair over one %.3f\n", n, $1, $2, $3 }'
