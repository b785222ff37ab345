/* Stopping in good order: signals only set a flag, and the ranks agree at their next safe place, so that all of them
 * leave at the same row or step. */
#include "scoria/base.h"
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Why to stop; where ranks have different reasons, the largest counts. */
typedef enum { REASON_NONE, REASON_FILE, REASON_HOURS, REASON_SIGNAL } Reason;

static volatile sig_atomic_t caught; /* the last signal, 0 for none */
static double began, looked;         /* seconds: start of the process; the last look for the file */
static bool file_seen;               /* on rank 0: until the stop is made */
static int why;                      /* as agreed */

static void note_signal(int number)
{
  caught = number;
}

void stop_catch_signals(void)
{
  struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
  began                   = wall_seconds();
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  signal(SIGXFSZ, SIG_IGN); /* a write past the limit on file size is to return EFBIG, and be told like any other */
}

/* On rank 0, no more than once a second: a parallel file system is not to be asked at every step. */
static PetscErrorCode LookForFile(ScoriaRun run)
{
  char path[PETSC_MAX_PATH_LEN];
  const double now = wall_seconds();
  PetscFunctionBeginUser;
  if (file_seen || (looked > 0 && now - looked < 1)) PetscFunctionReturn(0);
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
  if (rank == 0) PetscCall(LookForFile(run));
  *reason = file_seen ? REASON_FILE : REASON_NONE;
  if (limit > 0 && wall_seconds() - began > limit) *reason = REASON_HOURS;
  if (caught) *reason = REASON_SIGNAL;
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

PetscErrorCode ScoriaStopped(ScoriaRun run, const char *format, ...)
{
  static const char *const reasons[] = {"stopped", "stopped by the file STOP", "stopped at run_max_hours",
                                        "stopped by a signal"};
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
