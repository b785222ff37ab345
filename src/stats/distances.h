/* Private to stats: the distances behind the measures. */
#ifndef SCORIA_STATS_DISTANCES_H
#define SCORIA_STATS_DISTANCES_H

#include "scoria/stats.h"

/* Wasserstein-1 distance of two samples, both ascending: the integral over p of |quantile of a - quantile of b|. */
double stats_wasserstein1(int64_t na, const double a[], int64_t nb, const double b[]);

/* Energy distance between n rows of a and n of b, (n, m) each, in units of scale (m) (columns of scale 0 are left out),
 * and the probability of one as large when a and b are of one law, from 199 permutations: never below 1/200.  Takes (2
 * n)^2 doubles. */
PetscErrorCode ScoriaEnergyTest(int64_t n, const double a[], const double b[], int m, const double scale[],
                                uint64_t seed, double *distance, double *p);

#endif
