#!/usr/bin/env bash
# Submits generate, train and sample to Slurm, each to start when the one before has ended well, and prints the job ids.
#
#   jobs/pipeline.sh DECK RUN_DIR [-key value ...]
#
# With SCORIA_SHARDS=8 in the environment, generate is a job array of so many shards, and a job that merges them follows it.
# RUN_DIR must be seen by all nodes.  Account and partition: jobs/site.env; other sizes than the scripts': SBATCH_* or edit.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=launch.sh
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"

if [ "$#" -lt 2 ]; then fail "usage: jobs/pipeline.sh DECK RUN_DIR [-key value ...]"; fi
deck=$(find_deck "$1")
deck=$(realpath "$deck")
run_dir=$(realpath -m "$2")
shift 2
shards=${SCORIA_SHARDS:-1}
if ! [[ $shards =~ ^[1-9][0-9]*$ ]]; then fail "SCORIA_SHARDS: found $shards, expected a number of shards"; fi
mkdir -p "$run_dir"

# submit NAME ID [sbatch option ...]: the job's id; ID is how Slurm is to number its output.
submit() {
  local name=$1 number=$2 id
  local -a before=()
  shift 2
  if [ "$name" = generate_array ]; then before=("$shards"); fi
  if ! id=$(sbatch --parsable --output="$run_dir/${name%_array}-$number.out" "$@" "$SCORIA_SOURCE/jobs/$name.sbatch" \
    "${before[@]}" "$deck" "$run_dir" "${options[@]}") || [ -z "$id" ]; then
    fail "$name could not be submitted: sbatch did not give a job id; what was submitted before it stays in the queue"
  fi
  printf '%s\n' "${id%%;*}"
}

# then_submit NAME JOB: the same, to start when JOB has ended well.
then_submit() {
  submit "$1" %j --dependency=afterok:"$2" --kill-on-invalid-dep=yes
}

options=("$@")
if [ "$shards" -gt 1 ]; then
  array=$(submit generate_array %A_%a --array=1-"$shards")
  say "array    $array"
  generate=$(then_submit merge "$array")
  say "merge    $generate"
else
  generate=$(submit generate %j)
  say "generate $generate"
fi
train=$(then_submit train "$generate")
say "train    $train"
sample=$(then_submit sample "$train")
say "sample   $sample"
say "report   $run_dir/report.html, when all have ended"
