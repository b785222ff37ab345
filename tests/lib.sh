# shellcheck shell=bash
# Shared by the script tests: SCORIA (the program), MPIEXEC and SCORIA_SOURCE come from CTest, or default to a build in build/.
SCORIA_SOURCE=${SCORIA_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
SCORIA=${SCORIA:-$SCORIA_SOURCE/build/scoria}
MPIEXEC=${MPIEXEC:-mpirun}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe # what Open MPI 5 calls it
# mpirun waits a second after a rank's error before it kills the others; and other ways of messages than shared memory are looked for at each start.
export OMPI_MCA_odls_base_sigkill_timeout=0 PRTE_MCA_odls_base_sigkill_timeout=0 OMPI_MCA_pml=ob1
export OMPI_MCA_mpi_yield_when_idle=1 MPIR_CVAR_ENABLE_HEAVY_YIELD=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# h5py comes as a Debian package, for the system's own interpreter.
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3
export PYTHONPATH=$SCORIA_SOURCE/tests${PYTHONPATH:+:$PYTHONPATH} PYTHONDONTWRITEBYTECODE=1 # crc32c.py, arrays.py

work=$(mktemp -d "${TMPDIR:-/tmp}/scoria-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
# What a launcher that is killed leaves there: Open MPI 5 refuses to start where an earlier one of the same process number has left its directory.
export TMPDIR=$work
failures=0

# last_options ARGUMENTS ...: these into the array kept_options, but of an option that is given twice, by a base and by what overrules it there,
# the last alone: the program refuses both.
last_options() {
  local -a given=("$@")
  local -A last=()
  local i
  kept_options=()
  for i in "${!given[@]}"; do
    if [[ ${given[i]} == -[a-zA-Z]* ]]; then last[${given[i]}]=$i; fi
  done
  for ((i = 0; i < ${#given[@]}; i++)); do
    if [[ ${given[i]} != -[a-zA-Z]* ]] || [ "${last[${given[i]}]}" -eq "$i" ]; then
      kept_options+=("${given[i]}")
    elif [ "$((i + 1))" -lt "${#given[@]}" ] && [[ ${given[i + 1]} != -[a-zA-Z]* ]]; then
      i=$((i + 1)) # its value
    fi
  done
}

# scoria RANKS COMMAND ...: the program, with a limit on time so that a hang is a failure; one rank without the launcher, which takes most of
# the time of a refusal, and would read the rest of a list that a loop goes through.
scoria() {
  local launcher=("$MPIEXEC" -n "$1")
  [ "$1" -gt 1 ] || launcher=()
  last_options "${@:2}"
  timeout 300 "${launcher[@]}" "$SCORIA" "${kept_options[@]}" </dev/null
}

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# in_pieces DIR TRIES STOPS HOURS ARGUMENTS...: the command in the run directory DIR, on 1, 2 and 3 ranks in turn, try i for HOURS, an
# expression in i [1e-6 h], until it is done; it has to be stopped STOPS times at least.
in_pieces() {
  local dir=$1 tries=$2 stops=$3 hours=$4 code=75 i
  shift 4
  for ((i = 1; i <= tries; i++)); do
    scoria $((1 + i % 3)) "$@" -run_dir "$dir" -run_max_hours "$(printf "0.%06d" $((hours)))" >"$work/out" 2>&1
    code=$?
    [ "$code" -eq 75 ] || break
  done
  [ "$code" -eq 0 ] || { fail "$1 interrupted: exit $code in the end"; cat "$work/out" >&2; }
  [ "$(grep -c '"event":"stop"' "$dir/log.jsonl")" -ge "$stops" ] || fail "$1 was not interrupted"
}

# expect CODE PATTERN RANKS ARGUMENTS...: exit code, and exactly one line of the program's own that matches.
expect() {
  local code=$1 pattern=$2 ranks=$3 got=0
  shift 3
  scoria "$ranks" "$@" >"$work/out" 2>"$work/err" || got=$?
  if [ "$got" -ne "$code" ]; then
    fail "scoria $*: exit $got, expected $code"
    cat "$work/out" "$work/err" >&2
  fi
  if [ "$(grep -c '^scoria: ' "$work/err")" -ne 1 ] || ! grep -q "^scoria: .*$pattern" "$work/err"; then
    fail "scoria $*: expected one line matching '$pattern'"
    cat "$work/err" >&2
  fi
  if grep -q 'PETSC ERROR\|Segmentation\|HDF5-DIAG' "$work/err" "$work/out"; then
    fail "scoria $*: a trace where one line was expected"
    cat "$work/err" >&2
  fi
}

finish() {
  if [ "$failures" -ne 0 ]; then
    echo "$failures checks failed" >&2
    exit 1
  fi
  echo "all checks passed"
}

# A deck of the showcase physics that runs in seconds.
tiny_deck() { # FILE RUN_DIR
  cat >"$1" <<DECK
run: {dir: $2, seed: 3}
electrode: {set: chen2020_negative, model: newman, state: ocp, bruggeman_kappa: 1.5, bruggeman_D: 1.8}
porosity: {kernel: se, min: 0.1, max: 0.4}
conditions: {U0: [0.10, 0.25], F_right: [5, 20], ell: [4.26e-6, 2.13e-5]}
ensemble: {conditions: 48, realisations: 6, cells: [16]}
train: {steps: 30, batch: 64, micro_batches: 4, width: 32, depth: 1, embed: 16, modes: 8, all_modes: 12}
sample: {count: 40, steps: 6, source: network} # 30 steps of training may add nothing to the Gaussian
compare: {conditions: 3, count: 60}
DECK
}
