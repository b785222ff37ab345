/* What the learned coordinates carry of the fields.  A unit step of coordinate k from the centre changes a value j by
 * d_jk, whose squares over all R coordinates are the variance of the value, to first order: the share of k is the mean
 * over values of d_jk^2 / sum_l d_jl^2.  Of modes of profiles the first carries most, the twelfth next to nothing. */
#include "train_shares.h"
#include <math.h>

/* Squared differences (values) of fields half a step to either side in coordinate k. */
static void step(ScoriaNormaliser norm, int k, int R, int64_t values, double y[], double fields[], double square[])
{
  for (int i = 0; i < 2 * R; i++) y[i] = 0;
  y[k]     = 0.5;
  y[R + k] = -0.5;
  normaliser_decode(norm, 2, y, fields);
  for (int64_t j = 0; j < values; j++) square[j] = (fields[j] - fields[values + j]) * (fields[j] - fields[values + j]);
}

PetscErrorCode CoordinateShares(ScoriaNormaliser norm, const ScoriaTwin *twin, double share[])
{
  const double middle[SCORIA_MAX_CONDITIONS] = {0};
  double theta[SCORIA_MAX_CONDITIONS], *y, *fields, *square, *total;
  int C, L, r, R;
  PetscFunctionBeginUser;
  space_from_unit(ScoriaNormaliserSpace(norm), middle, theta);
  PetscCall(ScoriaNormaliserAt(norm, twin, theta));
  PetscCall(ScoriaNormaliserSizes(norm, &C, &L, &r, &R));
  const int64_t values = (int64_t)C * L;
  PetscCall(PetscCalloc4(2 * R, &y, 2 * values, &fields, values, &square, values, &total));
  for (int k = 0; k < R; k++) {
    step(norm, k, R, values, y, fields, square);
    for (int64_t j = 0; j < values; j++) total[j] += square[j];
  }
  for (int k = 0; k < r; k++) {
    share[k] = 0;
    step(norm, k, R, values, y, fields, square);
    for (int64_t j = 0; j < values; j++) share[k] += total[j] > 0 ? square[j] / total[j] / (double)values : 0;
  }
  PetscCall(PetscFree4(y, fields, square, total));
  PetscFunctionReturn(0);
}

PetscErrorCode CoordinateWeights(ScoriaNormaliser norm, const ScoriaTwin *twin, double power, float **weight)
{
  double *share, sum = 0;
  int r;
  PetscFunctionBeginUser;
  PetscCall(ScoriaNormaliserSizes(norm, NULL, NULL, &r, NULL));
  PetscCall(PetscMalloc1(r, &share));
  PetscCall(PetscMalloc1(r, weight));
  PetscCall(CoordinateShares(norm, twin, share));
  for (int k = 0; k < r; k++) sum += pow(share[k], power) / r;
  for (int k = 0; k < r; k++) (*weight)[k] = sum > 0 ? (float)(pow(share[k], power) / sum) : 1;
  PetscCall(PetscFree(share));
  PetscFunctionReturn(0);
}
