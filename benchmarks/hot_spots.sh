#!/usr/bin/env bash
# Hot spots of whole fields by several fidelities: gains in means, SDs and quantiles over plain Monte Carlo, the table of benchmarks/README.md.
#
#   benchmarks/hot_spots.sh RUN_DIR [RANKS] [COUNT]      needs python3 with h5py
#
# A gain is the squared ratio of the standard errors of plain Monte Carlo, scaled to the same counted work, pilot included, and of several
# fidelities with the errors of COUNT solves; in brackets the difference of the two answers in standard errors of both.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ]; then fail "usage: benchmarks/hot_spots.sh RUN_DIR [RANKS] [COUNT]"; fi
dir=$1 ranks=${2:-1} count=${3:-3000}
mkdir -p "$dir"
run() { # NAME OPTION...
  local name=$1
  shift
  [ -f "$dir/$name/uq.json" ] || mpirun -n "$ranks" "$SCORIA_BUILD/scoria" uq "$SCORIA_SOURCE/input/electrode_wide.yaml" -uq_quantiles 0.01,0.5,0.99 -run_dir "$dir/$name" "$@" >"$dir/$name.log"
}
run plain -uq_source pde -uq_count 1000
run c -uq_source multilevel -uq_pilot 128 -uq_count "$count" -uq_tolerance_for max_c,high_c -uq_fidelities line,grid:2,grid:4
run phi -uq_source multilevel -uq_pilot 128 -uq_count "$count" -uq_tolerance_for min_phi,low_phi -uq_fidelities line,lateral:2,lateral:4
"${PYTHON:-python3}" - "$dir" <<'PY'
import json, sys
import h5py, numpy as np
directory = sys.argv[1]
plain = h5py.File(f"{directory}/plain/uq.h5")
print("| | mean | .01 quantile | median | .99 quantile | SD | counted core s | solves of the deck's own |\n|---|---|---|---|---|---|---|---|")
for name, of in (("c", ("max_c", "high_c")), ("phi", ("min_phi", "low_phi"))):
    many = h5py.File(f"{directory}/{name}/uq.h5")
    level = json.load(open(f"{directory}/{name}/uq.json"))["conditions"][0]["multilevel"]
    fidelities = level["fidelities"]
    solves = level["work"] / (fidelities[0]["cost"] + fidelities[-1]["cost"])  # plain ones for the same work
    for quantity in of:
        a, b = (f[f"quantities/{quantity}"] for f in (many, plain))
        cells = []
        for key, i in (("mean", 0), ("quantile", 0), ("quantile", 1), ("quantile", 2), ("sd", 0)):
            (x, s), (y, t) = ((np.ravel(g[key])[i], np.ravel(g[key + "_se"])[i]) for g in (a, b))
            cells.append(f"{1000 / solves * t * t / (s * s):.1f} ({(x - y) / np.hypot(s, t):+.1f})")
        print(f"| `{quantity}` | {' | '.join(cells)} | {level['work']:.0f} | {fidelities[0]['solves']} |")
PY
