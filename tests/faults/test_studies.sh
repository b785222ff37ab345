#!/usr/bin/env bash
# infer and refine: stopped and killed at their steps, and continued on other numbers of ranks, they end in the same bytes as if never interrupted; what
# was done is not done again; a checkpoint of another question is refused, a damaged one is passed over.
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
fault_deck "$deck"
{
  echo 'refine: {count: 8, iterations: 2}'
  echo 'sensors: {at: [phi:0, c:40um], value: [-0.1, 1200], sd: [0.01, 20]}'
  echo 'infer: {count: 300, conditions: "U0,F_right", far: 1e6}'
} >>"$deck"
make_reference generate train sample refine infer

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
