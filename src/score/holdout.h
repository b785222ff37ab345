/* Rows held back from training, from inside the room: how they are chosen, and how a model file names them. */
#ifndef SCORIA_SCORE_HOLDOUT_H
#define SCORIA_SCORE_HOLDOUT_H

#include "scoria/score.h"

/* Conditions that are held back of so many with so many rows each; rows of each where there are too few conditions.
 * One of the two is 0. */
int64_t holdout_number(int64_t conditions, int64_t realisations, double share);
int64_t holdout_rows(int64_t conditions, int64_t realisations, double share);
/* `number` of the conditions with unit coordinates u (conditions, d), ascending, one of each of as many regions.
 * Local. */
PetscErrorCode HoldoutSpread(int d, const double u[], int64_t conditions, int64_t number, uint64_t seed,
                             int64_t chosen[]);
PetscErrorCode HoldoutSave(const ScoriaHoldout *holdout, ScoriaStore store);
/* seed: of the training.  path: of the file, for messages. */
PetscErrorCode HoldoutLoad(ScoriaStore store, const char *path, uint64_t seed, ScoriaHoldout *holdout);
/* Which rows of a condition, from their number.  Local. */
PetscErrorCode HoldoutOrder(uint64_t seed, ScoriaHoldout *holdout);

bool holdout_has_condition(const ScoriaHoldout *holdout, int64_t condition); /* all its rows */

#endif
