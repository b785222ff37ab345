/* The run directory: one job at a time, the log. */
#include "scoria/linalg.h"
#include "deck_text.h"
#include "runlock.h"
#include "scoria/base.h"
#include "rundir.h"
#include "scoria/run_files.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define LUSTRE_MAGIC 0x0BD00BD0 /* of statfs; linux/magic.h does not know it */

typedef struct Note {
  struct Note *next;
  char *name;
  int64_t value;
} Note;

struct ScoriaRun_ {
  MPI_Comm comm; /* borrowed */
  int rank;
  char dir[PETSC_MAX_PATH_LEN];
  double max_hours;
  double wait_minutes;
  int lock;       /* rank 0: descriptor that holds the lock; -1 elsewhere */
  bool exclusive; /* no flock: a file holds the directory */
  FILE *log;      /* rank 0, owned */
  bool log_bad;   /* a line of it could not be written */
  Note *notes;    /* owned */
};

/* The run directory that this start has made, on rank 0, and the first of its parents that was not there; "". */
static char new_directory[PETSC_MAX_PATH_LEN], new_parent[PETSC_MAX_PATH_LEN];

static bool make_directory(const char *path)
{
  if (mkdir(path, 0777)) return errno == EEXIST;
  if (!*new_parent) snprintf(new_parent, sizeof new_parent, "%s", path);
  return true;
}

/* mkdir -p. */
static bool make_directories(const char *dir)
{
  char path[PETSC_MAX_PATH_LEN];
  struct stat st;
  snprintf(path, sizeof path, "%s", dir);
  for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) path[n - 1] = 0;
  *new_directory = *new_parent = 0;
  for (char *at = path + 1; *at; at++) {
    if (*at != '/') continue;
    *at = 0;
    if (!make_directory(path)) return false;
    *at = '/';
  }
  if (!make_directory(path)) return false;
  if (*new_parent) snprintf(new_directory, sizeof new_directory, "%s", path);
  if (stat(path, &st)) return false;
  if (!S_ISDIR(st.st_mode)) errno = ENOTDIR;
  return S_ISDIR(st.st_mode);
}

/* A whole path of which more than the last part is new may be one to a disk that is not there. */
static void tell_of_parents(ScoriaRun run)
{
  if (*new_parent == '/' && strcmp(new_parent, new_directory) != 0)
    ScoriaSay(run, "run directory %s: new from %s on", new_directory, new_parent);
}

void run_directory_forget(void)
{
  static const char *const own[] = {".", "..", ".lock", ".lock.owner", LOG_FILE};
  char path[2 * PETSC_MAX_PATH_LEN];
  DIR *list  = *new_directory ? opendir(new_directory) : NULL;
  bool empty = list != NULL;
  for (struct dirent *entry = list ? readdir(list) : NULL; entry; entry = readdir(list)) {
    bool known = false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) known = known || !strcmp(entry->d_name, own[i]);
    empty = empty && known;
  }
  if (list) closedir(list);
  for (size_t i = 2; i < sizeof own / sizeof *own && empty; i++) {
    snprintf(path, sizeof path, "%s/%s", new_directory, own[i]);
    (void)unlink(path);
  }
  while (empty && !rmdir(new_directory) && strcmp(new_directory, new_parent) != 0) *strrchr(new_directory, '/') = 0;
  *new_directory = 0;
}

/* Rank 0's part: the lock of the directory, waited for as long as run_wait_minutes says.  What a lost node still runs
 * holds it, or the file server does in its name until a lease ends. */
static ScoriaExit take_lock(ScoriaRun run, size_t size, char line[])
{
  const struct timespec pause = {.tv_nsec = 200000000};
  const double began          = wall_seconds();
  bool said                   = false;
  char who[PETSC_MAX_PATH_LEN + 160];
  RunLockOutcome outcome;
  while ((outcome = run_lock_try(run->dir, run->lock, &run->exclusive, sizeof who, who)) != RUN_LOCK_HELD) {
    const char *hint = *who ? "; if it is no more, remove " : "";
    if (outcome == RUN_LOCK_FAILED) {
      snprintf(line, size, "%s: the run directory cannot be locked: %s", run->dir, who);
      return SCORIA_EXIT_IO;
    }
    if (run->wait_minutes == 0) {
      snprintf(line, size,
               "%s: another job is at work in this run directory; wait for it or choose another -run_dir%s%s", run->dir,
               hint, who);
      return SCORIA_EXIT_INPUT;
    }
    if (wall_seconds() - began > 60 * run->wait_minutes) {
      snprintf(line, size,
               "%s: another job is still at work in this run directory after %g min; run the same command again%s%s",
               run->dir, run->wait_minutes, hint, who);
      return SCORIA_EXIT_CHECKPOINT;
    }
    if (!said) ScoriaSay(run, "%s: another job is at work in this run directory; waiting for it", run->dir);
    said = true;
    nanosleep(&pause, NULL);
  }
  if (run->exclusive)
    ScoriaSay(run, "%s: no flock on this file system; the file .lock.owner keeps other jobs out", run->dir);
  return SCORIA_EXIT_OK;
}

#ifdef OPEN_MPI
/* Rank 0's part: Open MPI's own MPI-IO is known to hang in collective writes on Lustre (open-mpi/ompi issues 9479,
 * 11182, 13823), where ROMIO, which comes with it, does not. */
static void warn_of_file_system(ScoriaRun run)
{
  const char *io = getenv("OMPI_MCA_io");
  struct statfs fs;
  if (io || statfs(run->dir, &fs) || fs.f_type != LUSTRE_MAGIC) return;
  ScoriaSay(run,
            "%s: on Lustre, where Open MPI's own MPI-IO is known to hang: set OMPI_MCA_io=^ompio (ROMIO), or "
            "OMPI_MCA_io=ompio to be told no more",
            run->dir);
}
#else
static void warn_of_file_system(ScoriaRun run)
{
  (void)run;
}
#endif

/* Rank 0's part of opening: the verdict is a line, empty where all is well. */
static ScoriaExit open_directory(ScoriaRun run, size_t size, char line[])
{
  char path[PETSC_MAX_PATH_LEN + 16];
  if (!make_directories(run->dir)) {
    snprintf(line, size, "%s: the run directory cannot be made: %s", run->dir, strerror(errno));
    return SCORIA_EXIT_IO;
  }
  snprintf(path, sizeof path, "%s/.lock", run->dir);
  run->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (run->lock < 0) {
    snprintf(line, size, "%s: the run directory cannot be written: %s", run->dir, strerror(errno));
    return SCORIA_EXIT_IO;
  }
  tell_of_parents(run);
  warn_of_file_system(run);
  const ScoriaExit locked = take_lock(run, size, line);
  if (locked != SCORIA_EXIT_OK) return locked;
  snprintf(path, sizeof path, "%s/" LOG_FILE, run->dir);
  run->log = fopen(path, "a");
  if (run->log) return SCORIA_EXIT_OK;
  snprintf(line, size, "%s: the run directory cannot be written: %s", run->dir, strerror(errno));
  return SCORIA_EXIT_IO;
}

PetscErrorCode ScoriaDeckShard(ScoriaDeck deck, PetscInt shard[2])
{
  PetscInt n = 0;
  PetscFunctionBeginUser;
  shard[0] = shard[1] = 1;
  PetscCall(ScoriaDeckInts(deck, "run_shard", 2, &n, shard));
  if (n == 1) SCORIA_FAIL(SCORIA_EXIT_INPUT, "run_shard: found one number, expected two: [i, n], part i of n");
  if (shard[0] > shard[1])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "run_shard: found part %d of %d, expected a part from 1 to %d", (int)shard[0],
                (int)shard[1], (int)shard[1]);
  PetscFunctionReturn(0);
}

/* A shard is a run of its own, with lock, log and deck of its own, in a directory below that of the whole. */
static PetscErrorCode ChooseDirectory(ScoriaDeck deck, const char *command, size_t size, char dir[])
{
  const char *whole;
  PetscInt shard[2];
  bool sharded;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "run_dir", &whole));
  PetscCall(ScoriaDeckHas(deck, "run_shard", &sharded));
  PetscCall(ScoriaDeckShard(deck, shard));
  if (!sharded) {
    PetscCall(PetscStrncpy(dir, whole, size));
    PetscFunctionReturn(0);
  }
  if (strcmp(command, "generate"))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "run_shard: found with %s, expected with generate only", command);
  PetscCall(PetscSNPrintf(dir, size, SCORIA_SHARD_DIRECTORY, whole, (int)shard[0], (int)shard[1]));
  PetscFunctionReturn(0);
}

/* HDF5 locks every file that it opens without MPI, and refuses to open it where it cannot.  Collective. */
static PetscErrorCode LeaveFilesUnlocked(ScoriaRun run)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(&run->exclusive, 1, MPI_C_BOOL, 0, run->comm));
  if (run->exclusive) setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaRunCreate(MPI_Comm comm, ScoriaDeck deck, const char *command, ScoriaRun *run)
{
  char line[2 * PETSC_MAX_PATH_LEN + 512] = "", body[128] = "";
  ScoriaExit code = SCORIA_EXIT_OK;
  int size;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(run));
  (*run)->comm = comm;
  (*run)->lock = -1;
  PetscCallMPI(MPI_Comm_rank(comm, &(*run)->rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(ChooseDirectory(deck, command, sizeof(*run)->dir, (*run)->dir));
  PetscCall(ScoriaDeckReal(deck, "run_max_hours", &(*run)->max_hours));
  PetscCall(ScoriaDeckReal(deck, "run_wait_minutes", &(*run)->wait_minutes));
  if ((*run)->rank == 0) code = open_directory(*run, sizeof line, line);
  PetscCall(ScoriaAgree(comm, code, line));
  PetscCall(LeaveFilesUnlocked(*run));
  json_member(sizeof body, body, LOG_COMMAND, "\"%s\"", command);
  json_member(sizeof body, body, LOG_VERSION, "\"%s\"", scoria_version());
  json_member(sizeof body, body, LOG_RANKS, "%d", size);
  PetscCall(ScoriaLog(*run, LOG_START, "%s,\"blas\":\"OpenBLAS %s\",\"threads\":1", body, linalg_single_thread()));
  if (*deck->elsewhere) PetscCall(ScoriaLog(*run, "options", "\"elsewhere\":\"%s\"", deck->elsewhere));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaRunDestroy(ScoriaRun *run)
{
  char line[PETSC_MAX_PATH_LEN + 64];
  PetscFunctionBeginUser;
  if (!*run) PetscFunctionReturn(0);
  PetscCall(ScoriaLog(*run, LOG_END, "\"ok\":true"));
  snprintf(line, sizeof line, "%s/" LOG_FILE ": a line could not be written (disk full?)", (*run)->dir);
  if ((*run)->log && fclose((*run)->log)) (*run)->log_bad = true;
  PetscCall(ScoriaAgree((*run)->comm, (*run)->log_bad ? SCORIA_EXIT_IO : SCORIA_EXIT_OK, line));
  run_lock_release();
  if ((*run)->lock >= 0) close((*run)->lock); /* releases it; the file stays, for removing it would race */
  for (Note *note = (*run)->notes, *next; note; note = next) {
    next = note->next;
    PetscCall(PetscFree(note->name));
    PetscCall(PetscFree(note));
  }
  PetscCall(PetscFree(*run));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaRunPath(ScoriaRun run, const char *name, size_t size, char path[])
{
  PetscFunctionBeginUser;
  if ((size_t)snprintf(path, size, "%s/%s", run->dir, name) >= size)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: the name of the run directory is too long", run->dir);
  PetscFunctionReturn(0);
}

MPI_Comm ScoriaRunComm(ScoriaRun run)
{
  return run->comm;
}

static Note *find_note(ScoriaRun run, const char *name)
{
  Note *note = run->notes;
  while (note && strcmp(note->name, name)) note = note->next;
  return note;
}

PetscErrorCode ScoriaRunNote(ScoriaRun run, const char *name, int64_t value)
{
  Note *note = find_note(run, name);
  PetscFunctionBeginUser;
  if (!note) {
    PetscCall(PetscNew(&note));
    PetscCall(PetscStrallocpy(name, &note->name));
    note->next = run->notes;
    run->notes = note;
  }
  note->value = value;
  PetscFunctionReturn(0);
}

bool run_noted(ScoriaRun run, const char *name, int64_t *value)
{
  const Note *note = find_note(run, name);
  if (note) *value = note->value;
  return note != NULL;
}

double run_max_hours(ScoriaRun run)
{
  return run->max_hours;
}

PetscErrorCode ScoriaSay(ScoriaRun run, const char *format, ...)
{
  PetscFunctionBeginUser;
  if (run->rank == 0) {
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaLog(ScoriaRun run, const char *event, const char *body, ...)
{
  PetscFunctionBeginUser;
  if (run->rank == 0 && run->log) {
    char date[32];
    va_list args;
    utc_now(date);
    fprintf(run->log, "{\"" LOG_TIME "\":\"%s\",\"" LOG_EVENT "\":\"%s\"%s", date, event, *body ? "," : "");
    va_start(args, body);
    vfprintf(run->log, body, args);
    va_end(args);
    fputs("}\n", run->log);
    if (fflush(run->log) || ferror(run->log)) run->log_bad = true;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFileExists(MPI_Comm comm, const char *path, bool *exists)
{
  int rank, found = 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) found = access(path, F_OK) == 0;
  PetscCallMPI(MPI_Bcast(&found, 1, MPI_INT, 0, comm));
  *exists = found;
  PetscFunctionReturn(0);
}
