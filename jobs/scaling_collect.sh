#!/usr/bin/env bash
# The table of a scaling study: DIR/scaling.csv and DIR/scaling.md, of the repetitions that are done.
#
#   jobs/scaling_collect.sh DIR
#
# In the environment, for the predictions, where the study has not seen them: SCORIA_LATENCY [s] and SCORIA_BANDWIDTH
# [byte s^-1] of the network between nodes, SCORIA_FILE_BANDWIDTH [byte s^-1] of the file system, and SCORIA_PREDICT, the
# largest number of ranks that is predicted (16384).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
if [ "$#" -ne 1 ]; then fail "usage: jobs/scaling_collect.sh DIR"; fi
dir=$1
if [ ! -r "$dir/study.txt" ]; then fail "$dir/study.txt is not there: a study is begun by jobs/scaling.sh"; fi
files=()
for run in "$dir"/ranks-*/rep-*; do
  if [ -e "$run/done" ]; then files+=("$run/log.jsonl"); fi
done
if [ "${#files[@]}" -eq 0 ]; then fail "$dir: no repetition is done yet"; fi
for machine in "$dir"/ranks-*/machine.jsonl; do
  if [ -s "$machine" ]; then files=("$machine" "${files[@]}"); fi
done

# Jobs may collect at the same time: each writes a file of its own, and the last one, which sees all, has the last word.
part=$(mktemp "$dir/scaling.XXXXXX")
trap 'rm -f "$part" "$part.md"' EXIT
awk -f "$SCORIA_SOURCE/jobs/scaling.awk" -v kind="$(sed -n 's/^kind //p' "$dir/study.txt")" -v micro="$(sed -n 's/^micro //p' "$dir/study.txt")" \
  -v latency="${SCORIA_LATENCY:-0}" -v bandwidth="${SCORIA_BANDWIDTH:-0}" -v file="${SCORIA_FILE_BANDWIDTH:-0}" \
  -v most="${SCORIA_PREDICT:-16384}" -v markdown="$part.md" "${files[@]}" >"$part"
chmod 644 "$part" "$part.md"
mv "$part" "$dir/scaling.csv"
mv "$part.md" "$dir/scaling.md"
say "wrote $dir/scaling.csv and $dir/scaling.md"
