/* Private to stats: how the numbers of a row lie one after the other. */
#ifndef SCORIA_STATS_WHOLE_H
#define SCORIA_STATS_WHOLE_H

#include "scoria/features.h"
#include <complex.h> /* before FFTW, whose numbers are then C's own */
#include <fftw3.h>

#define FEATURE_PLACES 4 /* lateral ones */

struct ScoriaFeatures_ {
  ScoriaFeaturesSpec of;
  double *x;   /* owned (nx): of.x */
  int columns; /* (channel, x) */
  int lateral; /* places */
  int bins;
  double width; /* of a bin [1/m] */
  int size;
  int means, spread, spectrum, hot, projections; /* where these begin; the places are first */
  float *direction;                              /* owned (directions, channels, nz, ny, nx) */
  double *square;                                /* owned (directions, columns): sum of their squares */
  double *grid;                                  /* owned (nz, ny, nx) */
  fftw_complex *waves;                           /* owned (nz, ny / 2 + 1, nx) */
  double *sorted, *work;                         /* owned (nz ny nx) */
  fftw_plan plan;                                /* owned: grid to waves */
};

/* Numbers [first, first + width) of n rows (n, size) as rows of their own; PetscFree it. */
PetscErrorCode TakeBlock(int64_t n, int size, const double rows[], int first, int width, double **out);

#endif
