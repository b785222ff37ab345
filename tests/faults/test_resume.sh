#!/usr/bin/env bash
# Killed, signalled, stopped by file and by time, continued on another number of ranks: the same bytes in every dataset as if
# never interrupted.  Damaged checkpoints, and decks that changed, are told.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

# Long enough to be interrupted on a fast machine: 61,440 solves, 6000 steps.
deck=$work/deck.yaml
tiny_deck "$deck" "$work/unused"
more=(-ensemble_conditions 480 -ensemble_realisations 128 -train_steps 6000 -train_patience 0 -train_batch 128 -train_width 128 -train_depth 2 -train_ema "0.05,0.10" -sample_count 30000 -run_checkpoint_minutes 0.005)

# same A B NAME ...: every array of these files of two run directories holds the same bytes.
same() {
  "$PYTHON" - "$@" <<'PY'
import sys
from arrays import arrays_of
a, b, names = sys.argv[1], sys.argv[2], sys.argv[3:]
for name in names:
    one, other = arrays_of(f"{a}/{name}"), arrays_of(f"{b}/{name}")
    assert len(one) > 3 and one.keys() == other.keys(), name
    for key in one:
        assert one[key].tobytes() == other[key].tobytes(), f"{name}: {key} differs"
PY
}

# interrupt HOW RANKS COMMAND DIR FILE [LINE]: starts in the background, waits until the program has printed LINE (its first one if not
# given; from then on mpirun hands signals on) and FILE is there, interrupts; the exit code is in $code.
interrupt() {
  local how=$1 ranks=$2 command=$3 dir=$4 seen=$5 line=${6-^$3} pid
  last_options "$SCORIA" "$command" "$deck" -run_dir "$dir" "${more[@]}"
  "$MPIEXEC" -n "$ranks" "${kept_options[@]}" >"$work/out" 2>&1 &
  pid=$!
  for _ in $(seq 30000); do
    if [ -e "$dir/$seen" ] && grep -q "$line" "$work/out" || ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.01
  done
  case $how in
    kill) pkill -KILL -f -- "-run_dir $dir " ;;
    usr1) kill -USR1 "$pid" ;;
    stop) touch "$dir/STOP" ;;
  esac
  code=0
  { wait "$pid" || code=$?; } 2>/dev/null
}

reference=$work/reference
scoria 2 generate "$deck" -run_dir "$reference" "${more[@]}" >"$work/out" 2>&1 || { fail "reference"; cat "$work/out" >&2; }
scoria 2 train "$deck" -run_dir "$reference" "${more[@]}" >"$work/out" 2>&1 || { fail "reference"; cat "$work/out" >&2; }
scoria 2 sample "$deck" -run_dir "$reference" "${more[@]}" >"$work/out" 2>&1 || { fail "reference"; cat "$work/out" >&2; }
ls "$reference"/train.ckpt* >/dev/null 2>&1 && fail "a finished training left its checkpoints"

# generate: killed, then signalled, then stopped by file, then to the end, on 2, 1, 3 and 2 ranks.
dir=$work/g
mkdir -p "$dir"
interrupt kill 2 generate "$dir" dataset.h5.part
[ -e "$dir/dataset.h5" ] && fail "generate had finished before it was killed"
# Not while the rows are read back, where the line says something else (test_stops).
interrupt usr1 1 generate "$dir" dataset.h5.part 'resuming'
[ "$code" -eq 75 ] || { fail "generate: exit $code after USR1, expected 75"; cat "$work/out" >&2; }
grep -q 'stopped by a signal; .*rows .*are kept.*; run the same command again' "$work/out" || { fail "generate: the line on stopping"; cat "$work/out" >&2; }
spent() { sed -n "s/.*\"$2\":[[:space:]]*\([0-9.e+-]*\).*/\1/p" "$1/cost.json"; }
more_than() { awk -v a="$1" -v b="$2" 'BEGIN {exit !(a > b)}'; }
before=$(spent "$dir" dataset.h5)
interrupt stop 3 generate "$dir" dataset.h5.part
[ "$code" -eq 75 ] || fail "generate: exit $code after STOP, expected 75"
grep -q 'stopped by the file STOP' "$work/out" || { fail "generate: STOP"; cat "$work/out" >&2; }
[ -e "$dir/STOP" ] && fail "STOP was left"
expect 3 'dataset.h5.part: begun by another deck (porosity_sigma' 2 generate "$deck" -run_dir "$dir" "${more[@]}" -porosity_sigma 0.4
scoria 2 generate "$deck" -run_dir "$dir" "${more[@]}" >"$work/out" 2>&1 || { fail "generate: the last start"; cat "$work/out" >&2; }
grep -q 'rows done; resuming' "$work/out" || { fail "generate did not go on"; cat "$work/out" >&2; }
same "$reference" "$dir" dataset.h5 || fail "an interrupted dataset differs"
more_than "$(spent "$dir" dataset.h5)" "$before" || fail "generate: the cost of earlier starts is not counted"
counts() { sed -n 's/.*"event":"generate",\(.*\),"idle".*/\1/p' "$1"; }
[ "$(counts "$dir/log.jsonl")" = "$(counts "$reference/log.jsonl")" ] ||
  fail "the counts of an interrupted generate differ"

# A row of the part file is damaged between two starts: it is computed again.
dir=$work/d
mkdir -p "$dir"
interrupt usr1 2 generate "$dir" dataset.h5.part
"$PYTHON" - "$dir/dataset.h5.part" <<'PY' || fail "no row could be damaged"
import sys, h5py
with h5py.File(sys.argv[1]) as f:
    there = (f["/status/done"][:] == 1).nonzero()[0]
    row = int(there[len(there) // 2])
    at = f["/fields/phi"].id.get_offset() + row * f["/fields/phi"].shape[1] * 4
with open(sys.argv[1], "r+b") as f:
    f.seek(at)
    byte = f.read(1)[0]
    f.seek(at)
    f.write(bytes([byte ^ 16]))
PY
scoria 1 generate "$deck" -run_dir "$dir" "${more[@]}" >"$work/out" 2>&1 || { fail "generate after damage"; cat "$work/out" >&2; }
same "$reference" "$dir" dataset.h5 || fail "a damaged row was believed"

# train: killed, signalled, stopped at run_max_hours, to the end, on 2, 3, 1 and 2 ranks.
dir=$work/t
mkdir -p "$dir"
ln "$reference/dataset.h5" "$dir/dataset.h5"
interrupt kill 2 train "$dir" train.ckpt.previous
if [ ! -e "$dir/train.ckpt.previous" ] || [ -e "$dir/model.h5" ]; then fail "train: not killed in the middle"; fi
interrupt usr1 3 train "$dir" train.ckpt.previous
[ "$code" -eq 75 ] || { fail "train: exit $code after USR1, expected 75"; cat "$work/out" >&2; }
scoria 1 train "$deck" -run_dir "$dir" "${more[@]}" -run_max_hours 0.0001 >"$work/out" 2>&1
[ $? -eq 75 ] || fail "train: exit after run_max_hours, expected 75"
before=$(spent "$dir" model.h5)
grep -q 'stopped at run_max_hours; the training is kept at step [1-9][0-9]* of 6000' "$work/out" || { fail "train: the line on stopping"; cat "$work/out" >&2; }
expect 3 'train.ckpt: of another deck (train_steps' 2 train "$deck" -run_dir "$dir" "${more[@]}" -train_steps 4000

# Stopped in the consistency tuning, which goes on without the training, and in a distillation, whose teacher is made again of what the
# checkpoint holds.
whole=("${more[@]}")
for kind in consistency distilled; do
  more=("${whole[@]}" -train_steps 300 "-train_${kind}_steps" 1500)
  for name in straight bent; do
    mkdir -p "$work/$name.$kind"
    ln "$reference/dataset.h5" "$work/$name.$kind/dataset.h5"
  done
  scoria 2 train "$deck" -run_dir "$work/straight.$kind" "${more[@]}" >"$work/out" 2>&1 || { fail "$kind tuning"; cat "$work/out" >&2; }
  interrupt usr1 2 train "$work/bent.$kind" "$kind.jsonl"
  [ "$code" -eq 75 ] || { fail "$kind tuning: exit $code after USR1, expected 75"; cat "$work/out" >&2; }
  scoria 3 train "$deck" -run_dir "$work/bent.$kind" "${more[@]}" >"$work/out" 2>&1 || { fail "$kind tuning: the last start"; cat "$work/out" >&2; }
  grep -q "resuming from step [0-9]* of the $kind tuning" "$work/out" || { fail "$kind tuning did not go on"; cat "$work/out" >&2; }
  same "$work/straight.$kind" "$work/bent.$kind" model.h5 || fail "an interrupted $kind tuning ends with other weights"
done

# Asked for when the training is done: the same as at once, whether interrupted or not; nothing is trained again.
mkdir -p "$work/later"
ln "$reference/dataset.h5" "$work/later/dataset.h5"
scoria 3 train "$deck" -run_dir "$work/later" "${more[@]}" -train_distilled_steps 0 >"$work/out" 2>&1 || { fail "the training before"; cat "$work/out" >&2; }
cp "$work/later/train.jsonl" "$work/curve"
interrupt usr1 4 train "$work/later" distilled.jsonl
[ "$code" -eq 75 ] || { fail "distillation later: exit $code after USR1, expected 75"; cat "$work/out" >&2; }
[ -e "$work/later/model.h5" ] || fail "distillation later: the model was gone meanwhile"
scoria 1 train "$deck" -run_dir "$work/later" "${more[@]}" >"$work/out" 2>&1 || { fail "distillation later: the last start"; cat "$work/out" >&2; }
same "$work/straight.$kind" "$work/later" model.h5 || fail "a distillation after the training ends with other weights"
cmp -s "$work/curve" "$work/later/train.jsonl" || fail "distillation later: trained again"
scoria 2 train "$deck" -run_dir "$work/later" "${more[@]}" >"$work/out" 2>&1 || { fail "distilled again"; cat "$work/out" >&2; }
grep -q 'model.h5 is complete' "$work/out" || { fail "distilled already, and not told"; cat "$work/out" >&2; }
expect 3 'model.h5: made by another deck (train_distilled_steps is 1000 here and 1500 there)' 2 train "$deck" -run_dir "$work/later" "${more[@]}" -train_distilled_steps 1000
scoria 2 sample "$deck" -run_dir "$work/later" -sample_sampler distilled -sample_count 40 >"$work/out" 2>&1 || { fail "one evaluation"; cat "$work/out" >&2; }
grep -q 'WARNING: sample_steps is ignored: sample_sampler is distilled' "$work/out" || { fail "steps of the sampler without any"; cat "$work/out" >&2; }
ls "$work/later"/*.next "$work/later"/train.ckpt* >/dev/null 2>&1 && fail "a finished distillation left files"

# Of few rows: while the network is calibrated, after the last step, which is not trained again.
more=("${whole[@]}" -ensemble_conditions 48 -ensemble_realisations 8 -train_steps 500 -train_width 64)
scoria 2 generate "$deck" -run_dir "$work/few" "${more[@]}" >"$work/out" 2>&1 || { fail "few rows"; cat "$work/out" >&2; }
mkdir -p "$work/once"
ln "$work/few/dataset.h5" "$work/once/dataset.h5"
scoria 2 train "$deck" -run_dir "$work/once" "${more[@]}" >"$work/out" 2>&1 || { fail "few rows at once"; cat "$work/out" >&2; }
grep -q 'calibrated against the training rows' "$work/out" || { fail "few rows: no calibration"; cat "$work/out" >&2; }
interrupt usr1 2 train "$work/few" train.ckpt 'validation loss'
[ "$code" -eq 75 ] || { fail "calibration: exit $code after USR1, expected 75"; cat "$work/out" >&2; }
grep -q 'stopped by a signal; the training is kept at its last step' "$work/out" || { fail "calibration: the line on stopping"; cat "$work/out" >&2; }
scoria 3 train "$deck" -run_dir "$work/few" "${more[@]}" >"$work/out" 2>&1 || { fail "calibration: the last start"; cat "$work/out" >&2; }
grep -q 'resuming from step 500' "$work/out" || { fail "calibration: not from the last step"; cat "$work/out" >&2; }
same "$work/once" "$work/few" model.h5 || fail "an interrupted calibration ends with another model"
more=("${whole[@]}")

# The newest checkpoint damaged: the one before it; both: refused, and left alone.
cp -r "$dir" "$work/both"
printf 'x' | dd of="$dir/train.ckpt" bs=1 seek=20000 conv=notrunc status=none
scoria 2 train "$deck" -run_dir "$dir" "${more[@]}" >"$work/out" 2>&1 || { fail "train: the last start"; cat "$work/out" >&2; }
grep -q 'WARNING: .*train.ckpt: .*the checkpoint before it is used' "$work/out" || { fail "a damaged checkpoint was not told"; cat "$work/out" >&2; }
grep -q 'resuming from step [1-9]' "$work/out" || fail "train did not go on"
same "$reference" "$dir" model.h5 || fail "an interrupted training ends with other weights"
more_than "$(spent "$dir" model.h5)" "$before" || fail "train: the cost of earlier starts is not counted"
strip() { sed 's/"seconds".*//' "$1"; }
[ "$(strip "$dir/train.jsonl")" = "$(strip "$reference/train.jsonl")" ] || fail "the curve of an interrupted training differs"
cp -r "$work/both" "$work/old"
"$PYTHON" - "$work/old/train.ckpt" <<'PY' || fail "no checkpoint to make old"
import sys, h5py
with h5py.File(sys.argv[1], "r+") as f: # as it was before there could be two averages
    f.move("/training/average0", "/training/average")
PY
expect 3 'train.ckpt: written by an earlier version of scoria' 2 train "$deck" -run_dir "$work/old" "${more[@]}"
for file in train.ckpt train.ckpt.previous; do truncate -s 5000 "$work/both/$file"; done
expect 3 'train.ckpt: damaged, and no earlier checkpoint' 2 train "$deck" -run_dir "$work/both" "${more[@]}"
if [ ! -e "$work/both/train.ckpt" ] || [ ! -e "$work/both/train.ckpt.previous" ]; then fail "damaged checkpoints were removed"; fi

# sample, and run as a whole.
dir=$work/s
mkdir -p "$dir"
ln "$reference/model.h5" "$dir/model.h5"
interrupt kill 2 sample "$dir" samples.h5.part
scoria 3 sample "$deck" -run_dir "$dir" "${more[@]}" >"$work/out" 2>&1 || { fail "sample: the second start"; cat "$work/out" >&2; }
same "$reference" "$dir" samples.h5 || fail "interrupted samples differ"
dir=$work/r
mkdir -p "$dir"
code=75
for i in $(seq 40); do # after 1.8 s, 3.6 s, ...: a slow machine gets to the end too
  scoria 2 run "$deck" -run_dir "$dir" "${more[@]}" -run_max_hours "$(printf "0.%04d" $((5 * i)))" >"$work/out" 2>&1
  code=$?
  [ "$code" -eq 75 ] || break
done
[ "$code" -eq 0 ] || { fail "run: exit $code in the end"; cat "$work/out" >&2; }
[ "$(grep -c '"event":"stop"' "$dir/log.jsonl")" -ge 1 ] || fail "run was not interrupted"
same "$reference" "$dir" dataset.h5 model.h5 samples.h5 || fail "an interrupted run differs"
finish
