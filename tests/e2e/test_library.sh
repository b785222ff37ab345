#!/usr/bin/env bash
# Porosities of a measured structure through every command: the same bytes on any number of ranks and after a stop, solve's own use of
# porosity.file as before, and a structure that has changed since refused by name.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

run() { # RANKS COMMAND DECK OPTIONS...: is to succeed
  scoria "$@" >"$work/out" 2>&1 || { fail "scoria $*"; cat "$work/out" >&2; }
}
crc='CRC32C [0-9a-f]\{8\}'

# A scan of 160 x 60 x 60 voxels, spheres in pores: gray values 60 and 190, with noise.
"$PYTHON" - "$work" <<'PY'
import h5py, numpy as np, sys
rng = np.random.default_rng(1)
n, solid = np.array([60, 60, 160]), np.zeros((60, 60, 160), bool)
z, y, x = np.ogrid[:60, :60, :160]
for _ in range(260):
    c, r = rng.uniform(0, n), rng.uniform(5, 8)
    solid |= (z - c[0])**2 + (y - c[1])**2 + (x - c[2])**2 < r**2
gray = np.clip(np.where(solid, 190, 60) + 15 * rng.normal(size=solid.shape), 0, 255)
np.save(sys.argv[1] + "/scan.npy", gray.astype("u1"))
np.save(sys.argv[1] + "/flat.npy", np.repeat(rng.uniform(0.2, 0.4, (10, 1, 20)), 12, axis=1)) # the same everywhere along y
with h5py.File(sys.argv[1] + "/rows.h5", "w") as f:
    f["fields/eps"] = rng.uniform(0.2, 0.4, (3, 20))
PY

deck=$work/scan.yaml
cat >"$deck" <<DECK
run: {dir: $work/a}
electrode: {set: chen2020_negative}
porosity: {file: $work/scan.npy, voxel: 1.1e-6, threshold: 125, window: [4.4e-6, 33e-6, 33e-6]}
conditions: {U0: [0.12, 0.16], F_right: [5, 10]}
ensemble: {cells: [16], conditions: 16, realisations: 8}
train: {steps: 12, batch: 32, micro_batches: 2, width: 16, depth: 1, embed: 8, modes: 3, all_modes: 4}
sample: {count: 20, steps: 4}
compare: {conditions: 2, count: 30}
DECK
run 2 run "$deck"
for file in dataset model samples compare; do [ -e "$work/a/$file.h5" ] || fail "no $file.h5"; done
timeout 60 "$SCORIA" info "$work/a/dataset.h5" >"$work/info"
grep -q "porosities   of scan.npy, 576[0-9]* bytes, $crc" "$work/info" || fail "info does not name the library"
run 1 generate "$deck" -run_dir "$work/b"
run 3 generate "$deck" -run_dir "$work/c" -run_shard 1,2
run 1 generate "$deck" -run_dir "$work/c" -run_shard 2,2
run 2 merge "$deck" -run_dir "$work/c"
for other in b c; do
  "$FAULT_TOOLS/same_arrays" "$work/a/dataset.h5" "$work/$other/dataset.h5" || fail "other ranks or shards, other rows ($other)"
done
run 2 uq "$deck" -uq_source pde -uq_count 40
run 1 uq "$deck" -uq_source model -uq_count 40 -uq_file model.h5.uq.h5

# solve: rows as they are listed, or crops.
run 2 solve "$deck" -porosity_file "$work/rows.h5" -run_dir "$work/listed" -conditions_ell 1e-6,1e-5
run 1 solve "$deck" -solve_profiles drawn -solve_count 4 -run_dir "$work/drawn" -porosity_mean 0.3 -porosity_sd 0.02 -porosity_ell 1e-5
for key in mean sd ell; do
  grep -q "porosity_$key is ignored: porosity_file is set" "$work/out" || fail "porosity_$key is ignored without a word"
done
timeout 60 "$SCORIA" info "$work/drawn/solve.h5" >"$work/info"
grep -q "porosities   of scan.npy, 576[0-9]* bytes, $crc" "$work/info" || fail "solve.h5 does not name the library"
"$PYTHON" - "$work" <<'PY' || fail "what was solved for"
import h5py, numpy as np, sys
w = sys.argv[1]
eps = lambda name: h5py.File(f"{w}/{name}")["fields/eps"][:]
assert np.array_equal(eps("listed/solve.h5"), eps("rows.h5"))
rows = eps("a/dataset.h5")                                     # single precision
assert np.allclose(eps("drawn/solve.h5"), rows[:4], rtol=1e-6) # the same realisations
gray = np.load(f"{w}/scan.npy")[:60, :60, :160] < 125          # windows of 30 x 30 x 4 voxels, cells of 85.2 / 16 um
means = gray.reshape(2, 30, 2, 30, 40, 4).mean(axis=(1, 3, 5))
assert abs(rows.mean() - means.mean()) < 5 * rows.mean(axis=1).std() / np.sqrt(len(rows)) + 0.02, (rows.mean(), means.mean())
PY

expect 3 'conditions_ell: found beside porosity_file' 1 generate "$deck" -run_dir "$work/no" -conditions_ell 1e-6,1e-5
expect 3 'refine: porosity_file is set' 1 refine "$deck"
expect 3 'porosity_voxel: found 0.5 m along x' 1 generate "$deck" -run_dir "$work/no" -porosity_voxel 0.5 \
  -ensemble_whole_fields -ensemble_cells 16,8,8 -porosity_reflect y
grep -q 'porosity_reflect is y, but the model of whole fields takes mirror images' "$work/out" || fail "no word of mirror images"
expect 3 'porosity_voxel: found 0.5 m along x, allowed up to the electrode' 1 generate "$deck" -run_dir "$work/no" -porosity_voxel 0.5
expect 3 'scan.npy: has 0.000176 x 6.6e-05 x 6.6e-05 m (x, y, z) in whole windows, too small for crops of 0.0003 x 3.3e-05 x 3.3e-05 m' \
  1 generate "$deck" -run_dir "$work/no" -electrode_L 3e-4

# The way back: a section of a deck that can be used as it is.
timeout 60 "$SCORIA" fit-porosity "$work/scan.npy" -porosity_voxel 1.1e-6 -porosity_threshold 125 -porosity_window 8.8e-6,3.3e-5,3.3e-5 \
  >"$work/fit.yaml" || fail "fit-porosity"
grep -q '^# mean 0\.[0-9]* +- ' "$work/fit.yaml" || { fail "fit-porosity says no mean"; cat "$work/fit.yaml"; }
# A bound that is given is kept, also where it is what decks have without it.
timeout 60 "$SCORIA" fit-porosity "$work/scan.npy" -porosity_voxel 1.1e-6 -porosity_threshold 125 -porosity_window 8.8e-6,3.3e-5,3.3e-5 \
  -porosity_min 0.1 >"$work/kept.yaml" || fail "fit-porosity with a bound"
grep -q '^  min: 0.1  .*# as given$' "$work/kept.yaml" || { fail "fit-porosity moves a bound that is given"; cat "$work/kept.yaml"; }
{ cat "$work/fit.yaml"; sed '/^porosity:/d' "$deck"; } >"$work/fitted.yaml"
run 1 generate "$work/fitted.yaml" -run_dir "$work/fitted" -porosity_pores above -porosity_array /eps
for key in pores array; do
  grep -q "porosity_$key is ignored: porosity_file is not set" "$work/out" || fail "porosity_$key is ignored without a word"
done
# A law without bounds, whose data have no likelihood to say where a lower one is.
"$PYTHON" - "$work/normal.csv" <<'PY'
import numpy as np, sys
g = np.random.default_rng(1).standard_normal((200, 96))
kernel = np.exp(-np.linspace(-3, 3, 25) ** 2)
np.savetxt(sys.argv[1], 0.3 + 0.05 * np.array([np.convolve(row, kernel / np.linalg.norm(kernel), "valid") for row in g]), delimiter=",")
PY
timeout 60 "$SCORIA" fit-porosity "$work/normal.csv" -porosity_voxel 1e-6 >"$work/normal.yaml" || fail "fit-porosity of a normal law"
grep -q '^  min: 0.001.*# at the end of the range that is searched: the data do not tell it$' "$work/normal.yaml" ||
  { fail "fit-porosity gives an error of a bound that it has not found"; cat "$work/normal.yaml"; }
expect 3 'porosity_voxel: not set' 2 fit-porosity "$work/scan.npy"
expect 3 'found no difference between windows 1e-06 m apart along y' 1 fit-porosity "$work/flat.npy" -porosity_voxel 1e-6

# Killed when half its rows were there, and resumed to the same bytes; but not with another structure, nor is anything finished taken for one of it.
mkdir -p "$work/d"
cp "$work/a/dataset.h5" "$work/d/dataset.h5.part" # a part file is the finished one, with nothing in rows to be made
"$PYTHON" - "$work/d/dataset.h5.part" <<'PY' || fail "a part file"
import h5py, sys
with h5py.File(sys.argv[1], "r+") as f:
    for array in [f["crc"], *f["status"].values(), *f["conditions"].values(), *f["fields"].values()]:
        array[len(array) // 2:] = 0
PY
mkdir -p "$work/e"
cp "$work/a/model.h5" "$work/e"
cp "$work/scan.npy" "$work/kept.npy"
printf '\1' | dd of="$work/scan.npy" bs=1 seek=5000 conv=notrunc status=none
expect 3 "d/dataset.h5.part: made from porosities of scan.npy, 576[0-9]* bytes, $crc; porosity_file $work/scan.npy is scan.npy" \
  2 generate "$deck" -run_dir "$work/d"
printf '0.2,0.3\n' >"$work/listed.csv"
expect 3 'listed.csv: not an HDF5 file (it is text.*: profiles are rows of its array /fields/eps .*with -solve_profiles drawn' 2 solve "$deck" \
  -porosity_file "$work/listed.csv" -run_dir "$work/listed"
expect 3 "a/dataset.h5: made from porosities of scan.npy" 1 generate "$deck"
expect 3 "a/dataset.h5: made from porosities of scan.npy" 1 generate "$deck" -ensemble_conditions 32
expect 3 "e/model.h5: made from porosities of scan.npy" 1 sample "$deck" -run_dir "$work/e"
expect 3 "a/uq.h5: made from porosities of scan.npy" 1 uq "$deck" -uq_source pde -uq_count 40
expect 3 "a/compare.h5: made from porosities of scan.npy" 1 compare "$deck"
# A model of an earlier version does not tell: it passes, but for a dataset beside it that does.
"$PYTHON" -c 'import h5py, sys; del h5py.File(sys.argv[1], "r+").attrs["made_from_library"]' "$work/e/model.h5" || fail "no library in a model"
run 1 sample "$deck" -run_dir "$work/e"
cp "$work/a/dataset.h5" "$work/e"
expect 3 "e/dataset.h5: made from porosities of scan.npy" 1 sample "$deck" -run_dir "$work/e" -sample_file more.h5
cp "$work/kept.npy" "$work/scan.npy"
run 2 generate "$deck" -run_dir "$work/d"
grep -q 'resuming' "$work/out" || { fail "did not resume"; cat "$work/out" >&2; }
"$FAULT_TOOLS/same_arrays" "$work/a/dataset.h5" "$work/d/dataset.h5" || fail "resumed to other rows"
finish
