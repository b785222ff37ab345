/* Decks that come with an installed program are found by their names. */
#include "scoria/base.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The installed deck of this name; false where there is none. */
static bool find_installed(const char *name, size_t size, char path[])
{
  char program[PETSC_MAX_PATH_LEN];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length <= 0) return false;
  program[length] = 0;
  char *slash     = strrchr(program, '/');
  if (!slash) return false;
  *slash = 0;
  return (size_t)snprintf(path, size, "%s/%s/%s", program, SCORIA_DECKS, name) < size && !access(path, R_OK);
}

PetscErrorCode ScoriaDeckFind(MPI_Comm comm, const char *name, size_t size, char path[])
{
  int rank, found = 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscStrncpy(path, name, size));
  if (!rank && !strchr(name, '/') && access(name, F_OK)) found = find_installed(name, size, path);
  PetscCallMPI(MPI_Bcast(&found, 1, MPI_INT, 0, comm));
  if (found) {
    PetscCallMPI(MPI_Bcast(path, (int)size, MPI_CHAR, 0, comm));
  } else
    PetscCall(PetscStrncpy(path, name, size));
  PetscFunctionReturn(0);
}
