/* Private to the model: bounds of all channels at once, and in a model file. */
#ifndef SCORIA_SCORE_BOUNDS_ARRAYS_H
#define SCORIA_SCORE_BOUNDS_ARRAYS_H

#include "scoria/bounds.h"

double bounds_rate(const NormBounds *b, double v); /* dx / dv */
/* Arrays of n rows of C channels of L values; channels without bounds are left. */
void bounds_to_all(const NormBounds b[], int64_t n, int C, int L, double x[]);
void bounds_back_all(const NormBounds b[], int64_t n, int C, int L, double v[]);
/* The array `name` (C, 3), where a channel has some.  Collective. */
PetscErrorCode BoundsSave(ScoriaStore store, const char *name, int C, const NormBounds b[], const char *axes);
PetscErrorCode BoundsLoad(ScoriaStore store, const char *name, int C, NormBounds b[]);

#endif
