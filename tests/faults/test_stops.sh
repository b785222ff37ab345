#!/usr/bin/env bash
# Every command that works for long stops where it is told to before its work is done (exit code 75, one line), and the next start ends well.
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
fault_deck "$deck"
{
  echo 'likelihood: {count: 16, steps: 2}'
  echo 'sensors: {at: [phi:0], value: [-0.1], sd: [0.05]}'
  echo 'infer: {count: 200, moves: 1}'
} >>"$deck"
make_reference generate train sample
# (refine keeps what it has done: test_studies.sh)
for command in compare likelihood infer solve; do
  expect 75 'stopped at run_max_hours.*from the beginning' 2 "$command" "$deck" -run_dir "$work/reference" -run_max_hours 1e-9
  scoria 2 "$command" "$deck" -run_dir "$work/reference" </dev/null >"$work/out" 2>&1 || { fail "$command: the next start"; cat "$work/out" >&2; }
done
# The same by the file STOP, which is removed; and shards that are to be merged, where what is copied is kept.
for command in compare likelihood infer solve; do
  rm -f "$work/reference/$command.h5" "$work/reference/posterior.h5"
  touch "$work/reference/STOP"
  expect 75 'stopped by the file STOP.*from the beginning' 2 "$command" "$deck" -run_dir "$work/reference"
  [ ! -e "$work/reference/STOP" ] || fail "$command: STOP was left"
done
for shard in 1 2; do
  scoria 2 generate "$deck" -run_dir "$work/shards" -run_shard "$shard,2" </dev/null >"$work/out" 2>&1 || { fail "shard $shard"; cat "$work/out" >&2; }
done
expect 75 'stopped at run_max_hours; .* rows are kept' 2 merge "$deck" -run_dir "$work/shards" -run_max_hours 1e-9
scoria 2 merge "$deck" -run_dir "$work/shards" </dev/null >"$work/out" 2>&1 || { fail "merge: the next start"; cat "$work/out" >&2; }

# What one rank does alone, as reading a user's file through, is left within seconds: here 8 GB of zeros, packed.
"$PYTHON" - "$work/large.h5" <<'PY'
import sys, zlib, h5py, numpy
chunk = zlib.compress(bytes(8 << 20))
with h5py.File(sys.argv[1], "w") as f:
    u = f.create_dataset("/u", shape=(1 << 20, 1024), chunks=(1024, 1024), dtype="f8", compression="gzip")
    for i in range(1024):
        u.id.write_direct_chunk((1024 * i, 0), chunk)
    f["/a"] = numpy.repeat(numpy.arange(1024.0), 1024)
    f["/x"] = numpy.arange(1024.0)
PY
cat >"$work/large.yaml" <<DECK
run: {dir: $work/large}
import: {file: $work/large.h5, fields: {u: /u}, conditions: {a: /a}, x: /x}
DECK
mkdir -p "$work/large"
for by in USR1 TERM STOP hours; do # each time all of the job ends: the next one takes its lock
  limit=()
  [ "$by" != hours ] || limit=(-run_max_hours 3e-4)
  timeout 300 "$MPIEXEC" -n 2 "$SCORIA" import "$work/large.yaml" "${limit[@]}" </dev/null >"$work/out" 2>&1 &
  for ((i = 0; i < 2000; i++)); do # it has begun, however long that takes here
    if grep -q '^import' "$work/out"; then break; fi
    sleep .1
  done
  sleep .5
  began=$SECONDS code=0
  case $by in
    STOP) touch "$work/large/STOP" ;;
    # all processes of the job, as Slurm does it; mpirun itself kills the ranks at TERM
    USR1 | TERM) pgrep -f "^[^ ]*scoria import $work/large.yaml" | xargs kill -"$by" ;;
  esac
  wait $! || code=$?
  if [ "$code" -ne 75 ] || [ "$(grep -c '^scoria: stopped .*; what is imported already is kept; run the same command again' "$work/out")" -ne 1 ]; then
    fail "import: $by: exit $code"
    cat "$work/out" >&2
  fi
  [ $((SECONDS - began)) -lt 10 ] || fail "import: $by: left after $((SECONDS - began)) s"
done
[ ! -e "$work/large/STOP" ] || fail "import: STOP was left"

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
