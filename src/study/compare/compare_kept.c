/* compare: the checkpoint of an unfinished comparison: what is measured of the first conditions, which rank 0 has. */
#include "compare_kept.h"
#include <stdio.h>
#include <string.h>

#define CHECKPOINT "compare.h5.ckpt"

static PetscErrorCode Put(ScoriaStore store, const char *name, size_t bytes, const void *from)
{
  const int64_t words = (int64_t)(bytes / sizeof(double));
  PetscFunctionBeginUser;
  if (words) PetscCall(ScoriaStorePutReals(store, name, 1, &words, from, "", "64-bit words, by their bits"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Save(void *ctx)
{
  CompareKeeper *keeper    = ctx;
  const ComparisonSet *set = keeper->set;
  const size_t done        = (size_t)keeper->done;
  double seconds[SCORIA_NFROM];
  ScoriaStore store;
  PetscFunctionBeginUser;
  if (!done) PetscFunctionReturn(0);
  PetscCall(PetscArraycpy(seconds, keeper->spent, SCORIA_NFROM));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, seconds, SCORIA_NFROM, MPI_DOUBLE, MPI_SUM, keeper->draws->comm));
  PetscCall(ScoriaCheckpointBegin(keeper->run, keeper->deck, CHECKPOINT, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, &set->made));
  PetscCall(ScoriaStorePutInt(store, "done", keeper->done));
  PetscCall(Put(store, "/seconds", sizeof seconds, seconds));
  PetscCall(Put(store, "/conditions", done * sizeof *set->c, set->c));
  if (set->whole) PetscCall(Put(store, "/whole", done * sizeof *set->whole, set->whole));
  if (set->profiles)
    PetscCall(Put(store, "/profiles", done * compare_profiles_size(set) * sizeof(double), set->profiles));
  PetscCall(ScoriaCheckpointEnd(keeper->run, CHECKPOINT, &store));
  keeper->saved = wall_seconds();
  PetscFunctionReturn(0);
}

static void set_text(const CompareKeeper *keeper)
{
  if (keeper->done)
    snprintf(keeper->draws->kept, sizeof keeper->draws->kept, "%d of %d conditions are kept", keeper->done,
             keeper->set->conditions);
}

PetscErrorCode CompareKeepDone(CompareKeeper *keeper, int done)
{
  bool due, stop;
  PetscFunctionBeginUser;
  keeper->done = done;
  for (int s = 0; s < SCORIA_NFROM; s++)
    keeper->spent[s] = keeper->before[s] + source_seconds(keeper->draws->timed[s]) - keeper->began[s];
  set_text(keeper);
  PetscCall(ScoriaCheckpointDue(keeper->run, keeper->deck, keeper->saved, &due));
  PetscCall(ScoriaStopAsked(keeper->run, &stop));
  if (due || stop) PetscCall(Save(keeper));
  if (stop && done < keeper->set->conditions) PetscCall(ScoriaStopped(keeper->run, "%s", keeper->draws->kept));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------- reading ---- */

/* What is read into. */
typedef struct {
  CompareKeeper *keeper;
  void *c, *whole, *profiles; /* owned: as in the set, until all is read */
  double *seconds;            /* owned */
} Reading;

static PetscErrorCode CheckMade(void *ctx, const char *path, ScoriaStore store)
{
  const CompareKeeper *keeper = ((Reading *)ctx)->keeper;
  ScoriaMadeFrom made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreMadeFrom(store, &made));
  PetscCall(ScoriaChainCheck(keeper->run, path, &made));
  PetscCall(ScoriaChainCheckLibrary(keeper->run, keeper->deck, path, &made));
  PetscFunctionReturn(0);
}

static PetscErrorCode Clear(void *ctx)
{
  Reading *to = ctx;
  PetscFunctionBeginUser;
  PetscCall(PetscFree(to->c));
  PetscCall(PetscFree(to->whole));
  PetscCall(PetscFree(to->profiles));
  PetscCall(PetscFree(to->seconds));
  to->keeper->done = 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode Get(ScoriaStore store, const char *name, size_t bytes, void **to)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc(bytes, to));
  PetscCall(ScoriaStoreGetReals(store, name, (int64_t)(bytes / sizeof(double)), *to));
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(void *ctx, ScoriaStore store)
{
  Reading *to              = ctx;
  const ComparisonSet *set = to->keeper->set;
  int64_t done;
  void *seconds = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetInt(store, "done", &done));
  if (done < 1 || done > set->conditions)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %lld conditions, expected 1 to %d", CHECKPOINT, (long long)done,
                set->conditions);
  PetscCall(Get(store, "/seconds", SCORIA_NFROM * sizeof(double), &seconds));
  to->seconds = seconds;
  PetscCall(Get(store, "/conditions", (size_t)done * sizeof *set->c, &to->c));
  if (set->whole) PetscCall(Get(store, "/whole", (size_t)done * sizeof *set->whole, &to->whole));
  if (set->profiles)
    PetscCall(Get(store, "/profiles", (size_t)done * compare_profiles_size(set) * sizeof(double), &to->profiles));
  to->keeper->done = (int)done;
  PetscFunctionReturn(0);
}

/* On rank 0, which has all conditions. */
static void take(const Reading *from, ComparisonSet *set)
{
  CompareKeeper *keeper = from->keeper;
  const size_t done     = (size_t)keeper->done;
  memcpy(set->c, from->c, done * sizeof *set->c);
  if (set->whole) memcpy(set->whole, from->whole, done * sizeof *set->whole);
  if (set->profiles) memcpy(set->profiles, from->profiles, done * compare_profiles_size(set) * sizeof(double));
  memcpy(keeper->before, from->seconds, sizeof keeper->before);
}

PetscErrorCode CompareKeep(ScoriaRun run, ScoriaDeck deck, CompareDraws *draws, ComparisonSet *set,
                           CompareKeeper *keeper)
{
  Reading reading                     = {.keeper = keeper};
  const ScoriaCheckpointReader reader = {
      .results = SCORIA_OF_COMPARE, .ctx = &reading, .check = CheckMade, .read = Read, .clear = Clear};
  ScoriaCheckpointFound file;
  PetscFunctionBeginUser;
  *keeper = (CompareKeeper){.run = run, .deck = deck, .set = set, .draws = draws, .saved = wall_seconds()};
  PetscCall(ScoriaCheckpointFind(run, deck, CHECKPOINT, &reader, &file));
  const int done = file.whole ? keeper->done : 0;
  if (done && !draws->rank) take(&reading, set);
  PetscCall(Clear(&reading));
  keeper->done  = done;
  draws->keeper = keeper;
  set_text(keeper);
  for (int s = 0; s < SCORIA_NFROM; s++) {
    keeper->began[s]    = source_seconds(draws->timed[s]);
    keeper->spent[s]    = keeper->before[s];
    draws->pace[s].keep = Save;
    draws->pace[s].ctx  = keeper;
  }
  if (done)
    PetscCall(ScoriaSay(run,
                        done < set->conditions ? "  %s: resuming at condition %d of %d"
                                               : "  %s: resuming behind condition %d of %d",
                        file.path, PetscMin(done + 1, set->conditions), set->conditions));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareKeepForget(ScoriaRun run, ScoriaDeck deck, bool own)
{
  PetscFunctionBeginUser;
  if (own)
    PetscCall(ScoriaCheckpointRemove(run, CHECKPOINT));
  else
    PetscCall(ScoriaCheckpointForget(run, deck, CHECKPOINT, SCORIA_OF_COMPARE));
  PetscFunctionReturn(0);
}
