#!/usr/bin/env bash
# model.h5 is enough: a reader of 100 lines of NumPy rebuilds the networks from it, whitened or on the plain grid, and gets scoria's
# own values and sample paths, calibrated and not.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
scoria 2 generate "$deck" >"$work/out" 2>&1 || { fail "generate"; cat "$work/out" >&2; }
for network in modes cnn1d; do
  for whitening in true false; do
    dir=$work/$network.$whitening
    mkdir -p "$dir"
    ln -f "$work/run/dataset.h5" "$dir/dataset.h5"
    steps=200
    if [ "$network" = modes ]; then steps=500; fi # calibrated
    scoria 2 train "$deck" -run_dir "$dir" -train_network "$network" -train_whitening "$whitening" -train_steps "$steps" >"$work/out" 2>&1 ||
      { fail "train $network"; cat "$work/out" >&2; }
    if [ "$network" = modes ] && ! grep -q 'calibrated against the training rows' "$work/out"; then fail "no calibration"; fi
    "$MPIEXEC" -n 1 "${PRINT_DENOISER:-$(dirname "$SCORIA")/tests/print_denoiser}" "$dir/model.h5" >"$work/values" ||
      fail "print_denoiser"
    "$PYTHON" "$SCORIA_SOURCE/tests/interop/read_model.py" "$dir/model.h5" "$work/values" || fail "$network, whitening $whitening, in NumPy"
  done
done

# Convolutions over the lateral places of whole fields, in two dimensions and in three.
for cells in 6,9 6,7,5; do
  dir=$work/waves.$cells
  whole=(-ensemble_whole_fields true -ensemble_cells "$cells" -ensemble_lateral "3e-4,2e-4" -porosity_anisotropy "4,2" -run_dir "$dir")
  steps=100
  if [ "$cells" = 6,9 ]; then whole[5]=3e-4 whole[7]=4 steps=500; fi # calibrated
  scoria 2 generate "$deck" "${whole[@]}" >"$work/out" 2>&1 || { fail "generate $cells"; cat "$work/out" >&2; }
  scoria 2 train "$deck" "${whole[@]}" -train_network waves -train_modes 40 -train_width 12 -train_steps "$steps" -train_distilled_steps 20 >"$work/out" 2>&1 ||
    { fail "train waves $cells"; cat "$work/out" >&2; }
  "$PYTHON" - "$dir/model.h5" <<'PY' >"$work/groups" || fail "no h5py"
import h5py, sys
with h5py.File(sys.argv[1]) as f:
    print(*(name + "/scores" in f for name in ("calibration", "calibration_distilled")))
PY
  if [ "$cells" = 6,9 ]; then expected="True True"; else expected="False False"; fi
  if [ "$(cat "$work/groups")" != "$expected" ]; then fail "maps of scores of $cells cells: $(cat "$work/groups"), expected $expected"; fi
  "$MPIEXEC" -n 1 "${PRINT_DENOISER:-$(dirname "$SCORIA")/tests/print_denoiser}" "$dir/model.h5" >"$work/values" || fail "print_denoiser"
  "$PYTHON" "$SCORIA_SOURCE/tests/interop/read_model.py" "$dir/model.h5" "$work/values" || fail "waves, $cells cells, in NumPy"
done
mkdir "$work/profiles"
ln "$work/run/dataset.h5" "$work/profiles/dataset.h5"
expect 3 'train_network is waves, which works on whole fields' 1 train "$deck" -train_network waves -run_dir "$work/profiles"
finish
