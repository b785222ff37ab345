/* uq: checkpoints, written between two rounds of tiles or blocks. */
#include "uq.h"
#include <string.h>

#define CHECKPOINT "uq.ckpt"

/* int64 as two halves that doubles hold exactly. */
static PetscErrorCode PutIntegers(ScoriaStore store, const char *name, int64_t n, const int64_t value[])
{
  double *half;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(2 * n, &half));
  for (int64_t i = 0; i < n; i++) {
    half[2 * i]     = (double)(value[i] >> 32);
    half[2 * i + 1] = (double)(value[i] & 0xffffffff);
  }
  PetscCall(ScoriaStorePutReals(store, name, 1, &(const int64_t){2 * n}, half, "", "high and low half of integers"));
  PetscCall(PetscFree(half));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetIntegers(ScoriaStore store, const char *name, int64_t n, int64_t value[])
{
  double *half;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(2 * n, &half));
  PetscCall(ScoriaStoreGetReals(store, name, 2 * n, half));
  for (int64_t i = 0; i < n; i++) value[i] = (int64_t)half[2 * i] * ((int64_t)1 << 32) + (int64_t)half[2 * i + 1];
  PetscCall(PetscFree(half));
  PetscFunctionReturn(0);
}

/* The sums of what is at work, on every rank. */
static PetscErrorCode Totals(Uq *u, int k, int64_t *nsums, int64_t **sums, int64_t *nextremes, double **extremes)
{
  PetscFunctionBeginUser;
  *nsums = *nextremes = 0;
  if (k == u->q->conditions && u->sobol)
    sobol_state(u->sobol, nsums, sums);
  else if (u->summary)
    summary_state(u->summary, nsums, sums, nextremes, extremes);
  PetscFunctionReturn(0);
}

PetscErrorCode UqSeconds(Uq *u, double seconds[2])
{
  const double mine[2] = {source_seconds(u->source), u->statistics};
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(mine, seconds, 2, MPI_DOUBLE, MPI_SUM, u->comm));
  for (int i = 0; i < 2; i++) seconds[i] += u->before[i];
  PetscFunctionReturn(0);
}

static PetscErrorCode Save(Uq *u, int k, int64_t done)
{
  int64_t nsums, *sums = NULL, nextremes, size = (int64_t)u->a->size * u->q->conditions;
  double *extremes = NULL, seconds[2];
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(UqSeconds(u, seconds));
  if (u->summary) PetscCall(UqReduce(u));
  if (u->sobol) PetscCall(UqSobolReduce(u));
  PetscCall(Totals(u, k, &nsums, &sums, &nextremes, &extremes));
  PetscCall(ScoriaCheckpointBegin(u->run, u->deck, CHECKPOINT, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, &u->q->made));
  PetscCall(ScoriaStorePutInt(store, "condition", k));
  PetscCall(ScoriaStorePutInt(store, "done", done));
  PetscCall(ScoriaStorePutInt(store, "failed", u->all_failed));
  PetscCall(ScoriaStorePutReal(store, "seconds_drawing", seconds[0]));
  PetscCall(ScoriaStorePutReal(store, "seconds_statistics", seconds[1]));
  PetscCall(ScoriaStorePutReals(store, "/answer", 1, &size, u->a->value, "", "conditions that are finished"));
  if (nsums) PetscCall(PutIntegers(store, "/sums", nsums, sums));
  if (nextremes) PetscCall(ScoriaStorePutReals(store, "/extremes", 1, &nextremes, extremes, "", ""));
  PetscCall(ScoriaCheckpointEnd(u->run, CHECKPOINT, &store));
  u->saved = wall_seconds();
  PetscFunctionReturn(0);
}

/* What is read into. */
typedef struct {
  Uq *u;
  int *k;
  int64_t *done;
} Reading;

static PetscErrorCode ReadAll(void *ctx, ScoriaStore store)
{
  Uq *u         = ((Reading *)ctx)->u;
  int *k        = ((Reading *)ctx)->k;
  int64_t *done = ((Reading *)ctx)->done;
  int64_t condition, nsums, *sums = NULL, nextremes;
  double *extremes = NULL;
  bool timed;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetInt(store, "condition", &condition));
  PetscCall(ScoriaStoreGetInt(store, "done", done));
  PetscCall(ScoriaStoreGetInt(store, "failed", &u->all_failed));
  PetscCall(ScoriaStoreHas(store, "seconds_drawing", &timed)); /* not in checkpoints of earlier versions */
  if (timed) {
    PetscCall(ScoriaStoreGetReal(store, "seconds_drawing", &u->before[0]));
    PetscCall(ScoriaStoreGetReal(store, "seconds_statistics", &u->before[1]));
  }
  PetscCall(ScoriaStoreGetReals(store, "/answer", (int64_t)u->a->size * u->q->conditions, u->a->value));
  *k = (int)condition;
  if (*done == 0) PetscFunctionReturn(0);
  if (*k < u->q->conditions)
    PetscCall(UqPilot(u, *k));
  else
    PetscCall(UqSobolPilot(u, false));
  PetscCall(Totals(u, *k, &nsums, &sums, &nextremes, &extremes));
  PetscCall(GetIntegers(store, "/sums", nsums, sums));
  if (nextremes) PetscCall(ScoriaStoreGetReals(store, "/extremes", nextremes, extremes));
  PetscFunctionReturn(0);
}

/* Sums of one model must not go on with samples of another, nor at other conditions. */
static PetscErrorCode CheckMade(void *ctx, const char *path, ScoriaStore store)
{
  const ScoriaMadeFrom *here = &((Reading *)ctx)->u->q->made;
  ScoriaMadeFrom made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreMadeFrom(store, &made));
  if (*made.model && strcmp(made.model, here->model))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: of a model of %s, but model.h5 has %s; move one of the two away", path,
                made.model, here->model);
  if (*made.file && strcmp(made.file, here->file))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: at the conditions of %s, but uq_conditions is %s; move one of the two away",
                path, made.file, here->file);
  PetscFunctionReturn(0);
}

static PetscErrorCode SayRestored(Uq *u, const char *path, int k, int64_t done)
{
  PetscFunctionBeginUser;
  if (k < u->q->conditions)
    PetscCall(ScoriaSay(u->run, "  %s: resuming at condition %d, sample %lld", path, k + 1, (long long)done * UQ_TILE));
  else
    PetscCall(ScoriaSay(u->run, "  %s: resuming at block %lld of the Sobol indices", path, (long long)done));
  PetscFunctionReturn(0);
}

static PetscErrorCode Clear(void *ctx)
{
  Reading *reading = ctx;
  Uq *u            = reading->u;
  PetscFunctionBeginUser;
  *reading->k    = 0;
  *reading->done = 0;
  u->all_failed  = 0;
  u->before[0] = u->before[1] = 0;
  PetscCall(ScoriaSummaryDestroy(&u->summary));
  PetscCall(ScoriaSobolDestroy(&u->sobol));
  PetscFunctionReturn(0);
}

/* From the newest checkpoint of this deck that is whole; from the beginning where there is none. */
PetscErrorCode UqRestore(Uq *u, int *k, int64_t *done)
{
  Reading reading                     = {u, k, done};
  const ScoriaCheckpointReader reader = {
      .results = SCORIA_OF_UQ, .ctx = &reading, .check = CheckMade, .read = ReadAll, .clear = Clear};
  ScoriaCheckpointFound file;
  PetscFunctionBeginUser;
  PetscCall(Clear(&reading));
  PetscCall(ScoriaCheckpointFind(u->run, u->deck, CHECKPOINT, &reader, &file));
  if (file.whole) PetscCall(SayRestored(u, file.path, *k, *done));
  PetscFunctionReturn(0);
}

PetscErrorCode UqPause(Uq *u, int k, int64_t done)
{
  double minutes = 5;
  bool stop;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(u->deck, "run_checkpoint_minutes", &minutes));
  int due = wall_seconds() - u->saved > 60 * minutes;
  PetscCallMPI(MPI_Bcast(&due, 1, MPI_INT, 0, u->comm));
  PetscCall(ScoriaStopAsked(u->run, &stop));
  if (due || stop) PetscCall(Save(u, k, done));
  if (stop && k < u->q->conditions)
    PetscCall(ScoriaStopped(u->run, "%lld samples of condition %d of %d are kept", (long long)done * UQ_TILE, k + 1,
                            u->q->conditions));
  if (stop)
    PetscCall(ScoriaStopped(u->run, "all conditions and %lld blocks of the Sobol indices are kept", (long long)done));
  PetscFunctionReturn(0);
}

PetscErrorCode UqForgetCheckpoints(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointForget(run, deck, CHECKPOINT, SCORIA_OF_UQ));
  PetscFunctionReturn(0);
}
