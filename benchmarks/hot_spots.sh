#!/usr/bin/env bash
# Hot spots of whole fields by several fidelities: gains in means, SDs and quantiles over plain Monte Carlo, the table of benchmarks/README.md.
#
#   benchmarks/hot_spots.sh RUN_DIR [RANKS] [COUNT] [ANSWERS]      needs python3 with h5py
#
# A gain is the squared ratio of the standard errors of plain Monte Carlo, scaled to the same counted work, pilot included, and of several
# fidelities with the errors of COUNT solves; in brackets the difference of the two answers in standard errors of both.  ANSWERS are of the
# screens, to one question.  40 minutes on one core at its own size; in pieces with SCORIA_OPTIONS="-run_max_hours 0.2", which every command
# is given: one that stops ends the script with 75, and the same command again goes on where it was.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ]; then fail "usage: benchmarks/hot_spots.sh RUN_DIR [RANKS] [COUNT] [ANSWERS]"; fi
dir=$1 ranks=${2:-1} count=${3:-3000} answers=${4:-10}
read -ra options <<<"${SCORIA_OPTIONS:-}"
"${PYTHON:-python3}" -c 'import h5py, numpy' 2>/dev/null || fail "${PYTHON:-python3} has no h5py; expected one that has in PYTHON"
mkdir -p "$dir"
all=0.01,0.5,0.99
# An answer that is there is taken, and one to another question refused.
run() { # NAME QUANTILES OPTION...
  local name=$1 quantiles=$2
  shift 2
  mpirun -n "$ranks" "$SCORIA_BUILD/scoria" uq "$SCORIA_SOURCE/input/electrode_wide.yaml" -uq_quantiles "$quantiles" -run_dir "$dir/$name" "$@" "${options[@]}" >>"$dir/$name.log"
}
run plain $all -uq_source pde -uq_count 1000
run c $all -uq_source multilevel -uq_pilot 128 -uq_count "$count" -uq_tolerance_for max_c,high_c -uq_fidelities line,grid:2,grid:4
run phi $all -uq_source multilevel -uq_pilot 128 -uq_count "$count" -uq_tolerance_for min_phi,low_phi -uq_fidelities line,lateral:2,lateral:4
# Of the screens several answers to one question, and the share beyond where the others have the quantile: their spread tells what it is worth.
place() { # QUANTITY INDEX RUN
  "${PYTHON:-python3}" -c 'import sys, h5py; print(repr(float(h5py.File(sys.argv[1])["quantities/" + sys.argv[2] + "/quantile"][0].ravel()[int(sys.argv[3])])))' "$dir/$3/uq.h5" "$1" "$2"
}
"${PYTHON:-python3}" - "$dir" "$answers" <<'PY'
import json, sys
answer = json.load(open(f"{sys.argv[1]}/plain/uq.json"))
line = " ".join(repr(answer["conditions"][0][axis["name"]]) for axis in answer["space"])
open(f"{sys.argv[1]}/same.txt", "w").write((line + "\n") * int(sys.argv[2]))
PY
max_c=$(place max_c 2 c)
high_c=$(place high_c 2 c)
min_phi=$(place min_phi 0 phi)
low_phi=$(place low_phi 0 phi)
run c_screened 0.99 -uq_source multilevel -uq_pilot 128 -uq_count "$count" -uq_tolerance_for max_c,high_c -uq_fidelities grid:2,grid:4 -uq_screen grid:4 \
  -uq_conditions "$dir/same.txt" -uq_exceed "max_c > $max_c, high_c > $high_c"
run phi_screened 0.01 -uq_source multilevel -uq_pilot 128 -uq_count "$count" -uq_tolerance_for min_phi,low_phi -uq_fidelities line,lateral:2,lateral:4 -uq_screen lateral:4 \
  -uq_conditions "$dir/same.txt" -uq_exceed "min_phi < $min_phi, low_phi < $low_phi"
"${PYTHON:-python3}" - "$dir" <<'PY'
import json, sys
import h5py, numpy as np
directory = sys.argv[1]
plain = h5py.File(f"{directory}/plain/uq.h5")
def gains(name, quantities, keys):
    """keys: of a number, its place in the many fidelities' answer and in the plain one."""
    many = h5py.File(f"{directory}/{name}/uq.h5")
    level = json.load(open(f"{directory}/{name}/uq.json"))["conditions"][0]["multilevel"]
    fidelities = level["fidelities"]
    solves = level["work"] / (fidelities[0]["cost"] + fidelities[-1]["cost"])  # plain ones for the same work
    for quantity in quantities:
        cells = []
        for key, i, j in keys:
            (x, s), (y, t) = ((np.ravel(f[f"quantities/{quantity}/{key}"])[at], np.ravel(f[f"quantities/{quantity}/{key}_se"])[at]) for f, at in ((many, i), (plain, j)))
            cells.append(f"{1000 / solves * t * t / (s * s):.1f} ({(x - y) / np.hypot(s, t):+.1f})")
        print(f"| `{quantity}` | {' | '.join(cells)} | {level['work']:.0f} | {fidelities[0]['solves']} |")

print("| | mean | .01 quantile | median | .99 quantile | SD | counted core s | solves of the deck's own |\n|---|---|---|---|---|---|---|---|")
for name, of in (("c", ("max_c", "high_c")), ("phi", ("min_phi", "low_phi"))):
    gains(name, of, (("mean", 0, 0), ("quantile", 0, 0), ("quantile", 1, 1), ("quantile", 2, 2), ("sd", 0, 0)))
print("\n| screened, hot side | share | its error by plain solves | stated | spread of the answers | gain, stated | by spread | quantile: stated error over spread | counted core s | solves of the deck's own |\n|---|---|---|---|---|---|---|---|---|---|")
for name, of in (("c_screened", ("max_c", "high_c")), ("phi_screened", ("min_phi", "low_phi"))):
    many, conditions = h5py.File(f"{directory}/{name}/uq.h5"), json.load(open(f"{directory}/{name}/uq.json"))["conditions"]
    fidelities = conditions[0]["multilevel"]["fidelities"]
    work = np.mean([c["multilevel"]["work"] for c in conditions])
    for i, quantity in enumerate(of):
        p, se = (np.array([c["exceed"][i][key] for c in conditions]) for key in ("probability", "se"))
        q, q_se = (np.ravel(many[f"quantities/{quantity}/{key}"]) for key in ("quantile", "quantile_se"))
        plain = p.mean() * (1 - p.mean()) / work * (fidelities[0]["cost"] + fidelities[-1]["cost"])
        stated, spread = np.mean(se**2), p.var(ddof=1)
        print(f"| `{quantity}` | {p.mean():.4f} | {plain ** .5:.4f} | {stated ** .5:.4f} | {spread ** .5:.4f} | {plain / stated:.1f} | {plain / spread:.1f} | {np.mean(q_se ** 2) ** .5 / q.std(ddof=1):.2f} | {work:.0f} | {np.mean([c['multilevel']['fidelities'][0]['solves'] for c in conditions]):.0f} |")
PY
