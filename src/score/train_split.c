/* Which rows are validated on: conditions at the first places of a shuffle that are not held back, or rows of each
 * condition by a shuffle of these. */
#include "train_split.h"
#include "holdout.h"
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
  TrainSplit split     = {.conditions = conditions,
                          .left_out   = PetscMin((int64_t)llround(share * (double)number), number - 1),
                          .holdout    = holdout};
  if (conditions > 0) rng_shuffle(seed, SCORIA_STREAM_VALIDATION, UINT64_MAX - 1, conditions, &split.shuffle);
  if (conditions > 0) split.places = count_places(&split);
  return split;
}

/* Rows of a condition that are left out, of so many that are not held back. */
static int64_t rows_left_out(int64_t conditions, int64_t there, double share)
{
  enum { LEAST_ROWS = 100, FEW_ROWS = 8, MOST_SHARE = 8 };
  if (there < FEW_ROWS || share <= 0) return 0;
  const int64_t asked = llround(share * (double)there), least = (LEAST_ROWS + conditions - 1) / conditions;
  return PetscMin(PetscMax(asked, least), PetscMax(asked, there / MOST_SHARE));
}

void train_split_rows(TrainSplit *split, int64_t conditions, int64_t realisations, double share, uint64_t seed)
{
  const ScoriaHoldout *h = split->holdout;
  if (split->left_out > 0 || conditions < 1) return;
  split->realisations = realisations;
  split->first        = h ? h->rows : 0;
  split->rows         = rows_left_out(conditions, realisations - split->first, share);
  if (split->first > 0)
    split->order = h->order;
  else
    rng_shuffle(seed, SCORIA_STREAM_VALIDATION, UINT64_MAX - 4, realisations, &split->order);
}

bool train_leaves_row(const TrainSplit *split, int64_t row)
{
  if (!split->rows) return false;
  const int64_t place = rng_shuffled(&split->order, row % split->realisations);
  return place >= split->first && place < split->first + split->rows;
}

bool train_keeps(const TrainSplit *split, int64_t condition)
{
  if (split->list) return split->list[condition];
  if (split->conditions && condition >= split->conditions) return true;
  if (split->holdout && holdout_has_condition(split->holdout, condition)) return false;
  return rng_shuffled(&split->shuffle, condition) >= split->places;
}

bool train_hides(const TrainSplit *split, int64_t row)
{
  return split->holdout && holdout_has(split->holdout, row);
}
