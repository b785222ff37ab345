/* Steps of the fit that live in files of their own. */
#ifndef SCORIA_SCORE_NORMALISER_FIT_H
#define SCORIA_SCORE_NORMALISER_FIT_H

#include "normaliser_data.h"

/* Modes whose couplings phi are regressed: beyond these, variances are so small that correlations no longer show. */
#define NORM_MAX_COUPLED 64

/* The values of rank 0 on every rank.  Collective. */
PetscErrorCode NormShare(const NormData *data, size_t n, double values[]);
/* v (n, m) of condition i becomes z; inverse_s (conditions, m). */
void norm_standardise(const NormData *data, const double inverse_s[], int i, int n, double v[]);
/* The polynomials at the conditions (n, terms). */
typedef struct {
  double *mean, *scale, *phi; /* owned */
} NormDesigns;

/* D, mu, phi and d from the moments of the modes, given norm->V and norm->lambda. */
PetscErrorCode NormFitCouplings(NormData *data, const double inverse_s[], const NormDesigns *X);

#endif
