/* The normaliser of whole fields in a file: /normaliser/..., each array with its meaning, sizes by the arrays' shapes.
 */
#include "lateral.h"
#include "normaliser_store.h"
#include <math.h>

enum { ARRAYS = 18, SETTINGS = 10, LEAST_SETTINGS = 3, OLD_BINS = 50 };

static void list_modulation(NormLateral norm, NormArray list[5])
{
  const Modulation *m = &norm->modulation;
  const int64_t p = norm->shape.terms, on = m->on;
  list[0] = (NormArray){"/normaliser/smooth_mode",
                        "x",
                        "weights of the scores of the leading field in s (x)",
                        m->mode,
                        1,
                        {on * norm->nx}};
  list[1] = (NormArray){
      "/normaliser/smooth_filter", "wave_number", "share of waves that is left in s (wave number)", m->filter, 1,
      {on * norm->waves.classes}};
  list[2] = (NormArray){"/normaliser/log_smooth_scale",
                        "shape_term",
                        "coefficients of ln of the standard deviation of s before it is divided by it (term)",
                        m->log_spread_coef,
                        1,
                        {on * p}};
  list[3] = (NormArray){"/normaliser/smooth_correlation",
                        "shape_term element",
                        "coefficients of the correlations of scores with s (term, channel and x)",
                        m->correlation_coef,
                        2,
                        {p, on * norm->E}};
  list[4] =
      (NormArray){"/normaliser/smooth_exponent",
                  "shape_term element",
                  "coefficients of b: waves are f(b s) times as large, f(a) = (12 + 6 a + a^2) / (12 - 6 a + a^2), and "
                  "normal scores those of their law (term, channel and x)",
                  m->exponent_coef,
                  2,
                  {p, on * norm->E}};
}

static void list_swell(NormLateral norm, NormArray list[3])
{
  const Swell *own = &norm->modulation.own;
  const int64_t p = norm->shape.terms, on = own->on;
  list[0] = (NormArray){"/normaliser/long_waves",
                        "wave_number",
                        "1 of the long waves, by which the leading field's others swell (wave number)",
                        own->is_long,
                        1,
                        {on * norm->waves.classes}};
  list[1] = (NormArray){"/normaliser/long_shares",
                        "shape_term kind x",
                        "coefficients of the variance of the lateral mean and of the long waves of scores of the "
                        "leading field (term, of which, x)",
                        own->share_coef,
                        3,
                        {p, SWELLS, on * norm->nx}};
  list[2] = (NormArray){"/normaliser/long_exponents",
                        "kind x",
                        "b1 and b2: the leading field's long waves are f(b1 m) times as large, m their mean, its short "
                        "ones f(b2 l), l the long ones and m, f as of smooth_exponent (which, x)",
                        own->exponent,
                        2,
                        {SWELLS, on * norm->nx}};
}

static void list_arrays(NormLateral norm, NormArray list[ARRAYS])
{
  const int64_t E = norm->E, Q = norm->Q;
  list[0] =
      (NormArray){"/normaliser/mean",
                  "mean_term element",
                  "coefficients of m, the mean deviation from the baseline, transformed units (term, channel and x)",
                  norm->mean_coef,
                  2,
                  {norm->mean.terms, E}};
  list[1] = (NormArray){
      "/normaliser/log_scale", "scale_term element", "coefficients of ln s (term, channel and x)", norm->scale_coef, 2,
      {norm->scale.terms, E}};
  list[2] =
      (NormArray){"/normaliser/tilt",
                  "shape_term element hermite",
                  "coefficients of the tilt of the pooled law by normalised Hermite polynomials 1 ... 4 of its score",
                  norm->tilt_coef,
                  3,
                  {norm->shape.terms, E, norm->edges ? 0 : MARGINAL_TILT}};
  list[3] = (NormArray){"/normaliser/modes",
                        "mode element",
                        "orthonormal eigenvectors of the covariance of scores at a wave number (mode, channel and x)",
                        norm->V,
                        2,
                        {Q, E}};
  list[4] = (NormArray){
      "/normaliser/mode_variances", "mode", "variance of a coordinate, pooled (mode)", norm->lambda, 1, {Q}};
  list[5] = (NormArray){"/normaliser/log_mode_scale",
                        "scale_term mode",
                        "coefficients of ln D, the conditional scale of a mode (term, mode)",
                        norm->D_coef,
                        2,
                        {norm->scale.terms, Q}};
  list[6] = (NormArray){"/normaliser/mode_mean",
                        "mean_term mean_mode",
                        "coefficients of mu of the modes of the lateral mean, over their deviation (term, mode)",
                        norm->mu_coef,
                        2,
                        {norm->mean.terms, norm->kept[0]}};
  list[7] = (NormArray){"/normaliser/mode_couplings",
                        "scale_term pair",
                        "coefficients of the correlations of modes i > j of a wave number: (1, 0), (2, 0), (2, 1), ...",
                        norm->R_coef,
                        2,
                        {norm->scale.terms, norm->coupled ? norm->P : 0}};
  list[8] = (NormArray){"/normaliser/edge_scores",
                        "shape_term element edge",
                        "coefficients of the normal scores of z at the edges of bins (term, channel and x, edge)",
                        norm->score_coef,
                        3,
                        {norm->shape.terms, E, norm->edges ? MARGINAL_EDGES : 0}};
  list[9] = (NormArray){"/normaliser/wave_factors",
                        "shape_term wave_number_field",
                        "coefficients of ln of the factors of waves (term, wave number and channel)",
                        norm->power_coef,
                        2,
                        {norm->shape.terms, norm->powers ? norm->waves.classes * norm->C : 0}};
  list_modulation(norm, list + 10);
  list_swell(norm, list + 15);
}

static PetscErrorCode PutMarginals(const NormLateral norm, ScoriaStore store)
{
  const int64_t dims[2] = {norm->E, MARGINAL_BINS + 2};
  double *table;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(dims[0] * dims[1]), &table));
  for (int e = 0; e < norm->E; e++) {
    double *row = table + (size_t)e * dims[1];
    row[0]      = norm->marginal[e].first;
    row[1]      = norm->marginal[e].last;
    for (int b = 0; b < MARGINAL_BINS; b++) row[2 + b] = norm->marginal[e].mass[b];
  }
  PetscCall(
      ScoriaStorePutReals(store, "/normaliser/marginals", 2, dims, table, "",
                          "per channel and x: first and last edge of the pooled law of z, mass of its bins, which "
                          "edges at -10, -9.75, ... 10 part (-6 ... 6 in older files)"));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/marginals", "element bin"));
  PetscCall(PetscFree(table));
  PetscFunctionReturn(0);
}

#define ENDS "/normaliser/ends"

static PetscErrorCode PutEnds(const NormLateral norm, ScoriaStore store)
{
  double ends[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  if (!lateral_any_ends(norm)) PetscFunctionReturn(0);
  for (int c = 0; c < norm->C; c++) ends[c] = norm->ends[c];
  PetscCall(ScoriaStorePutReals(store, ENDS, 1, (const int64_t[]){norm->C}, ends, "",
                                "per channel, whatever its transform: 1: v = ln(x - near), 2: ln(near - x), 3: "
                                "ln((x - near) / (far - x)), near being the value at rest and far the profile in the "
                                "least porosity, both of the equations at the condition"));
  PetscCall(ScoriaStorePutAxes(store, ENDS, "field"));
  PetscFunctionReturn(0);
}

/* Older files have none. */
static PetscErrorCode GetEnds(ScoriaStore store, NormLateral norm)
{
  double ends[SCORIA_MAX_FIELDS];
  bool any;
  PetscFunctionBeginUser;
  PetscCall(NormChannelsLoad(store, ENDS, norm->C, ends, &any));
  for (int c = 0; c < norm->C && any; c++) {
    if (!(ends[c] >= 0 && ends[c] < LATERAL_ENDS_KINDS))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: " ENDS ": found %g", ends[c]);
    norm->ends[c] = (LateralEndsKind)ends[c];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutSizes(const NormLateral norm, ScoriaStore store)
{
  const int64_t classes = norm->waves.classes;
  const double settings[SETTINGS] =
      {norm->r,     norm->twin,   norm->energy,        norm->standard,           norm->coupled,
       norm->edges, norm->powers, norm->modulation.on, norm->modulation.channel, norm->modulation.own.on},
               shape[3] = {norm->nx, norm->ny, norm->nz};
  double *waves;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(3 * classes, &waves));
  for (int c = 0; c < classes; c++) {
    waves[3 * c]     = norm->waves.class[c].kz;
    waves[3 * c + 1] = norm->waves.class[c].ky;
    waves[3 * c + 2] = norm->kept[c];
  }
  PetscCall(NormTransformSave(store, norm->C, norm->logged, norm->reference, norm->sign));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/transform", "field column"));
  PetscCall(BoundsSave(store, "/normaliser/bounds", norm->C, norm->bounds, "field bound_column"));
  PetscCall(PutEnds(norm, store));
  PetscCall(ScoriaStorePutReals(store, "/normaliser/settings", 1, (const int64_t[]){SETTINGS}, settings, "",
                                "coordinates that the network learns; 1 with a deterministic twin; share of the "
                                "variance of normal scores that the modes carry; 1 where marginal laws are "
                                "standardised; 1 where modes are coupled; 1 where laws are scores at edges; 1 where "
                                "waves are scaled; 1 where their size goes by the smooth part of a leading "
                                "field; its number; 1 where that one's own waves go by its long ones"));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/settings", "setting"));
  PetscCall(ScoriaStorePutReals(store, "/normaliser/shape", 1, (const int64_t[]){3}, shape, "", "cells along x, y, z"));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/shape", "axis"));
  PetscCall(ScoriaStorePutReals(store, "/normaliser/wave_numbers", 2, (const int64_t[]){classes, 3}, waves, "",
                                "per wave number, up to sign: along z, along y, number of its modes"));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/wave_numbers", "wave_number column"));
  PetscCall(PetscFree(waves));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralSave(void *self, ScoriaStore store)
{
  const NormLateral norm = self;
  NormArray list[ARRAYS];
  PetscFunctionBeginUser;
  PetscCall(ScoriaStorePutSpace(store, &norm->space));
  PetscCall(PutSizes(norm, store));
  PetscCall(NormPolySave(store, "/normaliser/mean_powers", &norm->mean, "mean_term varying",
                         "powers of the varying unit conditions in each term of the mean: products of sqrt(2 n + 1) "
                         "P_n(u), P_n Legendre"));
  PetscCall(NormPolySave(store, "/normaliser/scale_powers", &norm->scale, "scale_term varying",
                         "the same for the terms of ln s and ln D"));
  PetscCall(NormPolySave(store, "/normaliser/shape_powers", &norm->shape, "shape_term varying",
                         "the same for the terms of marginal laws"));
  PetscCall(PutMarginals(norm, store));
  list_arrays(norm, list);
  for (int i = 0; i < ARRAYS; i++) {
    if (list[i].dims[list[i].rank - 1] == 0) continue; /* no mode of the lateral mean, or none of the kind */
    PetscCall(ScoriaStorePutReals(store, list[i].name, list[i].rank, list[i].dims, list[i].data, "", list[i].help));
    PetscCall(ScoriaStorePutAxes(store, list[i].name, list[i].axes));
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- loading ---- */

#define MOST_CELLS (1 << 28) /* of a field that a file may ask memory for */

static PetscErrorCode GetShape(ScoriaStore store, NormLateral norm)
{
  int64_t dims[NORM_STORE_RANK];
  double shape[3], settings[SETTINGS] = {0};
  PetscFunctionBeginUser;
  PetscCall(NormStoreShape(store, "/normaliser/shape", 1, dims));
  PetscCall(ScoriaStoreGetReals(store, "/normaliser/shape", 3, shape));
  for (int a = 0; a < 3; a++)
    if (!(shape[a] >= 1 && shape[a] <= 1 << 16))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /normaliser/shape is %g x %g x %g", shape[0], shape[1], shape[2]);
  PetscCall(NormStoreShape(store, "/normaliser/transform", 2, dims));
  if (dims[0] > SCORIA_MAX_FIELDS || dims[1] != 3 || dims[0] * shape[0] * shape[1] * shape[2] > MOST_CELLS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: %lld fields of %g x %g x %g cells", (long long)dims[0], shape[0],
                shape[1], shape[2]);
  norm->C  = (int)dims[0];
  norm->nx = (int)shape[0];
  norm->ny = (int)shape[1];
  norm->nz = (int)shape[2];
  PetscCall(NormStoreShape(store, "/normaliser/settings", 1, dims)); /* the first models have three */
  PetscCall(ScoriaStoreGetReals(store, "/normaliser/settings", PetscClipInterval(dims[0], LEAST_SETTINGS, SETTINGS),
                                settings));
  norm->r                  = settings[0] >= 1 && settings[0] < MOST_CELLS ? (int)settings[0] : 0;
  norm->twin               = settings[1] != 0;
  norm->energy             = settings[2];
  norm->standard           = settings[3] != 0;
  norm->coupled            = settings[4] != 0;
  norm->edges              = settings[5] != 0;
  norm->powers             = settings[6] != 0;
  norm->modulation.on      = settings[7] != 0;
  norm->modulation.channel = (int)settings[8];
  norm->modulation.own.on  = settings[9] != 0;
  if (modulation_bends(norm) && !(settings[8] >= 0 && settings[8] < norm->C))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: leading field %g of %d", settings[8], norm->C);
  PetscCall(NormTransformLoad(store, norm->C, norm->logged, norm->reference, norm->sign));
  PetscCall(BoundsLoad(store, "/normaliser/bounds", norm->C, norm->bounds));
  PetscCall(GetEnds(store, norm));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetWaves(ScoriaStore store, NormLateral norm)
{
  const int64_t classes = norm->waves.classes;
  int64_t dims[NORM_STORE_RANK];
  double *waves;
  PetscFunctionBeginUser;
  PetscCall(NormStoreShape(store, "/normaliser/wave_numbers", 2, dims));
  if (dims[0] != classes || dims[1] != 3)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /normaliser/wave_numbers is (%lld, %lld), expected (%lld, 3)",
                (long long)dims[0], (long long)dims[1], (long long)classes);
  PetscCall(PetscMalloc1(3 * classes, &waves));
  PetscCall(ScoriaStoreGetReals(store, "/normaliser/wave_numbers", 3 * classes, waves));
  bool valid = true;
  for (int c = 0; c < classes; c++) {
    const double *w = waves + 3 * c;
    valid = valid && w[0] == norm->waves.class[c].kz && w[1] == norm->waves.class[c].ky && w[2] >= 0 && w[2] <= norm->E;
    norm->kept[c] = valid ? (int)w[2] : 0;
    norm->Q += norm->kept[c];
  }
  PetscCall(PetscFree(waves));
  if (!valid || norm->Q == 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /normaliser/wave_numbers are not those of its shape");
  PetscFunctionReturn(0);
}

static PetscErrorCode GetMarginals(ScoriaStore store, NormLateral norm)
{
  int64_t dims[NORM_STORE_RANK];
  double *table;
  PetscFunctionBeginUser;
  PetscCall(NormStoreShape(store, "/normaliser/marginals", 2, dims));
  if (dims[0] != norm->E || (dims[1] != MARGINAL_BINS + 2 && dims[1] != OLD_BINS + 2))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /normaliser/marginals is (%lld, %lld), expected (%d, %d)",
                (long long)dims[0], (long long)dims[1], norm->E, MARGINAL_BINS + 2);
  const int width = (int)dims[1], bins = width - 2, shift = (MARGINAL_BINS - bins) / 2; /* both about z = 0 */
  PetscCall(PetscMalloc1((size_t)norm->E * width, &table));
  PetscCall(ScoriaStoreGetReals(store, "/normaliser/marginals", (int64_t)norm->E * width, table));
  bool valid = true;
  for (int e = 0; e < norm->E && valid; e++) {
    const double *row = table + (size_t)e * width;
    Marginal *m       = &norm->marginal[e];
    valid             = row[0] >= 0 && row[1] >= row[0] && row[1] <= bins - 2;
    m->first          = valid ? shift + (int)row[0] : 0;
    m->last           = valid ? shift + (int)row[1] : 0;
    for (int b = 0; b < MARGINAL_BINS; b++) {
      m->mass[b] = b >= shift && b < shift + bins ? row[2 + b - shift] : 0;
      valid = valid && m->mass[b] >= 0 && (b < m->first || b > m->last + 1 || m->first == m->last || m->mass[b] > 0);
    }
    if (valid) marginal_features(m, norm->feature + (size_t)e * MARGINAL_BINS * MARGINAL_TILT);
  }
  PetscCall(PetscFree(table));
  if (!valid) SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /normaliser/marginals are no laws");
  PetscFunctionReturn(0);
}

static PetscErrorCode GetArrays(ScoriaStore store, NormLateral norm)
{
  NormArray list[ARRAYS];
  PetscFunctionBeginUser;
  list_arrays(norm, list);
  for (int i = 0; i < ARRAYS; i++)
    if (list[i].dims[list[i].rank - 1] > 0) PetscCall(NormArrayLoad(store, &list[i]));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralLoad(ScoriaStore store, void **self)
{
  NormLateral norm;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&norm));
  PetscCall(ScoriaStoreGetSpace(store, &norm->space));
  for (int j = 0; j < norm->space.n; j++)
    if (norm->space.c[j].lo < norm->space.c[j].hi) norm->vary[norm->d++] = j;
  PetscCall(GetShape(store, norm));
  const int r = norm->r;
  PetscCall(LateralSetUp(norm));
  PetscCall(GetWaves(store, norm));
  PetscCall(NormPolyLoad(store, "/normaliser/mean_powers", norm->d, &norm->mean));
  PetscCall(NormPolyLoad(store, "/normaliser/scale_powers", norm->d, &norm->scale));
  PetscCall(NormPolyLoad(store, "/normaliser/shape_powers", norm->d, &norm->shape));
  PetscCall(LateralSetCoefficients(norm));
  PetscCall(LateralSetModes(norm));
  if (modulation_bends(norm)) PetscCall(ModulationCreate(norm));
  PetscCall(GetMarginals(store, norm));
  PetscCall(GetArrays(store, norm));
  PetscCall(LateralOrder(norm, r));
  if (norm->r != r)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: %d coordinates learned do not end with a mode of the %d", r, norm->R);
  *self = norm;
  PetscFunctionReturn(0);
}
