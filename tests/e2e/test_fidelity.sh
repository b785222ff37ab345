#!/usr/bin/env bash
# Datasets of a cheaper fidelity: the rows that it solves at the same porosity; beside dataset.h5, on any ranks, stopped and grown; refusals.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
few=(-ensemble_conditions 32 -ensemble_realisations 2)
cheap=("${few[@]}" -ensemble_cheap_fidelity grid:2 -ensemble_cheap_realisations 5)
scoria 2 generate "$deck" "${few[@]}" -run_dir "$work/dear" >"$work/out" 2>&1 || fail "generate"
scoria 2 generate "$deck" "${cheap[@]}" -run_dir "$work/both" >"$work/out" 2>&1 || { fail "generate of two fidelities"; cat "$work/out" >&2; }
scoria 3 generate "$deck" "${few[@]}" -ensemble_fidelity grid:2 -run_dir "$work/coarse" >"$work/out" 2>&1 || fail "generate of a coarser grid"
line=("${few[@]}" -ensemble_cells "8,6" -conditions_ell "2e-5,2.1e-5" -ensemble_lateral_sd true -ensemble_fidelity line)
scoria 2 generate "$deck" "${line[@]}" -run_dir "$work/line" >"$work/out" 2>&1 || fail "generate of the line"
for shard in 1 2; do
  scoria "$shard" generate "$deck" "${line[@]}" -run_dir "$work/merged" -run_shard "$shard,2" >"$work/out" 2>&1 || fail "a shard of the line"
done
scoria 2 merge "$deck" "${line[@]}" -run_dir "$work/merged" >"$work/out" 2>&1 || { fail "merge of the line"; cat "$work/out" >&2; }
scoria 3 generate "$deck" "${line[@]}" -ensemble_group_size 2 -run_dir "$work/shared" >"$work/out" 2>&1 || fail "generate of the line by groups"
scoria 2 generate "$deck" "${few[@]}" -ensemble_mode transient -conditions_time "20,200" -ensemble_fidelity steps:30 -run_dir "$work/steps" >"$work/out" 2>&1 || fail "generate of larger steps"

# Rows of a cheaper fidelity are added to a dataset that is there, stopped and grown on other ranks: the same bytes.
scoria 1 generate "$deck" "${few[@]}" -ensemble_conditions 16 -run_dir "$work/again" >"$work/out" 2>&1 || fail "generate of fewer conditions"
scoria 3 generate "$deck" "${cheap[@]}" -ensemble_conditions 16 -run_dir "$work/again" >"$work/out" 2>&1 || fail "rows added to a dataset"
scoria 1 generate "$deck" "${cheap[@]}" -run_dir "$work/again" -run_max_hours 1e-9 >"$work/out" 2>&1
[ $? -eq 75 ] || fail "generate did not stop"
for i in 1 2 3; do
  scoria $((4 - i)) generate "$deck" "${cheap[@]}" -run_dir "$work/again" >"$work/out" 2>&1 || { fail "generate grown"; cat "$work/out" >&2; }
done
[ "$(grep -c 'is complete' "$work/out")" -eq 2 ] || fail "what is complete is made again"

"$PYTHON" - "$work" <<'PY' || fail "rows of cheaper fidelities"
import sys
import h5py, numpy as np
work = sys.argv[1]
def rows(path):
    with h5py.File(f"{work}/{path}") as f:
        assert (f["status/done"][:] == 1).all() and (f["status/newton"][:] > 0).all(), path
        return {f"{g}/{k}": f[g][k][:] for g in ("fields", "conditions") for k in f[g]} | {"crc": f["crc"][:]}
dear, both, cheap, coarse, line = (rows(p) for p in ("dear/dataset.h5", "both/dataset.h5", "both/cheap.h5", "coarse/dataset.h5", "line/dataset.h5"))
again, grown = rows("again/dataset.h5"), rows("again/cheap.h5")
for key in dear:
    assert dear[key].tobytes() == both[key].tobytes() == again[key].tobytes(), key
    assert cheap[key].tobytes() == grown[key].tobytes(), key
pairs = (5 * np.arange(32)[:, None] + np.arange(2)).ravel()
for key in dear: # the same realisation in both files, and in that of the coarser grid alone
    if key != "crc" and not key.startswith("fields/c") and not key.startswith("fields/phi"):
        assert (cheap[key][pairs] == dear[key]).all() and (coarse[key] == dear[key]).all(), key
    elif key != "crc":
        assert (cheap[key][pairs] == coarse[key]).all() and (coarse[key] != dear[key]).any(), key
        error = np.std(coarse[key] - dear[key], 0).mean() / np.std(dear[key], 0).mean()
        assert error < 0.2, (key, error) # of 8 cells in place of 16: .02 to .05
        # the first and the last cells lie on one cubic of the outermost four of 8 cells; straight lines have kinks there of a tenth of the ends' bend
        for end in (coarse[key][:, :5], coarse[key][:, -5:]):
            bend = np.abs(np.diff(end.astype(float), 2)).max()
            assert np.abs(np.diff(end.astype(float), 4)).max() < 1e-3 * bend + 1e-6 * np.abs(end).max(), key # rounded to floats
assert len(np.unique(cheap["fields/eps"], axis=0)) == 160
shared, steps = rows("shared/dataset.h5"), rows("steps/dataset.h5")
merged = rows("merged/dataset.h5")
assert all(merged[key].tobytes() == line[key].tobytes() for key in line) and merged.keys() == line.keys()
for key in ("fields/c", "fields/phi", "fields/eps"): # a shared draw may differ in last bits
    assert np.allclose(shared[key], line[key], rtol=1e-5, atol=0), key
assert np.ptp(steps["conditions/time"]) > 50
assert sorted(k for k in line if k.startswith("fields/")) == ["fields/c", "fields/eps", "fields/phi"]
PY

no() { expect 3 "$1" 1 generate "$deck" "${@:2}" -run_dir "$work/no"; }
no 'ensemble_fidelity: found "line", but ensemble_cells has one axis' -ensemble_fidelity line
no 'ensemble_fidelity: found "grid:5", but 5 does not divide' -ensemble_fidelity grid:5
no 'ensemble_fidelity: found "mirror", which solves at another porosity than the row' -ensemble_fidelity mirror
no 'found "gird:4" (did you mean grid:4?), expected one of line, grid:N, columns' -ensemble_fidelity gird:4
no 'ensemble_fidelity: found "grid:2,grid:4", expected one' -ensemble_fidelity grid:2,grid:4
no 'ensemble_cheap_fidelity: found "columns", but' "${cheap[@]}" -ensemble_cheap_fidelity columns
no 'ensemble_cheap_fidelity: found fine, expected one cheaper than ensemble_fidelity' "${cheap[@]}" -ensemble_cheap_fidelity fine
no '15 conditions x 2 realisations, too few to correct ensemble_cheap_fidelity: at least 32 pairs are needed; give more' "${cheap[@]}" -ensemble_conditions 15
no 'ensemble_cheap_realisations: found 2, expected more than ensemble_realisations, 2' "${cheap[@]}" -ensemble_cheap_realisations 2
no 'ensemble_cheap_realisations is set, but ensemble_cheap_fidelity names no' -ensemble_cheap_realisations 9
[ ! -e "$work/no/dataset.h5" ] || fail "something was solved for a deck that is refused"
# What another fidelity has solved is neither this deck's nor trained on as such.
expect 3 'coarse/dataset.h5: made by another deck (ensemble_fidelity is fine here and grid:2 there)' 1 generate "$deck" "${few[@]}" -run_dir "$work/coarse"
expect 3 'coarse/dataset.h5: generated for another problem (ensemble_fidelity is fine here and grid:2 there)' 1 train "$deck" "${few[@]}" -run_dir "$work/coarse"
expect 3 'both/cheap.h5: made by another deck (ensemble_cheap_realisations is 7 here and 5 there)' 1 generate "$deck" "${cheap[@]}" -ensemble_cheap_realisations 7 -run_dir "$work/both"

finish
