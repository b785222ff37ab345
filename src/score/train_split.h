/* Which conditions a model learns from, and which are left out to validate on. */
#ifndef SCORIA_SCORE_TRAIN_SPLIT_H
#define SCORIA_SCORE_TRAIN_SPLIT_H

#include "scoria/base.h"

/* Computed condition by condition; a list, where there is one, says it instead. */
typedef struct {
  ScoriaShuffle shuffle; /* of the conditions: the first `left_out` places are left out */
  int64_t left_out;
  const bool *list; /* borrowed (conditions), or NULL */
} TrainSplit;

/* A keyed permutation leaves `share` of the conditions, rounded, out; never all. */
TrainSplit train_split(int64_t conditions, double share, uint64_t seed);
bool train_keeps(const TrainSplit *split, int64_t condition);

#endif
