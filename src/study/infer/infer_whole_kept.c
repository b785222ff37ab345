/* infer of whole fields: the checkpoint of the fields of particles, which are many times dearer than the particles: of
 * the side at work the sums over its first tiles, and what is known of the side before it. */
#include "infer.h"
#include <stdio.h>

/* Fields of the posterior that are kept, of those that are drawn. */
static int64_t kept_rows(const InferQuestion *q, const InferFields *at)
{
  int64_t n = 0;
  while (n < q->keep && n * q->count / q->keep < at->done * at->tile) n++;
  return at->posterior ? n : 0;
}

static int64_t statistics_of(const InferQuestion *q, const InferAnswer *a)
{
  return (int64_t)(INFER_QUANTILES + q->nprobabilities) * a->columns;
}

static void name_checkpoint(const InferKeeper *keeper, size_t size, char name[])
{
  snprintf(name, size, "%.*s.fields.ckpt", (int)(PETSC_MAX_PATH_LEN - 16), keeper->result);
}

static PetscErrorCode Put(ScoriaStore store, const char *name, int64_t n, const void *value, const char *what)
{
  PetscFunctionBeginUser;
  if (n > 0) PetscCall(ScoriaStorePutReals(store, name, 1, &n, value, "", what));
  PetscFunctionReturn(0);
}

static PetscErrorCode Save(InferKeeper *keeper, const InferQuestion *q, const InferFields *at, ScoriaSummary summary,
                           InferAnswer *a)
{
  const MPI_Comm comm = ScoriaRunComm(keeper->run);
  const int64_t kept  = kept_rows(q, at) * a->columns;
  char name[PETSC_MAX_PATH_LEN + 16];
  int64_t nsums, *sums, nextremes;
  double *extremes;
  PetscMPIInt rank;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ScoriaSummaryReduce(summary, comm));
  summary_state(summary, &nsums, &sums, &nextremes, &extremes);
  PetscCall(ScoriaReduceManyTo(comm, 0, MPI_SUM, kept, MPI_DOUBLE, a->kept));
  name_checkpoint(keeper, sizeof name, name);
  PetscCall(ScoriaCheckpointBegin(keeper->run, keeper->deck, name, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, &keeper->made));
  PetscCall(ScoriaStorePutText(store, INFER_SENSORS, keeper->sensors->text));
  PetscCall(ScoriaStorePutInt(store, "posterior", at->posterior));
  PetscCall(ScoriaStorePutInt(store, "done", at->done));
  PetscCall(Put(store, "/sums", nsums, sums, "64-bit integers, by their bits"));
  PetscCall(Put(store, "/extremes", nextremes, extremes, ""));
  if (at->posterior) PetscCall(Put(store, "/prior", statistics_of(q, a), a->statistics[SCORIA_PRIOR], ""));
  PetscCall(Put(store, "/kept", kept, a->kept, ""));
  PetscCall(ScoriaCheckpointEnd(keeper->run, name, &store));
  if (rank) PetscCall(PetscArrayzero(a->kept, kept)); /* rank 0 has them now */
  keeper->saved = wall_seconds();
  PetscFunctionReturn(0);
}

PetscErrorCode InferFieldsMeet(InferKeeper *keeper, ScoriaPace *pace, const InferQuestion *q, const InferFields *at,
                               ScoriaSummary summary, InferAnswer *a)
{
  bool due = false, stop;
  PetscFunctionBeginUser;
  if (keeper) PetscCall(ScoriaCheckpointDue(keeper->run, keeper->deck, keeper->saved, &due));
  PetscCall(ScoriaPaceLook(pace, &stop));
  if (keeper && (due || stop)) PetscCall(Save(keeper, q, at, summary, a));
  if (stop)
    PetscCall(ScoriaStopped(pace->run, "%lld of %lld fields of the %s are kept", (long long)at->done * at->tile,
                            (long long)q->count, at->posterior ? "posterior" : "prior"));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------- reading ---- */

/* What is read into. */
typedef struct {
  InferKeeper *keeper;
  const InferQuestion *q;
  InferFields *at;
  InferAnswer *a;
} Reading;

static PetscErrorCode CheckMade(void *ctx, const char *path, ScoriaStore store)
{
  PetscFunctionBeginUser;
  PetscCall(InferCheckMade(((Reading *)ctx)->keeper, path, store));
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(void *ctx, ScoriaStore store)
{
  const Reading *to = ctx;
  InferFields *at   = to->at;
  int64_t posterior;
  int rank;
  PetscMPIInt me;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(to->keeper->run), &me));
  PetscCall(ScoriaStoreGetInt(store, "posterior", &posterior));
  PetscCall(ScoriaStoreGetInt(store, "done", &at->done));
  at->posterior = posterior != 0;
  PetscCall(ScoriaStoreShape(store, "/sums", 1, &rank, &at->nsums));
  PetscCall(ScoriaStoreShape(store, "/extremes", 1, &rank, &at->nextremes));
  PetscCall(PetscMalloc2(at->nsums, &at->sums, at->nextremes, &at->extremes));
  PetscCall(ScoriaStoreGetReals(store, "/sums", at->nsums, (double *)at->sums));
  PetscCall(ScoriaStoreGetReals(store, "/extremes", at->nextremes, at->extremes));
  if (at->posterior)
    PetscCall(ScoriaStoreGetReals(store, "/prior", statistics_of(to->q, to->a), to->a->statistics[SCORIA_PRIOR]));
  const int64_t kept = kept_rows(to->q, at) * to->a->columns;
  if (kept > 0) PetscCall(ScoriaStoreGetReals(store, "/kept", kept, to->a->kept));
  if (me) PetscCall(PetscArrayzero(to->a->kept, kept));
  PetscFunctionReturn(0);
}

static PetscErrorCode Clear(void *ctx)
{
  const Reading *to = ctx;
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(to->at->sums, to->at->extremes));
  *to->at = (InferFields){.tile = to->at->tile};
  PetscCall(PetscArrayzero(to->a->kept, to->q->keep * to->a->columns));
  PetscFunctionReturn(0);
}

PetscErrorCode InferFieldsFind(InferKeeper *keeper, const InferQuestion *q, InferFields *at, InferAnswer *a)
{
  Reading reading                     = {keeper, q, at, a};
  const ScoriaCheckpointReader reader = {
      .results = SCORIA_OF_POSTERIOR, .ctx = &reading, .check = CheckMade, .read = Read, .clear = Clear};
  char name[PETSC_MAX_PATH_LEN + 16];
  ScoriaCheckpointFound file;
  PetscFunctionBeginUser;
  if (!keeper) PetscFunctionReturn(0);
  name_checkpoint(keeper, sizeof name, name);
  PetscCall(ScoriaCheckpointFind(keeper->run, keeper->deck, name, &reader, &file));
  if (file.whole)
    PetscCall(ScoriaSay(keeper->run, "  %s: resuming at field %lld of %lld %s", file.path,
                        (long long)at->done * at->tile + 1, (long long)q->count,
                        at->posterior ? "of the posterior" : "of the prior"));
  PetscFunctionReturn(0);
}

PetscErrorCode InferFieldsTake(InferFields *at, ScoriaSummary summary)
{
  int64_t nsums, *sums, nextremes;
  double *extremes;
  PetscFunctionBeginUser;
  if (!at->sums) PetscFunctionReturn(0);
  summary_state(summary, &nsums, &sums, &nextremes, &extremes);
  PetscCheck(nsums == at->nsums && nextremes == at->nextremes, PETSC_COMM_SELF, PETSC_ERR_PLIB, "sums of another size");
  PetscCall(PetscArraycpy(sums, at->sums, nsums));
  PetscCall(PetscArraycpy(extremes, at->extremes, nextremes));
  PetscCall(PetscFree2(at->sums, at->extremes));
  PetscFunctionReturn(0);
}

PetscErrorCode InferFieldsForget(InferKeeper *keeper, bool own)
{
  char name[PETSC_MAX_PATH_LEN + 16];
  PetscFunctionBeginUser;
  name_checkpoint(keeper, sizeof name, name);
  if (own)
    PetscCall(ScoriaCheckpointRemove(keeper->run, name));
  else
    PetscCall(ScoriaCheckpointForget(keeper->run, keeper->deck, name, SCORIA_OF_POSTERIOR));
  PetscFunctionReturn(0);
}
