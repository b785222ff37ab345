/* POD at work, and in files. */
#include "pod.h"
#include "scoria/linalg.h"
#include "normaliser_store.h"
#include <math.h>
#include <string.h>

PetscErrorCode PodCreate(ScoriaDataset ds, int nchannels, const ScoriaTwin *twin, const ScoriaNormaliserOptions *opt,
                         void **self)
{
  const ScoriaDatasetSpec *spec;
  Pod *pod;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  if (!opt->whitening)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_whitening is false, expected true for whole fields of basis pod");
  for (int c = 0; c < nchannels && twin; c++)
    if (twin->solve || isfinite(twin->reference[c]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "basis pod: whole fields have no baseline and no reference (import_reference) here");
  PetscCall(PetscNew(&pod));
  *pod       = (Pod){.C = nchannels, .L = spec->cells, .m = nchannels * spec->cells, .kept = 0};
  pod->space = opt->space ? *opt->space : spec->space;
  memcpy(pod->shape, spec->shape, sizeof pod->shape);
  PetscCall(PetscCalloc2(pod->m, &pod->mean, pod->C, &pod->scale));
  for (int c = 0; c < nchannels; c++) pod->bounds[c] = bounds_of(twin, c);
  for (int c = 0; c < nchannels; c++) pod->own[c] = spec->field[c].cells;
  *self = pod;
  PetscFunctionReturn(0);
}

PetscErrorCode PodSetUp(Pod *pod)
{
  const size_t m = (size_t)pod->m, K = (size_t)pod->K;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc5(m * K, &pod->to, K * m, &pod->from, K * K, &pod->gram, NORM_TILE * m, &pod->tile,
                         NORM_TILE * K, &pod->coefs));
  for (size_t k = 0; k < K; k++)
    for (size_t j = 0; j < m; j++) {
      const double s       = pod->scale[j / (size_t)pod->L];
      pod->to[j * K + k]   = pod->U[k * m + j] / s;
      pod->from[k * m + j] = pod->U[k * m + j] * s;
    }
  la_gemm(false, true, pod->K, pod->K, pod->m, 1, pod->from, pod->m, pod->from, pod->m, 0, pod->gram, pod->K);
  PetscFunctionReturn(0);
}

PetscErrorCode PodDestroy(void *self)
{
  Pod *pod = self;
  PetscFunctionBeginUser;
  if (!pod) PetscFunctionReturn(0);
  if (pod->inner) PetscCall(ProfileDestroy(pod->inner));
  PetscCall(PetscFree2(pod->mean, pod->scale));
  PetscCall(PetscFree2(pod->U, pod->weight));
  PetscCall(PetscFree5(pod->to, pod->from, pod->gram, pod->tile, pod->coefs));
  PetscCall(PetscFree(pod));
  PetscFunctionReturn(0);
}

void pod_sizes(void *self, NormSizes *sizes)
{
  const Pod *pod = self;
  profile_sizes(pod->inner, sizes);
  sizes->channels = pod->C;
  sizes->cells    = pod->L;
  memcpy(sizes->shape, pod->shape, sizeof pod->shape);
}

const ScoriaSpace *pod_space(void *self)
{
  return &((Pod *)self)->space;
}

PetscErrorCode PodAt(void *self, const ScoriaTwin *twin, const double theta[])
{
  PetscFunctionBeginUser;
  PetscCall(ProfileAt(((Pod *)self)->inner, twin, theta));
  PetscFunctionReturn(0);
}

void pod_coefficients(const Pod *pod, int64_t n, const double fields[], double out[])
{
  for (int64_t first = 0; first < n; first += NORM_TILE) {
    const int64_t rows = PetscMin(n - first, NORM_TILE);
    memcpy(pod->tile, fields + first * pod->m, (size_t)(rows * pod->m) * sizeof *fields);
    bounds_to_all(pod->bounds, rows, pod->C, pod->L, pod->tile);
    for (int64_t i = 0; i < rows; i++)
      for (int j = 0; j < pod->m; j++) pod->tile[i * pod->m + j] -= pod->mean[j];
    la_rows_product(rows, pod->m, pod->K, pod->tile, pod->to, NULL, out + first * pod->K);
  }
}

void pod_encode(void *self, int64_t n, const double fields[], double y[])
{
  const Pod *pod = self;
  for (int64_t first = 0; first < n; first += NORM_TILE) {
    const int64_t rows = PetscMin(n - first, NORM_TILE);
    pod_coefficients(pod, rows, fields + first * pod->m, pod->coefs);
    profile_encode(pod->inner, rows, pod->coefs, y + first * pod->inner->R);
  }
}

void pod_blank(const Pod *pod, int64_t n, double v[])
{
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < pod->C && pod->own[c]; c++)
      for (int j = pod->own[c]; j < pod->L; j++) v[i * pod->m + (int64_t)c * pod->L + j] = 0;
}

/* A field holds its last value there. */
static void pad(const Pod *pod, int64_t n, double fields[])
{
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < pod->C && pod->own[c]; c++) {
      double *v = fields + i * pod->m + (int64_t)c * pod->L;
      for (int j = pod->own[c]; j < pod->L; j++) v[j] = v[pod->own[c] - 1];
    }
}

void pod_decode(void *self, int64_t n, const double y[], double fields[])
{
  const Pod *pod = self;
  for (int64_t first = 0; first < n; first += NORM_TILE) {
    const int64_t rows = PetscMin(n - first, NORM_TILE);
    profile_decode(pod->inner, rows, y + first * pod->inner->R, pod->coefs);
    la_rows_product(rows, pod->K, pod->m, pod->coefs, pod->from, pod->mean, fields + first * pod->m);
    bounds_back_all(pod->bounds, rows, pod->C, pod->L, fields + first * pod->m);
    pad(pod, rows, fields + first * pod->m);
  }
}

static bool has_bounds(const Pod *pod)
{
  bool any = false;
  for (int c = 0; c < pod->C; c++) any = any || pod->bounds[c].on;
  return any;
}

/* gram (K, K) of the rows of `from` times dx/dv at y, where fields have bounds.  work: K + m + K m. */
static void gram_at(const Pod *pod, const double y[], double gram[], double work[])
{
  const int K = pod->K, m = pod->m;
  double *coefs = work, *v = coefs + K, *J = v + m;
  profile_decode(pod->inner, 1, y, coefs);
  la_rows_product(1, K, m, coefs, pod->from, pod->mean, v);
  for (int j = 0; j < m; j++) {
    const NormBounds *b = &pod->bounds[j / pod->L];
    const double rate   = b->on ? bounds_rate(b, v[j]) : 1;
    for (int k = 0; k < K; k++) J[(size_t)k * m + j] = rate * pod->from[(size_t)k * m + j];
  }
  la_gemm(false, true, K, K, m, 1, J, m, J, m, 0, gram, K);
}

/* J = D `from` diag(dx/dv), D (R, K) of the coefficients: J J^T = D gram D^T. */
double pod_log_volume(void *self, const double y[], double work[])
{
  const Pod *pod = self;
  const int R = pod->inner->R, K = pod->K;
  double *product = work, *gram = work + (size_t)R * K, *at = gram + (size_t)R * R, sum = 0;
  for (int k = 0; k < R; k++)
    if (!isfinite(y[k])) return NAN;
  if (has_bounds(pod)) gram_at(pod, y, at, at + (size_t)K * K);
  la_gemm(false, false, R, K, K, 1, pod->inner->decode, K, has_bounds(pod) ? at : pod->gram, K, 0, product, K);
  la_gemm(false, true, R, R, K, 1, product, K, pod->inner->decode, K, 0, gram, R);
  if (!la_cholesky(R, gram)) return NAN;
  for (int k = 0; k < R; k++) sum += log(gram[(size_t)k * R + k]);
  return sum;
}

size_t pod_volume_work(void *self)
{
  const Pod *pod = self;
  const size_t R = (size_t)pod->inner->R, K = (size_t)pod->K, m = (size_t)pod->m;
  return R * (K + R) + (has_bounds(pod) ? K * K + K + m + K * m : 0);
}

const double *pod_modes(void *self)
{
  (void)self;
  return NULL;
}

/* ------------------------------------------------------------------------------------------------------- files ---- */

PetscErrorCode PodSave(void *self, ScoriaStore store)
{
  const Pod *pod        = self;
  const int64_t dims[3] = {pod->K, pod->C, pod->L}, C = pod->C;
  const int64_t given                    = pod->own[0] ? 4 + C : 4; /* which earlier versions do not read */
  double settings[4 + SCORIA_MAX_FIELDS] = {pod->shape[0], pod->shape[1], pod->shape[2], pod->kept};
  PetscFunctionBeginUser;
  for (int c = 0; c < pod->C; c++) settings[4 + c] = pod->own[c];
  PetscCall(ProfileSave(pod->inner, store));
  PetscCall(ScoriaStorePutReals(store, "/normaliser/pod_settings", 1, &given, settings, "",
                                "cells along x, y, z, of that field which has most; share of the variance that the POD "
                                "modes carry; cells of every field, where they differ: modes are 0 behind them, and a "
                                "field its last value"));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/pod_settings", "pod_setting"));
  PetscCall(ScoriaStorePutReals(store, "/normaliser/pod_mean", 2, dims + 1, pod->mean, "",
                                "mean of the training rows (channel, cell)"));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/pod_mean", "pod_field cell"));
  PetscCall(ScoriaStorePutReals(store, "/normaliser/pod_scale", 1, &C, pod->scale, "",
                                "rms over cells of the standard deviation (channel)"));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/pod_scale", "pod_field"));
  PetscCall(BoundsSave(store, "/normaliser/pod_bounds", pod->C, pod->bounds, "pod_field pod_bound"));
  PetscCall(ScoriaStorePutReals(store, "/normaliser/pod_modes", 3, dims, pod->U, "",
                                "orthonormal modes of (field - mean) / scale, whose coefficients the other arrays are "
                                "of (mode, channel, cell)"));
  PetscCall(ScoriaStorePutAxes(store, "/normaliser/pod_modes", "pod_mode pod_field cell"));
  PetscFunctionReturn(0);
}

#define MOST_CELLS (1 << 27)

PetscErrorCode PodLoad(ScoriaStore store, void **self)
{
  int64_t dims[3];
  double settings[4 + SCORIA_MAX_FIELDS] = {0};
  void *inner;
  Pod *pod;
  PetscFunctionBeginUser;
  PetscCall(ProfileLoad(store, &inner));
  PetscCall(PetscNew(&pod));
  pod->inner          = inner;
  pod->inner->encoded = true;
  PetscCall(NormStoreShape(store, "/normaliser/pod_settings", 1, dims));
  const int64_t given = dims[0];
  if (given < 4 || given > 4 + SCORIA_MAX_FIELDS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /normaliser/pod_settings has %lld values", (long long)given);
  PetscCall(ScoriaStoreGetReals(store, "/normaliser/pod_settings", given, settings));
  PetscCall(NormStoreShape(store, "/normaliser/pod_modes", 3, dims));
  if (dims[0] != pod->inner->L || pod->inner->C != 1 || dims[1] < 1 || dims[1] > SCORIA_MAX_FIELDS || dims[2] < 1 ||
      (double)dims[1] * (double)dims[2] > MOST_CELLS || settings[0] * settings[1] * settings[2] != (double)dims[2])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /normaliser/pod_modes has %lld modes of %lld x %lld values",
                (long long)dims[0], (long long)dims[1], (long long)dims[2]);
  pod->space = pod->inner->space;
  pod->K     = (int)dims[0];
  pod->C     = (int)dims[1];
  pod->L     = (int)dims[2];
  pod->m     = pod->C * pod->L;
  pod->kept  = settings[3];
  for (int a = 0; a < 3; a++) pod->shape[a] = (int)settings[a];
  if (given > 4 && given != 4 + pod->C)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /normaliser/pod_settings has %lld values", (long long)given);
  for (int c = 0; c < pod->C && given > 4; c++) {
    if (!(settings[4 + c] >= 1 && settings[4 + c] <= pod->L))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /normaliser/pod_settings: found %g cells, expected 1 to %d",
                  settings[4 + c], pod->L);
    pod->own[c] = (int)settings[4 + c];
  }
  PetscCall(PetscCalloc2(pod->m, &pod->mean, pod->C, &pod->scale));
  PetscCall(PetscCalloc2((size_t)pod->K * pod->m, &pod->U, pod->K, &pod->weight));
  PetscCall(ScoriaStoreGetReals(store, "/normaliser/pod_mean", pod->m, pod->mean));
  PetscCall(ScoriaStoreGetReals(store, "/normaliser/pod_scale", pod->C, pod->scale));
  PetscCall(BoundsLoad(store, "/normaliser/pod_bounds", pod->C, pod->bounds));
  PetscCall(ScoriaStoreGetReals(store, "/normaliser/pod_modes", (int64_t)pod->K * pod->m, pod->U));
  PetscCall(PodSetUp(pod));
  *self = pod;
  PetscFunctionReturn(0);
}
