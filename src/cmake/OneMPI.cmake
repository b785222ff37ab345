# Whether all libraries are of the MPI that the compiler has: two in one program start it as if every rank were alone, or crash it.
# A program is linked to all of them, and ldd says what it loads.
function(scoria_check_one_mpi)
  find_program(SCORIA_LDD ldd)
  set(source ${PROJECT_BINARY_DIR}/CMakeFiles/one_mpi.c)
  set(program ${PROJECT_BINARY_DIR}/CMakeFiles/one_mpi)
  file(WRITE ${source} "int main(void) { return 0; }\n")
  try_compile(linked ${PROJECT_BINARY_DIR}/CMakeFiles/one_mpi.dir ${source}
              LINK_OPTIONS -Wl,--no-as-needed LINK_LIBRARIES ${ARGN} COPY_FILE ${program})
  if(NOT linked OR NOT SCORIA_LDD)
    message(STATUS "Not checked: whether PETSc, HDF5 and FFTW are of one MPI")
    return()
  endif()
  execute_process(COMMAND ${SCORIA_LDD} ${program} OUTPUT_VARIABLE loaded ERROR_QUIET)
  # libmpi.so.40 (Open MPI), libmpi.so.12 (Intel), libmpich.so.12, libmpi_cray.so.12, ...; not their C++ and Fortran parts.
  string(REGEX MATCHALL "libmpi(ch|_cray|_gnu[_0-9]*|_intel)?\\.so[.0-9]*" found "${loaded}")
  list(REMOVE_DUPLICATES found)
  list(LENGTH found number)
  if(number GREATER 1)
    string(REPLACE ";" " and " found "${found}")
    message(FATAL_ERROR "Two MPIs in one program: ${found}. PETSc, HDF5 and FFTW must be built with the MPI of ${MPI_C_COMPILER}; "
                        "FFTW's library for MPI is ${FFTW_MPI_LIBRARY}, HDF5 is in ${HDF5_LIBRARY_DIRS}, PETSc in ${PETSC_LIBRARY_DIRS}.")
  endif()
endfunction()
