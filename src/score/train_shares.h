/* What the learned coordinates carry of the fields. */
#ifndef SCORIA_SCORE_TRAIN_SHARES_H
#define SCORIA_SCORE_TRAIN_SHARES_H

#include "basis.h"

/* share (r): of the variance of a value of the fields at the middle of the conditions' ranges, on average over values;
 * with those of the coordinates that are not learned they add up to 1.  Local, the same on every rank. */
PetscErrorCode CoordinateShares(ScoriaNormaliser norm, const ScoriaTwin *twin, double share[]);

/* weight (r, owned by the caller, PetscFree): the shares to a power, 1 on average.  Likewise. */
PetscErrorCode CoordinateWeights(ScoriaNormaliser norm, const ScoriaTwin *twin, double power, float **weight);

#endif
