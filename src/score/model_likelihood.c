/* Densities of given fields under the model: encoded, followed to noise by the probability flow, with the trace of the
 * network's Jacobian by its backward pass.
 *
 * Rows go through the network in tiles of one size, row `first + i` of a list always standing at that number modulo the
 * tile: its bits do not depend on how the list is split. */
#include "log_density.h"
#include "model.h"
#include "net.h"
#include "scoria/phases.h"
#include "basis.h"
#include <math.h>
#include <string.h>

/* The network with a backward pass, for one tile.  Floats (tile, r) but label (tile), u (tile, d). */
typedef struct {
  ScoriaNet net;
  int tile, at, r, d; /* at: where in the tile the first row stands */
  double sigma;
  float *x, *F, *dF, *dx, *label, *u;
  const Calibration *calibration; /* borrowed */
} Traced;

static PetscErrorCode TracedCreate(ScoriaModel model, Traced *t)
{
  ScoriaNetSpec spec = model->spec;
  float *basis;
  PetscFunctionBeginUser;
  *t = (Traced){.tile = network_find(spec.kind)->tile, .r = spec.r, .d = spec.d, .calibration = &model->calibration};
  const size_t all = (size_t)t->tile * (size_t)t->r;
  PetscCall(ModelBasis(model->normaliser, &spec, &basis));
  PetscCall(NetCreate(&spec, t->tile, true, &t->net));
  PetscCall(PetscFree(basis));
  PetscCall(PetscArraycpy(net_parameters(t->net), net_parameters(model->net), net_parameter_count(t->net)));
  PetscCall(PetscCalloc6(all, &t->x, all, &t->F, all, &t->dF, all, &t->dx, t->tile, &t->label,
                         (size_t)t->tile * (size_t)t->d + 1, &t->u));
  PetscFunctionReturn(0);
}

static PetscErrorCode TracedDestroy(Traced *t)
{
  PetscFunctionBeginUser;
  PetscCall(NetDestroy(&t->net));
  PetscCall(PetscFree6(t->x, t->F, t->dF, t->dx, t->label, t->u));
  PetscFunctionReturn(0);
}

/* n rows of `from`, times factor, at their place in a tile of zeros. */
static void put_rows(const Traced *t, int n, double factor, const double from[], float tile[])
{
  const size_t start = (size_t)t->at * (size_t)t->r, count = (size_t)n * (size_t)t->r;
  memset(tile, 0, (size_t)t->tile * (size_t)t->r * sizeof(float));
  for (size_t i = 0; i < count; i++) tile[start + i] = (float)(factor * from[i]);
}

static void traced_denoise(void *ctx, int n, const double x[], double sigma, double D[])
{
  Traced *t          = ctx;
  const double root  = sqrt(1 + sigma * sigma);
  const size_t start = (size_t)t->at * (size_t)t->r, count = (size_t)n * (size_t)t->r;
  t->sigma = sigma;
  put_rows(t, n, 1 / root, x, t->x);
  for (int i = 0; i < t->tile; i++) t->label[i] = (float)(0.25 * log(sigma));
  net_forward(t->net, t->tile, t->x, t->label, t->u, t->F);
  for (size_t i = 0; i < count; i++) D[i] = x[i] / (root * root) + sigma / root * t->F[start + i];
}

/* dD/dx = 1 / (1 + sigma^2) + sigma / (1 + sigma^2) dF */
static void traced_pull(void *ctx, int n, const double v[], double vJ[])
{
  Traced *t          = ctx;
  const double share = 1 / (1 + t->sigma * t->sigma);
  const size_t start = (size_t)t->at * (size_t)t->r, count = (size_t)n * (size_t)t->r;
  put_rows(t, n, 1, v, t->dF);
  net_backward_first(t->net, t->tile, t->dF, t->dx);
  for (size_t i = 0; i < count; i++) vJ[i] = share * (v[i] + t->sigma * t->dx[start + i]);
}

double model_volume_bytes(ScoriaModel model)
{
  return (double)normaliser_volume_work(model->normaliser) * sizeof(double);
}

/* Whitened coordinates (n, R) and log volumes (n), unless NULL, of rows of fields, condition by condition. */
static PetscErrorCode EncodeRows(ScoriaModel model, const ScoriaTwin *twin, int64_t n, const double theta[],
                                 const double fields[], double y[], double log_volume[])
{
  ScoriaNormaliser norm = model->normaliser;
  int channels, cells, all_modes;
  double *work = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaNormaliserSizes(norm, &channels, &cells, NULL, &all_modes));
  const size_t m = (size_t)channels * (size_t)cells, R = (size_t)all_modes, d = (size_t)ScoriaNormaliserSpace(norm)->n;
  if (log_volume) PetscCall(PetscMalloc1(normaliser_volume_work(norm), &work));
  for (int64_t start = 0, end; start < n; start = end) {
    const double *at = theta + (size_t)start * d;
    for (end = start + 1; end < n && !memcmp(at, theta + (size_t)end * d, d * sizeof(double));) end++;
    PetscCall(ScoriaNormaliserAt(norm, twin, at));
    normaliser_encode(norm, end - start, fields + (size_t)start * m, y + (size_t)start * R);
    for (int64_t i = start; i < end && log_volume; i++)
      log_volume[i] = normaliser_log_volume(norm, y + (size_t)i * R, work);
  }
  PetscCall(PetscFree(work));
  PetscFunctionReturn(0);
}

/* -infinity where there are no coordinates. */
static double gaussian_log_density(int n, const double y[])
{
  double sum = -0.5 * n * log(2 * PETSC_PI);
  for (int k = 0; k < n; k++) sum -= isfinite(y[k]) ? 0.5 * y[k] * y[k] : INFINITY;
  return sum;
}

/* The inverse of the calibration, of row i of the call, y (r); ln of the volume that the calibration itself makes of a
 * unit. */
static double uncalibrate(const Traced *t, int i, double y[])
{
  const Calibration *c = t->calibration;
  double u[SCORIA_MAX_CONDITIONS], volume = 0;
  if (!c->from) return 0;
  for (int k = 0; k < t->d; k++) u[k] = (double)t->u[(t->at + i) * t->d + k];
  calibration_at(c, u);
  for (int k = 0; k < t->r; k++) {
    y[k] = (y[k] - c->shift[k]) / c->scale[k];
    volume += log(c->scale[k]);
  }
  return volume;
}

/* Rows [start, start + n) of the call, all of one tile; y (n, R) are theirs.  work: the flow's, and (tile, r + 1). */
static void tile_density(Traced *t, const ScoriaLikelihoodOptions *opt, const ScoriaTracedDenoiser *den, int R, int n,
                         const uint64_t id[], const double y[], double work[], const ScoriaLogDensity *out)
{
  double *learned = work + likelihood_work_doubles(t->tile, t->r), *volume = learned + (size_t)t->tile * (size_t)t->r;
  for (int i = 0; i < n; i++) {
    const bool inside = isfinite(out->gaussian[i]);
    for (int k = 0; k < t->r; k++)
      learned[(size_t)i * (size_t)t->r + (size_t)k] = inside ? y[(size_t)i * (size_t)R + (size_t)k] : 0;
    volume[i] = uncalibrate(t, i, learned + (size_t)i * (size_t)t->r);
  }
  likelihood_flow(opt, den, n, id, work, learned, out->log_density);
  for (int i = 0; i < n; i++)
    out->log_density[i] = isfinite(out->gaussian[i]) ? out->log_density[i] - volume[i] +
                                                           gaussian_log_density(R - t->r, y + (size_t)i * R + t->r)
                                                     : -INFINITY;
}

PetscErrorCode ScoriaModelLogDensity(ScoriaModel model, const ScoriaTwin *twin, const ScoriaLikelihoodOptions *opt,
                                     int64_t first, int64_t n, const uint64_t id[], const double theta[],
                                     const double fields[], const ScoriaLogDensity *out)
{
  const ScoriaSpace *space = ScoriaModelSpace(model);
  double *y, *work, unit[SCORIA_MAX_CONDITIONS];
  Traced t;
  int R;
  PetscFunctionBeginUser;
  PetscCall(ScoriaNormaliserSizes(model->normaliser, NULL, NULL, NULL, &R));
  phase_begin(SCORIA_PHASE_LIKELIHOOD);
  PetscCall(TracedCreate(model, &t));
  const ScoriaTracedDenoiser den = {t.r, &t, traced_denoise, traced_pull};
  PetscCall(PetscMalloc2((size_t)n * (size_t)R + 1, &y,
                         likelihood_work_doubles(t.tile, t.r) + (size_t)t.tile * ((size_t)t.r + 1), &work));
  PetscCall(EncodeRows(model, twin, n, theta, fields, y, out->log_volume));
  for (int64_t i = 0; i < n; i++) out->gaussian[i] = gaussian_log_density(R, y + i * R);
  for (int64_t start = 0, rows; start < n && out->log_density; start += rows) {
    t.at = (int)((first + start) % t.tile);
    rows = PetscMin(t.tile - t.at, n - start);
    for (int64_t i = 0; i < rows; i++) {
      space_to_learned(space, theta + (start + i) * space->n, unit);
      for (int k = 0; k < t.d; k++) t.u[(t.at + i) * t.d + k] = (float)unit[k];
    }
    const ScoriaLogDensity part = {.log_density = out->log_density + start, .gaussian = out->gaussian + start};
    tile_density(&t, opt, &den, R, (int)rows, id + start, y + start * R, work, &part);
  }
  PetscCall(PetscFree2(y, work));
  PetscCall(TracedDestroy(&t));
  phase_end(SCORIA_PHASE_LIKELIHOOD, (double)n);
  PetscFunctionReturn(0);
}
