/* From rows of a cheaper fidelity to rows as the dear one would have solved them: a regression of the difference on the
 * cheap row and the conditions, learned from pairs of the same realisation, and the residuals of these pairs as noise.
 *
 * Rows are standardised by what the cheap rows of their condition say: z = (cheap - m) / s, y = (dear - cheap) / s. m
 * and s of whole fields, which are homogeneous along y and z, are those of all lateral places, and the regression is
 * one of lateral waves: y of a wave number by z of the same. */
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

/* Pairs of whole fields on a lateral grid that is periodic, one at a time: pair i, *condition -1 where either row has
 * failed.  z, y (channels, nz, ny, nx) with shape = {nx, ny, nz}. */
typedef struct {
  int d, channels, shape[3];
  int64_t n;
  PetscErrorCode (*pair)(void *ctx, int64_t i, int64_t *condition, double u[], double z[], double y[]);
  void *ctx;
} ScoriaCorrectionFields;

typedef struct ScoriaCorrection_ *ScoriaCorrection;

/* Chooses the terms of the regression by cross-validation over conditions, and fits.  Local. */
PetscErrorCode ScoriaCorrectionFit(const ScoriaCorrectionPairs *pairs, uint64_t seed, ScoriaCorrection *correction);
/* The same for every lateral wave number by itself.  Asks for every pair three times at most; with fewer than
 * CORRECTION_LEAST_PAIRS that are there nothing is fitted, and chosen.pairs says so.  Local. */
PetscErrorCode ScoriaCorrectionFitFields(const ScoriaCorrectionFields *pairs, uint64_t seed,
                                         ScoriaCorrection *correction);
/* That of rank 0 to all; on the others *correction is an output.  Collective. */
PetscErrorCode ScoriaCorrectionShare(MPI_Comm comm, ScoriaCorrection *correction);
PetscErrorCode ScoriaCorrectionDestroy(ScoriaCorrection *correction); /* none (NULL): nothing is done */

/* What was chosen. */
typedef struct {
  int64_t pairs;        /* that it learned from */
  double before, after; /* root mean square of y and of what is left of it, by cross-validation over conditions, in the
                         * channel where that is largest: in standard deviations of a condition's rows */
  int degree, modes;    /* of what is used: polynomials up to this degree (-1: nothing is corrected, or, of whole
                         * fields, no mean), so many modes, of a wave number at most, */
  bool crossed;         /* and their products with the conditions */
} ScoriaCorrectionChoice;
ScoriaCorrectionChoice correction_choice(ScoriaCorrection correction);

int correction_work(ScoriaCorrection correction); /* length of correction_apply's work */
/* The pairs whose conditions are nearest to u: near (CORRECTION_NEAR), how many there are. */
#define CORRECTION_NEAR 16
int correction_near(ScoriaCorrection correction, const double u[], int64_t near[CORRECTION_NEAR]);
/* y (channels, cells) of a row z (channels, cells) at u, with the residual of one of these pairs, which `number` draws;
 * of whole fields shifted and mirrored along y and z at random. */
void correction_apply(ScoriaCorrection correction, const double u[], int nnear, const int64_t near[], uint64_t seed,
                      uint64_t number, const double z[], double work[], double y[]);

#endif
