#!/usr/bin/env bash
# Work of several fidelities against plain Monte Carlo at equal error of the means, counted and measured: the table of benchmarks/README.md.
#
#   benchmarks/multilevel.sh RUN_DIR [RANKS] [COUNT]      needs python3
#
# Measured is the time of COUNT solves, from that of 200 of them, over that of uq -uq_source multilevel with their errors, pilot and start
# included; per quantity it is scaled by the squared ratio of the error that COUNT solves would have and that which was reached.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ]; then fail "usage: benchmarks/multilevel.sh RUN_DIR [RANKS] [COUNT]"; fi
dir=$1 ranks=${2:-1} count=${3:-20000}
mkdir -p "$dir"
measure() { # NAME OPTION...
  local name=$1
  shift
  for part in plain multilevel; do
    local ask=(-uq_source multilevel -uq_tolerance_of means -uq_count "$count")
    [ "$part" = plain ] && ask=(-uq_source pde -uq_count 200)
    rm -rf "${dir:?}/$name.$part"
    mpirun -n "$ranks" "$SCORIA_BUILD/scoria" uq "$SCORIA_SOURCE/input/electrode3d.yaml" "$@" "${ask[@]}" -run_dir "$dir/$name.$part" >"$dir/$name.$part.log"
  done
  python3 - "$dir" "$name" "$count" <<'PY'
import json, sys
directory, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
plain, many = (json.load(open(f"{directory}/{name}.{part}/uq.json")) for part in ("plain", "multilevel"))
one = plain["cost"]["core_seconds_drawing"] / plain["conditions"][0]["samples"]
spent = sum(many["cost"].values())
condition = many["conditions"][0]
for quantity, values in condition["quantities"].items():
    solves = (values["sd"] / values["mean_se"]) ** 2
    gain = condition["multilevel"]["quantities"][quantity]["gain"]
    print(f"| {name} | `{quantity}` | {solves:.0f} | {solves * one:.3g} | {spent:.3g} | {solves * one / spent:.0f} | {gain:.0f} |")
PY
}
echo "| deck | mean of | solves of the same error | these [core s] | multilevel [core s] | measured gain | counted gain |"
echo "|---|---|---|---|---|---|---|"
measure electrode3d
count=$((count / 4)) # its solves take three times as long
measure wide -ensemble_cells 16,32,32 -ensemble_lateral 1e-3,1e-3 -porosity_anisotropy 8,8
