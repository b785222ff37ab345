#!/usr/bin/env bash
# The unit tests on one rank under valgrind's memcheck, in build-valgrind/; needs valgrind.  Arguments are names of tests
# (test_deck ...) instead of all.  Leaks are not looked for: MPI and PETSc's error paths have theirs.
#
# valgrind knows no AVX-512: the build is for any x86-64, and OpenBLAS and the C library are told to choose older kernels.
set -euo pipefail
SCORIA_BUILD=${SCORIA_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/build-valgrind}
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

command -v valgrind >/dev/null 2>&1 || fail "valgrind is not installed"
configure_and_build -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS=-g -DSCORIA_NATIVE=OFF -DSCORIA_TESTS=ON

export OPENBLAS_CORETYPE=Sandybridge # the FMA kernels of others round a row by its place in the batch
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD
cd "$SCORIA_BUILD/tests"
if [ $# -gt 0 ]; then
  tests=("$@")
else
  mapfile -t tests < <(find . -maxdepth 1 -name 'test_*' -type f -perm -u+x -printf '%f\n' | sort)
fi
bad=0
for name in "${tests[@]}"; do
  log=$SCORIA_BUILD/$name.valgrind
  if timeout 1800 valgrind --quiet --leak-check=no --error-exitcode=99 "./$name" >"$log" 2>&1; then
    say "clean    $name"
  else
    say "NOT CLEAN $name (exit $?): $log"
    bad=$((bad + 1))
  fi
done
[ "$bad" -eq 0 ] || fail "$bad of ${#tests[@]} tests are not clean"
say "all ${#tests[@]} tests are clean"
