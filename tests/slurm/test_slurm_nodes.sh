#!/usr/bin/env bash
# A training whose nodes are lost under a real Slurm, twice: the first is set down while it works, the second hangs, with ranks that hold the
# run directory until it is started anew.  And three nights of jobs/nightly.sbatch, each after the one before.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/slurm/cluster.sh
. "$(dirname "$0")/cluster.sh"
start_cluster
make_clone
echo 'SCORIA_WAIT_MINUTES=0.05' >>"$clone/jobs/site.env"
deck=$work/deck.yaml
tiny_deck "$deck" "$work/unused"
more=(-ensemble_realisations 40 -train_batch 128 -train_width 128 -run_checkpoint_minutes 0.02)

for dir in timed lost whole; do
  mkdir "$work/$dir"
  if [ "$dir" = timed ]; then
    scoria 2 generate "$deck" -run_dir "$work/timed" "${more[@]}" </dev/null >"$work/out" 2>&1 || fail "the dataset"
  else
    ln "$work/timed/dataset.h5" "$work/$dir/dataset.h5"
  fi
done
more+=(-train_steps "$(steps_of 20 "$deck" "$work/timed" "${more[@]}")")

wait_until() { # COMMAND ...: until it succeeds
  for _ in $(seq 1200); do
    "$@" && return
    sleep 0.1
  done
  fail "after 120 s not yet: $*"
}
gone_on() { # TIMES that the training has gone on from what was kept
  [ "$(grep -c '"event":"resume"' "$work/lost/log.jsonl")" -ge "$1" ]
}
at_work() { # process ids of what runs on the training's directory, below Slurm
  pgrep -f -- "-run_dir $work/lost "
}
node_of() {
  job_value "$1" NodeList
}
set_down() {
  scontrol update nodename="$1" state=down reason=test || fail "$1 cannot be set down"
}

# Set down in the middle: Slurm ends the job's processes there and starts it on the other node.
job=$(submit_job "$work/lost/train.out" jobs/train.sbatch "$deck" "$work/lost" "${more[@]}")
wait_until test -e "$work/lost/train.ckpt"
first=$(node_of "$job")
mapfile -t old < <(at_work)
[ "${#old[@]}" -ge 3 ] || fail "mpirun and two ranks were to be at work, found ${#old[@]} processes"
set_down "$first"
wait_until gone_on 1
second=$(node_of "$job")
[ "$first" != "$second" ] || fail "the job is on $first, which is down"
for process in "${old[@]}"; do
  ! at_work | grep -qx "$process" || fail "process $process is still there on $first"
done

# The other one hangs, as one that the network has lost, and is set down: what it runs cannot be ended, and holds the run directory.
scontrol update nodename="$first" state=resume
script=$(pgrep -f "$cluster/spool-$second/job.*/slurm_script")
# slurmd, slurmstepd, the batch script, mpirun and the ranks
mapfile -t old < <(cat "$cluster/$second.pid" && ps -o ppid= -p "$script" && echo "$script" && at_work)
kill -STOP "${old[@]}"
set_down "$second"
wait_until grep -q 'another job is still at work in this run directory after' "$work/lost/train.out"
[ "$(state_of "$job")" != FAILED ] || fail "the job has failed where the run directory was held"
[ ! -e "$work/lost/model.h5" ] || fail "two at work in one run directory"

# Started anew, it has lost its processes; the job goes on where it was.
kill -KILL "${old[@]}"
start_node "$second" || fail "$second does not start again"
wait_for "$job" 300 COMPLETED FAILED CANCELLED TIMEOUT
[ "$(state_of "$job")" = COMPLETED ] || { fail "the job whose nodes were lost: $(state_of "$job")"; tail -n 20 "$work/lost/train.out" >&2; }
echo "the training was on $first, $second and $(node_of "$job"), restarted $(job_value "$job" Restarts) times"
gone_on 2 || fail "the training did not go on from what was kept"
timeout "$(time_left)" "$MPIEXEC" -n 2 "$SCORIA" train "$deck" -run_dir "$work/whole" "${more[@]}" </dev/null >"$work/out" 2>&1 || fail "the uninterrupted training"
same_arrays "$work/lost/model.h5" "$work/whole/model.h5" || fail "a training whose nodes were lost ends with other weights"
scontrol update nodename="$second" state=resume

# Two nights of one law, then one of another.
nights=$work/nights
more=(-ensemble_conditions 12 -ensemble_realisations 40)
mkdir "$nights"
night() { # AFTER [-key value ...]: the job's id; AFTER is a job, or empty
  local after=${1:+--dependency=afterok:$1}
  shift
  submit_job "$nights/night-%j.out" ${after:+"$after"} jobs/nightly.sbatch "$deck" "$nights" "${more[@]}" "$@"
}
one=$(night "")
two=$(night "$one")
three=$(night "$two" -porosity_sigma 2.5)
wait_for "$three" 300 COMPLETED FAILED CANCELLED TIMEOUT
for job in "$one" "$two"; do
  [ "$(state_of "$job")" = COMPLETED ] || { fail "night $job: $(state_of "$job")"; tail -n 5 "$nights/night-$job.out" >&2; }
done
[ "$(state_of "$three") $(job_value "$three" ExitCode)" = "FAILED 6:0" ] ||
  { fail "the night of another law: $(state_of "$three"), exit code $(job_value "$three" ExitCode)"; tail -n 5 "$nights/night-$three.out" >&2; }
told() { # the directory that a night has told to be good
  sed -n 's/^good: //p' "$nights/night-$1.out"
}
[ "$(told "$one")" != "$(told "$two")" ] || fail "the second night is the first"
[ "$(realpath "$nights/good")" = "$(realpath "$(told "$two")")" ] || fail "good is $(readlink "$nights/good"), not the second night"
[ -s "$nights/good/against_good.json" ] || fail "the second night was not compared"
ls "$nights"/refused-*/dataset.h5 >/dev/null 2>&1 || fail "the refused night is not kept"
finish
