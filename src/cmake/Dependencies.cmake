# Everything the program links to, by pkg-config, as one interface target; a missing or serial library is one clear line.
find_package(PkgConfig REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)

function(scoria_require variable modules package)
  foreach(module ${modules})
    pkg_check_modules(${variable} QUIET IMPORTED_TARGET GLOBAL ${module})
    if(${variable}_FOUND)
      break()
    endif()
  endforeach()
  if(NOT ${variable}_FOUND)
    message(FATAL_ERROR "scoria needs ${modules} (Debian: ${package}), which pkg-config does not find. "
                        "jobs/install_packages.sh installs what is missing; elsewhere set PKG_CONFIG_PATH.")
  endif()
endfunction()

scoria_require(PETSC "petsc;PETSc" libpetsc-real-dev)
# Debian has an HDF5 for each MPI, by a name of its own: the compiler's MPI comes first.
set(SCORIA_HDF5 "" CACHE STRING "pkg-config's name of a parallel HDF5, where the usual names find another")
include(CheckSymbolExists)
set(CMAKE_REQUIRED_LIBRARIES MPI::MPI_C)
check_symbol_exists(MPICH_VERSION mpi.h SCORIA_MPICH) # and those that derive from it
unset(CMAKE_REQUIRED_LIBRARIES)
set(hdf5_names hdf5-openmpi hdf5_openmpi hdf5-mpi hdf5 hdf5-mpich)
if(SCORIA_MPICH)
  set(hdf5_names hdf5-mpich hdf5-mpi hdf5 hdf5-openmpi)
endif()
if(SCORIA_HDF5)
  set(hdf5_names ${SCORIA_HDF5})
endif()
scoria_require(HDF5 "${hdf5_names}" libhdf5-openmpi-dev)
scoria_require(OPENBLAS "openblas" libopenblas-dev)
scoria_require(LAPACKE "lapacke" liblapacke-dev)
scoria_require(CJSON "libcjson" libcjson-dev)
scoria_require(YAML "yaml-0.1" libyaml-dev)
scoria_require(MUPARSER "muparser" libmuparser-dev)
scoria_require(TIFF "libtiff-4" libtiff-dev)
scoria_require(FFTW "fftw3" libfftw3-dev)
option(SCORIA_UDUNITS "Convert units of imported data by udunits2, where pkg-config finds it" ON)
if(SCORIA_UDUNITS)
  pkg_search_module(UDUNITS QUIET IMPORTED_TARGET GLOBAL udunits udunits2)
  if(NOT UDUNITS_FOUND)
    message(STATUS "Without udunits2 (Debian: libudunits2-dev): units of imported data are compared as texts, not converted.")
  endif()
endif()
# FFTW's distributed part comes without a pkg-config file: beside the serial one, or where the compiler looks.
find_path(FFTW_MPI_INCLUDE fftw3-mpi.h HINTS ${FFTW_INCLUDEDIR})
find_library(FFTW_MPI_LIBRARY fftw3_mpi HINTS ${FFTW_LIBDIR})
if(NOT FFTW_MPI_INCLUDE OR NOT FFTW_MPI_LIBRARY)
  message(FATAL_ERROR "scoria needs fftw3-mpi.h and libfftw3_mpi (Debian: libfftw3-mpi-dev). "
                      "jobs/install_packages.sh installs what is missing; elsewhere set CMAKE_PREFIX_PATH.")
endif()
find_path(RANDOM123_INCLUDE Random123/philox.h)
if(NOT RANDOM123_INCLUDE)
  message(FATAL_ERROR "scoria needs Random123/philox.h (Debian: librandom123-dev). "
                      "jobs/install_packages.sh installs what is missing.")
endif()

include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES PkgConfig::HDF5 MPI::MPI_C)
check_c_source_compiles("#include <hdf5.h>
#ifndef H5_HAVE_PARALLEL
#error serial
#endif
int main(void) { return 0; }" SCORIA_HDF5_PARALLEL)
set(CMAKE_REQUIRED_LIBRARIES PkgConfig::PETSC MPI::MPI_C)
check_c_source_compiles("#include <petscsys.h>
#if defined(PETSC_USE_COMPLEX) || !defined(PETSC_USE_REAL_DOUBLE)
#error wrong PETSc
#endif
int main(void) { return 0; }" SCORIA_PETSC_REAL)
unset(CMAKE_REQUIRED_LIBRARIES)
include(${CMAKE_CURRENT_LIST_DIR}/OneMPI.cmake)
scoria_check_one_mpi(PkgConfig::PETSC PkgConfig::HDF5 ${FFTW_MPI_LIBRARY} PkgConfig::FFTW MPI::MPI_C)
if(NOT SCORIA_HDF5_PARALLEL)
  message(FATAL_ERROR "The HDF5 that pkg-config found is serial or does not compile with MPI; scoria writes collectively and "
                      "needs a parallel one (Debian: libhdf5-openmpi-dev; with MPICH libhdf5-mpich-dev). See CMakeFiles/CMakeError.log.")
endif()
if(NOT SCORIA_PETSC_REAL)
  message(FATAL_ERROR "The PETSc that pkg-config found is complex or not double precision (Debian: libpetsc-real-dev).")
endif()

add_library(scoria_dependencies INTERFACE)
target_include_directories(scoria_dependencies SYSTEM INTERFACE ${RANDOM123_INCLUDE} ${FFTW_MPI_INCLUDE})
target_link_libraries(scoria_dependencies INTERFACE PkgConfig::PETSC PkgConfig::HDF5 PkgConfig::OPENBLAS PkgConfig::LAPACKE
                      PkgConfig::CJSON PkgConfig::YAML PkgConfig::MUPARSER PkgConfig::TIFF ${FFTW_MPI_LIBRARY} PkgConfig::FFTW MPI::MPI_C m)
if(UDUNITS_FOUND)
  target_link_libraries(scoria_dependencies INTERFACE PkgConfig::UDUNITS)
  target_compile_definitions(scoria_dependencies INTERFACE SCORIA_UDUNITS)
endif()
# Contraction is pinned: the same source gives the same bits whichever loop the compiler vectorises.
target_compile_options(scoria_dependencies INTERFACE -ffp-contract=off -fno-math-errno)
add_library(scoria_native INTERFACE)
if(SCORIA_NATIVE)
  target_compile_options(scoria_native INTERFACE -march=native)
endif()
if(SCORIA_SANITIZE)
  target_compile_options(scoria_dependencies INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer)
  target_link_options(scoria_dependencies INTERFACE -fsanitize=address,undefined)
endif()
if(SCORIA_FUZZ)
  # What a sanitizer finds ends the program, so that the fuzzer keeps the input.
  target_compile_options(scoria_dependencies INTERFACE -fsanitize=fuzzer-no-link,address,undefined
                         -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(scoria_dependencies INTERFACE -fsanitize=address,undefined)
endif()

add_library(scoria_warnings INTERFACE)
target_compile_options(scoria_warnings INTERFACE -Wall -Wextra -Wshadow -Wvla -Wno-unknown-pragmas -Werror=incompatible-pointer-types
                       -Werror=implicit-function-declaration)
