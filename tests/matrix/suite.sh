#!/usr/bin/env bash
# Builds scoria on what prefix.sh has built for one MPI, without root, and runs its unit and verification tests.  tests/matrix.sh
# calls it in a root of its own.
#
#   suite.sh openmpi|mpich PREFIX BUILD [ctest's arguments]
set -euo pipefail

mpi=$1 prefix=$2 build=$3
shift 3
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
cmake -S "$source" -B "$build" -DCMAKE_BUILD_TYPE=Release -DSCORIA_TESTS=ON -DSCORIA_HDF5=hdf5 \
  -DMPI_C_COMPILER="mpicc.$mpi" -DMPIEXEC_EXECUTABLE="$(command -v "mpiexec.$mpi")"
cmake --build "$build" -j"$(nproc)"
exec ctest --test-dir "$build" -L 'unit|verify' --output-on-failure "$@"
