#!/usr/bin/env bash
# Training on few dear solves, alone and with rows of a cheaper fidelity beside them, against held-out conditions of the deck's own PDE.
# Cases: grid, the showcase electrode with 4,096 solves on 128 cells, and 262,144 on 32; line, electrode3d.yaml with 1,024 solves in
# three dimensions, and 131,072 on the lateral means of the porosity; steps, article_transient.yaml with 2,046 integrations, and 98,208 of
# a hundred times the tolerance.  Writes WORK/few_dear.md; a quarter of an hour on two cores.  What is
# in WORK already is not made again.
#
#   benchmarks/few_dear.sh WORK [CASE...]      default: grid line steps
#   SCORIA_OPTIONS="-key value ..."            given to every command
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ]; then fail "usage: benchmarks/few_dear.sh WORK [grid] [line] [steps]"; fi
mkdir -p "$1"
work=$(realpath "$1")
shift
if [ "$#" -eq 0 ]; then set -- grid line steps; fi
ranks=${SCORIA_RANKS:-$(physical_cores)}
read -ra options <<<"${SCORIA_OPTIONS:-}"

# run DIR DECK OPTIONS...: data, model and verdict, each unless it is there
run() {
  local dir=$1 deck=$2
  shift 2
  mkdir -p "$dir"
  if [ -e "$dir/compare.json" ]; then return; fi
  for command in generate train compare; do
    mpirun -n "$ranks" "$SCORIA_BUILD/scoria" "$command" "$SCORIA_SOURCE/input/$deck" -run_dir "$dir" "$@" "${options[@]}" \
      >"$dir/$command.out" 2>&1 || fail "$command failed; see $dir/$command.out"
  done
}

# both CASE DECK FIDELITY CHEAP OPTIONS...
both() {
  local case=$1 deck=$2 fidelity=$3 cheap=$4
  shift 4
  run "$work/$case-alone" "$deck" "$@"
  run "$work/$case-cheap" "$deck" "$@" -ensemble_cheap_fidelity "$fidelity" -ensemble_cheap_realisations "$cheap"
  say "$case: done"
}

for case; do
  case $case in
  grid) both grid electrode.yaml grid:4 128 -ensemble_conditions 2048 -ensemble_realisations 2 -train_steps 5000 -train_batch 1024 \
    -train_micro_batches 8 -compare_conditions 8 -compare_count 10000 ;;
  line) both line electrode3d.yaml line 128 -ensemble_conditions 1024 -ensemble_realisations 1 ;;
  steps) both steps article_transient.yaml steps:100 48 -ensemble_conditions 2046 -ensemble_realisations 1 ;;
  *) fail "case: found $case, expected grid, line or steps" ;;
  esac
done

python3 - "$work" "$@" >"$work/few_dear.md" <<'PY'
import json, sys
work, cases = sys.argv[1], sys.argv[2:]
print("| case | rows | source | mean / SD | SD | bias of SD | W | W / floor |")
print("|---|---|---|---|---|---|---|---|")
for case in cases:
    for rows in ("alone", "cheap"):
        c = json.load(open(f"{work}/{case}-{rows}/compare.json"))["pooled"]
        for source in ("model", "gaussian", "floor"):
            m = c[source]
            print(f"| {case} | {'dear alone' if rows == 'alone' else 'with cheap'} | {source} | {m['mean_error']:.4f} | {100 * m['sd_error']:.1f} % "
                  f"| {100 * m['sd_bias']:+.1f} % | {m['sliced_w']:.4f} | {m['sliced_w'] / c['floor']['sliced_w']:.2f} |")
PY
cat "$work/few_dear.md"
