#include "train_split.h"
#include <math.h>

/* Places before which `left_out` conditions stand that are not held back: those that are move the end on. */
static int64_t count_places(const TrainSplit *split)
{
  const ScoriaHoldout *h = split->holdout;
  int64_t places = split->left_out, before = -1;
  while (h && places != before) {
    before = places;
    places = split->left_out;
    for (int64_t i = 0; i < h->number; i++) places += rng_shuffled(&split->shuffle, h->condition[i]) < before;
  }
  return places;
}

TrainSplit train_split(int64_t conditions, double share, uint64_t seed, const ScoriaHoldout *holdout)
{
  const int64_t number = conditions - (holdout ? holdout->number : 0);
  TrainSplit split = {.left_out = PetscMin((int64_t)llround(share * (double)number), number - 1), .holdout = holdout};
  if (conditions > 0) rng_shuffle(seed, SCORIA_STREAM_VALIDATION, UINT64_MAX - 1, conditions, &split.shuffle);
  if (conditions > 0) split.places = count_places(&split);
  return split;
}

bool train_keeps(const TrainSplit *split, int64_t condition)
{
  if (split->list) return split->list[condition];
  if (split->holdout && holdout_has_condition(split->holdout, condition)) return false;
  return rng_shuffled(&split->shuffle, condition) >= split->places;
}

bool train_hides(const TrainSplit *split, int64_t row)
{
  return split->holdout && holdout_has(split->holdout, row);
}
