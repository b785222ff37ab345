#!/usr/bin/env bash
# Every command that works for long stops where it is told to before its work is done (exit code 75, one line), and the next start ends well.
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
fault_deck "$deck"
{
  echo 'likelihood: {count: 16, steps: 2}'
  echo 'refine: {count: 4, iterations: 2}'
  echo 'sensors: {at: [phi:0], value: [-0.1], sd: [0.05]}'
  echo 'infer: {count: 200, moves: 1}'
} >>"$deck"
make_reference generate train sample
for command in compare likelihood refine infer solve; do
  expect 75 'stopped at run_max_hours.*from the beginning' 2 "$command" "$deck" -run_dir "$work/reference" -run_max_hours 1e-9
  scoria 2 "$command" "$deck" -run_dir "$work/reference" </dev/null >"$work/out" 2>&1 || { fail "$command: the next start"; cat "$work/out" >&2; }
done
# Whole fields of rows, which are solved again when all rows of the dataset are there: a start makes one row at least, so that of four starts one comes
# to the whole fields and stops there.  The next stops there too: the rows made last are kept.
for ranks in 1 2; do
  short=(generate "$deck" -run_dir "$work/fields$ranks" -ensemble_conditions 2 -ensemble_realisations 2 -ensemble_full_fields 3)
  for ((start = 0; start < 4; start++)); do
    scoria "$ranks" "${short[@]}" -run_max_hours 1e-9 </dev/null >"$work/out" 2>&1
    grep -q 'whole fields' "$work/out" && break
  done
  expect 75 'stopped at run_max_hours.*the whole fields of .*from the beginning' "$ranks" "${short[@]}" -run_max_hours 1e-9
  [ ! -e "$work/fields$ranks/fields.h5" ] || fail "generate: fields.h5 after a stop"
  scoria "$ranks" "${short[@]}" </dev/null >"$work/out" 2>&1 || { fail "generate: the next start"; cat "$work/out" >&2; }
  [ -e "$work/fields$ranks/fields.h5" ] || fail "generate: no fields.h5 in the end"
done
finish
