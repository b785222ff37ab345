/* uq: checkpoints, written between two rounds of tiles or blocks. */
#include "uq.h"

/* The sums of what is at work, on every rank. */
static PetscErrorCode Totals(UqKeeper *keeper, int k, int64_t *nsums, int64_t **sums, int64_t *nextremes,
                             double **extremes)
{
  PetscFunctionBeginUser;
  *nsums = *nextremes = 0;
  if (k == keeper->tiles->draws->q->conditions && keeper->blocks->sobol)
    sobol_state(keeper->blocks->sobol, nsums, sums);
  else if (keeper->tiles->summary)
    summary_state(keeper->tiles->summary, nsums, sums, nextremes, extremes);
  PetscFunctionReturn(0);
}

/* Draws that failed in what is at work. */
static int64_t *failed_at(UqKeeper *keeper, int k)
{
  return k == keeper->tiles->draws->q->conditions ? &keeper->blocks->all_failed : &keeper->tiles->all_failed;
}

PetscErrorCode UqSeconds(const UqKeeper *keeper, double seconds[2])
{
  const UqDraws *draws = keeper->tiles->draws;
  const double mine[2] = {source_seconds(draws->source), draws->statistics};
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(mine, seconds, 2, MPI_DOUBLE, MPI_SUM, ScoriaRunComm(keeper->run)));
  for (int i = 0; i < 2; i++) seconds[i] += keeper->before[i];
  PetscFunctionReturn(0);
}

static PetscErrorCode Save(UqKeeper *keeper, int k, int64_t done)
{
  const UqQuestion *q = keeper->tiles->draws->q;
  int64_t nsums, *sums = NULL, nextremes, size = (int64_t)keeper->a->size * q->conditions;
  double *extremes = NULL, seconds[2];
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(UqSeconds(keeper, seconds));
  if (keeper->tiles->summary) PetscCall(UqReduce(keeper->tiles));
  if (keeper->blocks->sobol) PetscCall(UqSobolReduce(keeper->blocks));
  PetscCall(Totals(keeper, k, &nsums, &sums, &nextremes, &extremes));
  PetscCall(ScoriaCheckpointBegin(keeper->run, keeper->deck, UQ_CHECKPOINT, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, &q->made));
  PetscCall(ScoriaStorePutInt(store, "condition", k));
  PetscCall(ScoriaStorePutInt(store, "done", done));
  PetscCall(ScoriaStorePutInt(store, "failed", *failed_at(keeper, k)));
  PetscCall(ScoriaStorePutReal(store, "seconds_drawing", seconds[0]));
  PetscCall(ScoriaStorePutReal(store, "seconds_statistics", seconds[1]));
  PetscCall(ScoriaStorePutReals(store, "/answer", 1, &size, keeper->a->value, "", "conditions that are finished"));
  if (nsums) PetscCall(UqPutIntegers(store, "/sums", nsums, sums));
  if (nextremes) PetscCall(ScoriaStorePutReals(store, "/extremes", 1, &nextremes, extremes, "", ""));
  PetscCall(ScoriaCheckpointEnd(keeper->run, UQ_CHECKPOINT, &store));
  keeper->saved = wall_seconds();
  PetscFunctionReturn(0);
}

/* What is read into. */
typedef struct {
  UqKeeper *keeper;
  int *k;
  int64_t *done;
} Reading;

/* The sums of condition k, or of the blocks, over those of their pilot, which is drawn again. */
static PetscErrorCode ReadSums(ScoriaStore store, UqKeeper *keeper, int k)
{
  int64_t nsums, *sums = NULL, nextremes;
  double *extremes = NULL;
  PetscFunctionBeginUser;
  if (k < keeper->tiles->draws->q->conditions)
    PetscCall(UqPilot(keeper->tiles, k));
  else
    PetscCall(UqSobolPilot(keeper->blocks, false));
  PetscCall(Totals(keeper, k, &nsums, &sums, &nextremes, &extremes));
  PetscCall(UqGetIntegers(store, "/sums", nsums, sums));
  if (nextremes) PetscCall(ScoriaStoreGetReals(store, "/extremes", nextremes, extremes));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadAll(void *ctx, ScoriaStore store)
{
  const Reading *reading = ctx;
  UqKeeper *keeper       = reading->keeper;
  const int64_t size     = (int64_t)keeper->a->size * keeper->tiles->draws->q->conditions;
  int64_t condition, failed;
  bool timed;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetInt(store, "condition", &condition));
  PetscCall(ScoriaStoreGetInt(store, "done", reading->done));
  PetscCall(ScoriaStoreGetInt(store, "failed", &failed));
  PetscCall(ScoriaStoreHas(store, "seconds_drawing", &timed)); /* not in checkpoints of earlier versions */
  if (timed) {
    PetscCall(ScoriaStoreGetReal(store, "seconds_drawing", &keeper->before[0]));
    PetscCall(ScoriaStoreGetReal(store, "seconds_statistics", &keeper->before[1]));
  }
  PetscCall(ScoriaStoreGetReals(store, "/answer", size, keeper->a->value));
  *reading->k                        = (int)condition;
  *failed_at(keeper, (int)condition) = failed;
  if (*reading->done > 0) PetscCall(ReadSums(store, keeper, *reading->k));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckMade(void *ctx, const char *path, ScoriaStore store)
{
  const UqKeeper *keeper = ((Reading *)ctx)->keeper;
  PetscFunctionBeginUser;
  PetscCall(UqCheckMade(keeper->run, keeper->deck, path, store));
  PetscFunctionReturn(0);
}

static PetscErrorCode SayRestored(const UqKeeper *keeper, const char *path, int k, int64_t done)
{
  PetscFunctionBeginUser;
  if (k < keeper->tiles->draws->q->conditions)
    PetscCall(ScoriaSay(keeper->run, "  %s: resuming at condition %d of %d, sample %lld", path, k + 1,
                        keeper->tiles->draws->q->conditions, (long long)done * keeper->tiles->draws->q->tile));
  else
    PetscCall(ScoriaSay(keeper->run, "  %s: resuming at block %lld of the Sobol indices", path, (long long)done));
  PetscFunctionReturn(0);
}

static PetscErrorCode Clear(void *ctx)
{
  Reading *reading = ctx;
  UqKeeper *keeper = reading->keeper;
  PetscFunctionBeginUser;
  *reading->k               = 0;
  *reading->done            = 0;
  keeper->tiles->all_failed = keeper->blocks->all_failed = 0;
  keeper->before[0] = keeper->before[1] = 0;
  PetscCall(ScoriaSummaryDestroy(&keeper->tiles->summary));
  PetscCall(ScoriaSobolDestroy(&keeper->blocks->sobol));
  PetscFunctionReturn(0);
}

PetscErrorCode UqRestore(UqKeeper *keeper, int *k, int64_t *done)
{
  Reading reading                     = {keeper, k, done};
  const ScoriaCheckpointReader reader = {
      .results = SCORIA_OF_UQ, .ctx = &reading, .check = CheckMade, .read = ReadAll, .clear = Clear};
  ScoriaCheckpointFound file;
  PetscFunctionBeginUser;
  PetscCall(Clear(&reading));
  PetscCall(ScoriaCheckpointFind(keeper->run, keeper->deck, UQ_CHECKPOINT, &reader, &file));
  if (file.whole) PetscCall(SayRestored(keeper, file.path, *k, *done));
  PetscFunctionReturn(0);
}

PetscErrorCode UqPause(UqKeeper *keeper, int k, int64_t done)
{
  const int conditions = keeper->tiles->draws->q->conditions;
  bool due, stop;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointDue(keeper->run, keeper->deck, keeper->saved, &due));
  PetscCall(ScoriaStopAsked(keeper->run, &stop));
  if (due || stop) PetscCall(Save(keeper, k, done));
  if (stop && k < conditions)
    PetscCall(ScoriaStopped(keeper->run, "%lld samples of condition %d of %d are kept",
                            (long long)done * keeper->tiles->draws->q->tile, k + 1, conditions));
  if (stop)
    PetscCall(
        ScoriaStopped(keeper->run, "all conditions and %lld blocks of the Sobol indices are kept", (long long)done));
  PetscFunctionReturn(0);
}

PetscErrorCode UqForgetCheckpoints(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointForget(run, deck, UQ_CHECKPOINT, SCORIA_OF_UQ));
  PetscCall(ScoriaCheckpointForget(run, deck, UQ_CHOICE, SCORIA_OF_UQ));
  PetscFunctionReturn(0);
}
