#!/usr/bin/env bash
# A quick part of tests/run_sanitized.sh in every run of the tests: the program and the tests that read files, built with
# AddressSanitizer and UndefinedBehaviorSanitizer in a directory of their own, and one tiny run of everything.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

printf 'int main(void) { return 0; }\n' >"$work/probe.c"
if ! cc -fsanitize=address,undefined "$work/probe.c" -o "$work/probe" 2>/dev/null || ! "$work/probe"; then
  echo "skipped: this compiler's sanitizers are not there"
  exit 77
fi

# Kept from one run to the next, so that only what has changed is built again.
build=$PWD/sanitized
programs=(test_deck test_store test_foreign test_dataset fuzz_deck fuzz_dataset fuzz_model fuzz_checkpoint)
cmake -S "$SCORIA_SOURCE" -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-g1 -O1" -DSCORIA_SANITIZE=ON \
  -DSCORIA_TESTS=ON >"$work/log" 2>&1 || { cat "$work/log" >&2 && exit 1; }
cmake --build "$build" --parallel 2 --target scoria "${programs[@]}" >"$work/log" 2>&1 ||
  { tail -n 40 "$work/log" >&2 && exit 1; }

export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
pattern=$(printf '|%s' "${programs[@]}")
ctest --test-dir "$build" -R "^(${pattern#|})\$" --output-on-failure --no-tests=error || fail "tests under the sanitizers"

SCORIA=$build/scoria
tiny_deck "$work/deck.yaml" "$work/run"
if ! scoria 2 run "$work/deck.yaml" -ensemble_conditions 12 -ensemble_realisations 4 -train_steps 5 \
  -compare_conditions 1 -compare_count 20 -sample_count 8 -sample_steps 3 >"$work/out" 2>&1 </dev/null; then
  fail "run under the sanitizers"
  tail -n 40 "$work/out" >&2
fi
[ -s "$work/run/report.html" ] || fail "no report"
finish
