/* cost.json: what the files of a run directory have cost.  It lies beside them, as their own bytes must not depend on
 * how fast a machine was or how often it was interrupted. */
#include "scoria/io.h"
#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SAVE_SECONDS 10.0 /* a kill loses no more than this of the account */

struct ScoriaCost_ {
  ScoriaRun run; /* borrowed */
  char name[SCORIA_NAME_SIZE];
  double spent;        /* core seconds up to `since` */
  double since, saved; /* [s] */
};

/* The accounts on rank 0; an empty object where there are none, or none that can be read. */
static PetscErrorCode ReadAccounts(ScoriaRun run, cJSON **accounts)
{
  char path[PETSC_MAX_PATH_LEN];
  int rank;
  PetscFunctionBeginUser;
  *accounts = NULL;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  if (rank) PetscFunctionReturn(0);
  PetscCall(ScoriaRunPath(run, "cost.json", sizeof path, path));
  PetscCall(ScoriaReadJson(path, 1 << 20, accounts));
  if (!*accounts) *accounts = cJSON_CreateObject();
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCostRead(ScoriaRun run, const char *name, double *core_seconds)
{
  cJSON *accounts;
  PetscFunctionBeginUser;
  *core_seconds = NAN;
  PetscCall(ReadAccounts(run, &accounts));
  const cJSON *one = cJSON_GetObjectItemCaseSensitive(accounts, name);
  if (cJSON_IsNumber(one)) *core_seconds = one->valuedouble;
  cJSON_Delete(accounts);
  PetscCallMPI(MPI_Bcast(core_seconds, 1, MPI_DOUBLE, 0, ScoriaRunComm(run)));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteAccount(ScoriaCost cost)
{
  char path[PETSC_MAX_PATH_LEN];
  cJSON *accounts;
  char *text = NULL;
  int size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(cost->run), &size));
  const double now = wall_seconds();
  cost->spent += (now - cost->since) * size;
  cost->since = cost->saved = now;
  PetscCall(ReadAccounts(cost->run, &accounts));
  if (accounts) {
    cJSON_DeleteItemFromObjectCaseSensitive(accounts, cost->name);
    cJSON_AddNumberToObject(accounts, cost->name, cost->spent);
    text = cJSON_Print(accounts);
    cJSON_Delete(accounts);
    PetscCheck(text, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for cost.json");
  }
  PetscCall(ScoriaRunPath(cost->run, "cost.json", sizeof path, path));
  const PetscErrorCode failed = ScoriaWriteText(ScoriaRunComm(cost->run), path, text);
  cJSON_free(text);
  PetscFunctionReturn(failed);
}

PetscErrorCode ScoriaCostBegin(ScoriaRun run, const char *name, bool goes_on, ScoriaCost *cost)
{
  double before = 0;
  PetscFunctionBeginUser;
  if (goes_on) PetscCall(ScoriaCostRead(run, name, &before));
  PetscCall(PetscNew(cost));
  **cost = (struct ScoriaCost_){.run = run, .spent = isfinite(before) ? before : 0};
  PetscCall(PetscStrncpy((*cost)->name, name, sizeof(*cost)->name));
  (*cost)->since = (*cost)->saved = wall_seconds();
  PetscCall(WriteAccount(*cost)); /* an account of an earlier file of that name ends here */
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCostKeep(ScoriaCost cost, bool now)
{
  int due = now || wall_seconds() - cost->saved > SAVE_SECONDS;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(&due, 1, MPI_INT, 0, ScoriaRunComm(cost->run)));
  if (due) PetscCall(WriteAccount(cost));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCostEnd(ScoriaCost *cost)
{
  PetscFunctionBeginUser;
  PetscCall(WriteAccount(*cost));
  PetscCall(PetscFree(*cost));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCostTidy(ScoriaRun run)
{
  char path[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "cost.json.part", sizeof path, path));
  PetscCall(ScoriaFileRemove(ScoriaRunComm(run), path));
  PetscFunctionReturn(0);
}
