/* The libraries that the program runs with. */
#include "private.h"
#include <stdio.h>
#include <string.h>

PetscErrorCode ScoriaLibrariesGet(ScoriaLibraries *libraries)
{
  char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
  PetscInt petsc_major, petsc_minor, petsc_patch;
  unsigned major, minor, release;
  int n;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Get_library_version(mpi, &n));
  mpi[strcspn(mpi, ",\n")] = 0; /* the rest says who built it, and where */
  PetscCall(PetscStrncpy(libraries->mpi, mpi, sizeof libraries->mpi));
  PetscCall(PetscGetVersionNumber(&petsc_major, &petsc_minor, &petsc_patch, NULL));
  snprintf(libraries->petsc, sizeof libraries->petsc, "%d.%d.%d", (int)petsc_major, (int)petsc_minor, (int)petsc_patch);
  CallH5(H5get_libversion(&major, &minor, &release));
  snprintf(libraries->hdf5, sizeof libraries->hdf5, "%u.%u.%u", major, minor, release);
  PetscFunctionReturn(0);
}
