#!/usr/bin/env bash
# infer, likelihood, refine and compare: stopped and killed at their steps, and continued on other numbers of ranks, they end in the same bytes as if never interrupted; what
# was done is not done again; a checkpoint of another question is refused, a damaged one is passed over.
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
fault_deck "$deck"
{
  echo 'refine: {count: 8, iterations: 2}'
  echo "likelihood: {count: 64, steps: 2, file: $work/reference/dataset.h5}"
  echo 'sensors: {at: [phi:0, c:40um], value: [-0.1, 1200], sd: [0.01, 20]}'
  echo 'infer: {count: 300, conditions: "U0,F_right", far: 1e6}'
} >>"$deck"
make_reference generate train sample refine infer likelihood

same() { "$FAULT_TOOLS/same_arrays" "$reference/$1" "$2/$1" || fail "$3: $1 differs"; }
clean() { ! ls "$1"/*.ckpt* >/dev/null 2>&1 || fail "$2: left behind: $(ls "$1"/*.ckpt*)"; }

# refine: a start makes a row per group at least: on two ranks of eight fields two, and no start makes one of an earlier again.
dir=$work/refine
prepare "$dir" refine
for from in 1 3 5 7; do
  code=0
  scoria 2 refine "$deck" -run_dir "$dir" -run_max_hours 1e-9 </dev/null >"$work/out" 2>&1 || code=$?
  [ "$code" -eq $((from < 7 ? 75 : 0)) ] || { fail "refine from field $from: exit $code"; cat "$work/out" >&2; }
  [ "$from" -eq 1 ] || grep -q "refine.ckpt: resuming at field $from of 8" "$work/out" || { fail "refine: not from field $from"; cat "$work/out" >&2; }
  [ "$from" -eq 7 ] || grep -q "stopped at run_max_hours; $((from + 1)) of 8 refined fields are kept" "$work/out" || { fail "refine: the line on stopping"; cat "$work/out" >&2; }
  [ "$from" -ne 3 ] || expect 3 'refine.ckpt: of another deck (refine_sigma' 1 refine "$deck" -run_dir "$dir" -refine_sigma 0.3
done
same refined.h5 "$dir" "refine in pieces"
same refine.h5 "$dir" "refine in pieces"
clean "$dir" refine
# likelihood: of 64 rows 16 a rank in the first round of a start, on one, two and three (four steps of training leave the Gaussian, of which rows are no tiles).
dir=$work/likelihood ranks=0
prepare "$dir" likelihood
for from in 1 17 49; do
  code=0 ranks=$((ranks + 1))
  scoria "$ranks" likelihood "$deck" -run_dir "$dir" -run_max_hours 1e-9 </dev/null >"$work/out" 2>&1 || code=$?
  [ "$code" -eq $((from < 49 ? 75 : 0)) ] || { fail "likelihood from row $from: exit $code"; cat "$work/out" >&2; }
  [ "$from" -eq 1 ] || grep -q "likelihood.h5.ckpt: resuming at row $from of 64" "$work/out" || { fail "likelihood: not from row $from"; cat "$work/out" >&2; }
done
same likelihood.h5 "$dir" "likelihood in pieces"
clean "$dir" likelihood
# compare: every chunk of conditions has a checkpoint, here each condition; stopped and killed by turns it goes on behind those that it has, in the end on three ranks.
conditions=(-compare_conditions 7 -compare_count 100)
for name in whole compare; do prepare "$work/$name" compare; done
scoria 2 compare "$deck" -run_dir "$work/whole" "${conditions[@]}" </dev/null >"$work/out" 2>&1 || { fail "compare of seven conditions"; cat "$work/out" >&2; }
dir=$work/compare
declare -A codes=([USR1]=75 [KILL]=137)
last_options compare "$deck" -run_dir "$dir" "${conditions[@]}" -run_checkpoint_minutes 1e-9
for signal in USR1 KILL USR1; do
  for ((try = 0; try < 10; try++)); do # until one start is met between its first checkpoint and its end
    rm -f "$work/stamp"
    touch "$work/stamp"
    "$SCORIA" "${kept_options[@]}" </dev/null >"$work/out" 2>&1 &
    while kill -0 $! 2>/dev/null && [ ! "$dir/compare.h5.ckpt" -nt "$work/stamp" ]; do sleep .002; done
    code=0
    kill -$signal $! 2>/dev/null
    wait $! 2>/dev/null || code=$?
    [ "$code" -eq 0 ] || break
    rm -f "$dir"/compare.h5* "$work/started"
  done
  [ "$code" -eq "${codes[$signal]}" ] || { fail "compare was not met by $signal: exit $code"; cat "$work/out" >&2; }
  if [ -e "$work/started" ]; then
    grep -q 'compare.h5.ckpt.*: resuming \(at\|behind\) condition [2-7] of 7' "$work/out" || { fail "compare: from the beginning"; cat "$work/out" >&2; }
  fi
  touch "$work/started"
done
grep -q 'stopped by a signal; [1-7] of 7 conditions are kept' "$work/out" || { fail "compare: the line on stopping"; cat "$work/out" >&2; }
expect 3 'compare.h5.ckpt: of another deck (compare_directions' 1 compare "$deck" -run_dir "$dir" "${conditions[@]}" -compare_directions 31
scoria 3 compare "$deck" -run_dir "$dir" "${conditions[@]}" </dev/null >"$work/out" 2>&1 || { fail "compare on three ranks"; cat "$work/out" >&2; }
grep -q 'compare.h5.ckpt: resuming \(at\|behind\) condition [2-7] of 7' "$work/out" || { fail "compare on three ranks: from the beginning"; cat "$work/out" >&2; }
"$FAULT_TOOLS/same_arrays" "$work/whole/compare.h5" "$dir/compare.h5" || fail "compare in pieces: compare.h5 differs"
"$PYTHON" - "$work/whole/compare.json" "$dir/compare.json" <<'PY' || fail "compare in pieces: compare.json differs"
import json, sys
def without_times(v):
    if isinstance(v, dict): return {k: without_times(w) for k, w in v.items() if "seconds" not in k and k not in ("cost", "worth")}
    return [without_times(w) for w in v] if isinstance(v, list) else v
one, other = (without_times(json.load(open(p))) for p in sys.argv[1:])
assert one == other and len(one["conditions"]) == 7 and json.load(open(sys.argv[2]))["cost"]["seconds_pde"] > 0
PY
clean "$dir" compare
# Other samples than those that were begun with.
prepare "$dir" refine
scoria 1 refine "$deck" -run_dir "$dir" -run_max_hours 1e-9 </dev/null >"$work/out" 2>&1
rm "$dir/samples.h5"
scoria 1 sample "$deck" -run_dir "$dir" -sample_U0 0.2 </dev/null >"$work/out" 2>&1 || fail "other samples"
expect 3 'refine.ckpt: made from .*samples.h5 when that was' 1 refine "$deck" -run_dir "$dir" -sample_U0 0.2

# infer: killed at steps of its files, of which every evaluation has a checkpoint; started again on another number of ranks.
for command in refine infer; do
  count_calls "$command" 2 0 any
  for part in 2 3 4; do
    for action in kill torn job; do
      at=$((number * part / 5 + ${#action}))
      what="$command, $action at call $at of $number"
      prepare "$work/run" "$command"
      injected 2 "SCORIA_FAULT_AT=$at SCORIA_FAULT_DO=$action" "$command" "$work/run"
      [ "$code" -ne 0 ] || fail "$what: exit 0"
      again $((part % 3 + 1)) "$command" "$work/run" "$what"
      grep -q 'ckpt.*: resuming\|refined.h5 is complete' "$work/again" || { fail "$what: from the beginning"; cat "$work/again" >&2; }
    done
  done
done

# Stopped by time again and again, with no checkpoint but those of the stops: no stage is done twice.
long=(-run_checkpoint_minutes 1000 -infer_count 4000)
for name in whole pieces; do prepare "$work/$name" infer; done
scoria 3 infer "$deck" -run_dir "$work/whole" "${long[@]}" </dev/null >"$work/out" 2>&1 || { fail "infer of many particles"; cat "$work/out" >&2; }
in_pieces "$work/pieces" 60 2 '30 * i' infer "$deck" "${long[@]}"
"$FAULT_TOOLS/same_arrays" "$work/whole/posterior.h5" "$work/pieces/posterior.h5" || fail "infer in pieces: another posterior"
clean "$work/pieces" infer
stages() { grep '"event":"infer"' "$1/log.jsonl" | sed 's/.*"temperature"/"temperature"/'; }
[ "$(stages "$work/whole")" = "$(stages "$work/pieces")" ] || { fail "infer in pieces: stages were done again"; stages "$work/whole" >&2; stages "$work/pieces" >&2; }

# A checkpoint of other readings, of another deck; a damaged one.
dir=$work/other
prepare "$dir" infer
count_calls infer 2 0 any
injected 2 "SCORIA_FAULT_AT=$((number * 4 / 5)) SCORIA_FAULT_DO=job" infer "$dir"
wait_free "$dir"
expect 3 'posterior.h5.ckpt: of another deck (infer_moves' 2 infer "$deck" -run_dir "$dir" -infer_moves 9
sed 's/^sensors: .*//' "$deck" >"$work/listed.yaml"
printf 'phi 0 -0.11 0.01\n' >"$work/readings.txt"
expect 3 'posterior.h5.ckpt: made from other readings' 2 infer "$work/listed.yaml" -run_dir "$dir" -sensors_file "$work/readings.txt"
truncate -s 3000 "$dir/posterior.h5.ckpt"
again 3 infer "$dir" "infer with a damaged checkpoint"
grep -q 'WARNING: .*posterior.h5.ckpt: .*the checkpoint before it is used' "$work/again" || { fail "a damaged checkpoint is not told"; cat "$work/again" >&2; }
grep -q 'posterior.h5.ckpt.previous: resuming\|ckpt: resuming' "$work/again" || { fail "the checkpoint before a damaged one is not used"; cat "$work/again" >&2; }
finish
