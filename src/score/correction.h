/* From rows of a cheaper fidelity to rows as the dear one would have solved them: a regression of the difference on the
 * cheap row and the conditions, learned from pairs of the same realisation, and the residuals of these pairs as noise.
 *
 * Rows are standardised by what the cheap rows of their condition say: z = (cheap - m) / s, y = (dear - cheap) / s. */
#ifndef SCORIA_SCORE_CORRECTION_H
#define SCORIA_SCORE_CORRECTION_H

#include "normaliser.h"

/* All borrowed. */
typedef struct {
  int d, channels, cells;
  int64_t n;
  const int64_t *condition; /* (n): pairs of one condition are kept together by the cross-validation */
  const double *u;          /* (n, d): conditions, in [-1, 1] */
  const double *z, *y;      /* (n, channels, cells) */
} CorrectionPairs;

#define CORRECTION_LEAST_PAIRS 32

/* y = B^T x(u, z) + a residual, x being polynomials in u, modes of z, and their products with u. */
typedef struct {
  int d, width, places, stride; /* z is looked at in `places` of its values, `stride` apart */
  int polynomials, modes, terms;
  NormPoly poly;
  double *V;      /* owned (places, modes) */
  double *centre; /* owned (places) */
  double *B;      /* owned (terms, width); 0 for terms that are not used */
  int64_t pairs;
  double *u, *residual; /* owned (pairs, d), (pairs, width) */
  double before, after; /* root mean square of y and of what is left of it, by cross-validation over conditions, in the
                         * channel where that is largest: in standard deviations of a condition's rows */
  int degree, used_modes; /* of what is used: polynomials up to this degree (-1: nothing is corrected), so many modes */
  bool crossed;           /* and their products with the conditions */
} Correction;

/* Chooses and fits.  Local. */
PetscErrorCode CorrectionFit(const CorrectionPairs *pairs, uint64_t seed, Correction *c);
/* That of rank 0 to all, which have none.  Collective. */
PetscErrorCode CorrectionShare(MPI_Comm comm, Correction *c);
PetscErrorCode CorrectionDestroy(Correction *c);

/* The pairs whose conditions are nearest to u: near (CORRECTION_NEAR), how many there are. */
#define CORRECTION_NEAR 16
int correction_near(const Correction *c, const double u[], int64_t near[CORRECTION_NEAR]);
/* y (width) of a row z (width) at u, with the residual of one of these pairs, which `number` draws.  work (terms +
 * places). */
void correction_apply(const Correction *c, const double u[], int nnear, const int64_t near[], uint64_t seed,
                      uint64_t number, const double z[], double work[], double y[]);

#endif
