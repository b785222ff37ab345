#!/usr/bin/env bash
# The tests under AddressSanitizer and UndefinedBehaviorSanitizer, in build-sanitized/.  Arguments go to ctest:
# tests/run_sanitized.sh -L unit.  Leaks are not looked for: MPI and PETSc's error paths have theirs.
set -euo pipefail
SCORIA_BUILD=${SCORIA_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/build-sanitized}
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

bash "$SCORIA_SOURCE/jobs/install_packages.sh" tests
configure_and_build -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-g1 -O1" -DSCORIA_SANITIZE=ON -DSCORIA_TESTS=ON
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
exec ctest --test-dir "$SCORIA_BUILD" --output-on-failure "$@"
