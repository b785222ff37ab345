#!/usr/bin/env bash
# Accuracy by the number of training rows: the showcase electrode with 125 conditions and few realisations at each, against 8 held-out
# conditions of 10,000 PDE fields.  Model, Gaussian part alone, and floor, with the validation losses by which the two are told apart.
# Writes WORK/few_rows.md; some fifteen minutes on two cores.  A size that is already in WORK is not made again.
#
#   benchmarks/few_rows.sh WORK [ROWS...]      default: 200 500 2000 8000 16384 65536 8x64 13x16
#                                              13x16: 13 conditions of 16 rows each
#   SCORIA_OPTIONS="-key value ..."            given to every command
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ]; then fail "usage: benchmarks/few_rows.sh WORK [ROWS...]"; fi
mkdir -p "$1"
work=$(realpath "$1")
shift
if [ "$#" -eq 0 ]; then set -- 200 500 2000 8000 16384 65536 8x64 13x16; fi
ranks=${SCORIA_RANKS:-$(physical_cores)}
read -ra options <<<"${SCORIA_OPTIONS:-}"
common=(-train_steps 2000 -train_batch 1024 -train_micro_batches 8 -compare_conditions 8 -compare_count 10000)

# one ROWS
one() {
  local dir=$work/rows$1 realisations conditions
  if [[ "$1" == *x* ]]; then
    conditions=${1%x*} realisations=${1#*x}
  else
    realisations=$(($1 >= 125 ? $1 / 125 : 1))
    conditions=$(($1 / realisations))
  fi
  mkdir -p "$dir"
  if [ ! -e "$dir/compare.json" ]; then
    for command in generate train compare; do
      mpirun -n "$ranks" "$SCORIA_BUILD/scoria" "$command" "$SCORIA_SOURCE/input/electrode.yaml" -run_dir "$dir" \
        -ensemble_realisations "$realisations" -ensemble_conditions "$conditions" "${common[@]}" "${options[@]}" \
        >"$dir/$command.out" 2>&1 || fail "$command failed; see $dir/$command.out"
    done
  fi
  say "$1 rows: done"
}

for rows; do one "$rows"; done
python3 - "$work" "$@" >"$work/few_rows.md" <<'PY'
import json, sys
work, sizes = sys.argv[1], sys.argv[2:]
print("| rows | source | mean / SD | SD | bias of SD | W | W / floor | validation loss | steps |")
print("|---|---|---|---|---|---|---|---|---|")
for rows in sizes:
    c = json.load(open(f"{work}/rows{rows}/compare.json"))["pooled"]
    with open(f"{work}/rows{rows}/train.jsonl") as f:
        lines = [json.loads(line) for line in f]
    kept = next(line for line in lines if "kept_step" in line)
    loss = {"model": kept["kept_validation"], "gaussian": kept["kept_baseline"]}
    adopted = "" if kept["adopted"] == "network" else ", not adopted"
    steps = {"model": f"{kept['kept_step']} of {kept['step']}{adopted}"}
    for source in ("model", "gaussian", "floor"):
        m = c[source]
        print(f"| {rows} | {source} | {m['mean_error']:.4f} | {100 * m['sd_error']:.1f} % | {100 * m['sd_bias']:+.1f} % "
              f"| {m['sliced_w']:.4f} | {m['sliced_w'] / c['floor']['sliced_w']:.2f} | {loss.get(source, float('nan')):.4f} | {steps.get(source, '')} |".replace("nan", "-"))
PY
cat "$work/few_rows.md"
