#!/usr/bin/env bash
# uq of several fidelities on two ranks, over one rank alone and over two runs side by side, which is what the machine can give: seconds of the
# same question, pilot included.  Rounds alternate, so that a machine that changes its speed changes all three; told are the ratios of every
# round and their medians.
#
#   benchmarks/multilevel_efficiency.sh DIR [ROUNDS=5] [COUNT=20000]      errors of so many solves
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ] || [ "$#" -gt 3 ]; then fail "usage: benchmarks/multilevel_efficiency.sh DIR [ROUNDS] [COUNT]"; fi
rounds=${2:-5}
count=${3:-20000}
mkdir -p "$1"
work=$(mktemp -d "$1/multilevel_efficiency.XXXXXX")
trap 'rm -rf "$work"' EXIT

# ask RANKS NAME [CORE]: the seconds that the answer took, into NAME.seconds.
ask() {
  mpirun --bind-to core --cpu-set "${3:-0-1}" -n "$1" "$SCORIA_BUILD/scoria" uq "$SCORIA_SOURCE/input/electrode3d.yaml" -uq_source multilevel -uq_tolerance_of means \
    -uq_count "$count" -run_dir "$work/$2" </dev/null >"$work/$2.out" 2>&1 || { cat "$work/$2.out" >&2 && fail "uq failed"; }
  sed -n 's/.*"event":"progress".*"seconds":\([0-9.]*\).*/\1/p' "$work/$2/log.jsonl" | tail -1 >"$work/$2.seconds"
}

median() {
  sort -n | awk '{ x[NR] = $1 } END { print (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2 }'
}

for ((round = 1; round <= rounds; round++)); do
  rm -rf "$work"/{one,two,a,b}
  ask 2 two
  ask 1 one
  ask 1 a 0 & ask 1 b 1 && wait $!
  awk '{ t[FNR == 1 ? ++n : n] = $1 } END { printf "%.3f %.3f %.2f\n", t[2] / (2 * t[1]), (t[3] + t[4]) / 2 / (2 * t[1]), t[2] }' \
    "$work/two.seconds" "$work/one.seconds" "$work/a.seconds" "$work/b.seconds" | tee -a "$work/ratios" |
    awk '{ print "efficiency of two ranks over one: " $1 "   over a pair of runs: " $2 "   (one: " $3 " s)" }'
done
for column in 1 2; do awk -v c=$column '{ print $c }' "$work/ratios" | median; done | paste -s -d ' ' |
  awk -v n="$rounds" '{ printf "medians of %d: over one %.3f, over a pair of runs %.3f\n", n, $1, $2 }'
