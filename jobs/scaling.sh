#!/usr/bin/env bash
# A scaling study: one job for each number of ranks, submitted to Slurm, or run here where there is none (or with
# SCORIA_SUBMIT=no).  Each job measures its machine (bench_machine) and runs the commands of the study SCORIA_REPETITIONS
# times in fresh run directories, DIR/ranks-P/rep-R.
#
#   jobs/scaling.sh strong|weak DECK DIR RANKS... [-key value ...]
#
# strong: the deck as it is on every number of ranks, with train_micro_batches raised to the largest of them.  weak: the
# sizes of the deck are those of one rank, and these are multiplied by the ranks: ensemble_conditions, train_batch,
# train_micro_batches, sample_count, uq_count, compare_conditions.  Run here, the study ends with its table (DIR/scaling.csv)
# and figures; submitted, each job that ends brings the table up to date, and jobs/scaling_plot.sh DIR draws.
#
# In the environment: SCORIA_REPETITIONS (3), SCORIA_COMMANDS ("generate train sample uq compare"), SCORIA_RANKS_PER_NODE
# (how many of the ranks go to a node; Slurm's choice where it is not set), SCORIA_KEEP_FILES=yes (else the .h5 files of a
# repetition are removed when it is done).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=launch.sh
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"

usage="usage: jobs/scaling.sh strong|weak DECK DIR RANKS... [-key value ...]"
if [ "$#" -lt 4 ]; then fail "$usage"; fi
kind=$1
if [ "$kind" != strong ] && [ "$kind" != weak ]; then fail "found $kind, expected strong or weak; $usage"; fi
if [ ! -r "$2" ]; then fail "$2: no such deck"; fi
deck=$(realpath "$2")
dir=$(realpath -m "$3")
shift 3
ranks=()
while [ "$#" -gt 0 ] && [ "${1#-}" = "$1" ]; do
  if ! [[ $1 =~ ^[1-9][0-9]*$ ]]; then fail "found $1, expected a number of ranks; $usage"; fi
  ranks+=("$1")
  shift
done
if [ "${#ranks[@]}" -eq 0 ]; then fail "no number of ranks is given; $usage"; fi
repetitions=${SCORIA_REPETITIONS:-3}
if ! [[ $repetitions =~ ^[1-9][0-9]*$ ]]; then fail "SCORIA_REPETITIONS: found $repetitions, expected a number of repetitions"; fi
commands=${SCORIA_COMMANDS:-generate train sample uq compare}
per_node=${SCORIA_RANKS_PER_NODE:-}
if [ -n "$per_node" ] && ! [[ $per_node =~ ^[1-9][0-9]*$ ]]; then fail "SCORIA_RANKS_PER_NODE: found $per_node, expected a number of ranks"; fi
for program in scoria benchmarks/bench_machine; do
  [ -x "$SCORIA_BUILD/$program" ] ||
    fail "$SCORIA_BUILD/$program is not there: build it first (cmake -S . -B build && cmake --build build), or set SCORIA_BUILD"
done
if [ -e "$dir/study.txt" ]; then fail "$dir holds a study already; give another directory"; fi

# The resolved deck, which every job reads; its errors are found before anything is submitted.
mkdir -p "$dir"
resolved=$dir/deck.yaml
"$SCORIA_BUILD/scoria" deck "$deck" "$@" >"$resolved" || fail "the deck cannot be used, see above"

# value SECTION KEY: of the resolved deck.
value() {
  awk -v section="$1" -v key="$2" '/^[^ ]/ { now = $1 } now == section ":" && $1 == key ":" { print $2; exit }' "$resolved"
}

largest=$(printf '%s\n' "${ranks[@]}" | sort -n | tail -n 1)
micro=$(value train micro_batches)
micro=${micro:-8} # where the deck leaves it to the batch
batch=$(value train batch)
# What every job reads: one "key value" a line.
{
  say "kind $kind"
  say "deck $resolved"
  say "repetitions $repetitions"
  say "commands $commands"
  say "conditions $(value ensemble conditions)"
  say "batch $batch"
  if [ "$kind" = weak ] || [ "$micro" -ge "$largest" ]; then say "micro $micro"; else say "micro $largest"; fi
  say "sample $(value sample count)"
  say "uq $(value uq count)"
  say "compare $(value compare conditions)"
} >"$dir/study.txt"
if [ "$kind" = strong ] && [ "$batch" -lt "$largest" ]; then
  fail "train_batch is $batch, fewer than the $largest ranks of the study: a rank without rows has nothing to measure"
fi

if [ "${SCORIA_SUBMIT:-yes}" = yes ] && command -v sbatch >/dev/null 2>&1 && sinfo >/dev/null 2>&1; then
  for p in "${ranks[@]}"; do
    size=(--ntasks="$p")
    if [ -n "$per_node" ]; then size+=(--nodes="$(((p + per_node - 1) / per_node))" --ntasks-per-node="$((p < per_node ? p : per_node))"); fi
    mkdir -p "$dir/ranks-$p"
    id=$(sbatch --parsable --job-name="scoria-scaling-$p" --output="$dir/ranks-$p/job-%j.out" "${size[@]}" \
      "$SCORIA_SOURCE/jobs/scaling.sbatch" "$dir" "$p")
    say "$p ranks: job ${id%%;*}"
  done
  say "table: $dir/scaling.csv, as jobs end; figures: jobs/scaling_plot.sh $dir"
  exit
fi
for p in "${ranks[@]}"; do
  say "$p ranks"
  bash "$SCORIA_SOURCE/jobs/scaling.sbatch" "$dir" "$p"
done
bash "$SCORIA_SOURCE/jobs/scaling_plot.sh" "$dir"
say "table: $dir/scaling.csv and $dir/scaling.md"
