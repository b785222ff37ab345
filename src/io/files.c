/* Files on disk, on the rank that calls: started as path.part and never over a finished one, reserved, published by
 * sync and rename, and probed before HDF5 sees them.
 *
 * The probe reads the superblock itself (HDF5 file format, versions 2 and 3: signature 8, version 1, sizes of offsets
 * and lengths 1 + 1, flags 1, base address 8, extension 8, end of file 8, ...), so that a file cut short is told with
 * its length and the one expected. */
#define _GNU_SOURCE /* fallocate */
#include "private.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

PetscErrorCode ScoriaPartName(const char *path, size_t size, char part[])
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

PetscErrorCode ScoriaFileRefuse(const char *path, ScoriaTrouble *bad)
{
  struct stat st;

  PetscFunctionBeginUser;
  if (!lstat(path, &st))
    trouble_note(bad, SCORIA_EXIT_INPUT,
                 "it exists already and is not overwritten; move it away, or choose another place");
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFileStart(const char *path, const char *part, ScoriaTrouble *bad)
{
  int fd;

  PetscFunctionBeginUser;
  file_limit_to_errno();
  PetscCall(ScoriaFileRefuse(path, bad));
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
 * file system is told once, and asked for its free space. */
static int reserve(const char *part, int fd, int64_t size)
{
  static bool told;
  int failed;

  if (size == 0) return 0;
  do failed = fallocate(fd, 0, 0, (off_t)size) ? errno : 0;
  while (failed == EINTR);
  if (failed != EOPNOTSUPP && failed != ENOSYS) return failed;
  failed = room_for(fd, size);
  if (!failed && !told)
    (void)PetscPrintf(PETSC_COMM_SELF,
                      "  WARNING: %s: its file system cannot reserve space (%s): whether the disk fills up before the "
                      "end shows only when rows are read back\n",
                      part, strerror(EOPNOTSUPP));
  told = true;
  return failed;
}

PetscErrorCode ScoriaFileReserve(const char *part, int64_t size, ScoriaTrouble *bad)
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
  const double needed                 = (double)spec->rows * spec->nfields * (double)field_row_size(spec);
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

int file_crc(const char *path, int64_t size, int64_t first, int64_t number, uint32_t *crc)
{
  const size_t most = (size_t)4 << 20; /* read at once [byte] */
  struct stat st;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  char *piece  = malloc(most);
  int failed   = fd < 0 ? errno : !piece ? ENOMEM : fstat(fd, &st) ? errno : st.st_size != size ? ESTALE : 0;

  *crc         = 0;
  while (!failed && number > 0) {
    const ssize_t n = pread(fd, piece, number < (int64_t)most ? (size_t)number : most, (off_t)first);

    if (n < 0 && errno == EINTR) continue;
    failed = n < 0 ? errno : n == 0 ? ESTALE : 0;
    if (failed) break;
    *crc = crc32c(*crc, piece, (size_t)n);
    first += n;
    number -= n;
  }
  free(piece);
  if (fd >= 0) close(fd);
  return failed;
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

PetscErrorCode ScoriaFilesForgetPublished(void)
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

PetscErrorCode ScoriaFilePublish(const char *part, const char *path, ScoriaTrouble *bad)
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

uint64_t superblock_end(const unsigned char head[48])
{
  uint64_t end;

  memcpy(&end, head + 28, sizeof end);
  return end;
}

/* What is wrong with the first bytes of a file of `size` bytes, of which n were read. */
static void superblock_check(const unsigned char head[48], size_t n, int64_t size, const char *expected,
                             ScoriaTrouble *bad)
{
  static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

  if (n < sizeof signature || memcmp(head, signature, sizeof signature)) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "not an HDF5 file (%lld bytes), expected %s", (long long)size, expected);
  } else if (n < 48) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "truncated to %lld bytes, expected %s", (long long)size, expected);
  } else if (head[8] >= 2 && head[9] == 8) {
    if ((uint64_t)size < superblock_end(head))
      trouble_note(bad, SCORIA_EXIT_INPUT, "truncated: it has %lld bytes, expected %llu", (long long)size,
                   (unsigned long long)superblock_end(head));
  }
}

PetscErrorCode ScoriaFileProbe(const char *path, const char *expected, int64_t *size, ScoriaTrouble *bad)
{
  char part[PETSC_MAX_PATH_LEN + 8];
  struct stat st;

  PetscFunctionBeginUser;
  *size = 0;
  if (stat(path, &st)) {
    const int why = errno;

    snprintf(part, sizeof part, "%s.part", path);
    if (why == ENOENT && !stat(part, &st))
      trouble_note(bad, SCORIA_EXIT_INPUT, "no such file, but %s is there: the run that writes it has not finished",
                   part);
    else
      trouble_note(bad, SCORIA_EXIT_INPUT, "cannot be read: %s (expected %s)", strerror(why), expected);
    PetscFunctionReturn(0);
  }
  if (!S_ISREG(st.st_mode)) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "%s, expected %s", S_ISDIR(st.st_mode) ? "a directory" : "not a regular file",
                 expected);
    PetscFunctionReturn(0);
  }
  *size = st.st_size;
  if (!st.st_size) trouble_note(bad, SCORIA_EXIT_INPUT, "empty (0 bytes), expected %s", expected);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSuperblockProbe(const char *path, const char *expected, int64_t size, ScoriaTrouble *bad)
{
  unsigned char head[48];
  FILE *in;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  in = fopen(path, "rb");
  if (!in) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "cannot be read: %s", strerror(errno));
  } else {
    superblock_check(head, fread(head, 1, sizeof head, in), size, expected, bad);
    fclose(in);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFileWrite(const char *part, const void *bytes, size_t size, ScoriaTrouble *bad)
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
  PetscCall(ScoriaPartName(path, sizeof part, part));
  if (!rank) {
    PetscCall(ScoriaFileWrite(part, text, strlen(text), &bad));
    PetscCall(ScoriaFilePublish(part, path, &bad));
    if (bad.code != SCORIA_EXIT_OK) unlink(part);
  }
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}
