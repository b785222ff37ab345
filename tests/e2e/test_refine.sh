#!/usr/bin/env bash
# refine: solutions of the PDE are found again with the porosity behind them; samples of a model come nearer to solutions, but not as near;
# the same on any number of ranks; what cannot be refined is told.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
sed -i 's/realisations: 6/realisations: 16/; s/conditions: 48/conditions: 24/' "$deck"
run() { # RANKS COMMAND ...
  scoria "$1" "${@:2}" >"$work/out" 2>&1 || { fail "$*"; cat "$work/out" >&2; }
}
run 2 generate "$deck"
run 2 train "$deck"
run 2 sample "$deck"
run 1 refine "$deck" -refine_count 24
run 3 refine "$deck" -run_dir "$work/three" -refine_sample "$work/run/samples.h5" -refine_count 24
run 3 refine "$deck" -run_dir "$work/true" -refine_sample "$work/run/dataset.h5" -refine_count 48
grep -q '48 fields at 24 conditions: 48 converged, 0 stopped, 0 failed' "$work/out" || { fail "solutions are not found again"; cat "$work/out" >&2; }
run 2 refine "$deck" -run_dir "$work/true" -refine_sample "$work/run/dataset.h5" -refine_count 48
grep -q 'refined.h5 is complete' "$work/out" || fail "a complete refinement is made again"
run 2 refine "$deck" -run_dir "$work/few" -refine_sample "$work/run/samples.h5" -refine_count 5 -refine_iterations 1 -refine_tolerance 1e-9
grep -q '0 converged, 5 stopped' "$work/out" || fail "one iteration is not all"
run 1 info "$work/true/refined.h5"
"$PYTHON" - "$work" <<'PY' || fail "refined fields"
import h5py, numpy as np, sys
work = sys.argv[1]
of = lambda run, name: h5py.File(f"{work}/{run}/{name}.h5")
one, three = of("run", "refined"), of("three", "refined")
for f in ("fields/c", "fields/phi", "fields/eps", "conditions/ell"):
    assert np.array_equal(one[f][:], three[f][:]), f
for name in ("misfit_before", "misfit_after", "z_norm", "iterations", "status", "given_row"):
    assert np.array_equal(of("run", "refine")[name][:], of("three", "refine")[name][:]), name
data, true, numbers = of("run", "dataset"), of("true", "refined"), of("true", "refine")
row = numbers["given_row"][:].astype(int)
after, before = numbers["misfit_after"][:], numbers["misfit_before"][:]
# 0.05 SD a cell are allowed (refine_sigma) and 16 directions are all of this grid's: what is left is the price of the porosity
assert after.max() < 0.05 and np.median(before) > 10 * np.median(after), (after.max(), np.median(before))
sd = data["fields/c"][:].std(axis=0).max()
assert np.abs(true["fields/c"][:] - data["fields/c"][:][row]).max() < sd
eps, found = data["fields/eps"][:][row], true["fields/eps"][:]
alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(eps, found)]
assert np.median(alike) > 0.9, np.median(alike)          # fields are smoother than what is behind them: some of it is lost
m = of("run", "refine")
assert np.median(m["misfit_after"][:]) < 0.5 * np.median(m["misfit_before"][:])
assert np.median(m["misfit_after"][:]) > 2 * np.median(after)   # a model of 30 steps does not draw solutions
PY
# What refine calls a solution is one: solve gives the same fields for the same porosity.
run 2 solve "$deck" -run_dir "$work/again" -porosity_file "$work/true/refined.h5"
"$PYTHON" - "$work" <<'PY' || fail "refined fields are not solutions"
import h5py, numpy as np, sys
a, b = h5py.File(sys.argv[1] + "/true/refined.h5"), h5py.File(sys.argv[1] + "/again/solve.h5")
assert np.array_equal(a["fields/c"][:], b["fields/c"][:]) and np.array_equal(a["fields/phi"][:], b["fields/phi"][:])
PY

# The report says what became of the rows, in the numbers of the file.
run 1 report "$deck"
"$PYTHON" - "$work/run" <<'PY' || fail "refine in the report"
import h5py, numpy as np, re, sys
page, f = open(sys.argv[1] + "/report.html").read(), h5py.File(sys.argv[1] + "/refine.h5")
section = re.search(r'<section id="refine">.*?</section>', page, re.S).group()
assert "24 rows of" in section and "samples.h5" in section and f"{int((f['status'][:] == 1).sum())} searches converged" in section
for name, title in (("misfit_before", "distance before / SD"), ("misfit_after", "distance after / SD"), ("z_norm", "|z|"), ("iterations", "iterations")):
    row = re.search(re.escape(f"<tr><td>{title}</td>") + "(.*)", section).group(1)
    told = [float(v) for v in re.findall(r'<td class="n">([^<]*)</td>', row)]
    assert f[name].shape == (24,) and (f["status"][:] > 0).all()
    expected = np.sort(f[name][:])[[int(p * 23 + 0.5) for p in (0.05, 0.5, 0.95, 1)]]
    assert np.allclose(told, expected, rtol=6e-3), (name, told, expected)  # three digits
PY

given=(-run_dir "$work/bad" -refine_sample "$work/run/samples.h5")
expect 3 'samples.h5: cannot be read' 2 refine "$deck" -run_dir "$work/bad"
sed '/^conditions/d' "$deck" >"$work/flat.yaml"
run 2 solve "$work/flat.yaml" -run_dir "$work/flat" -ensemble_cells 8,4 -solve_count 9 -electrode_U0 0.15 -electrode_F_right 12 -porosity_ell 1e-5
expect 3 'ensemble_cells has 2 axes, expected one' 2 refine "$work/flat.yaml" -run_dir "$work/bad" -ensemble_cells 8,4 \
  -refine_sample "$work/flat/solve.h5" -electrode_U0 0.15 -electrode_F_right 12 -porosity_ell 1e-5
expect 3 'made for another problem (porosity_sigma' 2 refine "$deck" "${given[@]}" -porosity_sigma 1.5
expect 3 'refine: sigma: found "0"' 2 refine "$deck" "${given[@]}" -refine_sigma 0
expect 3 'not an HDF5 file' 2 refine "$deck" -run_dir "$work/bad" -refine_sample "$deck"
expect 3 'there is nothing to refine with' 2 refine "$deck" "${given[@]}" -import_file "$work/run/dataset.h5"
expect 3 'made by another deck (refine_count' 2 refine "$deck" -refine_count 25
run 1 sample "$deck" -sample_count 4 -sample_file four.h5
expect 3 '4 good rows at condition 0, expected at least 8' 2 refine "$deck" -run_dir "$work/bad" -refine_sample "$work/run/four.h5"
finish
