/* A calibration once it is fitted (calibration_fit.c): evaluated, and in the model's file. */
#include "calibration.h"
#include "normaliser_store.h"
#include <math.h>
#include <string.h>

#define MOST_TERMS 4096 /* of its polynomials, in a file */

PetscErrorCode CalibrationSetUp(int d, int r, Calibration *c)
{
  const size_t terms = (size_t)c->poly.terms, width = 2 * (size_t)r;
  PetscFunctionBeginUser;
  c->d = d;
  c->r = r;
  PetscCall(PetscCalloc5(terms * width, &c->from, terms * width, &c->to, (size_t)r, &c->shift, (size_t)r, &c->scale,
                         terms + 2 * width, &c->work));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationDestroy(Calibration *c)
{
  PetscFunctionBeginUser;
  PetscCall(NormPolyDestroy(&c->poly));
  PetscCall(PetscFree5(c->from, c->to, c->shift, c->scale, c->work));
  PetscFunctionReturn(0);
}

void calibration_moments(const Calibration *c, const double coef[], const double u[], double moment[])
{
  const size_t width = 2 * (size_t)c->r;
  double inside[SCORIA_MAX_CONDITIONS], *term = c->work;
  for (int j = 0; j < c->d; j++) inside[j] = fmin(fmax(u[j], -1), 1);
  norm_poly_values(&c->poly, inside, term);
  memset(moment, 0, width * sizeof *moment);
  for (int i = 0; i < c->poly.terms; i++)
    for (size_t k = 0; k < width; k++) moment[k] += term[i] * coef[(size_t)i * width + k];
}

void calibration_at(const Calibration *c, const double u[])
{
  double *from = c->work + c->poly.terms, *to = from + 2 * c->r;
  calibration_moments(c, c->from, u, from);
  calibration_moments(c, c->to, u, to);
  for (int k = 0; k < c->r; k++) {
    c->scale[k] = exp(to[c->r + k] - from[c->r + k]);
    c->shift[k] = to[k] - c->scale[k] * from[k];
  }
}

/* ------------------------------------------------------------------------------------------------- in a file ---- */

#define POWERS "/calibration/powers"

static NormArray from_array(const Calibration *c)
{
  return (NormArray){"/calibration/from",
                     "calibration_term calibration_moment",
                     "coefficients of the mean mu_k and then of l_k, ln of the spread, that the network's samples have "
                     "in the learned coordinates (term, 2 modes)",
                     c->from,
                     2,
                     {c->poly.terms, 2 * c->r}};
}

static NormArray to_array(const Calibration *c)
{
  return (NormArray){"/calibration/to",
                     "calibration_term calibration_moment",
                     "the same that they are given: y_k becomes mu'_k + exp(l'_k - l_k) (y_k - mu_k)",
                     c->to,
                     2,
                     {c->poly.terms, 2 * c->r}};
}

PetscErrorCode CalibrationSave(const Calibration *c, ScoriaStore store)
{
  PetscFunctionBeginUser;
  if (!c->from) PetscFunctionReturn(0);
  const NormArray array[] = {from_array(c), to_array(c)};
  PetscCall(NormPolySave(store, POWERS, &c->poly, "calibration_term condition",
                         "powers of the unit conditions, all of them, in each term: products of sqrt(2 n + 1) P_n(u), "
                         "P_n Legendre; conditions outside their ranges count as at the end of these"));
  for (int i = 0; i < 2; i++) {
    PetscCall(
        ScoriaStorePutReals(store, array[i].name, array[i].rank, array[i].dims, array[i].data, "", array[i].help));
    PetscCall(ScoriaStorePutAxes(store, array[i].name, array[i].axes));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Get(ScoriaStore store, const NormArray *array)
{
  PetscFunctionBeginUser;
  PetscCall(NormArrayLoad(store, array));
  for (int64_t i = 0; i < array->dims[0] * array->dims[1]; i++)
    if (!isfinite(array->data[i]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: number %lld of %s is not finite", (long long)i, array->name);
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationLoad(ScoriaStore store, int d, int r, Calibration *c)
{
  static const char *const parts[] = {POWERS, "/calibration/from", "/calibration/to"};
  bool any                         = false;
  PetscFunctionBeginUser;
  *c = (Calibration){.d = d};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    int rank;
    int64_t dims[NORM_STORE_RANK];
    PetscCall(ScoriaStoreShape(store, parts[i], NORM_STORE_RANK, &rank, dims));
    any = any || rank >= 0;
  }
  if (!any) PetscFunctionReturn(0); /* of what is missing of one that is there it is said */
  PetscCall(NormPolyLoad(store, POWERS, d, &c->poly));
  if (c->poly.terms > MOST_TERMS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: %s has %d terms, more than %d", POWERS, c->poly.terms, MOST_TERMS);
  PetscCall(CalibrationSetUp(d, r, c));
  const NormArray from = from_array(c), to = to_array(c);
  PetscCall(Get(store, &from));
  PetscCall(Get(store, &to));
  PetscFunctionReturn(0);
}
