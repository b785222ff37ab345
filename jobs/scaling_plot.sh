#!/usr/bin/env bash
# The figures of a scaling study, DIR/scaling_seconds and DIR/scaling_efficiency as .svg and .png: what was measured,
# what is predicted from the first number of ranks (dashed), and the ideal (grey).
#
#   jobs/scaling_plot.sh DIR
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
if [ "$#" -ne 1 ]; then fail "usage: jobs/scaling_plot.sh DIR"; fi
dir=$1
if [ ! -r "$dir/scaling.csv" ]; then fail "$dir/scaling.csv is not there: jobs/scaling_collect.sh $dir makes it"; fi
if ! command -v gnuplot >/dev/null 2>&1; then
  say "gnuplot is not installed: no figures; the table is $dir/scaling.csv"
  exit
fi
if ! { awk -F , -f "$SCORIA_SOURCE/jobs/scaling_plot.awk" "$dir/scaling.csv" >"$dir/scaling.gp" && (cd "$dir" && gnuplot scaling.gp) >"$dir/scaling_plot.out" 2>&1; }; then
  tail -n 5 "$dir/scaling_plot.out" >&2
  fail "gnuplot did not draw: see $dir/scaling_plot.out"
fi
rm -f "$dir/scaling_plot.out"
say "wrote $dir/scaling_seconds.svg and $dir/scaling_efficiency.svg"
