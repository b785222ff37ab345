/* From rows of a cheaper fidelity to rows as the dear one would have solved them: a regression of the difference on the
 * cheap row and the conditions, learned from pairs of the same realisation, and the residuals of these pairs as noise.
 *
 * Rows are standardised by what the cheap rows of their condition say: z = (cheap - m) / s, y = (dear - cheap) / s. */
#ifndef SCORIA_CORRECTION_H
#define SCORIA_CORRECTION_H

#include "base.h"

/* All borrowed. */
typedef struct {
  int d, channels, cells;
  int64_t n;
  const int64_t *condition; /* (n): pairs of one condition are kept together by the cross-validation */
  const double *u;          /* (n, d): conditions, in [-1, 1] */
  const double *z, *y;      /* (n, channels, cells) */
} ScoriaCorrectionPairs;

#define CORRECTION_LEAST_PAIRS 32

typedef struct ScoriaCorrection_ *ScoriaCorrection;

/* Chooses the terms of the regression by cross-validation over conditions, and fits.  Local. */
PetscErrorCode ScoriaCorrectionFit(const ScoriaCorrectionPairs *pairs, uint64_t seed, ScoriaCorrection *correction);
/* That of rank 0 to all; on the others *correction is an output.  Collective. */
PetscErrorCode ScoriaCorrectionShare(MPI_Comm comm, ScoriaCorrection *correction);
PetscErrorCode ScoriaCorrectionDestroy(ScoriaCorrection *correction); /* none (NULL): nothing is done */

/* What was chosen. */
typedef struct {
  int64_t pairs;        /* that it learned from */
  double before, after; /* root mean square of y and of what is left of it, by cross-validation over conditions, in the
                         * channel where that is largest: in standard deviations of a condition's rows */
  int degree, modes;    /* of what is used: polynomials up to this degree (-1: nothing is corrected), so many modes */
  bool crossed;         /* and their products with the conditions */
} ScoriaCorrectionChoice;
ScoriaCorrectionChoice correction_choice(ScoriaCorrection correction);

int correction_work(ScoriaCorrection correction); /* length of correction_apply's work */
/* The pairs whose conditions are nearest to u: near (CORRECTION_NEAR), how many there are. */
#define CORRECTION_NEAR 16
int correction_near(ScoriaCorrection correction, const double u[], int64_t near[CORRECTION_NEAR]);
/* y (channels, cells) of a row z (channels, cells) at u, with the residual of one of these pairs, which `number` draws.
 */
void correction_apply(ScoriaCorrection correction, const double u[], int nnear, const int64_t near[], uint64_t seed,
                      uint64_t number, const double z[], double work[], double y[]);

#endif
