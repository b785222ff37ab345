#!/usr/bin/env bash
# A finished dataset grows by more conditions: the same bytes as a fresh one, whatever interrupts it, and the smaller one is there until the larger
# one is.  An interrupted training goes on to more steps.
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
stride=${FAULT_STRIDE:-11}
fault_deck "$deck"
make_reference generate
small=$work/small
less=(-ensemble_conditions 7)
scoria 1 generate "$deck" -run_dir "$small" "${less[@]}" </dev/null >"$work/out" 2>&1 || { fail "the smaller dataset"; cat "$work/out" >&2; }
same() { "$FAULT_TOOLS/same_arrays" "$1" "$2"; }

# begin DIR: with the smaller dataset, a copy, for it must be the file itself that survives.
begin() {
  rm -rf "$1"
  mkdir "$1"
  cp "$small/dataset.h5" "$1"
}

begin "$work/run"
scoria 3 generate "$deck" -run_dir "$work/run" </dev/null >"$work/out" 2>&1 || { fail "growing"; cat "$work/out" >&2; }
grep -q 'grows from 7 to 16 conditions' "$work/out" || fail "the line on growing"
same "$reference/dataset.h5" "$work/run/dataset.h5" || fail "a dataset that has grown differs from a fresh one"
expect 3 'ensemble_conditions is 7 here and 16 there' 2 generate "$deck" -run_dir "$work/run" "${less[@]}"
expect 3 'run_seed is 4 here and 3 there, ensemble_conditions is 20 here and 16 there' 2 generate "$deck" -run_dir "$work/run" \
  -ensemble_conditions 20 -run_seed 4
same "$reference/dataset.h5" "$work/run/dataset.h5" || fail "a refused start changed the dataset"

# Other designs: random, and a file that got more lines, but not other ones.
scoria 2 generate "$deck" -run_dir "$work/random" "${less[@]}" -conditions_design random </dev/null >"$work/out" 2>&1 || fail "a random design"
scoria 2 generate "$deck" -run_dir "$work/random" -conditions_design random </dev/null >"$work/out" 2>&1 || fail "a random design, growing"
scoria 1 generate "$deck" -run_dir "$work/fresh" -conditions_design random </dev/null >"$work/out" 2>&1 || fail "a random design, fresh"
same "$work/fresh/dataset.h5" "$work/random/dataset.h5" || fail "a random design that has grown differs from a fresh one"
by_file=(-conditions_design file -conditions_file "$work/list.txt" -run_dir "$work/listed")
printf '0.12 6 9e-6\n0.2 15 1.5e-5\n' >"$work/list.txt"
scoria 1 generate "$deck" "${by_file[@]}" -ensemble_conditions 2 </dev/null >"$work/out" 2>&1 || { fail "conditions of a file"; cat "$work/out" >&2; }
echo '0.22 16 1.6e-5' >>"$work/list.txt"
scoria 2 generate "$deck" "${by_file[@]}" -ensemble_conditions 3 </dev/null >"$work/out" 2>&1 || { fail "conditions of a longer file"; cat "$work/out" >&2; }
grep -q 'grows from 2 to 3 conditions' "$work/out" || fail "the line on growing by a file"
printf '0.12 6 9e-6\n0.21 15 1.5e-5\n0.22 16 1.6e-5\n0.23 17 1.7e-5\n' >"$work/list.txt"
expect 3 "its conditions are not the first of the deck's design" 2 generate "$deck" "${by_file[@]}" -ensemble_conditions 4
expect 3 "dataset.h5: its rows are at other conditions than the deck's design has now" 2 generate "$deck" "${by_file[@]}" -ensemble_conditions 3
rm -f "$work/listed/dataset.h5" "$work/listed/dataset.h5.part"
scoria 2 generate "$deck" "${by_file[@]}" -ensemble_conditions 4 -run_max_hours 1e-9 </dev/null >"$work/out" 2>&1
[ $? -eq 75 ] || fail "a stop on the way by a file: expected exit 75"
sed -i 's/^0.12 6 /0.13 6 /' "$work/list.txt"
expect 3 "dataset.h5.part: its rows are at other conditions than the deck's design has now" 2 generate "$deck" "${by_file[@]}" -ensemble_conditions 4
sed -i 's/^0.13 6 /0.12 6 /' "$work/list.txt"
scoria 3 generate "$deck" "${by_file[@]}" -ensemble_conditions 4 </dev/null >"$work/out" 2>&1 || { fail "going on by a file put right"; cat "$work/out" >&2; }

# A Latin hypercube has no first conditions.
scoria 1 generate "$deck" -run_dir "$work/lhs" "${less[@]}" -conditions_design lhs </dev/null >"$work/out" 2>&1 || fail "a Latin hypercube"
expect 3 'has 7 conditions of a Latin hypercube, 16 are asked for' 2 generate "$deck" -run_dir "$work/lhs" -conditions_design lhs

# Killed: one of the two is there, and the next start ends well.
begin "$work/count"
injected 2 "SCORIA_FAULT_RANK=0 SCORIA_FAULT_LOG=$work/calls" generate "$work/count"
[ "$code" -eq 0 ] || fail "growing under the library"
number=$(wc -l <"$work/calls")
kills=0
for ((at = 1; at <= number; at += stride)); do
  begin "$work/run"
  injected 2 "SCORIA_FAULT_RANK=0 SCORIA_FAULT_KIND=any SCORIA_FAULT_AT=$at SCORIA_FAULT_DO=kill" generate "$work/run"
  [ "$code" -ne 0 ] || fail "killed at call $at of $number: exit 0"
  wait_free "$work/run"
  same "$small/dataset.h5" "$work/run/dataset.h5" >"$work/same" 2>&1 || same "$reference/dataset.h5" "$work/run/dataset.h5" ||
    fail "killed at call $at of $number: neither dataset is there"
  again $((at % 3 + 1)) generate "$work/run" "growing, killed at call $at of $number"
  kills=$((kills + 1))
done

# Stopped, and a row of the smaller one damaged: told, and both files stay.
begin "$work/run"
scoria 2 generate "$deck" -run_dir "$work/run" -run_max_hours 1e-9 </dev/null >"$work/out" 2>&1
[ $? -eq 75 ] || { fail "growing: exit after run_max_hours, expected 75"; cat "$work/out" >&2; }
again 2 generate "$work/run" "growing, stopped"
begin "$work/run"
"$PYTHON" - "$work/run/dataset.h5" <<'PY' || fail "no dataset to damage"
import sys, h5py
with h5py.File(sys.argv[1]) as f:
    at = f["/fields/phi"].id.get_offset()
with open(sys.argv[1], "r+b") as f:
    f.seek(at)
    byte = f.read(1)[0]
    f.seek(at)
    f.write(bytes([byte ^ 16]))
PY
cp "$work/run/dataset.h5" "$work/damaged.h5"
expect 3 'dataset.h5: .*row 0' 2 generate "$deck" -run_dir "$work/run"
cmp -s "$work/run/dataset.h5" "$work/damaged.h5" || fail "a damaged dataset was changed"
echo "$kills kills"

# train: more steps than it was begun with; fewer are refused.
steps() { # CODE PATTERN STEPS
  scoria 2 train "$deck" -run_dir "$reference" -train_steps "$3" "${@:4}" </dev/null >"$work/out" 2>&1
  [ $? -eq "$1" ] || { fail "train to $3 steps: expected exit $1"; cat "$work/out" >&2; }
  grep -q "$2" "$work/out" || { fail "train to $3 steps: expected '$2'"; cat "$work/out" >&2; }
}
steps 75 'kept at step 1 of 8' 8 -run_max_hours 1e-9
expect 3 'train.ckpt: of another deck (train_steps is 6 here and 8 there)' 2 train "$deck" -run_dir "$reference" -train_steps 6
steps 75 'begun with train_steps 8' 12 -run_max_hours 1e-9
steps 0 'resuming from step 2' 12
"$PYTHON" - "$reference/model.h5" <<'PY' || fail "the model does not say that its training was lengthened"
import sys, h5py
with h5py.File(sys.argv[1]) as f:
    sys.exit(not (f.attrs["train_steps"] == 12 and f.attrs["train_lengthened_at"] == 1))
PY
scoria 1 report "$deck" -run_dir "$reference" -train_steps 12 </dev/null >"$work/out" 2>&1 || { fail "the report"; cat "$work/out" >&2; }
grep -q 'train_steps</code> was raised at step 1' "$reference/report.html" || fail "the report does not say that the training was lengthened"
finish
