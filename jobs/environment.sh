# shellcheck shell=bash
# What every script here shares: where the sources are, how many cores there are, and the variables that MPI and the
# linear algebra need.  Sourced, not run.  A variable that the user has set is left as it is.

SCORIA_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# An installation has these scripts and the decks under one directory too, and a file that says where the program is.
SCORIA_INSTALLED=
if [ -r "$SCORIA_SOURCE/jobs/installed.sh" ]; then
  # shellcheck source=/dev/null
  source "$SCORIA_SOURCE/jobs/installed.sh"
fi
SCORIA_BUILD=${SCORIA_BUILD:-${SCORIA_INSTALLED:-$SCORIA_SOURCE/build}}
export SCORIA_SOURCE SCORIA_BUILD

# One thread per rank: the ranks are the parallelism.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
export OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1}

# Open MPI refuses to run as root unless both say that it may (a container is root's as a rule).
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1
  export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# An error is one line of the program's: Open MPI 4's mpirun leaves out its own ten lines, which say that a rank has ended. (Open MPI 5 has
# a parameter of this kind and does not heed it.)  That a signal has ended it, which they would say too, say_signal says.
export OMPI_MCA_orte_execute_quiet=${OMPI_MCA_orte_execute_quiet:-1}

say() {
  printf '%s\n' "$*"
}

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# say_signal CODE: on standard error, which signal has ended what came back with this exit code; nothing where none has.
say_signal() {
  local name
  if [ "$1" -le 128 ] || ! name=$(kill -l $(($1 - 128)) 2>/dev/null); then return 0; fi
  printf '%s: ended by the signal %s%s\n' "$(basename "$0")" "$name" \
    "$([ "$name" != KILL ] || printf ', as the kernel sends where memory runs out, or a batch system at a limit')" >&2
}

# Whole cores' worth of time that the quotas of this process's control group, and of all groups above it, leave (versions 2 and 1);
# nothing where there is no quota.  A container that is limited so still sees every core of its machine.
quota_cores() {
  local root=${SCORIA_CGROUP_ROOT:-/sys/fs/cgroup} list=${SCORIA_CGROUP_LIST:-/proc/self/cgroup} # set by tests
  local controllers path base quota period cores least=
  [ -r "$list" ] || return 0
  while IFS=: read -r _ controllers path; do
    case ,$controllers, in
    ,,) base=$root ;;
    *,cpu,*) base=$root/cpu ;;
    *) continue ;;
    esac
    path=${path%/}
    while :; do
      quota=max period=0
      if [ -r "$base$path/cpu.max" ]; then
        read -r quota period <"$base$path/cpu.max"
      elif [ -r "$base$path/cpu.cfs_quota_us" ] && [ -r "$base$path/cpu.cfs_period_us" ]; then
        quota=$(cat "$base$path/cpu.cfs_quota_us") period=$(cat "$base$path/cpu.cfs_period_us")
      fi
      if [[ $quota =~ ^[0-9]+$ && $period =~ ^[1-9][0-9]*$ ]]; then
        cores=$((quota / period > 0 ? quota / period : 1))
        if [ -z "$least" ] || [ "$cores" -lt "$least" ]; then least=$cores; fi
      fi
      [ -n "$path" ] || break
      path=${path%/*}
    done
  done <"$list"
  printf '%s' "$least"
}

# Hardware threads that this process may use; nproc on its own would answer with OMP_NUM_THREADS.
available_threads() {
  local threads quota
  threads=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
  quota=$(quota_cores)
  if [ -n "$quota" ] && [ "$quota" -lt "$threads" ]; then threads=$quota; fi
  printf '%s\n' "$threads"
}

# Physical cores that this process may use: hardware threads of one core share its arithmetic.
physical_cores() {
  local available cores=0
  available=$(available_threads)
  if command -v lscpu >/dev/null 2>&1; then
    cores=$(lscpu -p=Core,Socket 2>/dev/null | { grep -v '^#' || true; } | sort -u | wc -l)
  fi
  if [ "$cores" -gt 0 ] && [ "$cores" -lt "$available" ]; then
    printf '%s\n' "$cores"
  else
    printf '%s\n' "$available"
  fi
}

# configure_and_build [-DNAME=VALUE ...]: the build directory up to date, quietly; what went wrong is shown.
configure_and_build() {
  local log=$SCORIA_BUILD/build.log
  mkdir -p "$SCORIA_BUILD"
  say "building in $SCORIA_BUILD"
  if ! { cmake -S "$SCORIA_SOURCE" -B "$SCORIA_BUILD" "$@" &&
    cmake --build "$SCORIA_BUILD" --parallel "$(available_threads)"; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    fail "the build failed; the whole log is $log"
  fi
}
