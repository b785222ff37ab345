# shellcheck shell=bash
# Shared by the fault tests: the program with a fault injected (inject.c), and what must hold of a run directory after.
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
deck=$work/deck.yaml
export SCORIA_CLOSE_SECONDS=10              # ranks that wait for each other in a close, after a failed write
FAULT_TOOLS=${FAULT_TOOLS:-$SCORIA_SOURCE/build/tests} # libinject.so, same_arrays

if ldd "$SCORIA" | grep 'libasan' >/dev/null; then
  echo "skipped: a library preloaded before the sanitizers' own is refused by them"
  exit 77
fi

# A chain that takes about a second, and passes every kind of protocol step: several batches, a checkpoint at every step.
fault_deck() { # FILE
  tiny_deck "$1" "$work/unused"
  sed -i -e 's/^ensemble: .*/ensemble: {conditions: 16, realisations: 4, cells: [12]}/' -e 's/seed: 3/seed: 3, checkpoint_minutes: 1e-9/' \
    -e 's/^train: .*/train: {steps: 4, batch: 16, micro_batches: 2, width: 16, depth: 1, embed: 8, modes: 6, all_modes: 8}/' \
    -e 's/^sample: .*/sample: {count: 20, steps: 4}/' -e 's/^compare: .*/compare: {conditions: 2, count: 20}/' "$1"
  echo 'uq: {count: 6000}' >>"$1"
}

# The file a command ends in, and those it starts from.
result_of() { case $1 in generate) echo dataset.h5 ;; train) echo model.h5 ;; sample) echo samples.h5 ;; uq) echo uq.h5 ;; compare) echo compare.h5 ;; refine) echo refined.h5 ;; infer) echo posterior.h5 ;; esac }
sources_of() { case $1 in train) echo dataset.h5 ;; sample | uq | compare | infer) echo "dataset.h5 model.h5" ;; refine) echo "dataset.h5 model.h5 samples.h5" ;; esac }

# prepare DIR COMMAND: an empty run directory with what COMMAND starts from, taken from $reference.
prepare() {
  local source
  rm -rf "$1"
  mkdir -p "$1"
  for source in $(sources_of "$2"); do ln "$reference/$source" "$1/$source"; done
}

# injected RANKS "SETTING=... SETTING=..." COMMAND DIR [-key value ...]: the exit code in $code, the output in $work/out and err.
injected() {
  local ranks=$1 settings=$2 command=$3 dir=$4
  shift 4
  code=0
  # shellcheck disable=SC2086
  { timeout 60 "$MPIEXEC" -n "$ranks" env LD_PRELOAD="$FAULT_TOOLS/libinject.so" SCORIA_FAULT_DIR="$dir" $settings \
    "$SCORIA" "$command" "$deck" -run_dir "$dir" "$@" </dev/null >"$work/out" 2>"$work/err" || code=$?; } 2>/dev/null
  [ "$code" -ne 124 ] || fail "$command with $settings: hangs"
}

# Whoever is still at work in DIR, orphaned by a killed mpirun, must soon be gone.
wait_free() {
  local _
  [ -e "$1/.lock" ] || return 0
  for _ in $(seq 300); do
    flock -n "$1/.lock" true && return 0
    sleep 0.1
  done
  fail "$1: ranks go on after mpirun was killed"
}

# right DIR COMMAND WHAT: where the result is there, it is the right one.
right() {
  local file
  file=$(result_of "$2")
  [ ! -e "$1/$file" ] || "$FAULT_TOOLS/same_arrays" "$reference/$file" "$1/$file" || fail "$3: a wrong $file looks finished"
}

# again RANKS COMMAND DIR WHAT [-key value ...]: the same command without a fault ends well, with the right bytes, and leaves nothing behind.
again() {
  local ranks=$1 command=$2 dir=$3 what=$4
  shift 4
  wait_free "$dir"
  if ! scoria "$ranks" "$command" "$deck" -run_dir "$dir" "$@" </dev/null >"$work/again" 2>&1; then
    fail "$what: the next start fails"
    cat "$work/out" "$work/err" "$work/again" >&2
  fi
  [ -e "$dir/$(result_of "$command")" ] || fail "$what: no $(result_of "$command") in the end"
  right "$dir" "$command" "$what"
  left=$(cd "$dir" && find . -name '*.part' -o -name '*.new' -o -name '*.next' -o -name '*.ckpt*' | tr '\n' ' ')
  [ -z "$left" ] || fail "$what: left behind: $left"
}

# How many calls of a kind (any: all) a rank makes in COMMAND, to $number; they are logged once for all kinds.
count_calls() { # COMMAND RANKS RANK KIND
  local log=$work/calls.$1.$2.$3
  if [ ! -e "$log" ]; then
    prepare "$work/count" "$1"
    injected "$2" "SCORIA_FAULT_RANK=$3 SCORIA_FAULT_LOG=$log" "$1" "$work/count"
    [ "$code" -eq 0 ] || { fail "$1 under the library"; cat "$work/out" "$work/err" >&2; }
    touch "$log"
  fi
  if [ "$4" = any ]; then number=$(wc -l <"$log"); else number=$(grep -c "^[0-9]* [0-9]* $4 " "$log"); fi
  [ "$number" -gt 0 ] || [ "$3" -gt 0 ] || fail "$1: no calls of rank 0 are counted ($4)" # others may have nothing to write
}

# The files of an undisturbed run, to compare with.
make_reference() {
  local command
  reference=$work/reference
  for command in "$@"; do
    scoria 2 "$command" "$deck" -run_dir "$reference" </dev/null >"$work/out" 2>&1 || { fail "the reference: $command"; cat "$work/out" >&2; finish; }
  done
}
