#!/usr/bin/env bash
# A byte inverted anywhere in a dataset, a model or a checkpoint, and any of them cut short: refused with one line, or without consequence.
# Every FAULT_STRIDE-th byte and length (1: all of them; prime, so that all kinds of places are met).
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
stride=${FAULT_STRIDE:-89}
fault_deck "$deck"
# The reader has no twin of the PDE: a model that needs none.
sed -i 's/^train: {/train: {twin: false, logarithm: false, /' "$deck"
reference=$work/unused
{ scoria 1 generate "$deck" && scoria 1 train "$deck"; } </dev/null >"$work/out" 2>&1 || { fail "no files to damage"; cat "$work/out" >&2; }
mv "$work/unused/model.h5" "$work/model.h5"
cp "$work/unused/dataset.h5" "$work/dataset.h5"
scoria 1 train "$deck" -run_max_hours 1e-9 </dev/null >"$work/out" 2>&1
rm -f "$work/unused/train.ckpt.previous"
for file in "dataset $work/dataset.h5" "model $work/model.h5" "checkpoint $work/unused/train.ckpt"; do
  # shellcheck disable=SC2086
  "$FAULT_TOOLS/flip_bytes" $file "$stride" "$deck" </dev/null >"$work/out" 2>"$work/err" || { fail "$file"; head -20 "$work/err" >&2; }
  tail -1 "$work/out"
done
finish
