/* Calibration of a network of few rows against them.
 *
 * At conditions u the network's samples have means mu_k(u) and spreads exp(l_k(u)) in the learned coordinates, which
 * are measured all over the conditions' ranges, as polynomials.  The training rows say what they should be (to), also
 * as polynomials (calibration_fit.c):
 *
 *   y_k  ->  mu'_k + exp(l'_k - l_k) (y_k - mu_k),
 *
 * an affine map of every coordinate that samplers, latents and densities share.  What of the network's mean and spread
 * is no polynomial stays as it is. */
#ifndef SCORIA_SCORE_CALIBRATION_H
#define SCORIA_SCORE_CALIBRATION_H

#include "normaliser.h"

typedef struct {
  int d, r;              /* conditions, all of them; coordinates */
  NormPoly poly;         /* in the unit conditions, those outside their ranges taken at the end of these */
  double *from, *to;     /* owned (terms, 2 r) each: coefficients of mu, then of l; NULL: there is no calibration */
  double *shift, *scale; /* owned (r) each: of the condition that it was set to */
  double *work;          /* owned (terms + 4 r) */
} Calibration;

/* Room for so many conditions, coordinates, and the terms of c->poly. */
PetscErrorCode CalibrationSetUp(int d, int r, Calibration *c);
PetscErrorCode CalibrationDestroy(Calibration *c);

/* Means, then logarithms of spreads (2 r), that the coefficients, c->from or c->to, say at unit conditions u (d).
 * Local. */
void calibration_moments(const Calibration *c, const double coef[], const double u[], double moment[]);
/* Sets shift and scale, y_k -> scale_k y_k + shift_k, to u (d).  Local. */
void calibration_at(const Calibration *c, const double u[]);

/* Under /calibration; nothing where there is none.  Collective. */
PetscErrorCode CalibrationSave(const Calibration *c, ScoriaStore store);
PetscErrorCode CalibrationLoad(ScoriaStore store, int d, int r, Calibration *c);

#endif
