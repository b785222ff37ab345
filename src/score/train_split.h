/* Which rows a model learns from, which are left out to validate on, and which are held back: whole conditions, or rows
 * of each where there are too few conditions to leave one out. */
#ifndef SCORIA_SCORE_TRAIN_SPLIT_H
#define SCORIA_SCORE_TRAIN_SPLIT_H

#include "scoria/score.h"

/* Computed condition by condition; a list, where there is one, says it instead. */
typedef struct {
  ScoriaShuffle shuffle;        /* of the conditions */
  int64_t conditions;           /* there are: those behind them are all learned from; 0: there are no others */
  int64_t left_out;             /* conditions to validate on */
  int64_t places;               /* they are those at the first so many places that are not held back */
  const bool *list;             /* borrowed (conditions), or NULL */
  const ScoriaHoldout *holdout; /* borrowed, or NULL: none */
  int64_t realisations, rows;   /* rows of every condition to validate on instead; 0: none */
  int64_t first;                /* they are at the places from this one on of */
  ScoriaShuffle order;          /* the rows of a condition */
} TrainSplit;

/* A keyed permutation leaves `share` of the conditions that are not held back, rounded, out; never all.  Free of the
 * order in which they are asked for. */
TrainSplit train_split(int64_t conditions, double share, uint64_t seed, const ScoriaHoldout *holdout);
/* Where this leaves no condition out, `share` of the rows of every condition are left out instead, but a hundred in all
 * as far as an eighth of them goes; none where a condition has fewer than 8. */
void train_split_rows(TrainSplit *split, int64_t conditions, int64_t realisations, double share, uint64_t seed);
/* A condition to learn from: neither left out nor held back. */
bool train_keeps(const TrainSplit *split, int64_t condition);
/* A row that is left out though its condition is learned from. */
bool train_leaves_row(const TrainSplit *split, int64_t row);
/* A row that no part of the training sees. */
bool train_hides(const TrainSplit *split, int64_t row);

#endif
