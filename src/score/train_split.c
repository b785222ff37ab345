#include "train_split.h"
#include <math.h>

TrainSplit train_split(int64_t conditions, double share, uint64_t seed)
{
  TrainSplit split = {.left_out = PetscMin((int64_t)llround(share * (double)conditions), conditions - 1)};
  if (conditions > 0) rng_shuffle(seed, SCORIA_STREAM_VALIDATION, UINT64_MAX - 1, conditions, &split.shuffle);
  return split;
}

bool train_keeps(const TrainSplit *split, int64_t condition)
{
  return split->list ? split->list[condition] : rng_shuffled(&split->shuffle, condition) >= split->left_out;
}
