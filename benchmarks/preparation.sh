#!/usr/bin/env bash
# What comes before the first step of a training, by the number of ranks: seconds and rows per second for the normaliser
# and the whitening of all rows, speed-up over the first number of ranks, largest peak memory of a rank.  A second table
# tells the same with rows read again in every pass (run_memory 0), a third with a normaliser that an earlier start has
# kept.  DIR gets a dataset of input/electrode.yaml (1.6 GB for 8192 conditions), which is made once and found again.
#
#   benchmarks/preparation.sh DIR [CONDITIONS=8192] [RANKS ...=1 2]        conditions of 128 realisations
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

[ "$#" -ge 1 ] || fail "usage: benchmarks/preparation.sh DIR [CONDITIONS] [RANKS ...]"
dir=$1
conditions=${2:-8192}
ranks=(1 2)
[ "$#" -le 2 ] || ranks=("${@:3}")
deck=$SCORIA_SOURCE/input/electrode.yaml
size=(-ensemble_conditions "$conditions")
run=$dir/prepare-$conditions
mkdir -p "$run"
[ -e "$run/dataset.h5" ] || mpirun "$SCORIA_BUILD/scoria" generate "$deck" -run_dir "$run" "${size[@]}" </dev/null

# measure RANKS ARGUMENTS ...: one start; its line of the table.  The model goes, the normaliser stays where it is kept.
measure() {
  local n=$1
  shift
  rm -f "$run/model.h5" "$run"/train.ckpt*
  mpirun -n "$n" "$SCORIA_BUILD/scoria" train "$deck" -run_dir "$run" "${size[@]}" -train_steps 1 "$@" </dev/null >"$run/out" 2>&1 ||
    { cat "$run/out" >&2 && fail "train failed"; }
  grep '"event":"whitened"' "$run/log.jsonl" | tail -1 |
    sed 's/.*"rows":\([0-9]*\),"validation_rows":\([0-9]*\).*"seconds":\([0-9.]*\),"peak_memory_MB":\([0-9]*\).*/\1 \2 \3 \4/' |
    awk -v n="$n" -v first="${ranks[0]}" -v base="$run/base" '{
      if (n == first) print $3 * n > base; else getline whole < base
      if (n == first) whole = $3 * n
      printf "%6d %9.2f %12.0f %9.2f %12.0f\n", n, $3, ($1 + $2) / $3, whole / $3 / first, $4 }'
}

table() { # TITLE ARGUMENTS ...
  echo "$1"
  shift
  echo " ranks   seconds       rows/s  speed-up  MB a rank"
  for n in "${ranks[@]}"; do measure "$n" "$@"; done
}

table "rows held in memory" -run_memory 1000
table "rows read again in every pass" -run_memory 0
# A start that is stopped when its normaliser is kept, however long that takes: the measured ones then only whiten.
rm -f "$run/model.h5" "$run"/*.ckpt*
SCORIA_GRACE_SECONDS=1e9 mpirun -n "${ranks[0]}" "$SCORIA_BUILD/scoria" train "$deck" -run_dir "$run" "${size[@]}" -run_max_hours 1e-9 </dev/null >"$run/out" 2>&1 || true
[ -e "$run/normaliser.ckpt" ] || { cat "$run/out" >&2 && fail "no normaliser was kept"; }
cp "$run/normaliser.ckpt" "$run/kept"
echo "with the normaliser of an earlier start"
echo " ranks   seconds       rows/s  speed-up  MB a rank"
for n in "${ranks[@]}"; do
  cp "$run/kept" "$run/normaliser.ckpt"
  measure "$n"
done
rm -f "$run/model.h5" "$run/kept" "$run/base" "$run/out" "$run"/*.ckpt*
