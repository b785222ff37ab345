/* uq: checkpoints, written between two rounds of tiles or blocks. */
#include "uq.h"

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
  char path[PETSC_MAX_PATH_LEN], next[PETSC_MAX_PATH_LEN];
  const char *text;
  int64_t nsums, *sums = NULL, nextremes, size = (int64_t)u->a->size * u->q->conditions;
  double *extremes = NULL, seconds[2];
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(UqSeconds(u, seconds));
  if (u->summary) PetscCall(UqReduce(u));
  if (u->sobol) PetscCall(UqSobolReduce(u));
  PetscCall(Totals(u, k, &nsums, &sums, &nextremes, &extremes));
  PetscCall(ScoriaRunPath(u->run, "uq.ckpt", sizeof path, path));
  PetscCall(ScoriaRunPath(u->run, "uq.ckpt.next", sizeof next, next));
  PetscCall(ScoriaDeckText(u->deck, &text));
  PetscCall(ScoriaFileRemove(u->comm, next));
  PetscCall(ScoriaStoreCreate(u->comm, next, "checkpoint", text, &store));
  PetscCall(ScoriaStorePutInt(store, "condition", k));
  PetscCall(ScoriaStorePutInt(store, "done", done));
  PetscCall(ScoriaStorePutInt(store, "failed", u->all_failed));
  PetscCall(ScoriaStorePutReal(store, "seconds_drawing", seconds[0]));
  PetscCall(ScoriaStorePutReal(store, "seconds_statistics", seconds[1]));
  PetscCall(ScoriaStorePutReals(store, "/answer", 1, &size, u->a->value, "", "conditions that are finished"));
  if (nsums) PetscCall(PutIntegers(store, "/sums", nsums, sums));
  if (nextremes) PetscCall(ScoriaStorePutReals(store, "/extremes", 1, &nextremes, extremes, "", ""));
  PetscCall(ScoriaStoreClose(&store));
  PetscCall(ScoriaFileRotate(u->comm, path));
  u->saved = wall_seconds();
  PetscFunctionReturn(0);
}

static PetscErrorCode RestoreFrom(Uq *u, ScoriaStore store, int *k, int64_t *done)
{
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

static PetscErrorCode SayRestored(Uq *u, const char *path, int k, int64_t done)
{
  PetscFunctionBeginUser;
  if (k < u->q->conditions)
    PetscCall(ScoriaSay(u->run, "  %s: resuming at condition %d, sample %lld", path, k + 1, (long long)done * UQ_TILE));
  else
    PetscCall(ScoriaSay(u->run, "  %s: resuming the Sobol indices at block %lld", path, (long long)done));
  PetscFunctionReturn(0);
}

static PetscErrorCode Forget(Uq *u, int *k, int64_t *done)
{
  PetscFunctionBeginUser;
  *k            = 0;
  *done         = 0;
  u->all_failed = 0;
  u->before[0] = u->before[1] = 0;
  PetscCall(ScoriaSummaryDestroy(&u->summary));
  PetscCall(ScoriaSobolDestroy(&u->sobol));
  PetscFunctionReturn(0);
}

/* From the newest checkpoint of this deck that is whole; from the beginning where there is none. */
PetscErrorCode UqRestore(Uq *u, int *k, int64_t *done)
{
  static const char *const names[] = {"uq.ckpt", "uq.ckpt.previous"};
  char path[PETSC_MAX_PATH_LEN], difference[512];
  const char *stored;
  PetscFunctionBeginUser;
  PetscCall(Forget(u, k, done));
  for (int i = 0; i < 2; i++) {
    ScoriaStore store = NULL;
    bool there;
    PetscCall(ScoriaRunPath(u->run, names[i], sizeof path, path));
    PetscCall(ScoriaFileExists(u->comm, path, &there));
    if (!there) continue;
    PetscErrorCode failed = ScoriaStoreOpen(u->comm, path, "checkpoint", &store);
    if (!failed) {
      PetscCall(ScoriaStoreDeck(store, &stored));
      PetscCall(ScoriaDeckDifference(u->deck, stored, SCORIA_OF_UQ, sizeof difference, difference));
      if (*difference)
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: of another deck (%s); choose another -run_dir or move the file away", path,
                    difference);
      failed = RestoreFrom(u, store, k, done);
    }
    if (failed && ScoriaFailureCode() != SCORIA_EXIT_INPUT) PetscFunctionReturn(failed);
    PetscCall(ScoriaStoreClose(&store));
    if (!failed) {
      PetscCall(SayRestored(u, path, *k, *done));
      PetscFunctionReturn(0);
    }
    PetscCall(ScoriaSay(u->run, "  WARNING: %s; it is not used", ScoriaFailureLine()));
    ScoriaFailureReset();
    PetscCall(Forget(u, k, done));
  }
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
  char path[PETSC_MAX_PATH_LEN], difference[512] = "";
  const char *stored;
  ScoriaStore store;
  bool there;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "uq.ckpt", sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (!there) PetscFunctionReturn(0);
  if (ScoriaStoreOpen(ScoriaRunComm(run), path, "checkpoint", &store)) {
    ScoriaFailureReset(); /* whose it was is not known */
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaStoreDeck(store, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, SCORIA_OF_UQ, sizeof difference, difference));
  PetscCall(ScoriaStoreClose(&store));
  if (!*difference) PetscCall(ScoriaFileForget(ScoriaRunComm(run), path));
  PetscFunctionReturn(0);
}
