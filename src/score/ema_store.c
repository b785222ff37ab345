/* A set of averages in a file: <group>/{time, exponent, weights}. */
#include "ema.h"
#include <stdio.h>

#define NAME_SIZE 64

static const char *in_group(const char *group, const char *name, char path[NAME_SIZE])
{
  snprintf(path, NAME_SIZE, "%s/%s", group, name);
  return path;
}

PetscErrorCode EmaSetSave(const EmaSet *set, ScoriaStore store, const char *group)
{
  const int64_t dims[] = {set->n, set->count};
  double time[EMA_MOST], exponent[EMA_MOST];
  char path[NAME_SIZE];
  PetscFunctionBeginUser;
  if (set->n == 0) PetscFunctionReturn(0);
  for (int i = 0; i < set->n; i++) {
    time[i]     = set->profile[i].time;
    exponent[i] = set->profile[i].exponent;
  }
  PetscCall(ScoriaStorePutReals(store, in_group(group, "time", path), 1, dims, time, "",
                                "updates after which the average was taken"));
  PetscCall(ScoriaStorePutAxes(store, path, "average"));
  PetscCall(ScoriaStorePutReals(store, in_group(group, "exponent", path), 1, dims, exponent, "",
                                "g of its profile: weights of update s count as s^g"));
  PetscCall(ScoriaStorePutAxes(store, path, "average"));
  PetscCall(ScoriaStorePutFloats(store, in_group(group, "weights", path), 2, dims, set->weights, "",
                                 "averaged weights, in the order of the tensors"));
  PetscCall(ScoriaStorePutAxes(store, path, "average weight"));
  PetscFunctionReturn(0);
}

PetscErrorCode EmaSetLoad(ScoriaStore store, const char *group, int64_t count, EmaSet *set)
{
  double time[EMA_MOST], exponent[EMA_MOST];
  char path[NAME_SIZE];
  int rank;
  int64_t dims[2];
  PetscFunctionBeginUser;
  *set = (EmaSet){.count = count};
  PetscCall(ScoriaStoreShape(store, in_group(group, "weights", path), 2, &rank, dims));
  if (rank < 0) PetscFunctionReturn(0);
  if (rank != 2 || dims[0] < 1 || dims[0] > EMA_MOST || dims[1] != count)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s is not 1 to %d averages of %lld weights", path, EMA_MOST, (long long)count);
  PetscCall(EmaSetCreate(count, set));
  PetscCall(ScoriaStoreGetFloats(store, path, dims[0] * count, set->weights));
  PetscCall(ScoriaStoreGetReals(store, in_group(group, "time", path), dims[0], time));
  PetscCall(ScoriaStoreGetReals(store, in_group(group, "exponent", path), dims[0], exponent));
  set->n = (int)dims[0];
  for (int i = 0; i < set->n; i++) set->profile[i] = (EmaProfile){time[i], exponent[i]};
  PetscFunctionReturn(0);
}
