#!/usr/bin/env bash
# How long a signal waits for an answer on a large input: for each phase the seconds from USR1 to the end of the job and
# the line that it leaves.  DIR gets, or has already, a dataset of input/electrode.yaml (.4 GB for 2048 conditions).
#
#   benchmarks/stops.sh DIR [CONDITIONS=2048] [RANKS=2]        conditions of 128 realisations
#
# Phases: reading back an unfinished dataset, copying it into a larger one, the normaliser, compare.  The signal comes as
# soon as the phase has begun, some seconds before it would end.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ]; then fail "usage: benchmarks/stops.sh DIR [CONDITIONS] [RANKS]"; fi
conditions=${2:-2048}
ranks=${3:-2}
deck=$SCORIA_SOURCE/input/electrode.yaml
run=$(realpath -m "$1")/prepare-$conditions # as benchmarks/preparation.sh names it
mkdir -p "$run"

scoria() { # COMMAND DIR [-key value ...]: takes the place of the shell
  exec mpirun -n "$ranks" "$SCORIA_BUILD/scoria" "$1" "$deck" -run_dir "$2" -ensemble_conditions "$conditions" "${@:3}" </dev/null
}

# stop PHASE SECONDS COMMAND DIR [-key value ...]: USR1 after so many seconds, which mpirun hands on to the ranks.
stop() {
  local phase=$1 after=$2 began
  shift 2
  scoria "$@" >"$1.out" 2>&1 &
  sleep "$after"
  began=$(date +%s.%N)
  kill -USR1 $! 2>/dev/null || true
  wait $! || true
  printf '%-14s %6.2f s  %s\n' "$phase" "$(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { print b - a }')" \
    "$(grep -m 1 '^scoria: ' "$1.out" || echo "it had ended before")"
}

cd "$run"
[ -e dataset.h5 ] || [ -e dataset.h5.part ] || (scoria generate .)
[ -e model.h5 ] || (scoria train . -train_steps 10)
mkdir -p part
[ -e part/dataset.h5.part ] || cp dataset.h5 part/dataset.h5.part
stop 'read back' 2 generate part
stop 'grow' 2 generate . -ensemble_conditions "$((2 * conditions))"
rm -f dataset.h5.part
mkdir -p fit
ln -f dataset.h5 fit/dataset.h5
stop 'normaliser' 2 train fit -run_memory 0
stop 'compare' 4 compare . -compare_conditions 1 -compare_count 20000
rm -rf part fit ./*.out
