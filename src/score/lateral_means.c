/* Means of pieces regressed together with the controls of their rows (lateral_weights.c).
 *
 * Weights make moments of the porosities right over all rows, but a polynomial in the conditions also follows the
 * chance of single pieces: at the corners of the range, in units of the standard deviation there, by .1 in three
 * dimensions. So the mean of a piece is regressed on the polynomials and, beside them, on the means of its controls,
 * whose expected value is 0, times polynomials of a lower degree: what the controls say is left out of the mean. */
#include "lateral_fit.h"

#define MOST_DEGREE 1
#define PIECES_EACH 3 /* fitted pieces per regressor at least */

/* The polynomial that controls are multiplied by, of the largest degree that the pieces suffice for; -1: none. */
static PetscErrorCode ChooseTerms(const LateralData *data, int64_t pieces, const int powers[], NormPoly *poly,
                                  int *degree)
{
  PetscFunctionBeginUser;
  for (*degree = MOST_DEGREE; *degree >= 0; --*degree) {
    PetscCall(NormPolyCreate(data->norm->d, *degree, powers, poly));
    if (pieces >= (int64_t)PIECES_EACH * (data->norm->mean.terms + LATERAL_CONTROLS * poly->terms)) break;
    PetscCall(NormPolyDestroy(poly));
  }
  PetscFunctionReturn(0);
}

/* Weighted means (LATERAL_CONTROLS) over the rows of piece i. */
static void mean_controls(const LateralData *data, int64_t i, double mean[])
{
  const int64_t first = i * data->buffer.capacity;
  double sum          = 0;
  for (int c = 0; c < LATERAL_CONTROLS; c++) mean[c] = 0;
  for (int64_t k = first; k < first + data->buffer.capacity; k++) {
    if (!(data->row_weight[k] > 0)) continue;
    sum += data->row_weight[k];
    for (int c = 0; c < LATERAL_CONTROLS; c++) mean[c] += data->row_weight[k] * data->control[k * LATERAL_CONTROLS + c];
  }
  for (int c = 0; c < LATERAL_CONTROLS; c++) mean[c] /= sum > 0 ? sum : 1;
}

static void join(const LateralData *data, const NormPoly *poly, double value[])
{
  double mean[LATERAL_CONTROLS];
  for (int64_t i = 0; i < data->n; i++) {
    double *x = data->joint_X + i * data->joint_terms;
    for (int t = 0; t < data->norm->mean.terms; t++) *x++ = data->mean_X[i * data->norm->mean.terms + t];
    if (data->kind[i] != NORM_FITTED) continue;
    mean_controls(data, i, mean);
    norm_poly_values(poly, data->u + i * data->norm->d, value);
    for (int c = 0; c < LATERAL_CONTROLS; c++)
      for (int t = 0; t < poly->terms; t++) *x++ = mean[c] * value[t];
  }
}

PetscErrorCode LateralJoinControls(LateralData *data, const int powers[])
{
  int64_t pieces = 0;
  NormPoly poly;
  double *value;
  int degree;
  PetscFunctionBeginUser;
  if (!data->control) PetscFunctionReturn(0);
  for (int64_t i = 0; i < data->n; i++) pieces += data->kind[i] == NORM_FITTED;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &pieces, 1, MPI_INT64_T, MPI_SUM, data->in.comm));
  PetscCall(ChooseTerms(data, pieces, powers, &poly, &degree));
  if (degree < 0) PetscFunctionReturn(0);
  data->joint_terms = data->norm->mean.terms + LATERAL_CONTROLS * poly.terms;
  PetscCall(PetscCalloc1((data->n + 1) * data->joint_terms, &data->joint_X));
  PetscCall(PetscMalloc1(poly.terms, &value));
  join(data, &poly, value);
  PetscCall(PetscFree(value));
  PetscCall(NormPolyDestroy(&poly));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralMeans(LateralData *data, int q, const double Y[], double coef[])
{
  const int p = data->norm->mean.terms;
  double *all;
  PetscFunctionBeginUser;
  if (!data->joint_X) {
    const NormDesign design = lateral_design(data, p, data->mean_X, q);
    PetscCall(NormLeastSquares(&design, Y, coef));
    PetscFunctionReturn(0);
  }
  const NormDesign design = lateral_design(data, data->joint_terms, data->joint_X, q);
  PetscCall(PetscMalloc1((size_t)data->joint_terms * (size_t)q, &all));
  PetscCall(NormLeastSquares(&design, Y, all));
  for (size_t k = 0; k < (size_t)p * (size_t)q; k++) coef[k] = all[k]; /* the first terms are those of mean_X */
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}
