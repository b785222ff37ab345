#!/usr/bin/env bash
# model.h5 is enough: a reader of 100 lines of NumPy rebuilds both networks from it, whitened or on the plain grid, and gets scoria's
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
finish
