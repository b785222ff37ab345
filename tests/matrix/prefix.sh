#!/usr/bin/env bash
# Builds HDF5, FFTW and PETSc from source in a prefix, for one MPI and without root, as on a cluster whose modules are older or of
# another MPI.  Started again it goes on where it was.  tests/matrix.sh calls it in a root of its own.
#
#   prefix.sh openmpi|mpich SOURCES PREFIX      SOURCES: petsc-*.tar.gz, hdf5_*.orig.tar.gz, fftw3_*.orig.tar.gz
set -euo pipefail

mpi=$1 sources=$(realpath "$2") prefix=$(realpath -m "$3")
jobs=$(nproc)
export CC=mpicc.$mpi
mkdir -p "$prefix/build"

# unpacked PATTERN: the directory of an archive's sources.
unpacked() {
  local archive dir
  archive=$(find "$sources" -name "$1" | sort -V | tail -n 1)
  dir=$prefix/build/$(basename "$archive" | sed 's/\.tar\..*//')
  if [ ! -d "$dir" ]; then
    mkdir "$dir.part"
    tar -xf "$archive" -C "$dir.part" --strip-components=1
    mv "$dir.part" "$dir"
  fi
  printf '%s\n' "$dir"
}

# step NAME COMMAND ...: does it once, its output in a log, of which the end is shown where it fails.
step() {
  local name=$1 log=$prefix/build/$1.log
  shift
  if [ -e "$prefix/build/$name.done" ]; then return; fi
  printf '%s: building %s\n' "$mpi" "$name"
  if ! (set -e && "$@") >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    exit 1
  fi
  touch "$prefix/build/$name.done"
}

build_fftw() {
  cd "$(unpacked 'fftw3_*.orig.tar.gz')"
  [ -e Makefile ] || ./configure --prefix="$prefix" --enable-shared --disable-static --disable-fortran --enable-mpi --enable-avx2 MPICC="$CC" CC=gcc
  make -j"$jobs"
  make install
}

build_hdf5() {
  local dir
  dir=$(unpacked 'hdf5_*.orig.tar.*')
  cmake -S "$dir" -B "$dir/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" -DHDF5_ENABLE_PARALLEL=ON \
    -DBUILD_TESTING=OFF -DHDF5_BUILD_EXAMPLES=OFF -DHDF5_BUILD_TOOLS=OFF -DHDF5_BUILD_HL_LIB=OFF -DHDF5_BUILD_CPP_LIB=OFF -DBUILD_STATIC_LIBS=OFF
  cmake --build "$dir/build" -j"$jobs"
  cmake --install "$dir/build"
}

build_petsc() {
  cd "$(unpacked 'petsc-*.tar.gz')"
  unset PETSC_DIR PETSC_ARCH
  [ -e arch/lib/petsc/conf/petscvariables ] || ./configure PETSC_ARCH=arch --prefix="$prefix" --with-cc="$CC" --with-cxx=0 --with-fc=0 \
    --with-debugging=0 --COPTFLAGS=-O2 --with-x=0 --with-make-np="$jobs" --with-mpiexec="mpiexec.$mpi"
  make PETSC_DIR="$PWD" PETSC_ARCH=arch all
  make PETSC_DIR="$PWD" PETSC_ARCH=arch install
}

step fftw build_fftw
step hdf5 build_hdf5
step petsc build_petsc
