#!/usr/bin/env bash
# Work of several fidelities against the tolerance, in two dimensions: the table of benchmarks/README.md and the exponent fitted to it.
#
#   benchmarks/multilevel_complexity.sh RUN_DIR [RANKS] [TOLERANCE...]      needs python3
#
# Work is counted from cells and iterations, from one answer each: with its pilot, whose size is fixed, and without.  Errors are those that
# were reached, in SDs of the quantity that is known worst.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ]; then fail "usage: benchmarks/multilevel_complexity.sh RUN_DIR [RANKS] [TOLERANCE...]"; fi
dir=$1 ranks=${2:-1}
shift $(($# < 2 ? $# : 2))
tolerances=("$@")
[ $# -gt 0 ] || tolerances=(0.008 0.004 0.002)
mkdir -p "$dir"
for tolerance in "${tolerances[@]}"; do
  rm -rf "${dir:?}/$tolerance"
  mpirun -n "$ranks" "$SCORIA_BUILD/scoria" uq "$SCORIA_SOURCE/input/electrode_wide.yaml" -ensemble_whole_fields false -ensemble_cells 16,32 -ensemble_lateral 1e-3 \
    -porosity_anisotropy 8 -uq_source multilevel -uq_count 1000000000 -uq_tolerance "$tolerance" -uq_tolerance_of means -run_dir "$dir/$tolerance" >"$dir/$tolerance.log"
done
python3 - "$dir" "${tolerances[@]}" <<'PY'
import json, math, sys
directory, tolerances = sys.argv[1], sys.argv[2:]
points = []
print("| tolerance | largest error of a mean [SD] | work [core s] | without the pilot | plain Monte Carlo | seconds |\n|---|---|---|---|---|---|")
for tolerance in tolerances:
    answer = json.load(open(f"{directory}/{tolerance}/uq.json"))
    level = answer["conditions"][0]["multilevel"]
    cost = [m["cost"] for m in level["fidelities"]]
    error = max(v["mean_se"] / v["sd"] for v in answer["conditions"][0]["quantities"].values())
    work, pilot = level["work"], level["pilot"] * sum(cost)
    points.append((math.log(error), math.log(work), math.log(work - pilot)))
    print(f"| {tolerance} | {error:.3g} | {work:.3g} | {work - pilot:.3g} | {(cost[0] + cost[-1]) / error**2:.3g} | {sum(answer['cost'].values()):.3g} |")
mean = [sum(p[i] for p in points) / len(points) for i in range(3)]
square = sum((p[0] - mean[0]) ** 2 for p in points)
slope = [sum((p[0] - mean[0]) * (p[i] - mean[i]) for p in points) / square for i in (1, 2)]
print(f"\nWork grows as the error to the power {slope[0]:.2f}, without the pilot {slope[1]:.2f}.")
PY
