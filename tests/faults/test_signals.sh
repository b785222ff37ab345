#!/usr/bin/env bash
# Signals at any time from the start on, the death of mpirun or of the shell around it, two runs in one directory, limits on time reached again
# and again, solves that cannot converge, ranks without work.  (Kills in the middle of long runs: test_resume.sh, run_long.sh.)
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
fault_deck "$deck"
make_reference generate train sample
# Long enough to be met on its way, in batches of some milliseconds.
long=(-ensemble_conditions 1000 -ensemble_realisations 192)

# USR1 and TERM at start-up: mpirun may die of it before there are ranks, the ranks may stop in good order or not have begun; nothing hangs, and
# nothing wrong looks finished.
delays="0.05 0.2"
[ "${FAULT_STRIDE:-0}" -ne 1 ] || delays="0 0.01 0.02 0.03 0.05 0.07 0.1 0.15 0.2 0.25 0.3 0.4"
for delay in $delays; do
  for signal in USR1 TERM; do
    what="$signal after $delay s"
    prepare "$work/run" generate
    timeout 60 "$MPIEXEC" -n 2 "$SCORIA" generate "$deck" -run_dir "$work/run" </dev/null >"$work/out" 2>"$work/err" &
    pid=$!
    sleep "$delay"
    kill -"$signal" "$(pgrep -P "$pid" -x 'mpirun|mpiexec.*|orterun|prterun' || echo "$pid")" 2>/dev/null
    code=0
    { wait "$pid" || code=$?; } 2>/dev/null
    [ "$code" -ne 124 ] || fail "$what: hangs"
    if grep -q 'PETSC ERROR\|Segmentation' "$work/out" "$work/err"; then fail "$what: a trace"; cat "$work/err" >&2; fi
    right "$work/run" generate "$what"
    again 2 generate "$work/run" "$what"
  done
done

# Ctrl-C of a program without mpirun: it stops in good order, and at once when pressed again.
prepare "$work/interrupted" generate
"$PYTHON" - "$SCORIA" generate "$deck" -run_dir "$work/interrupted" "${long[@]}" >"$work/out" 2>&1 <<'PY' || { fail "Ctrl-C without mpirun"; cat "$work/out" >&2; }
import os, signal, subprocess, sys, time
part = sys.argv[sys.argv.index("-run_dir") + 1] + "/dataset.h5.part"
for times, codes in ((1, [75]), (2, [75, -signal.SIGINT])): # two at once may arrive as one
    run = subprocess.Popen(sys.argv[1:], preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while not os.path.exists(part):
        time.sleep(0.01)
        assert run.poll() is None, run.returncode
    time.sleep(0.3)
    for _ in range(times):
        run.send_signal(signal.SIGINT)
        time.sleep(0.001)
    assert run.wait(30) in codes, (times, run.returncode)
PY
grep -q 'stopped by a signal; .*; run the same command again' "$work/out" || { fail "Ctrl-C is not told"; cat "$work/out" >&2; }

# mpirun, or the shell that waits for it, is killed: the ranks go too, and the next start goes on.
for who in mpirun shell; do
  dir=$work/$who
  mkdir "$dir"
  bash -c '{ "$@" </dev/null >"$0" 2>&1; } 2>/dev/null; true' "$work/out" "$MPIEXEC" -n 2 "$SCORIA" generate "$deck" -run_dir "$dir" "${long[@]}" &
  shell=$!
  for _ in $(seq 500); do [ -e "$dir/dataset.h5.part" ] && break; sleep 0.01; done
  mpirun=$(pgrep -P "$shell" -x 'mpirun|mpiexec.*|orterun|prterun')
  if [ "$who" = mpirun ]; then kill -KILL "$mpirun"; else kill -KILL "$shell"; fi
  { wait "$shell"; } 2>/dev/null
  if [ "$who" = shell ]; then # what it left goes on, alone, and holds the lock
    expect 3 'another job is at work' 1 generate "$deck" -run_dir "$dir" "${long[@]}"
    kill -TERM "$mpirun"
  fi
  wait_free "$dir"
  [ ! -e "$dir/dataset.h5" ] || fail "$who: had finished before it was killed"
done
scoria 2 generate "$deck" -run_dir "$work/whole" "${long[@]}" </dev/null >"$work/out" 2>&1
for who in mpirun shell; do
  scoria 1 generate "$deck" -run_dir "$work/$who" "${long[@]}" </dev/null >"$work/out" 2>&1 || { fail "$who: the next start"; cat "$work/out" >&2; }
  "$FAULT_TOOLS/same_arrays" "$work/whole/dataset.h5" "$work/$who/dataset.h5" || fail "$who: the dataset differs"
done

# Stopped by its limit on time at every start, after a batch or a step, and started again as a batch script would: it arrives all the same.
dir=$work/requeued
starts=0
for command in generate train sample; do
  code=75
  while [ "$code" -eq 75 ] && [ "$starts" -lt 100 ]; do
    code=0
    starts=$((starts + 1))
    scoria $((starts % 3 + 1)) "$command" "$deck" -run_dir "$dir" -run_max_hours 1e-9 </dev/null >"$work/out" 2>&1 || code=$?
  done
  [ "$code" -eq 0 ] || { fail "$command, requeued: exit $code"; cat "$work/out" >&2; }
  right "$dir" "$command" "$command, requeued"
done
[ -e "$dir/samples.h5" ] || fail "requeued: no samples"
[ "$starts" -ge 9 ] || fail "requeued: hardly ever stopped"

# More ranks than there is work for.
for command in generate train sample; do
  prepare "$work/run" "$command"
  again 5 "$command" "$work/run" "$command on more ranks than there are blocks"
done
finish
