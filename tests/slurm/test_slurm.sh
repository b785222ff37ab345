#!/usr/bin/env bash
# The batch scripts under a real Slurm: the chained pipeline; a job array of shards, merged; a warning before the time limit, requeue, and the same bytes as without;
# scancel and submit again.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/slurm/cluster.sh
. "$(dirname "$0")/cluster.sh"
start_cluster
make_clone
deck=$work/deck.yaml
tiny_deck "$deck" "$work/unused"
more=(-ensemble_conditions 480 -ensemble_realisations 128 -train_steps 1500 -train_batch 128 -train_width 128 -sample_count 2000)

submit() { # the pipeline's job ids, one word each
  (cd "$clone" && env -u SCORIA_SOURCE bash jobs/pipeline.sh "$deck" "$@") | sed -n 's/^\(array\|merge\|generate\|train\|sample\) *\([0-9]*\)$/\2/p' | tr '\n' ' '
}

# The chain, to a report.
read -r generate train sample <<<"$(submit "$work/chain" "${more[@]}")"
[ -n "${sample:-}" ] || fail "pipeline.sh submitted nothing"
wait_for "$sample" 300 COMPLETED FAILED CANCELLED TIMEOUT
for job in "$generate" "$train" "$sample"; do
  [ "$(state_of "$job")" = COMPLETED ] || { fail "job $job: $(state_of "$job")"; tail -n 5 "$work"/chain/*-"$job".out >&2; }
done
[ -s "$work/chain/report.html" ] || fail "no report"

# The same as a job array of three shards, of which one is submitted a second time: the dataset of one job, but for the date.
read -r array merge train sample <<<"$(SCORIA_SHARDS=3 submit "$work/array" "${more[@]}")"
wait_for "$sample" 300 COMPLETED FAILED CANCELLED TIMEOUT
for job in "$merge" "$train" "$sample"; do
  [ "$(state_of "$job")" = COMPLETED ] || { fail "job $job: $(state_of "$job")"; tail -n 5 "$work"/array/*.out >&2; }
done
again=$(submit_job "$work/array/again-%A_%a.out" --array=2 jobs/generate_array.sbatch 3 "$deck" "$work/array" "${more[@]}")
wait_for "$again" 60 COMPLETED FAILED CANCELLED TIMEOUT
grep -q 'shard-2-of-3/shard.h5 is complete' "$work/array/again-${again}_2.out" || fail "shard 2 is not known again"
for task in 1 2 3; do
  grep -q 'shard: rows' "$work/array/generate-${array}_$task.out" || fail "task $task of the array has not told its rows"
done
same_arrays "$work/chain/dataset.h5" "$work/array/dataset.h5" || fail "the dataset of a job array differs"

# A training that does not fit its time: warned, stopped in good order, requeued, continued.  Slurm's shortest limit is a minute, and it
# looks whom to warn every 30 s: asked for 10 s before the end, the warning comes after 20 to 50 s.  The training is made to take longer,
# and still longer where the machine has become faster since it was measured.
sed -i 's/--time=.*/--time=00:01:00/; s/USR1@300/USR1@10/' "$clone/jobs/train.sbatch"
mkdir -p "$work/timed"
ln "$work/chain/dataset.h5" "$work/timed/dataset.h5"
steps=$(steps_of 70 "$deck" "$work/timed" "${more[@]}")
for _ in 1 2 3; do
  rm -rf "$work/limit"
  mkdir -p "$work/limit"
  ln "$work/chain/dataset.h5" "$work/limit/dataset.h5"
  last_options "${more[@]}" -train_steps "$steps" -run_checkpoint_minutes 0.05
  long=("${kept_options[@]}")
  job=$(submit_job "$work/limit/train.out" jobs/train.sbatch "$deck" "$work/limit" "${long[@]}")
  wait_for "$job" 1200 COMPLETED FAILED CANCELLED TIMEOUT
  restarts=$(job_value "$job" Restarts)
  [ "${restarts:-0}" -eq 0 ] || break
  steps=$((4 * steps))
done
echo "the training of $steps steps was requeued ${restarts:-0} times"
[ "$(state_of "$job")" = COMPLETED ] || { fail "the requeued training: $(state_of "$job")"; tail -n 5 "$work/limit/train.out" >&2; }
[ "${restarts:-0}" -ge 1 ] || fail "the training was not requeued"
grep -q 'stopped by a signal; the training is kept at step' "$work/limit/train.out" || { fail "no warning reached the program"; tail -n 5 "$work/limit/train.out" >&2; }
mkdir -p "$work/whole"
ln "$work/chain/dataset.h5" "$work/whole/dataset.h5"
timeout "$(time_left)" "$MPIEXEC" -n 2 "$SCORIA" train "$deck" -run_dir "$work/whole" "${long[@]}" </dev/null >"$work/out" 2>&1 || fail "the uninterrupted training"
same_arrays "$work/limit/model.h5" "$work/whole/model.h5" || fail "a requeued training ends with other weights"

# Cancelled in the middle, and the pipeline submitted again with the same arguments.
last_options "${long[@]}" -train_steps "$((steps / 5))"
read -r generate train sample <<<"$(submit "$work/again" "${kept_options[@]}")"
wait_for "$train" 60 RUNNING
sleep 2
scancel "$train"
wait_for "$train" 30 CANCELLED
wait_for "$sample" 30 CANCELLED
read -r generate train sample <<<"$(submit "$work/again" "${kept_options[@]}")"
wait_for "$sample" 600 COMPLETED FAILED CANCELLED TIMEOUT
[ "$(state_of "$sample")" = COMPLETED ] || fail "after scancel: $(state_of "$sample")"
grep -q 'is complete' "$work/again/generate-$generate.out" || fail "generate was not skipped"
finish
