/* The normaliser in a file: /normaliser/..., each array with its unit and meaning, sizes by the arrays' shapes. */
#include "normaliser_store.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ARRAYS = 8 };

static void list_arrays(NormProfile norm, NormArray list[ARRAYS])
{
  const int64_t C = norm->C, L = norm->L, R = norm->R, K = norm->K;
  list[0] = (NormArray){"/normaliser/mean",
                        "mean_term field x",
                        "coefficients of the mean deviation from the baseline, transformed units (term, channel, cell)",
                        norm->mean_coef,
                        3,
                        {norm->mean.terms, C, L}};
  list[1] = (NormArray){"/normaliser/log_scale",
                        "scale_term field x",
                        "coefficients of ln s, s the conditional scale (term, channel, cell)",
                        norm->scale_coef,
                        3,
                        {norm->scale.terms, C, L}};
  list[2] = (NormArray){
      "/normaliser/modes",
      "mode field x",
      "orthonormal eigenvectors of the covariance of z, or unit vectors where it was not whitened (mode, channel, "
      "cell)",
      norm->V,
      3,
      {R, C, L}};
  list[3] = (NormArray){
      "/normaliser/mode_variances", "mode", "eigenvalues of the covariance of z, or ones (mode)", norm->lambda, 1, {R}};
  list[4] = (NormArray){"/normaliser/log_mode_scale",
                        "scale_term mode",
                        "coefficients of ln D, the conditional scale of a mode (term, mode)",
                        norm->D_coef,
                        2,
                        {norm->scale.terms, R}};
  list[5] = (NormArray){
      "/normaliser/mode_mean", "mean_term mode", "coefficients of mu: b = a / D - mu (term, mode)", norm->mu_coef, 2,
      {norm->mean.terms, R}};
  list[6] = (NormArray){"/normaliser/couplings",
                        "coupling_term coupled coupled_to",
                        "coefficients of phi_kl, the regression of b_k on b_l, l < k (term, k, l)",
                        norm->phi_coef,
                        3,
                        {norm->phi.terms, K, K}};
  list[7] = (NormArray){"/normaliser/log_residual_scale",
                        "scale_term mode",
                        "coefficients of ln d, the scale of what phi leaves of b (term, mode)",
                        norm->d_coef,
                        2,
                        {norm->scale.terms, R}};
}

PetscErrorCode NormPolySave(ScoriaStore store, const char *name, const NormPoly *poly, const char *axes,
                            const char *help)
{
  const int64_t dims[2] = {poly->terms, PetscMax(poly->d, 1)};
  double *powers;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)(dims[0] * dims[1]), &powers));
  for (int i = 0; i < poly->terms * poly->d; i++) powers[i] = poly->power[i];
  PetscCall(ScoriaStorePutReals(store, name, 2, dims, powers, "", help));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscCall(PetscFree(powers));
  PetscFunctionReturn(0);
}

/* Coefficients have axes of their own where fields have field and x; fields along several axes have cells. */
static PetscErrorCode PutNormAxes(ScoriaStore store, const NormProfile norm, const char *name, const char *axes)
{
  const bool other = norm->encoded || norm->own[0];
  char text[128]   = "", word[SCORIA_NAME_SIZE];
  PetscFunctionBeginUser;
  for (int used = 0, n = 0; other && sscanf(axes + used, "%63s%n", word, &n) == 1; used += n) {
    const char *as = !strcmp(word, "x")                        ? norm->encoded ? "coefficient" : "cell"
                     : !strcmp(word, "field") && norm->encoded ? "coefficients"
                                                               : word;
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? " " : "", as);
  }
  PetscCall(ScoriaStorePutAxes(store, name, other ? text : axes));
  PetscFunctionReturn(0);
}

/* The cells of every channel, where they differ: behind these there is nothing. */
static PetscErrorCode PutCells(ScoriaStore store, const NormProfile norm)
{
  const int64_t C = norm->C;
  double cells[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  if (!norm->own[0]) PetscFunctionReturn(0);
  for (int c = 0; c < norm->C; c++) cells[c] = norm_cells(norm, c);
  PetscCall(ScoriaStorePutReals(store, "/normaliser/cells", 1, &C, cells, "",
                                "cells of every channel: v is 0 behind them, and a field its last value"));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/cells", "field"));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetCells(ScoriaStore store, NormProfile norm)
{
  double cells[SCORIA_MAX_FIELDS];
  bool differ;
  PetscFunctionBeginUser;
  PetscCall(NormChannelsLoad(store, "/normaliser/cells", norm->C, cells, &differ));
  for (int c = 0; c < norm->C && differ; c++) {
    if (!(cells[c] >= 1 && cells[c] <= norm->L))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /normaliser/cells: found %g, expected 1 to %d", cells[c], norm->L);
    norm->own[c] = (int)cells[c];
  }
  PetscFunctionReturn(0);
}

/* Written where there is a relative channel: files without the array have none. */
static PetscErrorCode PutRelative(ScoriaStore store, const NormProfile norm)
{
  const int64_t C = norm->C;
  double relative[SCORIA_MAX_FIELDS];
  bool any = false;
  PetscFunctionBeginUser;
  for (int c = 0; c < norm->C; c++) {
    relative[c] = norm->relative[c];
    any         = any || norm->relative[c];
  }
  if (!any) PetscFunctionReturn(0);
  PetscCall(ScoriaStorePutReals(store, "/normaliser/relative", 1, &C, relative, "",
                                "per channel: 1 where mean, log_scale and modes are those of w = (v_0, v_1 - v_0, ..., "
                                "v_{L-1} - v_0), 0 where of w = v"));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/relative", "field"));
  PetscFunctionReturn(0);
}

PetscErrorCode ProfileSave(void *self, ScoriaStore store)
{
  const NormProfile norm = self;
  NormArray list[ARRAYS];
  const double sizes[] = {norm->r, norm->twin, norm->total};
  PetscFunctionBeginUser;
  PetscCall(ScoriaStorePutSpace(store, &norm->space));
  PetscCall(NormTransformSave(store, norm->C, norm->logged, norm->reference, norm->sign));
  PetscCall(PutNormAxes(store, norm, "/normaliser/transform", "field column"));
  PetscCall(BoundsSave(store, "/normaliser/bounds", norm->C, norm->bounds, "field bound_column"));
  PetscCall(
      ScoriaStorePutReals(store, "/normaliser/settings", 1, (const int64_t[]){3}, sizes, "",
                          "modes that the network learns; 1 with a deterministic twin; trace of the covariance of z"));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/settings", "setting"));
  PetscCall(NormPolySave(store, "/normaliser/mean_powers", &norm->mean, "mean_term varying",
                         "powers of the varying unit conditions in each term of the mean: products of sqrt(2 n + 1) "
                         "P_n(u), P_n Legendre"));
  PetscCall(NormPolySave(store, "/normaliser/scale_powers", &norm->scale, "scale_term varying",
                         "the same for the terms of ln s and ln d"));
  PetscCall(NormPolySave(store, "/normaliser/coupling_powers", &norm->phi, "coupling_term varying",
                         "the same for the terms of phi"));
  PetscCall(PutCells(store, norm));
  PetscCall(PutRelative(store, norm));
  list_arrays(norm, list);
  for (int i = 0; i < ARRAYS; i++) {
    PetscCall(ScoriaStorePutReals(store, list[i].name, list[i].rank, list[i].dims, list[i].data, "", list[i].help));
    PetscCall(PutNormAxes(store, norm, list[i].name, list[i].axes));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode NormStoreShape(ScoriaStore store, const char *name, int rank, int64_t dims[3])
{
  int found;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, name, NORM_STORE_RANK, &found, dims));
  if (found != rank)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: %s should have %d dimensions and has %d (-1: it is missing)", name,
                rank, found);
  for (int i = 0; i < rank; i++)
    if (dims[i] < 1 || dims[i] > 1 << 24)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: dimension %d of %s is %lld", i, name, (long long)dims[i]);
  PetscFunctionReturn(0);
}

PetscErrorCode NormArrayLoad(ScoriaStore store, const NormArray *array)
{
  int64_t dims[NORM_STORE_RANK], count = 1;
  PetscFunctionBeginUser;
  PetscCall(NormStoreShape(store, array->name, array->rank, dims));
  for (int k = 0; k < array->rank; k++) {
    if (dims[k] != array->dims[k])
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: dimension %d of %s is %lld, expected %lld", k, array->name,
                  (long long)dims[k], (long long)array->dims[k]);
    count *= dims[k];
  }
  PetscCall(ScoriaStoreGetReals(store, array->name, count, array->data));
  PetscFunctionReturn(0);
}

PetscErrorCode NormChannelsLoad(ScoriaStore store, const char *name, int C, double value[], bool *there)
{
  int64_t dims[NORM_STORE_RANK];
  int rank;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, name, NORM_STORE_RANK, &rank, dims));
  *there = rank >= 0;
  if (!*there) PetscFunctionReturn(0);
  const NormArray array = {.name = name, .data = value, .rank = 1, .dims = {C}};
  PetscCall(NormArrayLoad(store, &array));
  PetscFunctionReturn(0);
}

PetscErrorCode NormTransformSave(ScoriaStore store, int C, const bool logged[], const double reference[],
                                 const double sign[])
{
  double transform[SCORIA_MAX_FIELDS * 3];
  PetscFunctionBeginUser;
  for (int c = 0; c < C; c++) {
    transform[3 * c]     = logged[c];
    transform[3 * c + 1] = logged[c] ? reference[c] : 0;
    transform[3 * c + 2] = sign[c];
  }
  PetscCall(
      ScoriaStorePutReals(store, "/normaliser/transform", 2, (const int64_t[]){C, 3}, transform, "",
                          "per channel: 1 where v = ln(sign (x - reference)) and 0 where v = x; reference; sign"));
  PetscFunctionReturn(0);
}

PetscErrorCode NormTransformLoad(ScoriaStore store, int C, bool logged[], double reference[], double sign[])
{
  double transform[SCORIA_MAX_FIELDS * 3];
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetReals(store, "/normaliser/transform", 3 * C, transform));
  for (int c = 0; c < C; c++) {
    logged[c]    = transform[3 * c] != 0;
    reference[c] = logged[c] ? transform[3 * c + 1] : NAN;
    sign[c]      = transform[3 * c + 2];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode NormPolyLoad(ScoriaStore store, const char *name, int d, NormPoly *poly)
{
  int64_t dims[NORM_STORE_RANK];
  double *powers;
  PetscFunctionBeginUser;
  PetscCall(NormStoreShape(store, name, 2, dims));
  if (dims[1] != PetscMax(d, 1))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: %s is for %lld conditions, but %d vary", name, (long long)dims[1], d);
  *poly = (NormPoly){.d = d, .terms = (int)dims[0]};
  PetscCall(PetscMalloc1((size_t)(dims[0] * dims[1]), &powers));
  PetscCall(PetscCalloc1((size_t)(dims[0] * dims[1]), &poly->power));
  PetscCall(ScoriaStoreGetReals(store, name, dims[0] * dims[1], powers));
  bool valid = true;
  for (int i = 0; i < poly->terms * d; i++) {
    valid = valid && powers[i] >= 0 && powers[i] <= NORM_MAX_DEGREE;
    if (!valid) break;
    poly->power[i] = (int)powers[i];
    poly->degree   = PetscMax(poly->degree, poly->power[i]);
  }
  PetscCall(PetscFree(powers));
  if (!valid) SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: %s holds powers outside 0 ... %d", name, NORM_MAX_DEGREE);
  PetscFunctionReturn(0);
}

/* Sizes and polynomials, so that ProfileSetUp can follow. */
static PetscErrorCode GetSizes(ScoriaStore store, NormProfile norm)
{
  int64_t modes[NORM_STORE_RANK], couplings[NORM_STORE_RANK], settings[NORM_STORE_RANK];
  double values[3];
  PetscFunctionBeginUser;
  PetscCall(NormStoreShape(store, "/normaliser/modes", 3, modes));
  PetscCall(NormStoreShape(store, "/normaliser/couplings", 3, couplings));
  PetscCall(NormStoreShape(store, "/normaliser/settings", 1, settings));
  PetscCall(ScoriaStoreGetReals(store, "/normaliser/settings", 3, values));
  norm->R     = (int)modes[0];
  norm->C     = (int)modes[1];
  norm->L     = (int)modes[2];
  norm->K     = (int)couplings[1];
  norm->twin  = values[1] != 0;
  norm->total = values[2];
  if (norm->C > SCORIA_MAX_FIELDS || norm->R > modes[1] * modes[2] || norm->K > norm->R ||
      !(values[0] >= 1 && values[0] <= norm->R))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "model file: %d modes (%g learned, %d coupled) of %d channels and %d cells do not fit together",
                norm->R, values[0], norm->K, norm->C, norm->L);
  norm->m = norm->C * norm->L;
  norm->r = (int)values[0];
  PetscCall(NormPolyLoad(store, "/normaliser/mean_powers", norm->d, &norm->mean));
  PetscCall(NormPolyLoad(store, "/normaliser/scale_powers", norm->d, &norm->scale));
  PetscCall(NormPolyLoad(store, "/normaliser/coupling_powers", norm->d, &norm->phi));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetArrays(ScoriaStore store, NormProfile norm)
{
  NormArray list[ARRAYS];
  PetscFunctionBeginUser;
  PetscCall(NormTransformLoad(store, norm->C, norm->logged, norm->reference, norm->sign));
  PetscCall(BoundsLoad(store, "/normaliser/bounds", norm->C, norm->bounds));
  list_arrays(norm, list);
  for (int i = 0; i < ARRAYS; i++) PetscCall(NormArrayLoad(store, &list[i]));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetRelative(ScoriaStore store, NormProfile norm)
{
  double relative[SCORIA_MAX_FIELDS];
  bool any;
  PetscFunctionBeginUser;
  PetscCall(NormChannelsLoad(store, "/normaliser/relative", norm->C, relative, &any));
  for (int c = 0; c < norm->C && any; c++) norm->relative[c] = relative[c] != 0;
  PetscFunctionReturn(0);
}

PetscErrorCode ProfileLoad(ScoriaStore store, void **self)
{
  NormProfile made;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&made));
  PetscCall(ScoriaStoreGetSpace(store, &made->space));
  for (int j = 0; j < made->space.n; j++)
    if (made->space.c[j].lo < made->space.c[j].hi) made->vary[made->d++] = j;
  PetscCall(GetSizes(store, made));
  PetscCall(ProfileSetUp(made));
  PetscCall(GetArrays(store, made));
  PetscCall(GetRelative(store, made));
  PetscCall(GetCells(store, made));
  *self = made;
  PetscFunctionReturn(0);
}
