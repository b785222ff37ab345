/* Private to stats: how the numbers of a row lie one after the other. */
#ifndef SCORIA_STATS_WHOLE_H
#define SCORIA_STATS_WHOLE_H

#include "scoria/features.h"
#include <complex.h> /* before FFTW, whose numbers are then C's own */
#include <fftw3.h>

#define FEATURE_PLACES 4 /* lateral ones */

struct ScoriaFeatures_ {
  ScoriaFeaturesSpec of;                            /* of which grid and own are not used */
  ScoriaFeaturesGrid grid[SCORIA_FEATURE_CHANNELS]; /* x is owned */
  fftw_plan plan[SCORIA_FEATURE_CHANNELS];          /* owned: in to waves; NULL: that of the channel before */
  int cells;                                        /* of a channel in a row */
  int nx;      /* columns of a channel, as many as any has along x: behind its own they are 0 */
  int columns; /* (channel, x) */
  int bins;
  double width; /* of a bin [1/m] */
  int size;
  int means, spread, spectrum, hot, projections; /* where these begin; the places are first */
  float *direction;                              /* owned (directions, channels, cells) */
  double *square;                                /* owned (directions, columns): sum of their squares */
  double *in;                                    /* owned (cells): a channel's (nz, ny, nx) */
  fftw_complex *waves;                           /* owned: its (nz, ny / 2 + 1, nx) */
  double *sorted, *work;                         /* owned (cells) */
};

/* Numbers [first, first + width) of n rows (n, size) as rows of their own; PetscFree it. */
PetscErrorCode TakeBlock(int64_t n, int size, const double rows[], int first, int width, double **out);

#endif
