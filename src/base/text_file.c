/* Small text files, read whole. */
#include "scoria/base.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fills text (size) from the start of a file; 0, or an errno: ESTALE where the file ends before. */
static int read_whole(int fd, char text[], size_t size)
{
  size_t done = 0;
  while (done < size) {
    const ssize_t n = read(fd, text + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : ESTALE;
    done += (size_t)n;
  }
  return 0;
}

PetscErrorCode ScoriaTextReadHere(const char *path, size_t most, char **text, size_t *size, int *trouble)
{
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is no file to wait for */
  struct stat st;
  PetscFunctionBeginUser;
  *text = NULL;
  *size = 0;
  if (fd < 0 || fstat(fd, &st))
    *trouble = errno;
  else
    *trouble = !S_ISREG(st.st_mode) ? EINVAL : (size_t)st.st_size > most ? EFBIG : 0;
  if (!*trouble) {
    *size = (size_t)st.st_size;
    PetscCall(PetscCalloc1(*size + 1, text));
    *trouble = read_whole(fd, *text, *size);
    if (*size >= 3 && !strncmp(*text, "\xef\xbb\xbf", 3)) { /* a byte order mark */
      *size -= 3;
      memmove(*text, *text + 3, *size + 1);
    }
  }
  if (fd >= 0) close(fd);
  if (*trouble) PetscCall(PetscFree(*text));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaTextRead(MPI_Comm comm, const char *path, size_t most, const char *expected, char **text)
{
  char line[PETSC_MAX_PATH_LEN + 160] = "";
  int rank, trouble = 0;
  size_t size = 0;
  PetscFunctionBeginUser;
  *text = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) PetscCall(ScoriaTextReadHere(path, most, text, &size, &trouble));
  if (trouble == EINVAL)
    snprintf(line, sizeof line, "%s: not a regular file, expected %s", path, expected);
  else if (trouble == EFBIG)
    snprintf(line, sizeof line, "%s: more than %.3g MB, expected %s", path, 1e-6 * (double)most, expected);
  else if (trouble)
    snprintf(line, sizeof line, "%s: cannot be read (%s), expected %s", path, strerror(trouble), expected);
  else if (*text && memchr(*text, 0, size))
    snprintf(line, sizeof line, "%s: a binary file, expected %s", path, expected);
  const PetscErrorCode failed = ScoriaAgree(comm, *line ? SCORIA_EXIT_INPUT : SCORIA_EXIT_OK, line);
  if (failed) PetscCall(PetscFree(*text));
  PetscCall(failed);
  int64_t length = (int64_t)size;
  PetscCallMPI(MPI_Bcast(&length, 1, MPI_INT64_T, 0, comm));
  if (rank) PetscCall(PetscCalloc1((size_t)length + 1, text));
  PetscCallMPI(MPI_Bcast(*text, (int)length, MPI_CHAR, 0, comm));
  PetscFunctionReturn(0);
}
