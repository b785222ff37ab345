/* Private to the correction of cheap rows and its test: what it has found. */
#ifndef SCORIA_SCORE_CORRECTION_H
#define SCORIA_SCORE_CORRECTION_H

#include "normaliser.h"
#include "scoria/correction.h"

/* y = B^T x(u, z) + a residual, x being polynomials in u, modes of z, and their products with u. */
typedef struct ScoriaCorrection_ {
  int d, width, places, stride; /* z is looked at in `places` of its values, `stride` apart */
  int polynomials, modes, terms;
  NormPoly poly;
  double *V;            /* owned (places, modes) */
  double *centre;       /* owned (places) */
  double *B;            /* owned (terms, width); 0 for terms that are not used */
  double *u, *residual; /* owned (pairs, d), (pairs, width), of its pairs */
  ScoriaCorrectionChoice chosen;
} Correction;

/* x (terms) of a row z at u.  picked (places): scratch. */
void correction_terms(const Correction *c, const double u[], const double z[], double picked[], double x[]);

#endif
