/* Marginals from histograms: the pooled law of every element of z, and how it is tilted over the conditions, by maximum
 * likelihood: the tilted law has the mean Hermite polynomials of the rows (an exponential family; scoring with the
 * covariance of normal scores, which is 1). */
#include "scoria/linalg.h"
#include "lateral_fit.h"
#include <math.h>
#include <string.h>

#define STEPS 100
#define DAMPING 0.7
#define RIDGE                                                                                                          \
  0.001             /* weight of a tilt of 0 beside that of the rows: where a law does not tell a tilt, there is none  \
                     */
#define ENOUGH 1e-6 /* change of the tilt, of a score of order 1 */
#define LEAST_SHARE 1e-5
#define LEAST_TAIL 40.0 /* values beyond the last edge at which the law is told: a sixth of them is chance */

static PetscErrorCode Pool(LateralData *data, const float histogram[])
{
  const NormLateral norm = data->norm;
  const size_t q         = (size_t)norm->E * MARGINAL_BINS;
  double *table, *mean;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)(data->n + 1) * q, &table, q, &mean));
  for (size_t i = 0; i < (size_t)data->n * q; i++) table[i] = histogram[i];
  PetscCall(LateralPooled(data, (int)q, table, mean));
  const double least = PetscMax(LEAST_SHARE, LEAST_TAIL / (data->fitted_rows * norm->N));
  for (int e = 0; e < norm->E; e++) {
    memcpy(norm->marginal[e].mass, mean + (size_t)e * MARGINAL_BINS, sizeof norm->marginal[e].mass);
    marginal_set_range(&norm->marginal[e], least);
    marginal_features(&norm->marginal[e], norm->feature + (size_t)e * MARGINAL_BINS * MARGINAL_TILT);
  }
  PetscCall(PetscFree2(table, mean));
  PetscFunctionReturn(0);
}

/* Means (MARGINAL_TILT) of the features under a law. */
static void mean_features(const double feature[], const double mass[], double mean[])
{
  for (int j = 0; j < MARGINAL_TILT; j++) mean[j] = 0;
  for (int b = 0; b < MARGINAL_BINS; b++)
    for (int j = 0; j < MARGINAL_TILT; j++) mean[j] += mass[b] * feature[b * MARGINAL_TILT + j];
}

/* What the rows have more of than the law has, (n, E, MARGINAL_TILT). */
static void excess(LateralData *data, const double found[], double more[])
{
  const NormLateral norm = data->norm;
  const int width        = norm->E * MARGINAL_TILT;
  double mass[MARGINAL_BINS], mean[MARGINAL_TILT];
  for (int64_t i = 0; i < data->n; i++) {
    la_rows_product(1, norm->shape.terms, width, data->shape_X + i * norm->shape.terms, norm->tilt_coef, NULL,
                    norm->tilt);
    for (int e = 0; e < norm->E; e++) {
      const double *feature = norm->feature + (size_t)e * MARGINAL_BINS * MARGINAL_TILT;
      marginal_tilted(&norm->marginal[e], feature, norm->tilt + e * MARGINAL_TILT, mass);
      mean_features(feature, mass, mean);
      for (int j = 0; j < MARGINAL_TILT; j++) {
        const size_t at = (size_t)i * width + e * MARGINAL_TILT + j;
        more[at]        = data->weight[i] > 0 ? found[at] - mean[j] : 0;
      }
    }
  }
}

static PetscErrorCode Tilt(LateralData *data, const double found[])
{
  const NormLateral norm  = data->norm;
  const int q             = norm->E * MARGINAL_TILT;
  const size_t count      = (size_t)norm->shape.terms * q;
  const NormDesign design = lateral_design(data, norm->shape.terms, data->shape_X, q);
  double *more, *step, largest = 1;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)(data->n + 1) * q, &more, count, &step));
  for (int k = 0; k < STEPS && largest > ENOUGH; k++) {
    excess(data, found, more);
    PetscCall(NormLeastSquares(&design, more, step));
    largest = 0;
    for (size_t i = 0; i < count; i++) {
      const double change = step[i] - RIDGE * norm->tilt_coef[i];
      norm->tilt_coef[i] += DAMPING * change;
      largest = PetscMax(largest, fabs(change));
    }
  }
  PetscCall(PetscFree2(more, step));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralFitMarginals(LateralData *data, const float histogram[])
{
  const NormLateral norm = data->norm;
  double *found, mass[MARGINAL_BINS];
  PetscFunctionBeginUser;
  PetscCall(Pool(data, histogram));
  PetscCall(PetscMalloc1((size_t)(data->n + 1) * norm->E * MARGINAL_TILT, &found));
  for (int64_t i = 0; i < data->n; i++)
    for (int e = 0; e < norm->E; e++) {
      const size_t at = (size_t)i * norm->E + e;
      for (int b = 0; b < MARGINAL_BINS; b++) mass[b] = histogram[at * MARGINAL_BINS + b];
      mean_features(norm->feature + (size_t)e * MARGINAL_BINS * MARGINAL_TILT, mass, found + at * MARGINAL_TILT);
    }
  PetscCall(Tilt(data, found));
  PetscCall(PetscFree(found));
  PetscFunctionReturn(0);
}
