/* Generations of a file: the one to come, the one that counts, and the one before it. */
#include "private.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* The names of the other generations. */
typedef struct {
  char next[PETSC_MAX_PATH_LEN + 16], previous[PETSC_MAX_PATH_LEN + 16];
} Generations;

static void name_generations(const char *path, Generations *names)
{
  snprintf(names->next, sizeof names->next, "%s.next", path);
  snprintf(names->previous, sizeof names->previous, "%s.previous", path);
}

PetscErrorCode ScoriaFileRotate(MPI_Comm comm, const char *path)
{
  ScoriaTrouble bad = {.path = path};
  Generations names;
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  name_generations(path, &names);
  if (!rank) {
    if (rename(path, names.previous) && errno != ENOENT)
      trouble_note(&bad, SCORIA_EXIT_IO, "cannot be renamed to %s: %s", names.previous, strerror(errno));
    PetscCall(ScoriaFilePublish(names.next, path, &bad));
  }
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFileRemove(MPI_Comm comm, const char *path)
{
  ScoriaTrouble bad = {.path = path};
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank && unlink(path) && errno != ENOENT)
    trouble_note(&bad, SCORIA_EXIT_IO, "cannot be removed: %s", strerror(errno));
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFileForget(MPI_Comm comm, const char *path)
{
  Generations names;

  PetscFunctionBeginUser;
  name_generations(path, &names);
  PetscCall(ScoriaFileRemove(comm, names.next));
  PetscCall(ScoriaFileRemove(comm, names.previous));
  PetscCall(ScoriaFileRemove(comm, path));
  PetscFunctionReturn(0);
}
