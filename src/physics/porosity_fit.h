/* Private to porosity: the Gaussian process behind local porosities. */
#ifndef SCORIA_PHYSICS_POROSITY_FIT_H
#define SCORIA_PHYSICS_POROSITY_FIT_H

#include "local_porosity.h"

/* Bounds that are known; NaN: to be estimated. */
typedef struct {
  double min, max;
} PorosityFitAsked;

#define POROSITY_BINS 2048 /* of histograms */
#define POROSITY_BLOCKS 20 /* of the jackknife, at most */

typedef struct {
  double lo, hi;                                /* of all data */
  double count[POROSITY_BLOCKS][POROSITY_BINS]; /* of each block */
  double sum[POROSITY_BLOCKS], square[POROSITY_BLOCKS], n[POROSITY_BLOCKS];
} PorosityHistogram;

typedef struct {
  double min, max, mean, sigma;
} PorosityMarginal;

/* Of all blocks but `out` (-1: of all). */
PorosityMarginal porosity_marginal(const PorosityHistogram *h, int out, int blocks, const PorosityFitAsked *asked);

/* eps (rows, n[z], n[y], n[x]) of local.  Fewer than 9 windows along x, and what does not vary, are user errors; along
 * y and z ell is NaN where there are fewer.  Local. */
PetscErrorCode PorosityFit(const LocalPorosity *local, const double eps[], const PorosityFitAsked *asked,
                           ScoriaPorosityFit *fit);

#endif
