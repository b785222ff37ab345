# shellcheck shell=bash
# What the batch scripts share: the site's settings, and the start of scoria on the ranks of the job.  Sourced, not run.

# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
# shellcheck source-path=SCRIPTDIR source=site.env
source "$SCORIA_SOURCE/jobs/site.env"

load_modules() {
  if [ "${#SCORIA_MODULES[@]}" -gt 0 ]; then module load "${SCORIA_MODULES[@]}"; fi
}

# launch COMMAND DECK RUN_DIR [-key value ...]: one scoria command on all ranks of this job.
launch() {
  local command=$1 deck=$2 run_dir=$3
  shift 3
  [ -x "$SCORIA_BUILD/scoria" ] ||
    fail "$SCORIA_BUILD/scoria is not there: build it first (cmake -S . -B build && cmake --build build), or set SCORIA_BUILD"
  [ -r "$deck" ] || fail "$deck: no such deck"
  say "$(date '+%F %T')  scoria $command $deck -run_dir $run_dir $*"
  "${SCORIA_LAUNCHER[@]}" "$SCORIA_BUILD/scoria" "$command" "$deck" -run_dir "$run_dir" "$@"
}
