#!/usr/bin/env bash
# File systems of other kinds: without flock one file keeps other jobs out, says whose it is, and is not in the way when its job was killed;
# Lustre is told; paths are as long as the system lets them be.
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
fault_deck "$deck"
make_reference generate
run=$work/run
owner=$run/.lock.owner

# on RANKS "SETTING=... ..." COMMAND [-key value ...]: the program on such a file system; exit code in $code.
on() {
  local ranks=$1 settings=$2 command=$3
  shift 3
  code=0
  # shellcheck disable=SC2086
  timeout 60 "$MPIEXEC" -n "$ranks" env LD_PRELOAD="$FAULT_TOOLS/libfile_system.so" SCORIA_FS_DIR="$run" $settings \
    "$SCORIA" "$command" "$deck" -run_dir "$run" "$@" </dev/null >"$work/out" 2>"$work/err" || code=$?
}

# expect_code CODE FILE PATTERN WHAT
expect_code() {
  if [ "$code" -eq "$1" ] && grep -q "$3" "$work/$2"; then return; fi
  fail "$4: exit $code, expected $1 and a line with '$3'"
  cat "$work/out" "$work/err" >&2
}

# owned_by HOST PID STARTED JOB
owned_by() { printf 'host %s pid %s started %s job %s\n' "$@" >"$owner"; }

for error in ENOSYS EOPNOTSUPP ENOLCK; do
  rm -rf "$run"
  on 2 "SCORIA_FS_LOCKS=$error" generate
  expect_code 0 out 'no flock on this file system; the file .lock.owner keeps other jobs out' "generate, $error"
  right "$run" generate "generate, $error"
  [ ! -e "$owner" ] || fail "$error: .lock.owner is left behind"
done
no_locks=SCORIA_FS_LOCKS=ENOSYS

# A process that lives holds the directory, and is named; one that is gone does not, nor a later one that was given its number.
started=$(sed 's/.*) //' "/proc/$$/stat" | cut -d' ' -f20)
owned_by "$(hostname)" $$ "$started" 0
on 2 "$no_locks" report
expect_code 3 err "another job is at work .* if it is no more, remove $owner (host $(hostname), process $$, job 0)" "a holder that lives"
on 1 "$no_locks" report -run_wait_minutes 0.01
expect_code 75 err 'after 0.01 min' "a holder that lives, waited for"
[ -e "$owner" ] || fail "the file of a holder that lives was removed"
owned_by "$(hostname)" $$ $((started + 1)) 0
on 2 "$no_locks" generate
expect_code 0 out 'keeps other jobs out' "a process that was given the holder's number"
owned_by "$(hostname)" 4194305 1 0 # above the kernel's largest
on 2 "$no_locks" generate
expect_code 0 out 'keeps other jobs out' "a holder that is gone"

# A holder on another host is believed, until Slurm does not know its job any more.
mkdir "$work/bin"
owned_by elsewhere 17 1 4711
on 1 "$no_locks PATH=$work/bin:$PATH" report
expect_code 3 err 'host elsewhere, process 17, job 4711' "a holder elsewhere, without Slurm"
printf '#!/bin/sh\necho RUNNING\n' >"$work/bin/squeue"
chmod +x "$work/bin/squeue"
on 1 "$no_locks PATH=$work/bin:$PATH" report
expect_code 3 err 'job 4711' "a job that runs"
printf '#!/bin/sh\necho "slurm_load_jobs error: Invalid job id specified" >&2\nexit 1\n' >"$work/bin/squeue"
on 1 "$no_locks SLURM_JOB_ID=4711 PATH=$work/bin:$PATH" report
expect_code 3 err 'job 4711' "the same job's earlier life elsewhere"
on 1 "$no_locks PATH=$work/bin:$PATH" generate
expect_code 0 out 'keeps other jobs out' "a job that is gone from the queue"

# After a failure nothing is left either: of a user's, and of the disk's.
on 2 "$no_locks" generate -porosity_ell 1
if [ "$code" -ne 3 ] || [ -e "$owner" ]; then fail "after exit $code .lock.owner is left"; fi

if "$MPIEXEC" --version 2>&1 | grep -qi 'open.mpi\|openrte\|prrte'; then
  on 2 SCORIA_FS_MAGIC=0x0BD00BD0 generate
  expect_code 0 out 'on Lustre, where .* set OMPI_MCA_io=^ompio' "Lustre"
  on 2 "SCORIA_FS_MAGIC=0x0BD00BD0 OMPI_MCA_io=ompio" generate
  if [ "$code" -ne 0 ] || grep -q Lustre "$work/out"; then fail "a choice of MPI-IO is not heard"; fi
fi

# 240 characters and more, where Open MPI's files of shared file pointers end the program.
long=$work/$(printf '%0120d/%0120d' 0 0)
scoria 2 generate "$deck" -run_dir "$long" </dev/null >"$work/out" 2>&1 || { fail "a long name"; cat "$work/out" >&2; }
right "$long" generate "a long name"
finish
