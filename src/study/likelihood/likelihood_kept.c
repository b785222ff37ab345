/* likelihood: the checkpoint of an unfinished evaluation: the first rows of the list, which rank 0 has. */
#include "likelihood.h"
#include <stdio.h>

#define COLUMN "/column%d"

static PetscErrorCode Save(LikelihoodKeeper *keeper, const LikelihoodAnswer *a)
{
  const int64_t numbers = keeper->done * a->n;
  char name[32];
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointBegin(keeper->run, keeper->deck, keeper->name, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, &keeper->made));
  PetscCall(ScoriaStorePutInt(store, "done", keeper->done));
  for (int c = 0; c < LIKELIHOOD_COLUMNS; c++) {
    snprintf(name, sizeof name, COLUMN, c);
    PetscCall(ScoriaStorePutReals(store, name, 1, &keeper->done, a->column[c], "", ""));
  }
  if (numbers > 0) PetscCall(ScoriaStorePutReals(store, "/theta", 1, &numbers, a->theta, "", ""));
  PetscCall(ScoriaCheckpointEnd(keeper->run, keeper->name, &store));
  keeper->saved = wall_seconds();
  PetscFunctionReturn(0);
}

PetscErrorCode LikelihoodMeet(LikelihoodKeeper *keeper, ScoriaPace *pace, int64_t done, const LikelihoodAnswer *a)
{
  bool due = false, stop;
  PetscFunctionBeginUser;
  if (keeper) {
    keeper->done = done;
    PetscCall(ScoriaCheckpointDue(keeper->run, keeper->deck, keeper->saved, &due));
  }
  PetscCall(ScoriaPaceLook(pace, &stop));
  if (keeper && (due || stop)) PetscCall(Save(keeper, a));
  if (stop)
    PetscCall(
        ScoriaStopped(pace->run, "%lld of %lld rows are kept", (long long)(keeper ? done : 0), (long long)a->rows));
  PetscFunctionReturn(0);
}

/* What is read into. */
typedef struct {
  LikelihoodKeeper *keeper;
  LikelihoodAnswer *a;
} Reading;

static PetscErrorCode CheckMade(void *ctx, const char *path, ScoriaStore store)
{
  const LikelihoodKeeper *keeper = ((Reading *)ctx)->keeper;
  ScoriaMadeFrom made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreMadeFrom(store, &made));
  PetscCall(ScoriaChainCheck(keeper->run, path, &made));
  if (keeper->file) PetscCall(ScoriaChainCheckFile(keeper->run, path, &made, keeper->file));
  PetscFunctionReturn(0);
}

/* An array that every rank is given, and rank 0 keeps. */
static PetscErrorCode Get(ScoriaStore store, const char *name, int64_t n, double to[])
{
  double *all = to;
  PetscFunctionBeginUser;
  if (!to) PetscCall(PetscMalloc1(n, &all));
  PetscCall(ScoriaStoreGetReals(store, name, n, all));
  if (!to) PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(void *ctx, ScoriaStore store)
{
  const Reading *to = ctx;
  char name[32];
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetInt(store, "done", &to->keeper->done));
  if (to->keeper->done < 0 || to->keeper->done > to->a->rows)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %lld rows, expected %lld at most", to->keeper->name,
                (long long)to->keeper->done, (long long)to->a->rows);
  for (int c = 0; c < LIKELIHOOD_COLUMNS; c++) {
    snprintf(name, sizeof name, COLUMN, c);
    PetscCall(Get(store, name, to->keeper->done, to->a->column[c]));
  }
  if (to->keeper->done * to->a->n > 0) PetscCall(Get(store, "/theta", to->keeper->done * to->a->n, to->a->theta));
  PetscFunctionReturn(0);
}

static PetscErrorCode Clear(void *ctx)
{
  PetscFunctionBeginUser;
  ((Reading *)ctx)->keeper->done = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode LikelihoodKept(LikelihoodKeeper *keeper, LikelihoodAnswer *a)
{
  Reading reading                     = {keeper, a};
  const ScoriaCheckpointReader reader = {
      .results = SCORIA_OF_LIKELIHOOD, .ctx = &reading, .check = CheckMade, .read = Read, .clear = Clear};
  ScoriaCheckpointFound file;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointFind(keeper->run, keeper->deck, keeper->name, &reader, &file));
  if (file.whole)
    PetscCall(ScoriaSay(keeper->run, "  %s: resuming at row %lld of %lld", file.path, (long long)keeper->done + 1,
                        (long long)a->rows));
  PetscFunctionReturn(0);
}
