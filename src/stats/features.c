/* The numbers of one row of whole fields. */
#include "whole.h"
#include "sort.h"
#include <math.h>
#include <string.h>

const ScoriaHotRow scoria_hot[SCORIA_NHOT] = {
    [SCORIA_HOT_MAX]   = {"max", "largest value", false},
    [SCORIA_HOT_MIN]   = {"min", "smallest value", false},
    [SCORIA_HOT_HIGH]  = {"high", "value that 1 % of the cells exceed", false},
    [SCORIA_HOT_LOW]   = {"low", "value that 99 % of the cells exceed", false},
    [SCORIA_HOT_MAX_X] = {"x_max", "where along x the largest value is", true},
    [SCORIA_HOT_MIN_X] = {"x_min", "where along x the smallest value is", true},
};

/* -------------------------------------------------------------------------------------------------- set-up ---- */

static double wave_number(const ScoriaFeaturesGrid *of, int ky, int kz)
{
  const int signed_z = kz > of->n[2] / 2 ? kz - of->n[2] : kz;
  /* an axis of one cell may have no length */
  return hypot(ky ? ky / of->length[1] : 0, signed_z ? signed_z / of->length[2] : 0);
}

/* Its places along y and z. */
static int lateral(const ScoriaFeaturesGrid *of)
{
  return of->n[1] * of->n[2];
}

/* As wide as the smallest wave number, or as few as there is room for. */
static void choose_bins(ScoriaFeatures f)
{
  double most = 0, extent = 0;
  for (int c = 0; c < f->of.channels; c++) {
    const ScoriaFeaturesGrid *of = &f->grid[c];
    most                         = PetscMax(most, wave_number(of, of->n[1] / 2, of->n[2] / 2));
    extent =
        PetscMax(extent, PetscMax(of->n[1] > 1 || !f->of.own ? of->length[1] : 0, of->n[2] > 1 ? of->length[2] : 0));
  }
  f->width = PetscMax(1 / extent, most / (SCORIA_FEATURE_BINS - 1));
  f->bins  = (int)(most / f->width + 0.5);
  f->bins  = PetscClipInterval(f->bins, 1, SCORIA_FEATURE_BINS);
}

int features_wave_numbers(ScoriaFeatures f, double number[SCORIA_FEATURE_BINS])
{
  for (int b = 0; b < f->bins; b++) number[b] = (b + 1) * f->width;
  return f->bins;
}

int features_size(ScoriaFeatures f)
{
  return f->size;
}

static void lay_out(ScoriaFeatures f)
{
  const int C    = f->of.channels;
  f->means       = FEATURE_PLACES * f->columns;
  f->spread      = f->means + f->columns;
  f->spectrum    = f->spread + f->columns;
  f->hot         = f->spectrum + C * f->bins;
  f->projections = f->hot + C * SCORIA_NHOT;
  f->size        = f->projections + f->of.directions * f->columns;
}

/* Normals, 0 behind the cells of a channel, and per column the sum of their squares. */
static PetscErrorCode DrawDirections(ScoriaFeatures f)
{
  const int row = f->of.channels * f->cells;
  PetscFunctionBeginUser;
  for (int d = 0; d < f->of.directions; d++) {
    float *g     = f->direction + (size_t)d * row;
    double *sums = f->square + (size_t)d * f->columns;
    rng_normalf(f->of.seed, SCORIA_STREAM_DIRECTION, (uint64_t)d, 0, row, g);
    memset(sums, 0, (size_t)f->columns * sizeof *sums);
    for (int c = 0; c < f->of.channels; c++, g += f->cells) {
      const int nx = f->grid[c].n[0], cells = nx * lateral(&f->grid[c]);
      for (int i = 0; i < cells; i++) sums[c * f->nx + i % nx] += (double)g[i] * g[i];
      for (int i = cells; i < f->cells; i++) g[i] = 0;
    }
  }
  PetscFunctionReturn(0);
}

/* Every channel's cells, the centres of its own. */
static PetscErrorCode CopyGrids(const ScoriaFeaturesSpec *spec, ScoriaFeatures f)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < spec->channels; c++) {
    const ScoriaFeaturesGrid *grid = spec->own ? &spec->own[c] : &spec->grid;
    double *x;
    PetscCall(PetscMalloc1(grid->n[0], &x));
    PetscCall(PetscArraycpy(x, grid->x, grid->n[0]));
    f->grid[c]   = *grid;
    f->grid[c].x = x;
    f->cells     = PetscMax(f->cells, grid->n[0] * lateral(grid));
    f->nx        = PetscMax(f->nx, grid->n[0]);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PlanWaves(ScoriaFeatures f)
{
  size_t most = 0;
  PetscFunctionBeginUser;
  for (int c = 0; c < f->of.channels; c++) {
    const int *n = f->grid[c].n;
    most         = PetscMax(most, (size_t)n[2] * (n[1] / 2 + 1) * n[0]);
  }
  f->in    = fftw_alloc_real((size_t)f->cells);
  f->waves = fftw_alloc_complex(most);
  PetscCheck(f->in && f->waves, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for %d cells", f->cells);
  for (int c = 0; c < f->of.channels; c++) {
    const int *n = f->grid[c].n, plane[2] = {n[2], n[1]};
    if (c && !memcmp(n, f->grid[c - 1].n, sizeof f->grid[c].n)) continue;
    f->plan[c] = fftw_plan_many_dft_r2c(2, plane, n[0], f->in, NULL, n[0], 1, f->waves, NULL, n[0], 1, FFTW_ESTIMATE);
    PetscCheck(f->plan[c], PETSC_COMM_SELF, PETSC_ERR_LIB, "FFTW has no plan for %d x %d places", n[1], n[2]);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFeaturesCreate(const ScoriaFeaturesSpec *spec, ScoriaFeatures *out)
{
  ScoriaFeatures f;
  PetscFunctionBeginUser;
  PetscCheck(spec->channels > 0 && spec->channels <= SCORIA_FEATURE_CHANNELS && spec->directions > 0, PETSC_COMM_SELF,
             PETSC_ERR_ARG_OUTOFRANGE, "%d channels, %d directions", spec->channels, spec->directions);
  PetscCall(PetscNew(&f));
  f->of = *spec;
  PetscCall(CopyGrids(spec, f));
  f->columns = spec->channels * f->nx;
  choose_bins(f);
  lay_out(f);
  const size_t row = (size_t)f->cells * spec->channels;
  PetscCall(PetscMalloc1(row * spec->directions, &f->direction));
  PetscCall(PetscMalloc3((size_t)f->columns * spec->directions, &f->square, f->cells, &f->sorted, f->cells, &f->work));
  PetscCall(PlanWaves(f));
  PetscCall(DrawDirections(f));
  *out = f;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFeaturesDestroy(ScoriaFeatures *out)
{
  ScoriaFeatures f = *out;
  PetscFunctionBeginUser;
  if (!f) PetscFunctionReturn(0);
  for (int c = 0; c < f->of.channels; c++) {
    if (f->plan[c]) fftw_destroy_plan(f->plan[c]);
    PetscCall(PetscFree(f->grid[c].x));
  }
  fftw_free(f->in);
  fftw_free(f->waves);
  PetscCall(PetscFree3(f->square, f->sorted, f->work));
  PetscCall(PetscFree(f->direction));
  PetscCall(PetscFree(*out));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- a row ---- */

/* The columns at four lateral places, far from each other; in two dimensions along y alone. */
static void take_places(ScoriaFeatures f, int c, const double field[], double out[])
{
  const int nx = f->grid[c].n[0], ny = f->grid[c].n[1], nz = f->grid[c].n[2];
  for (int p = 0; p < FEATURE_PLACES; p++) {
    const int j = nz > 1 ? p % 2 * (ny / 2) : p * ny / FEATURE_PLACES, k = nz > 1 ? p / 2 * (nz / 2) : 0;
    memcpy(out + (size_t)p * f->columns + c * f->nx, field + (size_t)(k * ny + j) * nx, (size_t)nx * sizeof *out);
  }
}

/* Lateral mean and variance through the thickness. */
static void take_moments(const ScoriaFeaturesGrid *of, const double field[], double mean[], double variance[])
{
  const int nx = of->n[0], places = lateral(of);
  for (int l = 0; l < places; l++)
    for (int i = 0; i < nx; i++) mean[i] += field[(size_t)l * nx + i];
  for (int i = 0; i < nx; i++) mean[i] /= places;
  for (int l = 0; l < places; l++)
    for (int i = 0; i < nx; i++) {
      const double d = field[(size_t)l * nx + i] - mean[i];
      variance[i] += d * d / places;
    }
}

static fftw_plan plan_of(ScoriaFeatures f, int c)
{
  while (!f->plan[c]) c--;
  return f->plan[c];
}

/* Lateral variance by wave number, mean over x (Parseval). */
static void take_spectrum(ScoriaFeatures f, int c, const double field[], double out[])
{
  const ScoriaFeaturesGrid *of = &f->grid[c];
  const int nx = of->n[0], ny = of->n[1], nz = of->n[2];
  const double scale = 1 / ((double)lateral(of) * lateral(of) * nx);
  memcpy(f->in, field, (size_t)nx * lateral(of) * sizeof *field);
  fftw_execute(plan_of(f, c));
  for (int kz = 0; kz < nz; kz++)
    for (int ky = 0; ky <= ny / 2; ky++) {
      const fftw_complex *wave = f->waves + (size_t)(kz * (ny / 2 + 1) + ky) * nx;
      const double twice       = ky > 0 && 2 * ky < ny ? 2 : 1; /* its negative is not stored */
      const int bin            = (int)(wave_number(of, ky, kz) / f->width + 0.5) - 1;
      if (!ky && !kz) continue;
      double sum = 0;
      for (int i = 0; i < nx; i++) sum += creal(wave[i]) * creal(wave[i]) + cimag(wave[i]) * cimag(wave[i]);
      out[PetscClipInterval(bin, 0, f->bins - 1)] += twice * scale * sum;
    }
}

static void take_hot(ScoriaFeatures f, int c, const double field[], double out[])
{
  const ScoriaFeaturesGrid *of = &f->grid[c];
  const int nx                 = of->n[0];
  const int64_t n              = (int64_t)nx * lateral(of);
  int64_t high = 0, low = 0;
  for (int64_t i = 1; i < n; i++) {
    if (field[i] > field[high]) high = i;
    if (field[i] < field[low]) low = i;
  }
  memcpy(f->sorted, field, (size_t)n * sizeof *field);
  sort_ascending(n, f->sorted, f->work);
  out[SCORIA_HOT_MAX]   = field[high];
  out[SCORIA_HOT_MIN]   = field[low];
  out[SCORIA_HOT_HIGH]  = stats_quantile(n, f->sorted, 0.99);
  out[SCORIA_HOT_LOW]   = stats_quantile(n, f->sorted, 0.01);
  out[SCORIA_HOT_MAX_X] = of->x[high % nx];
  out[SCORIA_HOT_MIN_X] = of->x[low % nx];
}

/* Products with the directions, apart for every column, whose scale is not known yet. */
static void take_projections(ScoriaFeatures f, int c, const double field[], double out[])
{
  const int nx     = f->grid[c].n[0];
  const size_t row = (size_t)f->of.channels * f->cells;
  for (int d = 0; d < f->of.directions; d++) {
    const float *g  = f->direction + d * row + (size_t)c * f->cells;
    const double *v = field;
    double *sum     = out + (size_t)d * f->columns + (size_t)c * f->nx;
    for (int l = 0; l < lateral(&f->grid[c]); l++, g += nx, v += nx)
      for (int i = 0; i < nx; i++) sum[i] += (double)g[i] * v[i];
  }
}

void features_take(ScoriaFeatures f, const double fields[], double out[])
{
  memset(out, 0, (size_t)f->size * sizeof *out);
  for (int c = 0; c < f->of.channels; c++) {
    const double *field = fields + (size_t)c * f->cells;
    take_places(f, c, field, out);
    take_moments(&f->grid[c], field, out + f->means + c * f->nx, out + f->spread + c * f->nx);
    take_spectrum(f, c, field, out + f->spectrum + c * f->bins);
    take_hot(f, c, field, out + f->hot + c * SCORIA_NHOT);
    take_projections(f, c, field, out + f->projections);
  }
}
