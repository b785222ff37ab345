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
for command in compare likelihood refine infer; do
  expect 75 'stopped at run_max_hours.*begin anew' 2 "$command" "$deck" -run_dir "$work/reference" -run_max_hours 1e-9
  scoria 2 "$command" "$deck" -run_dir "$work/reference" </dev/null >"$work/out" 2>&1 || { fail "$command: the next start"; cat "$work/out" >&2; }
done
finish
