#!/usr/bin/env bash
# Fuzzes the readers with libFuzzer under ASan and UBSan, one target after another, and prints a table.
#
#   tests/fuzz/run.sh [SECONDS=600] [TARGET ...]     needs clang and its run-time library (Debian: clang libclang-rt-dev)
#
# Builds in build-fuzz/.  What is found is left in build-fuzz/finds/; put into corpus/TARGET/ it is a test from then on.
set -euo pipefail
SCORIA_BUILD=${SCORIA_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build-fuzz}
# shellcheck source-path=SCRIPTDIR source=../../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../jobs/environment.sh"

seconds=${1:-600}
shift || true
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || targets=(fuzz_deck fuzz_dataset fuzz_model fuzz_checkpoint)

command -v clang >/dev/null 2>&1 || fail "clang is not installed"
configure_and_build -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-g1 -O1" -DCMAKE_C_COMPILER=clang -DSCORIA_FUZZ=ON \
  -DSCORIA_TESTS=OFF

# PETSc's and libyaml's error paths leak by design: each child of the fuzzer lives for some thousand inputs only.
export ASAN_OPTIONS=detect_leaks=0
found=0
mkdir -p "$SCORIA_BUILD/finds"
printf '%-16s %8s %12s %10s %6s\n' target seconds inputs coverage finds
for target in "${targets[@]}"; do
  corpus=$SCORIA_BUILD/corpus/$target
  log=$SCORIA_BUILD/$target.log
  mkdir -p "$corpus"
  seeds=("$SCORIA_SOURCE/tests/fuzz/corpus/$target")
  options=(-fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 -timeout=20 -malloc_limit_mb=1024
    -rss_limit_mb=3000 -max_len=2048 -max_total_time="$seconds" -artifact_prefix="$SCORIA_BUILD/finds/$target.")
  if [ "$target" = fuzz_deck ]; then
    seeds+=("$SCORIA_SOURCE/input")
    "$SCORIA_BUILD/scoria" -help all | awk '/^  -/ { sub(/^-/, "", $1); print "\"" $1 "\"" }' | sort -u >"$SCORIA_BUILD/keys.dict"
    options+=(-dict="$SCORIA_BUILD/keys.dict")
  fi
  start=$(date +%s)
  nice "$SCORIA_BUILD/fuzz/$target" "${options[@]}" "$corpus" "${seeds[@]}" >"$log" 2>&1 || true
  last=$(grep -E '^#[0-9]+: cov' "$log" | tail -n 1)
  finds=$(find "$SCORIA_BUILD/finds" -name "$target.*" | wc -l)
  found=$((found + finds))
  printf '%-16s %8d %12s %10s %6d\n' "$target" "$(($(date +%s) - start))" \
    "$(sed -E 's/^#([0-9]+):.*/\1/' <<<"$last")" "$(sed -E 's/.*cov: ([0-9]+).*/\1/' <<<"$last")" "$finds"
done
[ "$found" -eq 0 ] || fail "$found finds in $SCORIA_BUILD/finds"
