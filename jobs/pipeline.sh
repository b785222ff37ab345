#!/usr/bin/env bash
# Submits generate, train and sample to Slurm, each to start when the one before has ended well, and prints the job ids.
#
#   jobs/pipeline.sh DECK RUN_DIR [-key value ...]
#
# RUN_DIR must be seen by all nodes.  Account and partition: jobs/site.env; other sizes than the scripts': SBATCH_* or edit.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=launch.sh
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"

if [ "$#" -lt 2 ]; then fail "usage: jobs/pipeline.sh DECK RUN_DIR [-key value ...]"; fi
if [ ! -r "$1" ]; then fail "$1: no such deck"; fi
deck=$(realpath "$1")
run_dir=$(realpath -m "$2")
shift 2
mkdir -p "$run_dir"

# submit NAME [sbatch option ...]: the job's id.
submit() {
  local name=$1 id
  shift
  id=$(sbatch --parsable --output="$run_dir/$name-%j.out" "$@" "$SCORIA_SOURCE/jobs/$name.sbatch" "$deck" "$run_dir" \
    "${options[@]}")
  printf '%s\n' "${id%%;*}"
}

options=("$@")
generate=$(submit generate)
say "generate $generate"
train=$(submit train --dependency=afterok:"$generate" --kill-on-invalid-dep=yes)
say "train    $train"
sample=$(submit sample --dependency=afterok:"$train" --kill-on-invalid-dep=yes)
say "sample   $sample"
say "report   $run_dir/report.html, when all three have ended"
