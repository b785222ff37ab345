/* Failures: a user's error is one line and an exit code, agreed by all ranks; a defect keeps PETSc's trace. */
#include "scoria/base.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 1024

static ScoriaExit failure_code = SCORIA_EXIT_OK;
static char failure_line[LINE_SIZE];

PetscErrorCode ScoriaFail(ScoriaExit code, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(failure_line, sizeof failure_line, format, args);
  va_end(args);
  /* A file may have given it anything: it stays one line, and says nothing to the terminal. */
  for (char *at = failure_line; *at; at++)
    if (iscntrl((unsigned char)*at)) *at = '?';
  failure_code = code;
  return PETSC_ERR_USER;
}

PetscErrorCode ScoriaAgree(MPI_Comm comm, ScoriaExit code, const char *line)
{
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  int first = code != SCORIA_EXIT_OK ? rank : size;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm));
  if (first == size) PetscFunctionReturn(0);
  int agreed           = (int)code;
  char text[LINE_SIZE] = "";
  if (rank == first && line) snprintf(text, sizeof text, "%s", line);
  PetscCallMPI(MPI_Bcast(&agreed, 1, MPI_INT, first, comm));
  PetscCallMPI(MPI_Bcast(text, LINE_SIZE, MPI_CHAR, first, comm));
  SCORIA_FAIL((ScoriaExit)agreed, "%s", text);
}

PetscErrorCode ScoriaAgreeFailed(MPI_Comm comm, PetscErrorCode failed)
{
  PetscFunctionBeginUser;
  if (failed && failure_code == SCORIA_EXIT_OK) PetscFunctionReturn(failed);
  PetscCall(ScoriaAgree(comm, failed ? failure_code : SCORIA_EXIT_OK, failure_line));
  PetscFunctionReturn(0);
}

ScoriaExit ScoriaFailureCode(void)
{
  return failure_code;
}

const char *ScoriaFailureLine(void)
{
  return failure_line;
}

void ScoriaFailureReset(void)
{
  failure_code    = SCORIA_EXIT_OK;
  failure_line[0] = 0;
}

PetscErrorCode ScoriaErrorHandler(MPI_Comm comm, int line, const char *func, const char *file, PetscErrorCode n,
                                  PetscErrorType p, const char *mess, void *ctx)
{
  if (failure_code != SCORIA_EXIT_OK) return n; /* the line says it all */
  return PetscTraceBackErrorHandler(comm, line, func, file, n, p, mess, ctx);
}

/* What PETSc said first, of an error that is going to be the user's. */
static PetscErrorCode KeepWords(MPI_Comm comm, int line, const char *func, const char *file, PetscErrorCode n,
                                PetscErrorType p, const char *mess, void *ctx)
{
  char *words = ctx;
  (void)comm, (void)line, (void)func, (void)file;
  if (p == PETSC_ERROR_INITIAL) snprintf(words, LINE_SIZE, "%s", mess ? mess : "refused");
  words[strcspn(words, "\n")] = 0;
  return n;
}

PetscErrorCode ScoriaTakeOptions(PetscErrorCode (*set)(void *object), void *object)
{
  char words[LINE_SIZE] = "";
  PetscFunctionBeginUser;
  PetscCall(PetscPushErrorHandler(KeepWords, words));
  const PetscErrorCode failed = set(object);
  PetscCall(PetscPopErrorHandler());
  if (failed) SCORIA_FAIL(SCORIA_EXIT_INPUT, "PETSc's options: %s", words);
  PetscFunctionReturn(0);
}
