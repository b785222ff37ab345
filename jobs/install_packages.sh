#!/usr/bin/env bash
# Installs the Debian packages that scoria needs and this machine lacks: as root, or through sudo where that asks for no
# password.  Says nothing where nothing is missing, whoever provides it (apt, modules, conda, a build by hand).
#
#   jobs/install_packages.sh              what the build and the report need
#   jobs/install_packages.sh tests        and what the tests need
#   jobs/install_packages.sh tests slurm  and a Slurm of its own for tests/slurm
set -euo pipefail

have_command() {
  command -v "$1" >/dev/null 2>&1
}

# Whether pkg-config finds one of the names.
have_module() {
  local name
  have_command pkg-config || return 1
  for name in "$@"; do
    if pkg-config --exists "$name"; then return 0; fi
  done
  return 1
}

# Whether a C compiler is there, under any of its names.
have_compiler() {
  have_command cc || have_command gcc || have_command clang
}

# Whether the compiler finds a header (in its own path, CPATH or C_INCLUDE_PATH).
have_header() {
  have_command mpicc && printf '#include <%s>\n' "$1" | mpicc -E -x c - >/dev/null 2>&1
}

# Whether an HDF5 built with MPI is there: a serial one may go by the same name.
have_parallel_hdf5() {
  local name flags
  have_command pkg-config && have_command mpicc || return 1
  for name in hdf5-openmpi hdf5-mpi hdf5_openmpi hdf5 hdf5-mpich; do
    flags=$(pkg-config --cflags "$name" 2>/dev/null) || continue
    # shellcheck disable=SC2086
    if printf '#include <H5pubconf.h>\n#ifndef H5_HAVE_PARALLEL\n#error serial\n#endif\n' |
      mpicc $flags -E -x c - >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

missing=()  # without these nothing can be built, or tested
optional=() # without these something is left out

# need PACKAGES CHECK ...: notes the packages (words in one argument) where the check fails.
need() {
  local -a packages
  read -ra packages <<<"$1"
  shift
  "$@" || missing+=("${packages[@]}")
}

want() {
  local package=$1
  shift
  "$@" || optional+=("$package")
}

need_for_build() {
  need build-essential have_compiler
  need build-essential have_command make
  need cmake have_command cmake
  need pkg-config have_command pkg-config
  need "openmpi-bin libopenmpi-dev" have_command mpicc
  need openmpi-bin have_command mpirun
  need libpetsc-real-dev have_module petsc PETSc
  need libhdf5-openmpi-dev have_parallel_hdf5
  need libopenblas-dev have_module openblas
  need liblapacke-dev have_module lapacke
  need librandom123-dev have_header Random123/philox.h
  need libcjson-dev have_module libcjson
  need libyaml-dev have_module yaml-0.1
  need libmuparser-dev have_module muparser
  need libtiff-dev have_module libtiff-4
  need libfftw3-dev have_module fftw3
  need libfftw3-mpi-dev have_header fftw3-mpi.h
  want gnuplot-nox have_command gnuplot # figures of the report
  want libudunits2-dev have_module udunits udunits2 # units of imported data are converted
  want git have_command git             # the revision in the provenance
}

# A module for the system's python3, which the script tests call by that name.
have_python() {
  python3 -c "import $1" >/dev/null 2>&1 || /usr/bin/python3 -c "import $1" >/dev/null 2>&1
}

have_browser() {
  have_command chromium || have_command chromium-browser || have_command google-chrome
}

need_for_tests() {
  need libcmocka-dev have_module cmocka
  want strace have_command strace # tests/faults/test_privilege.sh
  want python3-h5py have_python h5py
  want python3-scipy have_python scipy # tests/e2e/test_darcy.sh
  want python3-xarray have_python xarray
  want python3-h5netcdf have_python h5netcdf
  want python3-netcdf4 have_python netCDF4
  want hdf5-tools have_command h5dump
  want shellcheck have_command shellcheck
  want clang have_command clang
  want chromium have_browser # about 100 MB
}

want_for_slurm() {
  want slurm-wlm have_command slurmctld
  want slurm-wlm have_command slurmd
  want munge have_command munged
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

can_install() {
  have_command apt-get || return 1
  [ "$(id -u)" -eq 0 ] || { have_command sudo && sudo -n true >/dev/null 2>&1; }
}

need_for_build
for part in "$@"; do
  case $part in
  tests) need_for_tests ;;
  slurm) want_for_slurm ;;
  esac
done
if [ "$((${#missing[@]} + ${#optional[@]}))" -eq 0 ]; then exit 0; fi

if ! can_install && [ "${#missing[@]}" -eq 0 ]; then
  printf 'continuing without %s (not installed, and neither root nor sudo to install it)\n' "${optional[*]}"
  exit 0
fi
mapfile -t missing < <(printf '%s\n' "${missing[@]}" "${optional[@]}" | sed '/^$/d' | sort -u)
if ! can_install; then
  printf 'These Debian packages are missing, and there is neither root nor sudo to install them:\n  %s\n' "${missing[*]}" >&2
  printf 'Elsewhere: load modules of the same libraries, or set PKG_CONFIG_PATH and C_INCLUDE_PATH.\n' >&2
  exit 1
fi
printf 'installing %s\n' "${missing[*]}"
as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
