#!/usr/bin/env bash
# What surrounds a run: PETSc's options from the environment and from .petscrc, ~ in paths, files that may not be read, limits on memory, a
# machine without gnuplot.  Each is told in one line, and none changes results without a word.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

alone() { # CODE PATTERN ARGUMENTS...: the program without a launcher, which the environment would have to pass
  local code=$1 pattern=$2 got=0
  shift 2
  last_options "$@"
  timeout 100 "$SCORIA" "${kept_options[@]}" >"$work/out" 2>&1 || got=$?
  if [ "$got" -ne "$code" ] || ! grep -q -- "$pattern" "$work/out"; then
    fail "scoria $*: exit $got, expected $code and '$pattern'"
    cat "$work/out" >&2
  fi
}
deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
few=(-ensemble_conditions 2 -ensemble_realisations 2)
late=("${few[@]}" -ensemble_mode transient -ensemble_time 100 -run_dir "$work/late")

# An integration that PETSc calls converged where its steps were used up, a Newton's method that does not ask whether it has converged.
PETSC_OPTIONS="-ts_max_steps 2" alone 5 '4 of 4 solves failed' generate "$deck" "${late[@]}"
alone 3 'dataset.h5: made by another deck (petsc_options is not set here and -ts_max_steps 2 there)' generate "$deck" "${late[@]}"
PETSC_OPTIONS="-snes_type ksponly" alone 5 '4 of 4 solves failed' generate "$deck" "${late[@]}" -run_dir "$work/ksponly"
PETSC_OPTIONS="-snes_type ksponly" alone 5 '4 of 4 solves failed' generate "$deck" "${few[@]}" -run_dir "$work/steady"
PETSC_OPTIONS="-snes_convergence_test skip -snes_max_it 1" alone 3 'PETSC_OPTIONS: found -snes_convergence_test, which cannot be chosen' \
  generate "$deck" "${few[@]}" -run_dir "$work/none"
alone 3 'command line: found -ts_max_time, which cannot be chosen' generate "$deck" "${late[@]}" -ts_max_time 1
PETSC_OPTIONS="-snes_rtoll 1" alone 3 'PETSC_OPTIONS: unknown key "-snes_rtoll"' generate "$deck" -run_dir "$work/none"
alone 3 'command line: unknown key "-logarithmic"' generate "$deck" -run_dir "$work/none" -logarithmic rate
# Values that PETSc refuses.
alone 3 "PETSc's options: Unable to find requested PC type nosuch" generate "$deck" "${few[@]}" -run_dir "$work/refused" -pc_type nosuch
alone 3 "PETSc's options: .*abc" generate "$deck" "${few[@]}" -run_dir "$work/refused" -snes_rtol abc
alone 3 "PETSc's options: .*nosuch" generate "$deck" "${late[@]}" -run_dir "$work/refused" -ts_adapt_type nosuch
[ "$(wc -l <"$work/out")" -lt 12 ] || fail "a value that PETSc refuses is told at length: $(wc -l <"$work/out") lines"

# Keys that count before the deck are said; what a .petscrc has for other programs is no reason to stop.  ~ is HOME.
mkdir "$work/home"
printf -- '-of_another_program 3\n-run_seed 5\n-snes_rtol 1e-9\n' >"$work/home/.petscrc"
# shellcheck disable=SC2088 # it is to reach the program
HOME=$work/home PETSC_OPTIONS="-porosity_sigma 0.5" alone 0 'WARNING: ~/.petscrc: -of_another_program is no key' generate "$deck" "${few[@]}" -run_dir '~/a run'
for said in '^~/.petscrc: -snes_rtol 1e-9 reaches PETSc.s solvers' '^~/.petscrc: -run_seed 5 counts before the deck' '^PETSC_OPTIONS: -porosity_sigma 0.5 counts before the deck'; do
  grep -q "$said" "$work/out" || fail "not said: $said"
done
grep -q '"event":"options","elsewhere":".*~/.petscrc: -run_seed 5' "$work/home/a run/log.jsonl" || fail "the log does not say what came from elsewhere"
[ -s "$work/home/a run/dataset.h5" ] || fail "~ in a path is not HOME"
# What `deck` prints is a deck, whatever is said before it.
HOME=$work/home alone 0 '^# ~/.petscrc: -run_seed 5 counts before the deck' deck "$deck"
cp "$work/out" "$work/printed.yaml"
alone 0 '^  seed: 5' deck "$work/printed.yaml"
[ ! -e '~' ] || fail "~ was made as a directory"
# shellcheck disable=SC2088
alone 3 'found "~nobody/x", expected ~/' generate "$deck" -run_dir '~nobody/x'
[ ! -e "$work/none" ] || fail "a refused option has made a run directory"

# Processes without a launcher begin and end beside each other, and share no directory that one of them could remove: Open MPI 4 needs none.
if "$MPIEXEC" --version | grep -q '(Open MPI) 4\.'; then TMPDIR=/dev/null/none alone 0 '^run:' deck "$deck"; fi
for ((k = 0; k < 4; k++)); do
  for ((i = 0; i < 10; i++)); do timeout 100 "$SCORIA" deck "$deck" >"$work/start$k" 2>&1 || exit 1; done &
  starts[k]=$!
done
for ((k = 0; k < 4; k++)); do wait "${starts[k]}" || { fail "a start beside others"; cat "$work/start$k" >&2; }; done

# A page without gnuplot has its tables; that there is no result is not said.
timeout 100 "$MPIEXEC" -n 1 env PATH=/nowhere "$SCORIA" report "$deck" "${late[@]}" >"$work/out" 2>&1 || { fail "a report without gnuplot"; cat "$work/out" >&2; }
grep -q 'gnuplot is missing' "$work/out" || fail "it is not said that gnuplot is missing"
grep -q 'holds no result' "$work/out" && fail "results are denied where gnuplot is missing"
grep -q '<table' "$work/late/report.html" || fail "no table in a page without figures"

# A file that may not be read; root, who may read everything, asks as somebody else.
mkdir "$work/import" && chmod 755 "$work" && chmod 777 "$work/import"
cp "$work/late/dataset.h5" "$work/secret.h5" && chmod 000 "$work/secret.h5"
printf 'run: {dir: %s}\nimport: {file: %s, fields: [c=/c], conditions: [a=/a], x: /x}\n' "$work/import/run" "$work/secret.h5" >"$work/import.yaml"
as=()
if [ "$(id -u)" -eq 0 ]; then as=(setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$work/import" TMPDIR="$work/import"); fi
if "${as[@]}" "$SCORIA" --version >/dev/null 2>&1; then
  timeout 100 "${as[@]}" "$SCORIA" import "$work/import.yaml" >"$work/out" 2>&1
  code=$?
  if [ "$code" -ne 3 ] || ! grep -q 'secret.h5: cannot be read: Permission denied (expected an HDF5 file)' "$work/out"; then
    fail "a file that may not be read: exit $code"
    cat "$work/out" >&2
  fi
else
  echo "skipped: nobody but root can start the program here"
fi

# Little address space: OpenBLAS tries for ever to have its buffer.  Whatever else ends the program, it does end.
for limit in 300000 400000 600000; do
  (
    ulimit -v "$limit"
    unset OPENBLAS_NUM_THREADS OMP_NUM_THREADS
    timeout -k 5 100 "$SCORIA" run "$deck" -ensemble_conditions 24 -ensemble_realisations 2 -run_dir "$work/limited$limit" -train_steps 2 >"$work/out" 2>&1
  )
  case $? in 124 | 137) fail "never ends with ulimit -v $limit" ;; esac
done
finish
