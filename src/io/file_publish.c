/* Publishing a file, on the rank that calls: synced, renamed, its directory synced; and what this rank has published,
 * for the manifest. */
#include "private.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static PetscErrorCode SyncPath(const char *path, int flags, ScoriaTrouble *bad)
{
  int fd;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  fd = open(path, flags | O_CLOEXEC);
  /* Some file systems cannot sync a directory and say EINVAL: there is nothing more to be done then. */
  if (fd < 0 || (fsync(fd) && !(flags & O_DIRECTORY && errno == EINVAL)))
    trouble_note(bad, SCORIA_EXIT_IO, "%s cannot be synced to disk: %s", path, strerror(errno));
  if (fd >= 0 && close(fd)) trouble_note(bad, SCORIA_EXIT_IO, "%s cannot be closed: %s", path, strerror(errno));
  PetscFunctionReturn(0);
}

/* What this rank has published, for the manifest. */
static struct {
  char path[PETSC_MAX_PATH_LEN];
  ScoriaFileSum sum;
} * published;
static int npublished;

int files_published(void)
{
  return npublished;
}

const char *files_published_path(int i)
{
  return published[i].path;
}

PetscErrorCode FilesForgetPublished(void)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(published));
  npublished = 0;
  PetscFunctionReturn(0);
}

static int find_published(const char *path)
{
  int i = 0;
  while (i < npublished && strcmp(published[i].path, path)) i++;
  return i;
}

void files_published_sum(const char *path, const ScoriaFileSum *sum)
{
  const int i = find_published(path);
  if (i < npublished) published[i].sum = *sum;
}

ScoriaFileSum files_published_sum_of(const char *path)
{
  const int i = find_published(path);
  return i < npublished ? published[i].sum : (ScoriaFileSum){.known = false};
}

static PetscErrorCode NotePublished(const char *path)
{
  const int i = find_published(path);
  PetscFunctionBeginUser;
  if (i == npublished) {
    PetscCall(PetscRealloc((size_t)(npublished + 1) * sizeof *published, &published));
    PetscCall(PetscStrncpy(published[npublished++].path, path, sizeof published->path));
  }
  published[i].sum.known = false;
  PetscFunctionReturn(0);
}

PetscErrorCode FilePublish(const char *part, const char *path, ScoriaTrouble *bad)
{
  char copy[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(SyncPath(part, O_RDONLY, bad));
  if (bad->code == SCORIA_EXIT_OK && rename(part, path))
    trouble_note(bad, SCORIA_EXIT_IO, "%s cannot be renamed to it: %s", part, strerror(errno));
  PetscCall(PetscStrncpy(copy, path, sizeof copy));
  PetscCall(SyncPath(dirname(copy), O_RDONLY | O_DIRECTORY, bad));
  if (bad->code == SCORIA_EXIT_OK) PetscCall(NotePublished(path));
  PetscFunctionReturn(0);
}
