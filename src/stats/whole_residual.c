/* Residuals of whole fields, each in units of the law at its own condition, and distances between samples of them. */
#include "whole.h"
#include "sort.h"
#include "distances.h"
#include <math.h>
#include <string.h>

int features_places_size(ScoriaFeatures f)
{
  return FEATURE_PLACES * f->columns;
}

int features_residual_size(ScoriaFeatures f)
{
  return features_places_size(f) + f->of.directions;
}

void features_units(ScoriaFeatures f, const double mean[], double sd[])
{
  for (int d = 0; d < f->of.directions; d++) {
    const size_t first   = (size_t)f->projections + (size_t)d * f->columns;
    const double *square = f->square + (size_t)d * f->columns;
    double norm          = 0;
    for (int j = 0; j < f->columns; j++) norm += square[j];
    for (int j = 0; j < f->columns; j++)
      sd[first + j] = sqrt(norm) * stats_unit(mean[f->means + j], hypot(sd[f->means + j], sqrt(mean[f->spread + j])));
  }
  for (int j = 0; j < f->projections; j++) sd[j] = stats_unit(mean[j], sd[j]);
}

void features_residual(ScoriaFeatures f, const double row[], double out[])
{
  const int places = features_places_size(f);
  memcpy(out, row, (size_t)places * sizeof *out);
  for (int d = 0; d < f->of.directions; d++) {
    const double *p = row + f->projections + (size_t)d * f->columns;
    out[places + d] = 0;
    for (int j = 0; j < f->columns; j++) out[places + d] += p[j];
  }
}

/* Column `at` of n rows, ascending. */
static void take_column(int64_t n, int width, const double rows[], int at, double out[], double work[])
{
  for (int64_t i = 0; i < n; i++) out[i] = rows[(size_t)i * width + at];
  sort_ascending(n, out, work);
}

/* Mean of W1 over the directions, over the rms of the reference's SD: that of projections of SD-scaled columns is 1. */
static PetscErrorCode SlicedResiduals(ScoriaFeatures f, int64_t na, const double a[], int64_t nb, const double b[],
                                      double *distance)
{
  const int width = features_residual_size(f);
  double *x, *y, *work, mean, sd, sum = 0, square = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(na, &x, nb, &y, PetscMax(na, nb), &work));
  for (int at = features_places_size(f); at < width; at++) {
    take_column(na, width, a, at, x, work);
    take_column(nb, width, b, at, y, work);
    stats_moments(nb, 1, y, &mean, &sd);
    sum += stats_wasserstein1(na, x, nb, y);
    square += sd * sd;
  }
  PetscCall(PetscFree3(x, y, work));
  *distance = square > 0 ? sum / sqrt(square * f->of.directions) : 0;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaResidualDistanceCompute(ScoriaFeatures f, int64_t na, const double a[], int64_t nb,
                                             const double b[], ScoriaDistance *d)
{
  const int width = features_residual_size(f), places = features_places_size(f);
  double *of_a, *of_b;
  PetscFunctionBeginUser;
  PetscCall(TakeBlock(na, width, a, 0, places, &of_a));
  PetscCall(TakeBlock(nb, width, b, 0, places, &of_b));
  PetscCall(ScoriaDistanceCompute(na, of_a, nb, of_b, places, f->of.seed, f->of.directions, d));
  PetscCall(SlicedResiduals(f, na, a, nb, b, &d->sliced_w));
  PetscCall(PetscFree(of_a));
  PetscCall(PetscFree(of_b));
  PetscFunctionReturn(0);
}
