/* What the learned coordinates carry of the fields. */
#ifndef SCORIA_SCORE_TRAIN_SHARES_H
#define SCORIA_SCORE_TRAIN_SHARES_H

#include "basis.h"

/* share (r): of the variance of a value of the fields at theta, on average over values; with those of the coordinates
 * that are not learned they add up to 1.  Collective; the same bits on any number of ranks. */
PetscErrorCode CoordinateShares(ScoriaNormaliser norm, const ScoriaTwin *twin, MPI_Comm comm, const double theta[],
                                double share[]);

/* weight (r, owned by the caller, PetscFree): the shares to a power, 1 on average.  Likewise. */
PetscErrorCode CoordinateWeights(ScoriaNormaliser norm, const ScoriaTwin *twin, MPI_Comm comm, const double theta[],
                                 double power, float **weight);

#endif
