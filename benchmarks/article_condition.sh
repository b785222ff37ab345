#!/usr/bin/env bash
# The condition whose result Vandecasteele (2026) publishes, U0 = 0, ell = L/10 and a current of 25 A/m^2 that leaves through x = L in
# our sign (F_right = -25): a model trained on F_right in [-50, 0], against two PDE ensembles of 20,000 there.  Tells, of phi - phi(0),
# the width of the 95 % band, the Kolmogorov-Smirnov distance of samples of 500, and how rough fields are from cell to cell.
# Needs h5py (Debian: python3-h5py).  About six minutes on two cores.
#
#   benchmarks/article_condition.sh RUN_DIR
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

[ "$#" -eq 1 ] || fail "usage: benchmarks/article_condition.sh RUN_DIR"
ranks=${SCORIA_RANKS:-$(physical_cores)}
deck=$SCORIA_SOURCE/input/article.yaml
run_scoria() {
  mpirun -n "$ranks" "$SCORIA_BUILD/scoria" "$@" </dev/null
}
for command in generate train sample; do
  run_scoria "$command" "$deck" -run_dir "$1" -conditions_F_right -50,0 -sample_F_right -25 -sample_count 20000
done
for seed in 11 12; do
  [ -e "$1/pde$seed/solve.h5" ] || run_scoria solve "$deck" -run_dir "$1/pde$seed" -run_seed "$seed" -solve_count 20000 \
    -conditions_F_right -50,0 -sample_F_right -25
done

python=/usr/bin/python3
[ -x "$python" ] || python=python3
"$python" - "$1" <<'PY'
import sys
import h5py
import numpy as np

def load(name):
    f = h5py.File(f"{sys.argv[1]}/{name}.h5")
    at = [f["conditions"][c][0] for c in ("U0", "F_right", "ell")]
    assert np.allclose(at, [0, -25, 1e-5], rtol=1e-6, atol=1e-9), at
    phi = f["fields/phi"][f["status/done"][:] == 1]
    return phi[:, 1:] - phi[:, :1]

def band(x):
    lo, hi = np.quantile(x, [0.025, 0.975], axis=0)
    return hi - lo

def ks(x, y):  # the largest over cells
    worst = 0
    for a, b in zip(x.T, y.T):
        a, b, at = np.sort(a), np.sort(b), np.concatenate([a, b])
        gap = np.searchsorted(a, at, side="right") / len(a) - np.searchsorted(b, at, side="right") / len(b)
        worst = max(worst, np.abs(gap).max())
    return worst

def steps(x):  # SD of the difference between neighbours
    return np.diff(x, axis=1).std(axis=0)

pde, again, model = load("pde11/solve"), load("pde12/solve"), load("samples")
cells = np.array([25, 50, 75, 99]) - 1
print("phi - phi(0) at cells 26, 51, 76, 100 [mV]: mean, SD")
for name, x in ("PDE", pde), ("model", model):
    print(f"  {name:10s}", *(f"{v:7.3f}" for v in 1e3 * x.mean(axis=0)[cells]), "  ", *(f"{v:6.3f}" for v in 1e3 * x.std(axis=0)[cells]))
print("against the first PDE ensemble: 95 % band mean, rms; KS of 20,000; of 500, mean of 40 pairs (5 % critical: .086); roughness")
for name, x in ("model", model), ("PDE again", again):
    width = band(x) / band(pde) - 1
    few = np.mean([ks(x[k : k + 500], pde[k : k + 500]) for k in range(0, 20000, 500)])
    print(f"  {name:10s} {100 * width.mean():+.2f} %  {100 * np.sqrt((width**2).mean()):.2f} %  {ks(x, pde):.4f}  {few:.3f}  {np.median(steps(x) / steps(pde)):.3f}")
PY
