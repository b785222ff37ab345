#!/usr/bin/env bash
# Installs what the tests need, builds, and runs them all: unit tests first, then verification, whole runs, and faults.
# Arguments go to ctest: tests/run.sh -L unit, tests/run.sh -R porosity.  The tests under Slurm (-L slurm) are skipped unless slurm-wlm
# and munge are installed and root starts them (SCORIA_TEST_SLURM=1 installs them too); they start daemons of their own and stop them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

bash "$SCORIA_SOURCE/jobs/install_packages.sh" tests ${SCORIA_TEST_SLURM:+slurm}
configure_and_build -DCMAKE_BUILD_TYPE=Release -DSCORIA_TESTS=ON
# Two at a time where there are two cores; not more, as programs of up to four ranks wait for each other.
jobs=$(available_threads)
if [ "$jobs" -gt 2 ]; then jobs=2; fi
exec ctest --test-dir "$SCORIA_BUILD" --output-on-failure --parallel "$jobs" "$@"
