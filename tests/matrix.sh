#!/usr/bin/env bash
# The systems that scoria is to run on, one after the other, and a table of what passed (Markdown), on standard output and in DIR/matrix.md.
# Needs root, debootstrap, pip (for PETSc's sources), some 15 GB in DIR and one to two hours on two cores; not for CI.
#
#   tests/matrix.sh [DIR=/var/tmp/scoria-matrix] [PART ...]      all parts, or these:
#
#   debian12 debian13   on a bare system: jobs/quickstart.sh, then the whole suite by tests/run.sh
#   openmpi mpich       without root on Debian 13: FFTW, HDF5 and the newest PETSc of PyPI from source in a prefix
#                       (tests/matrix/prefix.sh), then the unit and verification tests
#
# SCORIA_PETSC=3.25.6 takes that version instead.  Started again, it keeps the roots and what is built in them.
set -euo pipefail

source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=/var/tmp/scoria-matrix
if [[ ${1:-} == */* ]]; then dir=$1 && shift; fi
parts=("$@")
if [ "$#" -eq 0 ]; then parts=(debian12 debian13 openmpi mpich); fi
[ "$(id -u)" -eq 0 ] || { echo "matrix.sh: needs root, for chroot" >&2; exit 1; }
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
mounted=()
trap 'for at in "${mounted[@]}"; do umount -l "$at"; done' EXIT
rows=()

# root NAME SUITE: a bare system, with this tree's committed files in /scoria.
root() {
  local root=$dir/$1 at
  if [ ! -e "$root/.made" ]; then
    rm -rf "$root"
    debootstrap --variant=minbase "$2" "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$dir/$1.debootstrap.log"
    touch "$root/.made"
  fi
  for at in proc sys dev dev/shm; do
    mount --bind "/$at" "$root/$at"
    mounted=("$root/$at" "${mounted[@]}")
  done
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  rm -rf "$root/scoria"
  git -C "$source" archive --prefix=scoria/ HEAD | tar -x -C "$root"
}

# inside ROOT COMMAND: in a clean environment; the output goes to DIR/<root>.log too.
inside() {
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TMPDIR=/tmp \
    chroot "$dir/$1" bash -euo pipefail -c "$2" </dev/null >>"$dir/$1.log" 2>&1
}

# version ROOT COMMAND: its output's last line.
version() { env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 chroot "$dir/$1" bash -c "$2" 2>/dev/null | tail -n 1; }

# row NAME ROOT MPI PETSC HDF5 RESULT
row() { rows+=("| $1 | $(version "$2" 'gcc -dumpfullversion') | $3 | $4 | $5 | $6 |"); }

# verdict LABEL CODE LOG: ctest's own last word, where there is one.
verdict() {
  local word
  word=$(grep -E '^[0-9]+% tests passed' "$3" | tail -n 1)
  printf '%s: %s%s' "$1" "$([ "$2" -eq 0 ] && echo passed || echo FAILED)" "${word:+ ($word)}"
}

packaged() { version "$1" "dpkg-query -W -f '\${Version}' $2 | sed 's/[+~-].*//'"; }

bare() { # NAME SUITE
  local quick=0 suite=0 began=$SECONDS took
  root "$1" "$2"
  : >"$dir/$1.log"
  inside "$1" 'rm -rf /scoria/build /scoria/runs; /scoria/jobs/quickstart.sh' || quick=$?
  took=$((SECONDS - began))
  inside "$1" /scoria/tests/run.sh || suite=$?
  row "Debian ${2}" "$1" "Open MPI $(packaged "$1" openmpi-bin)" "$(packaged "$1" libpetsc-real-dev)" "$(packaged "$1" libhdf5-openmpi-dev)" \
    "quickstart: $([ "$quick" -eq 0 ] && echo "passed in $took s" || echo FAILED); $(verdict "whole suite" "$suite" "$dir/$1.log")"
}

# The sources that PyPI and Debian have; pip's own files are not needed in the root.
fetch_sources() {
  if compgen -G "$dir/sources/petsc-${SCORIA_PETSC:-}*.tar.gz" >/dev/null; then return; fi
  mkdir -p "$dir/sources"
  pip download --no-deps --no-binary :all: --dest "$dir/sources" "petsc${SCORIA_PETSC:+==$SCORIA_PETSC}" >"$dir/pip.log" 2>&1
}

prepare_prefixes() {
  fetch_sources
  root prefix trixie
  : >"$dir/prefix.log"
  # shellcheck disable=SC2016
  inside prefix 'export DEBIAN_FRONTEND=noninteractive
    echo "deb-src $(sed -n "s/^deb //p" /etc/apt/sources.list | head -n 1)" >/etc/apt/sources.list.d/sources.list
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends build-essential cmake pkg-config python3 dpkg-dev openmpi-bin libopenmpi-dev mpich \
      libmpich-dev libopenblas-dev liblapacke-dev librandom123-dev libcjson-dev libyaml-dev libcmocka-dev
    id builder >/dev/null 2>&1 || useradd -m builder
    mkdir -p /prefix/sources
    cd /prefix/sources
    apt-get source -qq --download-only hdf5 fftw3'
  cp "$dir"/sources/petsc-*.tar.gz "$dir/prefix/prefix/sources/"
  inside prefix 'chown -R builder /prefix /scoria'
}

prefixed() { # openmpi|mpich
  local mpi=$1 code=0 name
  [ -d "$dir/prefix/scoria" ] || prepare_prefixes
  inside prefix "su builder -c 'bash -euo pipefail -c \"
    /scoria/tests/matrix/prefix.sh $mpi /prefix/sources /prefix/$mpi
    export PKG_CONFIG_PATH=/prefix/$mpi/lib/pkgconfig LD_LIBRARY_PATH=/prefix/$mpi/lib
    cmake -S /scoria -B /prefix/build-$mpi -DMPI_C_COMPILER=mpicc.$mpi -DMPIEXEC_EXECUTABLE=/usr/bin/mpiexec.$mpi -DSCORIA_HDF5=hdf5
    cmake --build /prefix/build-$mpi -j$(nproc)
    ctest --test-dir /prefix/build-$mpi -L \\\"unit|verify\\\" --output-on-failure\"'" || code=$?
  name=$([ "$mpi" = mpich ] && echo "MPICH $(packaged prefix mpich)" || echo "Open MPI $(packaged prefix openmpi-bin)")
  row "Debian trixie, prefix, no root" prefix "$name" "$(version prefix "PKG_CONFIG_PATH=/prefix/$mpi/lib/pkgconfig pkg-config --modversion PETSc")" \
    "$(version prefix "PKG_CONFIG_PATH=/prefix/$mpi/lib/pkgconfig pkg-config --modversion hdf5")" "$(verdict "unit, verify" "$code" "$dir/prefix.log")"
}

for part in "${parts[@]}"; do
  echo "$(date +%T)  $part" >&2
  case $part in
    debian12) bare debian12 bookworm ;;
    debian13) bare debian13 trixie ;;
    openmpi | mpich) prefixed "$part" ;;
    *) echo "matrix.sh: no part $part" >&2 && exit 2 ;;
  esac
done
{
  echo "| system | gcc | MPI | PETSc | HDF5 | passed |"
  echo "|---|---|---|---|---|---|"
  printf '%s\n' "${rows[@]}"
} | tee "$dir/matrix.md"
! grep -q FAILED "$dir/matrix.md"
