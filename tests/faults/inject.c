/* A library to preload: counts the calls by which a program changes files under one directory, and at a chosen one does
 * what the environment asks.  Only a process named scoria is touched; its children (gnuplot) are not.
 *
 *   SCORIA_FAULT_DIR   directory whose files count (absolute, without links)
 *   SCORIA_FAULT_RANK  the rank to touch (default 0)
 *   SCORIA_FAULT_KIND  any (default), open, write, sync, allocate, truncate, rename, close, unlink or mkdir
 *   SCORIA_FAULT_AT    the call of that kind, from 1 on; 0: none
 *   SCORIA_FAULT_DO    kill   SIGKILL before the call          torn  half of a write, then SIGKILL
 *                      job    SIGKILL to mpirun, then as kill   short half of a write, told as such
 *                      flip   one bit of a write inverted       delay half a second before the call
 *                      ENOSPC, EIO, EFBIG, EOPNOTSUPP, ENOSYS   the call fails so; with a + behind, all later
 *                      ones of the kind too
 *   SCORIA_FAULT_LOG   file that gets a line for every call counted: rank, number, kind, path
 *
 * stdio's own writes do not pass here: fwrite, fflush and fclose stand for them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

typedef enum { NOTHING, FAIL, SHORT, FLIP } Outcome;

static struct {
  bool on, forever;
  char dir[PATH_MAX], kind[16], action[16];
  size_t dir_length;
  long at;
  int error, log;
  const char *rank;
} fault;
static long all_calls, kind_calls;

static const char *setting(const char *name, const char *otherwise)
{
  const char *value = getenv(name);
  return value && *value ? value : otherwise;
}

__attribute__((constructor)) static void read_settings(void)
{
  static const struct {
    const char *name;
    int number;
  } errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EFBIG", EFBIG}, {"EOPNOTSUPP", EOPNOTSUPP}, {"ENOSYS", ENOSYS}};
  const char *dir = setting("SCORIA_FAULT_DIR", ""), *log = setting("SCORIA_FAULT_LOG", "");

  fault.rank = setting("OMPI_COMM_WORLD_RANK", setting("PMI_RANK", "0")); /* Open MPI's, MPICH's */
  fault.log  = -1;
  fault.on   = *dir && !strcmp(program_invocation_short_name, "scoria") &&
             !strcmp(fault.rank, setting("SCORIA_FAULT_RANK", "0"));
  if (!fault.on) return;
  snprintf(fault.dir, sizeof fault.dir, "%s", dir);
  snprintf(fault.kind, sizeof fault.kind, "%s", setting("SCORIA_FAULT_KIND", "any"));
  snprintf(fault.action, sizeof fault.action, "%s", setting("SCORIA_FAULT_DO", ""));
  fault.dir_length = strlen(fault.dir);
  fault.at         = atol(setting("SCORIA_FAULT_AT", "0"));
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
    const size_t n = strlen(errors[i].name);
    if (strncmp(fault.action, errors[i].name, n)) continue;
    fault.error   = errors[i].number;
    fault.forever = fault.action[n] == '+';
  }
  /* by the bare call, as below: what this library does for itself is not to be counted */
  if (*log) fault.log = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

static bool counts(const char *path)
{
  char whole[2 * PATH_MAX];
  if (!fault.on) return false;
  if (path[0] != '/') {
    if (!getcwd(whole, PATH_MAX)) return false;
    const size_t n = strlen(whole);
    snprintf(whole + n, sizeof whole - n, "/%s", path);
    path = whole;
  }
  return !strncmp(path, fault.dir, fault.dir_length) && (path[fault.dir_length] == '/' || !path[fault.dir_length]);
}

static bool path_of(int fd, char path[PATH_MAX])
{
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n     = readlink(link, path, PATH_MAX - 1);
  path[n > 0 ? n : 0] = 0;
  return n > 0;
}

static void note(const char *kind, const char *path)
{
  char line[PATH_MAX + 64];
  if (fault.log < 0) return;
  const int n = snprintf(line, sizeof line, "%s %ld %s %s\n", fault.rank, all_calls, kind, path);
  (void)!syscall(SYS_write, fault.log, line, (size_t)n);
}

static void die(void)
{
  if (!strcmp(fault.action, "job")) kill(getppid(), SIGKILL);
  kill(getpid(), SIGKILL);
}

/* Counts a call; what is to become of it, where it comes back at all. */
static Outcome step(const char *kind, const char *path)
{
  const bool ours = !strcmp(fault.kind, "any") || !strcmp(fault.kind, kind), write = !strcmp(kind, "write");
  all_calls++;
  note(kind, path);
  if (!ours || fault.at == 0) return NOTHING;
  kind_calls++;
  if (kind_calls != fault.at && !(fault.forever && kind_calls > fault.at)) return NOTHING;
  if (fault.error) {
    errno = fault.error;
    return FAIL;
  }
  if (!strcmp(fault.action, "delay"))
    nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
  else if (write && (!strcmp(fault.action, "short") || !strcmp(fault.action, "torn")))
    return SHORT;
  else if (write && !strcmp(fault.action, "flip"))
    return FLIP;
  else if (strcmp(fault.action, "short") != 0 && strcmp(fault.action, "flip") != 0)
    die();
  return NOTHING;
}

static Outcome step_path(const char *kind, const char *path)
{
  return counts(path) ? step(kind, path) : NOTHING;
}

static Outcome step_fd(const char *kind, int fd)
{
  char path[PATH_MAX];
  return fault.on && fd >= 0 && path_of(fd, path) && counts(path) ? step(kind, path) : NOTHING;
}

static Outcome step_stream(const char *kind, FILE *stream)
{
  return fault.on && stream ? step_fd(kind, fileno(stream)) : NOTHING;
}

/* The next function of a name. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* --------------------------------------------------------------------------------------- opening, closing ---- */

#define OPENS(name)                                                                                                    \
  int name(const char *path, int flags, ...)                                                                           \
  {                                                                                                                    \
    va_list args;                                                                                                      \
    va_start(args, flags);                                                                                             \
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;                                      \
    va_end(args);                                                                                                      \
    if (flags & (O_WRONLY | O_RDWR) && step_path("open", path) == FAIL) return -1;                                     \
    return NEXT(name)(path, flags, mode);                                                                              \
  }
OPENS(open)
OPENS(open64)

#define OPENS_STREAM(name)                                                                                             \
  FILE *name(const char *path, const char *mode)                                                                       \
  {                                                                                                                    \
    if (mode[0] != 'r' && step_path("open", path) == FAIL) return NULL;                                                \
    return NEXT(name)(path, mode);                                                                                     \
  }
OPENS_STREAM(fopen)
OPENS_STREAM(fopen64)

static bool for_writing(int fd)
{
  return fault.on && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
}

int close(int fd)
{
  const Outcome now = for_writing(fd) ? step_fd("close", fd) : NOTHING;
  const int error = errno, closed = NEXT(close)(fd);
  if (now != FAIL) return closed;
  errno = error;
  return -1;
}

int fclose(FILE *stream)
{
  const Outcome now = for_writing(fileno(stream)) ? step_stream("close", stream) : NOTHING;
  const int error = errno, closed = NEXT(fclose)(stream);
  if (now != FAIL) return closed;
  errno = error;
  return EOF;
}

/* ------------------------------------------------------------------------------------------------- writing ---- */

/* Half of `size` bytes, or all of them with a bit inverted, by the bare call: at offset, or where the file is (-1). */
static ssize_t write_badly(Outcome now, int fd, const void *bytes, size_t size, off_t offset)
{
  char *copy = malloc(size + 1);
  if (!copy) return -1;
  memcpy(copy, bytes, size);
  if (now == FLIP)
    copy[size / 2] ^= 4;
  else
    size = (size + 1) / 2;
  const ssize_t n = offset < 0 ? syscall(SYS_write, fd, copy, size) : syscall(SYS_pwrite64, fd, copy, size, offset);
  free(copy);
  if (!strcmp(fault.action, "torn")) die();
  return n;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
  const Outcome now = step_fd("write", fd);
  if (now == FAIL) return -1;
  return now == NOTHING ? NEXT(write)(fd, bytes, size) : write_badly(now, fd, bytes, size, -1);
}

#define WRITES_AT(name)                                                                                                \
  ssize_t name(int fd, const void *bytes, size_t size, off_t offset)                                                   \
  {                                                                                                                    \
    const Outcome now = step_fd("write", fd);                                                                          \
    if (now == FAIL) return -1;                                                                                        \
    return now == NOTHING ? NEXT(name)(fd, bytes, size, offset) : write_badly(now, fd, bytes, size, offset);           \
  }
WRITES_AT(pwrite)
WRITES_AT(pwrite64)

/* Of a vector, only the first part is written badly, and nothing follows it. */
#define WRITES_VECTOR(name)                                                                                            \
  ssize_t name(int fd, const struct iovec *part, int parts, off_t offset)                                              \
  {                                                                                                                    \
    const Outcome now = step_fd("write", fd);                                                                          \
    if (now == FAIL) return -1;                                                                                        \
    return now == NOTHING ? NEXT(name)(fd, part, parts, offset)                                                        \
                          : write_badly(now, fd, part[0].iov_base, part[0].iov_len, offset);                           \
  }
WRITES_VECTOR(pwritev)
WRITES_VECTOR(pwritev64)

size_t fwrite(const void *bytes, size_t size, size_t number, FILE *stream)
{
  const Outcome now = step_stream("write", stream);
  if (now == FAIL) return 0;
  if (now == NOTHING) return NEXT(fwrite)(bytes, size, number, stream);
  NEXT(fflush)(stream);
  const ssize_t n = write_badly(now, fileno(stream), bytes, size * number, -1);
  return n < 0 || size == 0 ? 0 : (size_t)n / size;
}

int fflush(FILE *stream)
{
  const Outcome now = step_stream("write", stream);
  if (now == SHORT && !strcmp(fault.action, "torn")) die();
  return now == FAIL ? EOF : NEXT(fflush)(stream);
}

/* ----------------------------------------------------------------------------------------- syncing, sizing ---- */

#define ON_DESCRIPTOR(name, kind)                                                                                      \
  int name(int fd)                                                                                                     \
  {                                                                                                                    \
    return step_fd(kind, fd) == FAIL ? -1 : NEXT(name)(fd);                                                            \
  }
ON_DESCRIPTOR(fsync, "sync")
ON_DESCRIPTOR(fdatasync, "sync")

#define ALLOCATES(name)                                                                                                \
  int name(int fd, off_t offset, off_t size)                                                                           \
  {                                                                                                                    \
    return step_fd("allocate", fd) == FAIL ? fault.error : NEXT(name)(fd, offset, size);                               \
  }
ALLOCATES(posix_fallocate)
ALLOCATES(posix_fallocate64)

#define ALLOCATES_IN_MODE(name)                                                                                        \
  int name(int fd, int mode, off_t offset, off_t size)                                                                 \
  {                                                                                                                    \
    return step_fd("allocate", fd) == FAIL ? -1 : NEXT(name)(fd, mode, offset, size);                                  \
  }
ALLOCATES_IN_MODE(fallocate)
ALLOCATES_IN_MODE(fallocate64)

#define TRUNCATES(name)                                                                                                \
  int name(int fd, off_t size)                                                                                         \
  {                                                                                                                    \
    return step_fd("truncate", fd) == FAIL ? -1 : NEXT(name)(fd, size);                                                \
  }
TRUNCATES(ftruncate)
TRUNCATES(ftruncate64)

/* --------------------------------------------------------------------------------------------------- names ---- */

int rename(const char *from, const char *to)
{
  return step_path("rename", to) == FAIL ? -1 : NEXT(rename)(from, to);
}

int unlink(const char *path)
{
  return step_path("unlink", path) == FAIL ? -1 : NEXT(unlink)(path);
}

int mkdir(const char *path, mode_t mode)
{
  return step_path("mkdir", path) == FAIL ? -1 : NEXT(mkdir)(path, mode);
}
