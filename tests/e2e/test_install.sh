#!/usr/bin/env bash
# An installation anywhere: the program finds the decks that came with it by name, the scripts find the program; and what a build without
# cmocka, or without benchmarks, leaves out.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

build=$(dirname "$SCORIA")
[ -r "$build/CMakeCache.txt" ] || { echo "$SCORIA is not in a build directory: skipped"; exit 77; }
prefix="$work/a prefix"
cmake --install "$build" --prefix "$prefix" >"$work/out" 2>&1 || fail "cmake --install: $(cat "$work/out")"
SCORIA=$prefix/bin/scoria
jobs=$prefix/share/scoria/jobs
small=(-ensemble_conditions 24 -ensemble_realisations 4 -train_steps 20 -train_batch 32 -train_micro_batches 2 -train_width 32
  -train_embed 16 -sample_count 20 -compare_conditions 2 -compare_count 40)
mkdir "$work/elsewhere" "$work/bin"
cd "$work/elsewhere" || exit 1

# Decks by name; one in the working directory comes first, and a path is taken as it is.
scoria 2 run quickstart.yaml "${small[@]}" </dev/null >"$work/out" 2>&1 || { fail "run quickstart.yaml: exit $?"; cat "$work/out" >&2; }
grep -q "^deck $prefix/bin/.*/share/scoria/input/quickstart.yaml\$" "$work/out" || { fail "no word on the deck"; cat "$work/out" >&2; }
[ -s runs/quickstart/report.html ] || fail "no report in the working directory"
expect 3 './quickstart.yaml: cannot be read' 1 solve ./quickstart.yaml
expect 3 'nosuch.yaml: cannot be read (No such file or directory), expected a YAML deck' 2 solve nosuch.yaml
tiny_deck quickstart.yaml "$work/own"
scoria 2 solve quickstart.yaml </dev/null >"$work/out" 2>&1 || fail "solve with a deck here: exit $?"
if grep -q '^deck ' "$work/out" || [ ! -s "$work/own/solve.h5" ]; then fail "a deck here does not come first: $(cat "$work/out")"; fi
rm quickstart.yaml

# The page for man and the completion for bash.
grep -q '^\.TH SCORIA 1' "$prefix/share/man/man1/scoria.1" || fail "no page for man"
grep -q '_scoria scoria$' "$prefix/share/bash-completion/completions/scoria" || fail "no completion"

# Scripts.
printf '#!/usr/bin/env bash\nexec "%s" "$@"\n' "$(command -v "$MPIEXEC")" >"$work/bin/mpirun"
chmod +x "$work/bin/mpirun"
scripted() {
  env -u SCORIA_SOURCE -u SCORIA_BUILD PATH="$work/bin:$PATH" "$@" </dev/null >"$work/out" 2>&1 || { fail "$*: exit $?"; cat "$work/out" >&2; }
}
scripted env SCORIA_RANKS=2 bash "$jobs/quickstart.sh" "${small[@]}" -run_dir "$work/scripted"
grep -q "^report: $work/scripted/report.html\$" "$work/out" || fail "quickstart.sh: $(cat "$work/out")"
if grep -q '^building' "$work/out"; then fail "quickstart.sh builds an installation"; fi
scripted env SCORIA_SOURCE="$prefix/share/scoria" bash "$jobs/generate.sbatch" quickstart.yaml "$work/batch" "${small[@]}"
[ -s "$work/batch/dataset.h5" ] || fail "generate.sbatch made no dataset"

# Builds with less.
cached() { # NAME: as this build was configured
  sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}
# shellcheck disable=SC2016
printf '#!/usr/bin/env bash\nfor a; do if [ "$a" = cmocka ]; then exit 1; fi; done\nexec "%s" "$@"\n' "$(cached PKG_CONFIG_EXECUTABLE)" \
  >"$work/bin/without-cmocka"
chmod +x "$work/bin/without-cmocka"
configure() { # DIRECTORY [-DNAME=VALUE ...]
  local to=$1
  shift
  cmake -S "$SCORIA_SOURCE" -B "$to" -DCMAKE_C_COMPILER="$(cached CMAKE_C_COMPILER)" -DMPI_C_COMPILER="$(cached MPI_C_COMPILER)" \
    -DCMAKE_PREFIX_PATH="$(cached CMAKE_PREFIX_PATH)" -DPKG_CONFIG_EXECUTABLE="$work/bin/without-cmocka" "$@" >"$work/out" 2>&1
}
configure "$work/less" -DSCORIA_BENCHMARKS=OFF || fail "cmake without cmocka: $(tail -n 5 "$work/out")"
grep -q 'Without tests: .*cmocka' "$work/out" || fail "cmake without cmocka says nothing"
cmake --build "$work/less" --target help >"$work/targets"
grep -qw scoria "$work/targets" || fail "no program without cmocka"
if grep -q 'bench_\|test_' "$work/targets"; then fail "benchmarks or tests where there should be none"; fi
configure "$work/less" -DSCORIA_TESTS=ON && fail "tests that were asked for are left out in silence"
grep -q 'tests need cmocka' "$work/out" || fail "cmake does not name cmocka: $(tail -n 5 "$work/out")"
finish
