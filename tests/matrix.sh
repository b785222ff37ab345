#!/usr/bin/env bash
# The systems that scoria is to run on, one after the other, and a table of what passed (Markdown), on standard output and in DIR/matrix.md.
# Needs root, debootstrap, pip (for PETSc's sources), some 15 GB in DIR and one to two hours on two cores; not for CI.
#
#   tests/matrix.sh [DIR=/var/tmp/scoria-matrix] [PART ...]      all parts, or these:
#
#   debian12 debian13   on a bare system: jobs/quickstart.sh, then the whole suite by tests/run.sh
#   openmpi mpich       without root on Debian 13: FFTW, HDF5 and the newest PETSc of PyPI from source in a prefix
#                       (tests/matrix/prefix.sh), then the unit and verification tests
#                       (tests/matrix/suite.sh)
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
prepared=
table=$dir/matrix.md
{
  echo "| system | gcc | MPI | PETSc | HDF5 | passed |"
  echo "|---|---|---|---|---|---|"
} >"$table"

# root NAME SUITE: a bare system, with this tree's committed files in /scoria.
root() {
  local root=$dir/$1 at
  if [ ! -e "$root/.made" ]; then
    rm -rf "$root"
    debootstrap --variant=minbase "$2" "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$dir/$1.debootstrap.log"
    touch "$root/.made"
  fi
  for at in proc sys dev dev/shm dev/pts; do
    mount --bind "/$at" "$root/$at"
    mounted=("$root/$at" "${mounted[@]}")
  done
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  rm -rf "$root/scoria"
  git -C "$source" archive --prefix=scoria/ HEAD | tar -x -C "$root"
}

# inside ROOT LOG COMMAND ...: in a clean environment; the output goes to DIR/LOG.
inside() {
  local root=$dir/$1 log=$dir/$2
  shift 2
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TMPDIR=/tmp \
    chroot "$root" "$@" </dev/null >>"$log" 2>&1
}

# said ROOT COMMAND: its output's last line.
said() { env -i PATH=/usr/sbin:/usr/bin:/bin HOME=/root LC_ALL=C.UTF-8 chroot "$dir/$1" bash -c "$2" 2>/dev/null | tail -n 1; }

# The last number with points in what a command says.
version() { said "$1" "$2" | grep -oE '[0-9]+(\.[0-9]+)+' | tail -n 1 || echo '?'; }

# module ROOT NAME [PREFIX]: a library's version.
module() { version "$1" "PKG_CONFIG_PATH=${3:+$3/lib/pkgconfig} pkg-config --modversion $2"; }

# row NAME ROOT MPI PETSC HDF5 RESULT
row() {
  printf '| %s | %s | %s | %s | %s | %s |\n' "$1" "$(version "$2" 'gcc -dumpfullversion')" "$3" "$4" "$5" "$6" >>"$table"
}

# verdict LABEL CODE LOG: ctest's own last words, where there are any.
verdict() {
  local words
  words=$(grep -E '^[0-9]+% tests passed' "$3" | tail -n 1 || true)
  words+=$(sed -n 's/^Total Test time (real) = *\([0-9]*\).*/ in \1 s/p' "$3" | tail -n 1)
  printf '%s: %s%s' "$1" "$([ "$2" -eq 0 ] && echo passed || echo FAILED)" "${words:+ ($words)}"
}

bare() { # NAME SUITE
  local quick=0 suite=0 began=$SECONDS took
  root "$1" "$2"
  rm -f "$dir/$1.log"
  inside "$1" "$1.log" /scoria/jobs/quickstart.sh || quick=$?
  took=$((SECONDS - began))
  inside "$1" "$1.log" /scoria/tests/run.sh || suite=$?
  row "Debian $(said "$1" 'cat /etc/debian_version')" "$1" "Open MPI $(version "$1" 'mpirun --version | head -n 1')" \
    "$(module "$1" PETSc)" "$(module "$1" hdf5-openmpi)" \
    "quickstart: $([ "$quick" -eq 0 ] && echo "passed in $took s" || echo FAILED); $(verdict "whole suite" "$suite" "$dir/$1.log")"
}

# The sources that PyPI and Debian have; pip's own files are not needed in the root.
fetch_sources() {
  if compgen -G "$dir/sources/petsc-${SCORIA_PETSC:-}*.tar.gz" >/dev/null; then return; fi
  mkdir -p "$dir/sources"
  pip download --no-deps --no-binary :all: --dest "$dir/sources" "petsc${SCORIA_PETSC:+==$SCORIA_PETSC}" >"$dir/pip.log" 2>&1
}

# A root with compilers and both MPIs, a user without rights in it, and the sources: once for both prefixes.
prepare_prefixes() {
  fetch_sources
  root prefix trixie
  rm -f "$dir/prefix.log"
  inside prefix prefix.log bash -euxo pipefail -c 'export DEBIAN_FRONTEND=noninteractive
    sed "s/^deb /deb-src /" /etc/apt/sources.list >/etc/apt/sources.list.d/sources.list
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends build-essential cmake pkg-config python3 dpkg-dev openmpi-bin libopenmpi-dev mpich \
      libmpich-dev libopenblas-dev liblapacke-dev librandom123-dev libcjson-dev libyaml-dev libmuparser-dev libtiff-dev libcmocka-dev
    id builder >/dev/null 2>&1 || useradd -m builder
    mkdir -p /prefix/sources
    cd /prefix/sources
    apt-get source -qq --download-only hdf5 fftw3'
  cp "$dir"/sources/petsc-*.tar.gz "$dir/prefix/prefix/sources/"
  inside prefix prefix.log chown -R builder /prefix /scoria
  prepared=1
}

prefixed() { # openmpi|mpich
  local mpi=$1 code=0 name log=prefix-$1.log at=/prefix/$1
  [ -n "$prepared" ] || prepare_prefixes
  rm -f "$dir/$log"
  inside prefix "$log" su builder -c "/scoria/tests/matrix/prefix.sh $mpi /prefix/sources $at &&
    /scoria/tests/matrix/suite.sh $mpi $at /prefix/build-$mpi" || code=$?
  case $mpi in
    mpich) name="MPICH $(version prefix 'mpichversion | grep -i "^MPICH Version"')" ;;
    *) name="Open MPI $(version prefix 'mpirun.openmpi --version | head -n 1')" ;;
  esac
  row "Debian $(said prefix 'cat /etc/debian_version'), prefix, no root" prefix "$name" "$(module prefix PETSc "$at")" "$(module prefix hdf5 "$at")" \
    "$(verdict "unit, verify" "$code" "$dir/$log")"
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
cat "$table"
! grep -q FAILED "$table"
