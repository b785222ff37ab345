/* An exclusive file names its holder: host, process, when that started [clock ticks after boot] and Slurm's job, 0 for
 * none.  It stays where a job is killed; the next job recognises it as stale where the process is gone from its own
 * host, or the job from Slurm's queue.  A holder of its own job's earlier life on another node is not taken for gone:
 * a lost node's ranks may live on. */
#include "runlock.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define OWNER_FORMAT "host %63s pid %ld started %llu job %ld"

typedef struct {
  char host[64];
  long pid, job;
  unsigned long long started;
} Owner;

static char held[PATH_MAX]; /* the exclusive file that is ours, empty: none */
static pid_t holder;        /* forked children leave it alone */

/* 0 where there is no such process. */
static unsigned long long start_of(long pid)
{
  char path[64], text[1024];
  unsigned long long started = 0;
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  FILE *in = fopen(path, "r");
  if (!in) return 0;
  const size_t n = fread(text, 1, sizeof text - 1, in);
  fclose(in);
  text[n]    = 0;
  char *next = strrchr(text, ')'); /* the name before it may hold blanks */
  for (int field = 2; next && field < 22; field++) next = strchr(next + 1, ' ');
  if (next) started = strtoull(next, NULL, 10);
  return started;
}

static Owner ourselves(void)
{
  const char *job = getenv("SLURM_JOB_ID");
  Owner own       = {.pid = getpid(), .job = job ? strtol(job, NULL, 10) : 0};
  if (gethostname(own.host, sizeof own.host)) snprintf(own.host, sizeof own.host, "unknown");
  own.host[sizeof own.host - 1] = 0;
  own.started                   = start_of(own.pid);
  return own;
}

/* False where it cannot be read: it is just being written, or gone. */
static bool read_owner(const char *path, Owner *owner)
{
  FILE *in = fopen(path, "r");
  if (!in) return false;
  const bool read = fscanf(in, OWNER_FORMAT, owner->host, &owner->pid, &owner->started, &owner->job) == 4;
  fclose(in);
  return read;
}

/* Whether Slurm answers that it has no such job. */
static bool job_is_gone(long job)
{
  char command[96], answer[256] = "";
  snprintf(command, sizeof command, "squeue --noheader --jobs=%ld --format=%%T 2>&1", job);
  FILE *in = popen(command, "r");
  if (!in) return false;
  const size_t n = fread(answer, 1, sizeof answer - 1, in);
  answer[n]      = 0;
  const int code = pclose(in);
  return code == 0 ? n == 0 : strstr(answer, "Invalid job id") != NULL;
}

static bool is_stale(const Owner *owner)
{
  const Owner own = ourselves();
  if (!strcmp(owner->host, own.host)) {
    if (kill((pid_t)owner->pid, 0) && errno == ESRCH) return true;
    const unsigned long long started = start_of(owner->pid);
    return started && owner->started && started != owner->started; /* the number was given to another process */
  }
  return owner->job && owner->job != own.job && job_is_gone(owner->job);
}

/* Takes a stale file away, under a name of our own first: it may have been replaced by another job's meanwhile. */
static void clear_stale(const char *path, const Owner *stale)
{
  char aside[PATH_MAX + 96];
  Owner moved     = {.pid = 0};
  const Owner own = ourselves();
  snprintf(aside, sizeof aside, "%s.%s.%ld", path, own.host, own.pid);
  if (rename(path, aside)) return;
  const bool same = read_owner(aside, &moved) && !strcmp(moved.host, stale->host) && moved.pid == stale->pid &&
                    moved.started == stale->started && moved.job == stale->job;
  if (!same && link(aside, path)) return; /* a third job has taken its place: both are told by their files */
  unlink(aside);
}

static bool write_owner(int fd)
{
  const Owner own = ourselves();
  char line[160];
  const int n =
      snprintf(line, sizeof line, "host %s pid %ld started %llu job %ld\n", own.host, own.pid, own.started, own.job);
  const bool written = write(fd, line, (size_t)n) == n && fsync(fd) == 0;
  return close(fd) == 0 && written;
}

static RunLockOutcome fail_with(const char *path, size_t size, char said[])
{
  snprintf(said, size, "%s: %s", path, strerror(errno));
  return RUN_LOCK_FAILED;
}

static RunLockOutcome take_exclusively(const char *path, size_t size, char said[])
{
  static bool registered = false;
  Owner owner;
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0 && errno == EEXIST && read_owner(path, &owner) && is_stale(&owner)) {
    clear_stale(path, &owner);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  if (fd < 0 && errno != EEXIST) return fail_with(path, size, said);
  if (fd < 0) {
    if (!read_owner(path, &owner)) owner = (Owner){.host = "unknown"};
    snprintf(said, size, "%s (host %s, process %ld, job %ld)", path, owner.host, owner.pid, owner.job);
    return RUN_LOCK_OF_ANOTHER;
  }
  snprintf(held, sizeof held, "%s", path);
  holder = getpid();
  if (!registered) registered = atexit(run_lock_release) == 0;
  if (write_owner(fd)) return RUN_LOCK_HELD;
  const RunLockOutcome failed = fail_with(path, size, said);
  run_lock_release();
  return failed;
}

void run_lock_release(void)
{
  if (*held && holder == getpid()) unlink(held);
  *held = 0;
}

RunLockOutcome run_lock_try(const char *dir, int fd, bool *exclusive, size_t size, char said[])
{
  char path[PATH_MAX];
  *said = 0;
  if (!*exclusive) {
    if (!flock(fd, LOCK_EX | LOCK_NB)) return RUN_LOCK_HELD;
    if (errno == EWOULDBLOCK || errno == EINTR) return RUN_LOCK_OF_ANOTHER;
    if (errno != ENOSYS && errno != EOPNOTSUPP && errno != ENOLCK) return fail_with("flock", size, said);
    *exclusive = true;
  }
  snprintf(path, sizeof path, "%s/.lock.owner", dir);
  return take_exclusively(path, size, said);
}
