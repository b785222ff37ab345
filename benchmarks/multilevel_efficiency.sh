#!/usr/bin/env bash
# uq of several fidelities on two ranks, over one rank alone and over two runs side by side, which is what the machine can give: seconds of the
# same question, pilot included.  Rounds alternate, so that a machine that changes its speed changes all three; told are the ratios of every
# round and their medians.
#
#   benchmarks/multilevel_efficiency.sh DIR [ROUNDS=5] [COUNT=20000]      errors of so many solves
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=two_ranks.sh
source "$(dirname "${BASH_SOURCE[0]}")/two_ranks.sh"

if [ "$#" -lt 1 ] || [ "$#" -gt 3 ]; then fail "usage: benchmarks/multilevel_efficiency.sh DIR [ROUNDS] [COUNT]"; fi
rounds=${2:-5}
count=${3:-20000}
work_in "$1"

# ask CORES RANKS NAME
ask() {
  run_on "$@" uq electrode3d.yaml -uq_source multilevel -uq_tolerance_of means -uq_count "$count"
}

for ((round = 1; round <= rounds; round++)); do
  rm -rf "$work"/{one,two,a,b}
  ask 0-1 2 two
  ask 0-1 1 one
  ask 0 1 a & ask 1 1 b && wait $!
  awk '{ t[FNR == 1 ? ++n : n] = $1 } END { printf "%.3f %.3f %.2f\n", t[2] / (2 * t[1]), (t[3] + t[4]) / 2 / (2 * t[1]), t[2] }' \
    "$work/two.seconds" "$work/one.seconds" "$work/a.seconds" "$work/b.seconds" | tee -a "$work/ratios" |
    awk '{ print "efficiency of two ranks over one: " $1 "   over a pair of runs: " $2 "   (one: " $3 " s)" }'
done
medians "$work/ratios" 2 |
  awk -v n="$rounds" '{ printf "medians of %d: over one %.3f, over a pair of runs %.3f\n", n, $1, $2 }'
