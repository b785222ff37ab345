#!/usr/bin/env bash
# From a fresh clone to a report: installs what is missing, builds, and runs input/quickstart.yaml on this machine's cores.
# Run again, it continues: what is complete is skipped.  From an installation nothing is built, and runs/ is made in the working
# directory.  Arguments go to scoria:
#
#   jobs/quickstart.sh -train_steps 500 -run_dir runs/short
#
# SCORIA_RANKS sets the number of MPI ranks, SCORIA_BUILD the build directory.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

# The run directory: the last -run_dir among the arguments, else the deck's.
run_directory() {
  local dir=runs/quickstart
  while [ "$#" -gt 0 ]; do
    if [ "$1" = -run_dir ] && [ "$#" -gt 1 ]; then dir=$2; fi
    shift
  done
  realpath -m "$dir"
}

started=$SECONDS
if [ -z "$SCORIA_INSTALLED" ]; then
  bash "$SCORIA_SOURCE/jobs/install_packages.sh"
  configure_and_build -DCMAKE_BUILD_TYPE=Release -DSCORIA_TESTS=OFF
  cd "$SCORIA_SOURCE"
  deck=input/quickstart.yaml
else
  deck=quickstart.yaml # the program finds it
fi
ranks=${SCORIA_RANKS:-$(physical_cores)}
say "running $deck on $ranks ranks"
code=0
mpirun -n "$ranks" "$SCORIA_BUILD/scoria" run "$deck" "$@" || code=$?
say_signal "$code"
if [ "$code" -ne 0 ]; then exit "$code"; fi

say ""
say "report: $(run_directory "$@")/report.html"
say "time:   $((SECONDS - started)) s"
