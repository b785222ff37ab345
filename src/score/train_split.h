/* Which conditions a model learns from, which are left out to validate on, and which are held back. */
#ifndef SCORIA_SCORE_TRAIN_SPLIT_H
#define SCORIA_SCORE_TRAIN_SPLIT_H

#include "scoria/score.h"

/* Computed condition by condition; a list, where there is one, says it instead. */
typedef struct {
  ScoriaShuffle shuffle;        /* of the conditions */
  int64_t left_out;             /* conditions to validate on */
  int64_t places;               /* they are those at the first so many places that are not held back */
  const bool *list;             /* borrowed (conditions), or NULL */
  const ScoriaHoldout *holdout; /* borrowed, or NULL: none */
} TrainSplit;

/* A keyed permutation leaves `share` of the conditions that are not held back, rounded, out; never all.  Free of the
 * order in which they are asked for. */
TrainSplit train_split(int64_t conditions, double share, uint64_t seed, const ScoriaHoldout *holdout);
/* To learn from: neither left out nor held back. */
bool train_keeps(const TrainSplit *split, int64_t condition);
/* A row that no part of the training sees. */
bool train_hides(const TrainSplit *split, int64_t row);

#endif
