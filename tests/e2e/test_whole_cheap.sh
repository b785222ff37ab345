#!/usr/bin/env bash
# Whole fields of a cheaper fidelity: the same bits on any ranks, in groups and after stops; rows of the dear grid's cells at its porosities; corrected by
# pairs, the dear ones as they are; a model of them; a fidelity that tells nothing of waves.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
whole=(-ensemble_cells "8,16" -ensemble_lateral "4e-4" -porosity_anisotropy 8 -ensemble_whole_fields true -ensemble_derived j -ensemble_conditions 40
  -ensemble_realisations 2)
cheap=("${whole[@]}" -ensemble_cheap_fidelity lateral:2 -ensemble_cheap_realisations 6)
scoria 1 generate "$deck" "${cheap[@]}" >"$work/out" 2>&1 || { fail "generate"; cat "$work/out" >&2; }
cp -r "$work/run" "$work/again"
scoria 3 generate "$deck" "${cheap[@]}" -run_dir "$work/three" >"$work/out" 2>&1 || { fail "generate on three ranks"; cat "$work/out" >&2; }
scoria 2 generate "$deck" "${cheap[@]}" -ensemble_group_size 2 -run_dir "$work/pairs" >"$work/out" 2>&1 || { fail "generate of two ranks a solve"; cat "$work/out" >&2; }
in_pieces "$work/stopped" 40 2 "10 * i" generate "$deck" "${cheap[@]}"

scoria 2 train "$deck" "${cheap[@]}" >"$work/out" 2>&1 || { fail "train"; cat "$work/out" >&2; }
grep -q '80 dear rows at 40 conditions, 40 of these and 0 others with 6 cheap ones each; 80 pairs' "$work/out" || { fail "what is trained on is not told"; cat "$work/out" >&2; }
grep -q 'dear from cheap: off by .* SD as they are, by .* SD corrected' "$work/out" || { fail "the correction is not told"; cat "$work/out" >&2; }
scoria 1 info "$work/run/model.h5" >"$work/out" 2>&1 || { fail "info"; cat "$work/out" >&2; }
grep -q 'cheap_correlation *0\.9' "$work/out" || fail "model.h5 does not tell the correlation of cheap rows"
in_pieces "$work/again" 40 1 "10 * i" train "$deck" "${cheap[@]}"
scoria 1 sample "$deck" "${cheap[@]}" >"$work/out" 2>&1 || { fail "sample"; cat "$work/out" >&2; }

"$PYTHON" - "$work" <<'PY' || fail "rows"
import sys
import h5py, numpy as np
from arrays import arrays_of
work = sys.argv[1]
def rows(path):
    with h5py.File(f"{work}/{path}") as f:
        return {f"{g}/{k}": f[g][k][:] for g in ("fields", "conditions", "status") for k in f[g]} | {"crc": f["crc"][:]}
dear, cheap, corrected = (rows(f"run/{name}.h5") for name in ("dataset", "cheap", "corrected"))
for other in ("three", "stopped"):
    for name, one in (("dataset", dear), ("cheap", cheap)):
        two = rows(f"{other}/{name}.h5")
        for key in one:
            assert one[key].tobytes() == two[key].tobytes(), (other, name, key)
groups = rows("pairs/cheap.h5") # sums over other ranks: iterations end elsewhere within the solver's tolerance
for key in ("fields/c", "fields/phi", "fields/j"):
    assert np.abs(groups[key] - cheap[key]).max() < 1e-4 * cheap[key].std(), key
assert groups["fields/eps"].tobytes() == cheap["fields/eps"].tobytes()
for key, value in rows("again/corrected.h5").items():
    assert corrected[key].tobytes() == value.tobytes(), key
one, two = (arrays_of(f"{work}/{name}/model.h5") for name in ("run", "again"))
assert one.keys() == two.keys() and all(one[key].tobytes() == two[key].tobytes() for key in one)

first = np.arange(240) % 6 < 2 # the realisations that both have
assert (cheap["status/done"] == 1).all() and (corrected["status/done"] == 1).all()
assert cheap["fields/eps"].shape == (240, 1, 16, 8) and (cheap["fields/eps"][first] == dear["fields/eps"]).all()
assert (corrected["fields/eps"] == cheap["fields/eps"]).all()
def correlation(a, b): # of what is left of the condition's mean at a cell
    a, b = (x.reshape(40, 2, -1) - x.reshape(40, 2, -1).mean((1, 2), keepdims=True) for x in (a, b))
    return (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())
for key in ("fields/c", "fields/phi", "fields/j"):
    assert (corrected[key][first] == dear[key]).all(), key
    assert correlation(cheap[key][first], dear[key]) > 0.9, (key, correlation(cheap[key][first], dear[key]))
    # Short waves, which cells twice as wide have little of, have the power of the dear rows': 80 of them, at wave numbers 5 to 8.
    short = [(np.abs(np.fft.rfft(x[:, 0], axis=1))[:, 5:] ** 2).mean() for x in (dear[key], cheap[key][~first], corrected[key][~first])]
    assert 0.6 < short[2] / short[0] < 1.7, (key, short)
# phi and j stay on the side of their values at rest, -U0 and 0, that dear rows are on, c above its own
assert (corrected["fields/phi"] < -corrected["conditions/U0"][:, None, None, None]).all()
assert (corrected["fields/j"] > 0).all() and (corrected["fields/c"] > 1000).all()
PY

# The lateral mean alone tells no wave: rows of it are not used.
line=("${whole[@]}" -ensemble_cheap_fidelity line -ensemble_cheap_realisations 4)
mkdir "$work/line" && cp "$work/three/dataset.h5" "$work/line"
scoria 2 generate "$deck" "${line[@]}" -run_dir "$work/line" >"$work/out" 2>&1 || { fail "generate of the line"; cat "$work/out" >&2; }
scoria 2 train "$deck" "${line[@]}" -run_dir "$work/line" >"$work/out" 2>&1 || { fail "train beside the line"; cat "$work/out" >&2; }
grep -q 'WARNING: .*line/cheap.h5 is not used: the correlation with dear rows is' "$work/out" || { fail "rows that tell nothing of waves are used"; cat "$work/out" >&2; }
# A dataset of the cheaper grid is one of its own, and rows for another run.
scoria 2 generate "$deck" "${whole[@]}" -ensemble_realisations 6 -ensemble_fidelity grid:2 -run_dir "$work/coarse" >"$work/out" 2>&1 || { fail "generate of a coarser grid"; cat "$work/out" >&2; }
mkdir "$work/foreign" && cp "$work/three/dataset.h5" "$work/foreign"
expect 3 'coarse/dataset.h5: row [0-9]* has another porosity than row [0-9]* of dataset.h5' 1 train "$deck" "${whole[@]}" -run_dir "$work/foreign" -train_cheap "$work/coarse/dataset.h5"
expect 3 'ensemble_cheap_fidelity: found "lateral:3", but 3 does not divide the 16 cells of ensemble_cells along y' 1 generate "$deck" "${whole[@]}" \
  -ensemble_cheap_fidelity lateral:3 -ensemble_cheap_realisations 6 -run_dir "$work/no"

finish
