/* Stopping in good order: signals only set a flag, and the ranks agree at their next safe place, so that all of them
 * leave at the same row or step. */
#include "scoria/base.h"
#include "rundir.h"
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* Why to stop; where ranks have different reasons, the largest counts. */
typedef enum { REASON_NONE, REASON_FILE, REASON_HOURS, REASON_SIGNAL } Reason;

static const char *const reasons[] = {"stopped", "stopped by the file STOP", "stopped at run_max_hours",
                                      "stopped by a signal"};

static volatile sig_atomic_t caught; /* the last signal, 0 for none */
static volatile sig_atomic_t seen;   /* a look of the work's has met it */
static volatile double caught_at;    /* seconds, of the first */
static double began, looked;         /* seconds: start of the process; the last look for the file */
static bool file_seen;               /* by this rank: until the stop is made */
static int why;                      /* as agreed */

#define DEAF 1.0 /* seconds in which no rank's work looks whether to stop, and a second TERM is to end it */

/* A second TERM, where the first has not been seen since, ends the program as it would without a handler: it may hang
 * in a library. */
static void note_signal(int number)
{
  if (number == SIGINT && caught == SIGINT) { /* pressed again: whoever waits for it wants it now */
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
  }
  if (number == SIGTERM && caught == SIGTERM && !seen && wall_seconds() - caught_at > DEAF) {
    signal(SIGTERM, SIG_DFL);
    raise(SIGTERM); /* comes when this handler returns */
  }
  if (!caught) caught_at = wall_seconds();
  caught = number;
}

void stop_catch_signals(void)
{
  struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART}, before;
  began                   = wall_seconds();
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, NULL, &before);
  if (before.sa_handler != SIG_IGN) sigaction(SIGINT, &action, NULL); /* a shell's work in the background ignores it */
  signal(SIGXFSZ, SIG_IGN); /* a write past the limit on file size is to return EFBIG, and be told like any other */
}

/* Rank 0 looks once a second: a parallel file system is not to be asked at every step.  As it may be the one rank that
 * has no work to be cut short (of a group that only serves the others), the others look too, in turns, some sixteen of
 * them a second. */
static PetscErrorCode LookForFile(ScoriaRun run, int rank)
{
  char path[PETSC_MAX_PATH_LEN];
  const double now = wall_seconds();
  int size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(run), &size));
  const double period = rank ? PetscMax(1.0, size / 16.0) : 1;
  if (rank && looked <= 0) looked = now - period * rank / size;
  if (file_seen || (looked > 0 && now - looked < period)) PetscFunctionReturn(0);
  looked = now;
  PetscCall(ScoriaRunPath(run, "STOP", sizeof path, path));
  file_seen = access(path, F_OK) == 0;
  PetscFunctionReturn(0);
}

/* This rank's own reason. */
static PetscErrorCode Look(ScoriaRun run, int *reason)
{
  const double limit = 3600 * run_max_hours(run);
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  PetscCall(LookForFile(run, rank));
  *reason = file_seen ? REASON_FILE : REASON_NONE;
  if (limit > 0 && wall_seconds() - began > limit) *reason = REASON_HOURS;
  if (caught) {
    *reason = REASON_SIGNAL;
    seen    = 1;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStopNoticed(ScoriaRun run, bool *stop)
{
  int reason;
  PetscFunctionBeginUser;
  PetscCall(Look(run, &reason));
  *stop = reason != REASON_NONE;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStopAsked(ScoriaRun run, bool *stop)
{
  int reason;
  PetscFunctionBeginUser;
  PetscCall(Look(run, &reason));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &reason, 1, MPI_INT, MPI_MAX, ScoriaRunComm(run)));
  why   = reason;
  *stop = reason != REASON_NONE;
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------- at once ---- */

#define OTHERS_WAIT 10 /* seconds: rank 0 prints, and the launcher ends the others */

static struct {
  int rank;
  double limit;                       /* seconds; 0: none */
  double noticed;                     /* when this rank had a reason; 0: not yet */
  bool asked;                         /* the file has been seen */
  char file[PETSC_MAX_PATH_LEN + 16]; /* STOP */
  char kept[256];
} at_once;

static void print(const char *text)
{
  (void)!write(STDERR_FILENO, text, strlen(text));
}

/* Every second, in the middle of anything: calls only what a handler may. */
static void look_at_once(int number)
{
  Reason reason = REASON_NONE;
  (void)number;
  at_once.asked = at_once.asked || !access(at_once.file, F_OK);
  if (at_once.asked) reason = REASON_FILE;
  if (at_once.limit > 0 && wall_seconds() - began > at_once.limit) reason = REASON_HOURS;
  if (caught) reason = REASON_SIGNAL;
  if (reason == REASON_NONE) return;
  if (at_once.noticed <= 0) at_once.noticed = wall_seconds();
  if (at_once.rank && wall_seconds() - at_once.noticed < OTHERS_WAIT) return;
  /* before it takes the file away the others have looked */
  if (reason == REASON_FILE && !at_once.rank && wall_seconds() - at_once.noticed < 1.5) return;
  print("scoria: ");
  print(reasons[reason]);
  print("; ");
  print(at_once.kept);
  print("; run the same command again to continue\n");
  if (!at_once.rank) unlink(at_once.file); /* honoured: the next start is to run */
  _exit(SCORIA_EXIT_CHECKPOINT);
}

static void tick(int every)
{
  const struct itimerval timer = {.it_interval = {.tv_sec = every}, .it_value = {.tv_sec = every}};
  struct sigaction action      = {.sa_handler = every ? look_at_once : SIG_DFL, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  if (every) sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
  if (!every) sigaction(SIGALRM, &action, NULL);
}

PetscErrorCode ScoriaStopAtOnce(ScoriaRun run, const char *kept)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &at_once.rank));
  PetscCall(ScoriaRunPath(run, "STOP", sizeof at_once.file, at_once.file));
  PetscCall(PetscStrncpy(at_once.kept, kept, sizeof at_once.kept));
  at_once.limit   = 3600 * run_max_hours(run);
  at_once.noticed = 0;
  tick(1);
  PetscFunctionReturn(0);
}

void stop_in_order(void)
{
  tick(0);
}

/* --------------------------------------------------------------------------------------------- in good order ---- */

#define ROUND_SHORT 0.5 /* seconds of a round: the next has twice the items, ... */
#define ROUND_LONG 2.0  /* ... or half of them */

PetscErrorCode ScoriaPaceLook(ScoriaPace *pace, bool *stop)
{
  const double now = wall_seconds();
  int reason;
  PetscFunctionBeginUser;
  PetscCall(Look(pace->run, &reason));
  int64_t most[2] = {reason, pace->began > 0 ? (int64_t)(1e9 * (now - pace->began)) : -1};
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPI_INT64_T, MPI_MAX, ScoriaRunComm(pace->run)));
  why   = (int)most[0];
  *stop = why != REASON_NONE;
  if (most[1] >= 0 && 1e-9 * (double)most[1] < ROUND_SHORT) pace->step = PetscMin(2 * pace->step, pace->most);
  if (1e-9 * (double)most[1] > ROUND_LONG) pace->step = PetscMax(pace->step / 2, 1);
  pace->began = wall_seconds();
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaPaceMeet(ScoriaPace *pace, const char *kept)
{
  bool stop;
  PetscFunctionBeginUser;
  PetscCall(ScoriaPaceLook(pace, &stop));
  if (stop && pace->keep) PetscCall(pace->keep(pace->ctx));
  if (stop) PetscCall(ScoriaStopped(pace->run, "%s", kept));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCheckpointDue(ScoriaRun run, ScoriaDeck deck, double saved, bool *due)
{
  double minutes = 5;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(deck, "run_checkpoint_minutes", &minutes));
  int passed = wall_seconds() - saved > 60 * minutes;
  PetscCallMPI(MPI_Bcast(&passed, 1, MPI_INT, 0, ScoriaRunComm(run)));
  *due = passed;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStopped(ScoriaRun run, const char *format, ...)
{
  char kept[256], path[PETSC_MAX_PATH_LEN];
  va_list args;
  int rank;
  PetscFunctionBeginUser;
  va_start(args, format);
  vsnprintf(kept, sizeof kept, format, args);
  va_end(args);
  PetscCall(ScoriaRunPath(run, "STOP", sizeof path, path));
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  if (rank == 0) unlink(path); /* honoured: the next start is to run */
  file_seen = false;
  PetscCall(ScoriaLog(run, "stop", "\"reason\":\"%s\"", reasons[why]));
  SCORIA_FAIL(SCORIA_EXIT_CHECKPOINT, "%s; %s; run the same command again to continue", reasons[why], kept);
}
