/* Calibration of a network of few rows against them.
 *
 * At conditions u the network's samples have means mu_k(u) and spreads exp(l_k(u)) in the learned coordinates, which
 * are measured all over the conditions' ranges, as polynomials.  The training rows say what they should be (to), also
 * as polynomials (calibration_fit.c):
 *
 *   y_k  ->  mu'_k + exp(l'_k - l_k) (y_k - mu_k),
 *
 * an affine map of every coordinate that samplers, latents and densities share.  What of the network's mean and spread
 * is no polynomial stays as it is.
 *
 * Of whole fields the scores that the calibrated samples have at every element (basis.h) are mapped to normal ones,
 * too (calibration_scores.c). */
#ifndef SCORIA_SCORE_CALIBRATION_H
#define SCORIA_SCORE_CALIBRATION_H

#include "normaliser.h"

typedef struct {
  int d, r;              /* conditions, all of them; coordinates */
  NormPoly poly;         /* in the unit conditions, those outside their ranges taken at the end of these */
  double *from, *to;     /* owned (terms, 2 r) each: coefficients of mu, then of l; NULL: there is no calibration */
  double *shift, *scale; /* owned (r) each: of the condition that it was set to */
  double *work;          /* owned (terms + 4 r) */
  int elements;          /* of scores; 0: there is no map of them */
  double *scores;        /* owned (terms, elements, NORM_SCORE_EDGES): coefficients of (F - Phi) / phi at edges */
  double *higher;        /* owned (elements, NORM_SCORE_EDGES): of the condition that it was set to */
} Calibration;

/* Room for so many conditions, coordinates, and the terms of c->poly. */
PetscErrorCode CalibrationSetUp(int d, int r, Calibration *c);
PetscErrorCode CalibrationDestroy(Calibration *c);

/* Means, then logarithms of spreads (2 r), that the coefficients, c->from or c->to, say at unit conditions u (d).
 * Local. */
void calibration_moments(const Calibration *c, const double coef[], const double u[], double moment[]);
/* Room for the scores of so many elements. */
PetscErrorCode CalibrationSetUpScores(int elements, Calibration *c);
/* Sets higher, by how much scores are to be moved, to u (d).  Local. */
void calibration_scores_at(const Calibration *c, const double u[]);
/* Sets shift and scale, y_k -> scale_k y_k + shift_k, to u (d).  Local. */
void calibration_at(const Calibration *c, const double u[]);

/* Under a group of a file; nothing where there is none.  elements: whose scores may be mapped.  Collective. */
#define CALIBRATION "calibration"
#define CALIBRATION_TUNED "calibration_distilled"
PetscErrorCode CalibrationSave(const Calibration *c, ScoriaStore store, const char *group);
PetscErrorCode CalibrationLoad(ScoriaStore store, const char *group, int d, int r, int elements, Calibration *c);

#endif
