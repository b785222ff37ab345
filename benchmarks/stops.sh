#!/usr/bin/env bash
# How long a stop waits for an answer on a large input: for each phase and each way to ask the seconds from there to the end of the job, and the
# line that it leaves.  DIR gets, or has already, a dataset of input/electrode.yaml (.4 GB for 2048 conditions).
#
#   benchmarks/stops.sh DIR [CONDITIONS=2048] [RANKS=2] [WAYS ...=USR1 TERM STOP hours]        conditions of 128 realisations
#
# Phases: reading back an unfinished dataset, copying it into a larger one, merging shards, importing its rows, the normaliser, compare.  The stop
# comes as soon as the phase has begun, some seconds before it would end.  Ways: a signal to the ranks, a file STOP, run_max_hours.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ]; then fail "usage: benchmarks/stops.sh DIR [CONDITIONS] [RANKS] [WAYS ...]"; fi
conditions=${2:-2048}
ranks=${3:-2}
ways=(USR1 TERM STOP hours)
[ "$#" -le 3 ] || ways=("${@:4}")
deck=$SCORIA_SOURCE/input/electrode.yaml
run=$(realpath -m "$1")/prepare-$conditions # as benchmarks/preparation.sh names it
mkdir -p "$run"

scoria() { # COMMAND DIR [-key value ...]: takes the place of the shell
  local size=(-ensemble_conditions "$conditions")
  [ "$1" != import ] || size=()
  exec mpirun -n "$ranks" "$SCORIA_BUILD/scoria" "$1" "$deck" -run_dir "$2" "${size[@]}" "${@:3}" </dev/null
}

# ask WAY DIR MPIRUN: to stop; mpirun hands USR1 on to the ranks, but kills them itself a second after a TERM.
ask() {
  case $1 in
    USR1) kill -USR1 "$3" 2>/dev/null || true ;;
    TERM) pgrep -P "$3" | xargs -r kill -TERM || true ;;
    STOP) touch "$2/STOP" ;;
  esac
}

# stop PHASE SECONDS BEFORE COMMAND DIR [-key value ...]: asked after so many seconds, in each way, after BEFORE has made what the phase needs.
stop() {
  local phase=$1 after=$2 before=$3 began way limit
  shift 3
  for way in "${ways[@]}"; do
    limit=()
    [ "$way" != hours ] || limit=(-run_max_hours "$(awk -v s="$after" 'BEGIN { print s / 3600 }')")
    "$before"
    scoria "$@" "${limit[@]}" >"$1.out" 2>&1 &
    sleep "$after"
    began=$(date +%s.%N)
    ask "$way" "$2" $!
    wait $! || true
    printf '%-11s %-6s %6.2f s  %s\n' "$phase" "$way" "$(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { print b - a }')" \
      "$(grep -m 1 '^scoria: ' "$1.out" || echo "it had ended before")"
    rm -f "$2/STOP"
  done
}

unfinished() { mkdir -p part && rm -f part/*.ckpt* && cp dataset.h5 part/dataset.h5.part; }
nothing_copied() { rm -f dataset.h5.part* dataset.h5.ckpt*; }
nothing_merged() { rm -f merged/dataset.h5* && mkdir -p merged; }
nothing_imported() { rm -rf imported && mkdir -p imported; }
nothing_fitted() { rm -rf fit && mkdir -p fit && ln -f dataset.h5 fit/dataset.h5; }

cd "$run"
[ -e dataset.h5 ] || [ -e dataset.h5.part ] || (scoria generate .)
[ -e model.h5 ] || (scoria train . -train_steps 10)
for shard in 1 2; do
  [ -e "merged/shard-$shard-of-2/shard.h5" ] || (scoria generate merged -run_shard "$shard,2")
done
rows=(-import_file dataset.h5 -import_x /x -import_fields "c=/fields/c,phi=/fields/phi"
  -import_conditions "U0=/conditions/U0,F_right=/conditions/F_right,ell=/conditions/ell")
stop 'read back' 2 unfinished generate part
stop 'grow' 2 nothing_copied generate . -ensemble_conditions "$((2 * conditions))"
stop 'merge' 1.5 nothing_merged merge merged
stop 'import' 1.5 nothing_imported import imported "${rows[@]}"
stop 'normaliser' 2 nothing_fitted train fit -run_memory 0
stop 'compare' 4 true compare . -compare_conditions 1 -compare_count 20000
nothing_copied
rm -rf part fit imported ./*.out
