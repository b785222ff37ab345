#!/usr/bin/env bash
# Training on rows of a cheaper fidelity beside few dear ones: the same bits on any ranks and after stops; rows are what they should be; of another run, imported; refusals.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
few=(-ensemble_realisations 2)
cheap=("${few[@]}" -ensemble_cheap_fidelity grid:2 -ensemble_cheap_realisations 20)
scoria 2 generate "$deck" "${cheap[@]}" >"$work/out" 2>&1 || { fail "generate"; cat "$work/out" >&2; }
cp -r "$work/run" "$work/again"
cp -r "$work/run" "$work/few"
scoria 1 train "$deck" "${cheap[@]}" >"$work/out" 2>&1 || { fail "train"; cat "$work/out" >&2; }
grep -q '96 dear rows at 48 conditions, 48 of these and 0 others with 20 cheap ones each; 96 pairs' "$work/out" || { fail "what is trained on is not told"; cat "$work/out" >&2; }
"$SCORIA" info "$work/run/model.h5" | grep 'cheap_correlation *0\.9' >/dev/null || fail "model.h5 does not tell the correlation of cheap rows"
grep -q 'dear from cheap: off by .* SD as they are, by .* SD corrected' "$work/out" || fail "the correction is not told"
in_pieces "$work/again" 30 1 "20 * i" train "$deck" "${cheap[@]}"
scoria 2 train "$deck" "${few[@]}" -run_dir "$work/few" >"$work/out" 2>&1 || fail "train without cheap rows"
grep -q 'dear from cheap' "$work/out" && fail "cheap rows are used though the deck asks for none"
scoria 2 train "$deck" "${cheap[@]}" -run_dir "$work/few" >"$work/out" 2>&1
[ $? -eq 3 ] || fail "a model without cheap rows passes for one with them"
scoria 2 compare "$deck" "${cheap[@]}" >"$work/out" 2>&1 || { fail "compare"; cat "$work/out" >&2; }

scoria 2 report "$deck" "${cheap[@]}" >"$work/out" 2>&1 || { fail "report"; cat "$work/out" >&2; }
grep -q 'rows of a cheaper fidelity: 960, learned from too; by 96 pairs' "$work/run/report.html" || fail "the report does not tell of cheap rows"
mkdir "$work/changed" && cp "$work/run/"{dataset,model}.h5 "$work/changed" && cp "$work/few/dataset.h5" "$work/changed/cheap.h5"
expect 3 'changed/model.h5: made from .*cheap.h5 when that was 960 rows, .*; it is 96 rows' 1 train "$deck" "${cheap[@]}" -run_dir "$work/changed"

"$PYTHON" - "$work" <<'PY' || fail "corrected rows"
import sys
import h5py, numpy as np
from arrays import arrays_of
work = sys.argv[1]
def rows(path):
    with h5py.File(f"{work}/{path}") as f:
        return {f"{g}/{k}": f[g][k][:] for g in ("fields", "conditions", "status") for k in f[g]} | {"crc": f["crc"][:]}
def arrays(path):
    return arrays_of(f"{work}/{path}")
dear, cheap, corrected, again = (rows(p) for p in ("run/dataset.h5", "run/cheap.h5", "run/corrected.h5", "again/corrected.h5"))
for key in corrected:
    assert corrected[key].tobytes() == again[key].tobytes(), key
one, other = arrays("run/model.h5"), arrays("again/model.h5")
assert one.keys() == other.keys()
for key in one:
    assert one[key].tobytes() == other[key].tobytes(), key
first = np.isin(np.arange(960) % 20, (0, 1))
for key in ("fields/c", "fields/phi", "conditions/ell"): # those of dataset.h5 as they are
    assert (corrected[key][first] == dear[key]).all(), key
assert (corrected["status/done"] == 1).all()
for key in ("fields/c", "fields/phi"): # nearer to what dear rows are on the average than cheap ones, by pairs that the fit has seen: a quarter of 8 cells' error
    means = [a[key].reshape(48, -1, 16) for a in (dear, cheap, corrected)]
    spread = means[1].std(1)
    shift = ((means[0] - means[1][:, :2]).mean(1) / spread).mean(0) # of the grid, on all conditions
    moved = ((means[2] - means[1])[:, 2:].mean(1) / spread).mean(0)
    if key == "fields/c": # of the deck's c_R, their reference, no corrected row has a value on the other side
        assert dear[key].min() > 1000 and corrected[key].min() > 1000
    assert np.abs(shift).max() > 0.02 and np.abs(moved - shift).max() < 0.5 * np.abs(shift).max() + 0.02, (key, shift, moved)
# Two solvers of someone else's: the cheap one's rows are off by a factor and a shift, and there are more of them, also at other conditions.
# Of b, which stays within 0 and 1, it is the logit that is off so, and near both ends a shift of b itself would leave them.
rng = np.random.default_rng(3)
def law(p, z): return 100 + 20 * p[:, None] + z @ np.cos(np.pi * np.outer(np.arange(3), (np.arange(12) + 0.5) / 12))
def put(name, p, z, gain, shift):
    with h5py.File(f"{work}/{name}.h5", "w") as f:
        f["c"], f["p"], f["x"] = gain * law(p, z) + shift, p, (np.arange(12) + 0.5) / 12
        f["b"] = 1 / (1 + np.exp(-(f["c"][:] - 100) / 4))
some, more = np.linspace(-1, 1, 41), np.linspace(-0.99, 0.99, 60)
zd, zc = rng.normal(size=(41, 2, 3)), rng.normal(size=(101, 6, 3))
zc[:41, :2] = zd
p = np.concatenate([some, more])
put("foreign", np.repeat(some, 2), zd.reshape(-1, 3), 1, 0)
put("coarse", np.repeat(p, 6), zc.reshape(-1, 3), 0.9, 5)
put("noise", np.repeat(p, 6), rng.normal(size=(606, 3)), 0.9, 5)
put("elsewhere", np.repeat(p, 6) + 0.003, zc.reshape(-1, 3), 0.9, 5)
PY

import() { # NAME
  cat >"$work/$1.yaml" <<DECK
run: {dir: $work/of_$1, seed: 3}
import:
  file: $work/$1.h5
  fields: {c: {path: /c, units: K}, b: {path: /b, units: 1, bounds: [0, 1]}}
  conditions: {p: {path: /p, units: m}}
  x: {path: /x}
train: {steps: 20, batch: 64, micro_batches: 4, width: 16, depth: 1, embed: 16, modes: 3, all_modes: 3}
DECK
  scoria 2 import "$work/$1.yaml" >"$work/out" 2>&1 || { fail "import of $1"; cat "$work/out" >&2; }
}
for name in foreign coarse noise elsewhere; do import "$name"; done
scoria 2 train "$work/foreign.yaml" -train_cheap "$work/of_coarse/dataset.h5" >"$work/out" 2>&1 || { fail "train on imported rows"; cat "$work/out" >&2; }
grep -q '82 dear rows at 41 conditions, 41 of these and 60 others with 6 cheap ones each' "$work/out" || { fail "imported rows are not matched"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || fail "corrected rows of imported data"
import sys
import h5py, numpy as np
work = sys.argv[1]
with h5py.File(f"{work}/of_foreign/corrected.h5") as f, h5py.File(f"{work}/of_foreign/model.h5") as m:
    done, c, b, p = f["status/done"][:] == 1, f["fields/c"][:], f["fields/b"][:].astype(float), f["conditions/p"][:]
    held = m["holdout"][:].astype(int)
assert not done.reshape(101, 6)[held].any() and done.sum() == 6 * (101 - len(held)) and len(held) > 3
x = (np.arange(12) + 0.5) / 12
modes = np.cos(np.pi * np.outer(np.arange(3), x))
left = c - 100 - 20 * p[:, None]
left -= (left @ np.linalg.pinv(modes)) @ modes # what is not of the law of the dear solver
assert np.abs(left[done]).max() < 0.05, np.abs(left[done]).max() # of a spread of 1.7
assert b[done].min() > 0 and b[done].max() < 1 and b[done].max() > 0.995 and b[done].min() < 0.005
v = 4 * np.log(b[done] / (1 - b[done])) - 20 * p[done][:, None]
v -= (v @ np.linalg.pinv(modes)) @ modes
assert np.abs(v).max() < 0.05, np.abs(v).max() # the law holds for the logit, as for c
level = (c[done] - 100 - 20 * p[done][:, None]).mean()
assert abs(level) < 0.3, level # a tenth of the shift of 5 - 10; 500 rows of SD 1
PY
# Pairs of conditions that are held back now may have been learned from then.
mkdir "$work/held" && cp "$work/of_foreign/"{dataset,corrected}.h5 "$work/held"
expect 3 'held/corrected.h5: made by another deck (import_holdout is 0.3 here and 0.1 there' 1 train "$work/foreign.yaml" -train_cheap "$work/of_coarse/dataset.h5" -run_dir "$work/held" -import_holdout 0.3
scoria 2 train "$work/foreign.yaml" -train_cheap "$work/of_noise/dataset.h5" -run_dir "$work/of_foreign2" >"$work/out" 2>&1 && fail "trained without a dataset"
mkdir -p "$work/weak" && cp "$work/of_foreign/dataset.h5" "$work/weak"
scoria 2 train "$work/foreign.yaml" -train_cheap "$work/of_noise/dataset.h5" -run_dir "$work/weak" >"$work/out" 2>&1 || { fail "train beside rows that tell nothing"; cat "$work/out" >&2; }
grep -q 'WARNING: .*of_noise/dataset.h5 is not used: the correlation with dear rows is' "$work/out" || { fail "rows that tell nothing are used"; cat "$work/out" >&2; }

mkdir -p "$work/no" && cp "$work/of_foreign/dataset.h5" "$work/no"
no() { expect 3 "$1" 1 train "$work/foreign.yaml" -run_dir "$work/no" -train_cheap "$2"; }
no 'of_elsewhere/dataset.h5: none of its 101 conditions is one of dataset.h5: there are no pairs' "$work/of_elsewhere/dataset.h5"
no 'run/dataset.h5: found rows of 16 cells, expected 12 cells' "$work/run/dataset.h5"
no 'absent.h5' "$work/absent.h5"
# Another run's rows of the same numbers, but not of the same realisations.
scoria 2 generate "$deck" -ensemble_fidelity grid:2 -run_dir "$work/other" >"$work/out" 2>&1 || fail "generate of a coarser grid"
mkdir -p "$work/no2" && cp "$work/run/dataset.h5" "$work/no2"
expect 3 'other/dataset.h5: row [0-9]* has another porosity than row [0-9]* of dataset.h5' 1 train "$deck" "${few[@]}" -run_dir "$work/no2" -train_cheap "$work/other/dataset.h5"
scoria 1 generate "$deck" -ensemble_realisations 1 -ensemble_fidelity grid:2 -run_dir "$work/less" >"$work/out" 2>&1 || fail "generate of fewer rows"
expect 3 'less/dataset.h5: found 1 rows of a condition, expected at least 2' 1 train "$deck" "${few[@]}" -run_dir "$work/no2" -train_cheap "$work/less/dataset.h5"
expect 3 'ensemble_cheap_fidelity: found "gird:2" (did you mean grid:2?), expected one of' 1 generate "$deck" -ensemble_cheap_fidelity gird:2 -run_dir "$work/no4"
expect 3 'ensemble_cheap_fidelity: found grid:2, expected one cheaper than ensemble_fidelity, grid:4' 1 generate "$deck" "${cheap[@]}" -ensemble_fidelity grid:4 -run_dir "$work/no3"
expect 3 'no2/cheap.h5: not found; generate makes it' 1 train "$deck" "${cheap[@]}" -run_dir "$work/no2"

finish
