# shellcheck shell=bash
# What the batch scripts share: the site's settings, and the start of scoria on the ranks of the job.  Sourced, not run.

# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
# shellcheck source-path=SCRIPTDIR source=site.env
source "$SCORIA_SOURCE/jobs/site.env"

load_modules() {
  if [ "${#SCORIA_MODULES[@]}" -gt 0 ]; then module load "${SCORIA_MODULES[@]}"; fi
}

# Puts this job into the queue again, as the same job; the cap keeps one that never gets anywhere from doing so for ever.
requeue() {
  local restarts=${SLURM_RESTART_COUNT:-0}
  if [ -z "${SLURM_JOB_ID:-}" ]; then return; fi
  if [ "$restarts" -ge "$SCORIA_MAX_RESTARTS" ]; then
    fail "stopped in good order, but restarted $restarts times already (SCORIA_MAX_RESTARTS in jobs/site.env): submit it again"
  fi
  say "$(date '+%F %T')  requeueing job $SLURM_JOB_ID, restart $((restarts + 1))"
  scontrol requeue "$SLURM_JOB_ID"
  sleep 120 # Slurm ends this script
}

# The path of a deck: as given, else the one of this name that comes with scoria.
find_deck() {
  local deck=$1
  if [ ! -e "$deck" ] && [ -r "$SCORIA_SOURCE/input/$deck" ]; then deck=$SCORIA_SOURCE/input/$deck; fi
  [ -r "$deck" ] || fail "$1: no such deck"
  printf '%s\n' "$deck"
}

# start COMMAND DECK RUN_DIR [-key value ...]: one scoria command on all ranks of this job, its exit code in launch_code.  Slurm's
# warning before the time limit (USR1) is handed on; scoria then keeps what it has and ends with 75, and the job goes back into the queue.
# So it does where the run directory is still held by what a lost node has left running: a job of Slurm's waits a little, and later again.
start() {
  local command=$1 deck run_dir=$3 child code=0
  deck=$(find_deck "$2")
  local -a patience=()
  shift 3
  [ -x "$SCORIA_BUILD/scoria" ] ||
    fail "$SCORIA_BUILD/scoria is not there: build it first (cmake -S . -B build && cmake --build build), or set SCORIA_BUILD"
  if [ -n "${SLURM_JOB_ID:-}" ] && [[ " $* " != *" -run_wait_minutes "* ]]; then patience=(-run_wait_minutes "$SCORIA_WAIT_MINUTES"); fi
  say "$(date '+%F %T')  scoria $command $deck -run_dir $run_dir $*"
  "${SCORIA_LAUNCHER[@]}" "$SCORIA_BUILD/scoria" "$command" "$deck" -run_dir "$run_dir" "${patience[@]}" "$@" &
  child=$!
  # shellcheck disable=SC2064
  trap "kill -USR1 $child 2>/dev/null || true" USR1
  wait "$child" || code=$?
  while kill -0 "$child" 2>/dev/null; do # the trap has ended the wait, not the program
    code=0
    wait "$child" || code=$?
  done
  trap - USR1
  say_signal "$code"
  if [ "$code" -eq 75 ]; then requeue; fi
  launch_code=$code
}

# The same, ending this script where the command does not end well.
launch() {
  start "$@"
  if [ "$launch_code" -ne 0 ]; then exit "$launch_code"; fi
}
