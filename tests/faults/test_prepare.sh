#!/usr/bin/env bash
# A training that is stopped before its first step: nothing wrong is left, and a fitted normaliser is not fitted again.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/unused"
more=(-ensemble_conditions 96 -ensemble_realisations 8)
rows=768

reference=$work/reference
for command in generate train; do
  scoria 2 "$command" "$deck" -run_dir "$reference" "${more[@]}" >"$work/out" 2>&1 || { fail "reference: $command"; cat "$work/out" >&2; }
done
ls "$reference"/*.ckpt* >/dev/null 2>&1 && fail "a finished training left its checkpoints"
grep -q 'ckpt' "$reference/manifest.json" 2>/dev/null && fail "a checkpoint is listed as a result"

# fresh NAME: a run directory with the dataset alone.
fresh() {
  dir=$work/$1
  mkdir -p "$dir"
  ln "$reference/dataset.h5" "$dir/dataset.h5"
}
train() { # RANKS ARGUMENTS ...
  local ranks=$1
  shift
  code=0
  scoria "$ranks" train "$deck" -run_dir "$dir" "${more[@]}" "$@" </dev/null >"$work/out" 2>&1 || code=$?
}
# goes_on RANKS PASSES WHAT: the next start ends with the reference's model, having walked so often over the rows.
goes_on() {
  train "$1"
  [ "$code" -eq 0 ] || { fail "$3: exit $code"; cat "$work/out" >&2; }
  grep -q "prepare  *$(($2 * rows)) rows in" "$work/out" || { fail "$3: not $2 passes"; cat "$work/out" >&2; }
  cmp -s <("$PYTHON" -c "$arrays" "$reference/model.h5") <("$PYTHON" -c "$arrays" "$dir/model.h5") || fail "$3: other weights"
  ls "$dir"/*.ckpt* >/dev/null 2>&1 && fail "$3: checkpoints are left"
}
arrays='
import sys
from arrays import arrays_of
for name, a in arrays_of(sys.argv[1]).items():
    print(name, a.tobytes().hex())'

# At its limit on time from the start on, and not waiting for what is nearly done: nothing is kept, and the next start begins anew.
for ranks in 1 3; do
  fresh "stopped$ranks"
  SCORIA_GRACE_SECONDS=0 train "$ranks" -run_max_hours 1e-9
  [ "$code" -eq 75 ] || { fail "stopped: exit $code, expected 75"; cat "$work/out" >&2; }
  grep -q 'stopped at run_max_hours; nothing of the training is kept yet; run the same command again' "$work/out" ||
    { fail "stopped: the line"; cat "$work/out" >&2; }
  ls "$dir"/*.ckpt* "$dir"/model.h5 >/dev/null 2>&1 && fail "stopped: something was kept"
done
fresh by_file
touch "$dir/STOP"
SCORIA_GRACE_SECONDS=0 train 2
if [ "$code" -ne 75 ] || ! grep -q 'stopped by the file STOP; nothing' "$work/out"; then fail "STOP: exit $code"; cat "$work/out" >&2; fi
[ -e "$dir/STOP" ] && fail "STOP was left"
goes_on 3 7 "after STOP"

# Stopped in its first steps; of what it kept, the normaliser alone: it is not fitted again, only the rows are whitened.
fresh kept
train 2 -run_max_hours 1e-9
[ "$code" -eq 75 ] || { fail "kept: exit $code, expected 75"; cat "$work/out" >&2; }
[ -e "$dir/normaliser.ckpt" ] || fail "the normaliser was not kept"
rm -f "$dir"/train.ckpt*
for what in "of other rows" damaged cut; do
  rm -rf "${work:?}/$what"
  cp -r "$dir" "$work/$what"
done
SCORIA_GRACE_SECONDS=0 train 2 -run_max_hours 1e-9
if [ "$code" -ne 75 ] || ! grep -q 'the normaliser is kept' "$work/out"; then fail "kept: stopped again, exit $code"; cat "$work/out" >&2; fi
goes_on 3 1 "with its normaliser"

# One that is not of this dataset, or not whole, is passed over and told.
dir="$work/of other rows"
rm "$dir/dataset.h5"
scoria 2 generate "$deck" -run_dir "$dir" "${more[@]}" -run_seed 4 >"$work/out" 2>&1 || fail "another dataset"
train 2 -run_seed 3
grep -q 'normaliser.ckpt: of other rows than dataset.h5 holds; the normaliser is fitted again' "$work/out" || { fail "of other rows"; cat "$work/out" >&2; }
dir=$work/damaged
"$PYTHON" - "$dir/normaliser.ckpt" <<'PY' || fail "nothing to damage"
import sys, h5py
with h5py.File(sys.argv[1]) as f:
    at = f["/normaliser/modes"].id.get_offset() + 100
with open(sys.argv[1], "r+b") as f:
    f.seek(at)
    byte = f.read(1)[0]
    f.seek(at)
    f.write(bytes([byte ^ 16]))
PY
goes_on 2 7 "damaged"
grep -q 'WARNING: .*normaliser.ckpt.*fitted again' "$work/out" || { fail "damaged: not told"; cat "$work/out" >&2; }
dir=$work/cut
truncate -s 3000 "$dir/normaliser.ckpt"
goes_on 1 7 "cut"

# More ranks than micro-batches: told, with what would be best.
fresh ranks
train 5 -train_steps 2
grep -q 'WARNING: 5 ranks share 4 micro-batches: 1 of them have none in a training step; use 4 ranks' "$work/out" ||
  { fail "ranks: no warning"; cat "$work/out" >&2; }
finish
