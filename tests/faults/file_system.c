/* A library to preload: one directory as if on another kind of file system.
 *
 *   SCORIA_FS_DIR    the directory (absolute, without links)
 *   SCORIA_FS_LOCKS  ENOSYS, EOPNOTSUPP or ENOLCK: flock and the locks of fcntl fail so, as on a Lustre mounted without
 *                    flock, or an NFS without its lock service
 *   SCORIA_FS_MAGIC  what statfs answers as the file system's type */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static bool is_below(const char *path)
{
  const char *dir = getenv("SCORIA_FS_DIR");
  return dir && !strncmp(path, dir, strlen(dir));
}

static bool is_open_below(int fd)
{
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return false;
  path[n] = 0;
  return is_below(path);
}

/* 0 where locks are as they are. */
static int lock_error(int fd)
{
  const char *name = getenv("SCORIA_FS_LOCKS");
  if (!name || !is_open_below(fd)) return 0;
  return !strcmp(name, "ENOSYS") ? ENOSYS : !strcmp(name, "ENOLCK") ? ENOLCK : EOPNOTSUPP;
}

int flock(int fd, int operation)
{
  const int error = lock_error(fd);
  if (!error) return NEXT(flock)(fd, operation);
  errno = error;
  return -1;
}

#define CONTROLS(name)                                                                                                 \
  int name(int fd, int command, ...)                                                                                   \
  {                                                                                                                    \
    va_list more;                                                                                                      \
    va_start(more, command);                                                                                           \
    void *argument = va_arg(more, void *);                                                                             \
    va_end(more);                                                                                                      \
    const bool locks = command == F_SETLK || command == F_SETLKW || command == F_GETLK;                                \
    const int error  = locks ? lock_error(fd) : 0;                                                                     \
    if (!error) return NEXT(name)(fd, command, argument);                                                              \
    errno = error;                                                                                                     \
    return -1;                                                                                                         \
  }
CONTROLS(fcntl)
CONTROLS(fcntl64)

int statfs(const char *path, struct statfs *fs)
{
  const char *magic = getenv("SCORIA_FS_MAGIC");
  const int code    = NEXT(statfs)(path, fs);
  if (code == 0 && magic && is_below(path)) fs->f_type = (__typeof__(fs->f_type))strtoul(magic, NULL, 0);
  return code;
}
