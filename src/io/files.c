/* Files on disk, on the rank that calls: started as path.part and never over a finished one, reserved, written. */
#define _GNU_SOURCE /* fallocate */
#include "private.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

PetscErrorCode PartName(const char *path, size_t size, char part[])
{
  const int n = snprintf(part, size, "%s.part", path);

  PetscFunctionBeginUser;
  if (n < 0 || (size_t)n >= size)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%.60s...: a path of %zu characters, expected at most %zu", path, strlen(path),
                size - strlen(".part") - 1);
  PetscFunctionReturn(0);
}

/* A write past the file size limit is to return EFBIG like any other failure, not to kill the job. */
static void file_limit_to_errno(void)
{
  struct sigaction now;

  if (!sigaction(SIGXFSZ, NULL, &now) && now.sa_handler == SIG_DFL) signal(SIGXFSZ, SIG_IGN);
}

PetscErrorCode FileRefuse(const char *path, ScoriaTrouble *bad)
{
  struct stat st;

  PetscFunctionBeginUser;
  if (!lstat(path, &st))
    trouble_note(bad, SCORIA_EXIT_INPUT,
                 "it exists already and is not overwritten; move it away, or choose another place");
  PetscFunctionReturn(0);
}

PetscErrorCode FileStart(const char *path, const char *part, ScoriaTrouble *bad)
{
  int fd;

  PetscFunctionBeginUser;
  file_limit_to_errno();
  PetscCall(FileRefuse(path, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0)
    trouble_note(bad, SCORIA_EXIT_IO, "%s cannot be made: %s", part, strerror(errno));
  else
    close(fd);
  PetscFunctionReturn(0);
}

/* Whether a file of `size` bytes fits beside what else the file system holds now. */
static int room_for(int fd, int64_t size)
{
  struct statvfs fs;
  struct stat st;

  if (fstat(fd, &st) || fstatvfs(fd, &fs)) return 0; /* not known: the writes will tell */
  return (double)size > (double)fs.f_bavail * (double)fs.f_frsize + 512.0 * (double)st.st_blocks ? ENOSPC : 0;
}

/* Not posix_fallocate: where the file system cannot reserve, glibc's writes a byte into every block instead.  Such a
 * file system is warned of once, and asked for its free space. */
static int reserve(const char *part, int fd, int64_t size)
{
  static bool warned;
  int failed;

  if (size == 0) return 0;
  do failed = fallocate(fd, 0, 0, (off_t)size) ? errno : 0;
  while (failed == EINTR);
  if (failed != EOPNOTSUPP && failed != ENOSYS) return failed;
  failed = room_for(fd, size);
  if (!failed && !warned)
    (void)PetscPrintf(PETSC_COMM_SELF,
                      "  WARNING: %s: its file system cannot reserve space (%s): whether the disk fills up before the "
                      "end shows only when rows are read back\n",
                      part, strerror(EOPNOTSUPP));
  warned = true;
  return failed;
}

PetscErrorCode FileReserve(const char *part, int64_t size, ScoriaTrouble *bad)
{
  int fd, failed;
  struct statvfs fs;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  fd = open(part, O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    trouble_note(bad, SCORIA_EXIT_IO, "%s cannot be opened: %s", part, strerror(errno));
    PetscFunctionReturn(0);
  }
  failed = reserve(part, fd, size);
  if (failed) {
    const double mega = 1e-6, left = fstatvfs(fd, &fs) ? -1.0 : mega * (double)fs.f_bavail * (double)fs.f_frsize;

    trouble_note(bad, SCORIA_EXIT_IO, "it needs %.3f MB on disk, of which the system gives less (%.3f MB free): %s",
                 mega * (double)size, left, strerror(failed));
  }
  if (close(fd) && !failed) trouble_note(bad, SCORIA_EXIT_IO, "%s cannot be closed: %s", part, strerror(errno));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetCheckRoom(MPI_Comm comm, const char *dir, const ScoriaDatasetSpec *spec)
{
  const double needed                 = (double)spec->rows * (double)fields_row_size(spec);
  char line[PETSC_MAX_PATH_LEN + 160] = "";
  struct statvfs fs;
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank && !statvfs(dir, &fs) && needed > (double)fs.f_blocks * (double)fs.f_frsize)
    snprintf(line, sizeof line, "%s: %lld rows need %.3g GB, the file system holds %.3g GB in all", dir,
             (long long)spec->rows, 1e-9 * needed, 1e-9 * (double)fs.f_blocks * (double)fs.f_frsize);
  PetscCall(ScoriaAgree(comm, *line ? SCORIA_EXIT_IO : SCORIA_EXIT_OK, line));
  PetscFunctionReturn(0);
}

PetscErrorCode FileWrite(const char *part, const void *bytes, size_t size, ScoriaTrouble *bad)
{
  FILE *out;
  uint32_t crc;
  int failed;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  file_limit_to_errno();
  out = fopen(part, "w");
  if (!out) {
    trouble_note(bad, SCORIA_EXIT_IO, "%s cannot be made: %s", part, strerror(errno));
    PetscFunctionReturn(0);
  }
  if (fwrite(bytes, 1, size, out) != size || fflush(out))
    trouble_note(bad, SCORIA_EXIT_IO, "its %zu bytes cannot be written: %s", size, strerror(errno));
  if (fclose(out)) trouble_note(bad, SCORIA_EXIT_IO, "its %zu bytes cannot be written: %s", size, strerror(errno));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  failed = file_crc(part, (int64_t)size, 0, (int64_t)size, &crc);
  if (failed || crc != crc32c(0, bytes, size))
    trouble_note(bad, SCORIA_EXIT_IO, "its %zu bytes do not read back as they were written", size);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaWriteText(MPI_Comm comm, const char *path, const char *text)
{
  ScoriaTrouble bad = {.path = path};
  char part[PETSC_MAX_PATH_LEN];
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PartName(path, sizeof part, part));
  if (!rank) {
    PetscCall(FileWrite(part, text, strlen(text), &bad));
    PetscCall(FilePublish(part, path, &bad));
    if (bad.code != SCORIA_EXIT_OK) unlink(part);
  }
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}
