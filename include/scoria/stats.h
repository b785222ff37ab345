/* scoria/stats.h - statistics of fields, used by both sides.  Everything here is local and cannot fail unless it says so. */
#ifndef SCORIA_STATS_H
#define SCORIA_STATS_H

#include "base.h"

/* Mean and standard deviation (n - 1) over rows, per column.  x (n, m) row-major; mean, sd (m). */
void stats_moments(int64_t n, int m, const double x[], double mean[], double sd[]);

/* Quantile p of n ascending values, linear interpolation between order statistics (Hyndman and Fan's type 7). */
double stats_quantile(int64_t n, const double sorted[], double p);

/* Distances between a sample a (na, m) and a reference b (nb, m), columns being the coordinates of one field vector
 * (all cells of all fields).  SD means the reference's standard deviation of that column; columns whose reference SD is
 * below sd_floor times the largest SD of ... are left to the caller: it passes only columns that count. */
typedef struct {
  double mean_error;       /* rms over columns of (mean_a - mean_b) / SD */
  double sd_error;         /* rms over columns of SD_a / SD_b - 1 */
  double sd_bias;          /* mean over columns of SD_a / SD_b - 1: the sign of the error */
  double band_error;       /* rms over columns of (width of the central 95 % of a) / (of b) - 1 */
  double coverage95;       /* share of b's values inside a's central 95 % band, mean over columns */
  double w1;               /* mean over columns of W1(a, b) / SD */
  double sliced_w;         /* mean over random unit directions of W1 of the projections of SD-scaled columns */
  double covariance_error; /* || corr-scaled C_a - C_b ||_F / || C_b ||_F, columns scaled by the reference SD */
} ScoriaDistance;

/* directions: how many for sliced_w (128 is usual); their normals come from the stream SCORIA_STREAM_DIRECTION of `seed`.
 * Allocates; na and nb may differ. */
PetscErrorCode ScoriaDistanceCompute(int64_t na, const double a[], int64_t nb, const double b[], int m, uint64_t seed,
                                     int directions, ScoriaDistance *d);

#endif
