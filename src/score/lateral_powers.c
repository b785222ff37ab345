/* Powers of fields by wave number over the conditions.
 *
 * Modes give scores the covariance that those of the rows have, but marginal laws, applied to Gaussian scores, make
 * waves of twice and three times a wave number, which in solves are weaker: short waves of c came out a tenth to a
 * third too strong.  So powers of the rows, by channel and wave number, over those of the law are regressed on the
 * conditions, and waves of scores are scaled by their root.  Powers of the law follow from the correlation of scores at
 * every lateral distance, rho, by the Hermite coefficients a_n of a field as a function of its score:
 * covariance = sum_n a_n^2 rho^n (Lancaster, Biometrika 44, 289 (1957)).  Where most of a wave is such a harmonic its
 * power stays too large by a part; to scale it by more was worse, by the chance of the rows. */
#include "scoria/linalg.h"
#include "lateral_fit.h"
#include <math.h>
#include <string.h>

#define HERMITES 8  /* degrees 1 ... 8 */
#define STEP 0.0625 /* between normals, a quarter of that between knots, */
#define POINTS 192  /* from -6 to 6 */
#define LEAST 1e-9  /* of a variance, to the mean over its channel: below, an element does not vary */

typedef struct {
  double *ratio;  /* owned (n, classes, C): power of rows over that of the law */
  double *square; /* owned (E, HERMITES): a_n^2 */
  double *law;    /* owned (classes, E): power of a coordinate */
  double *found;  /* owned (classes, C): of the rows of a piece, elements over their variance */
  double *mean;   /* owned (E) */
  double *share;  /* owned (E): 1 / variance; 0: the element does not vary */
} Powers;

/* a_n^2 of the values of element e whose v (MARGINAL_KNOTS) are at knots of a standard normal; their mean. */
static double hermite_squares(const NormLateral norm, int e, const double knot[], double square[HERMITES])
{
  double a[HERMITES] = {0}, mean = 0;
  for (int i = 0; i <= POINTS; i++) {
    const double s      = (i - POINTS / 2) * STEP;
    const double weight = STEP * exp(-0.5 * s * s) / sqrt(2 * PETSC_PI);
    double slope, v = marginal_between(knot, s / LATERAL_STEP, &slope);
    lateral_values_back(norm, e, 1, &v);
    mean += weight * v;
    double before = 0, now = 1; /* sqrt(n + 1) h_{n+1} = s h_n - sqrt(n) h_{n-1} */
    for (int n = 0; n < HERMITES; n++) {
      const double next = (s * now - sqrt(n) * before) / sqrt(n + 1);
      before            = now;
      now               = next;
      a[n] += weight * v * now;
    }
  }
  for (int n = 0; n < HERMITES; n++) square[n] = a[n] * a[n];
  return mean;
}

static void set_squares(const NormLateral norm, Powers *s)
{
  const double *knot = modulation_bends(norm) ? norm->modulation.plain : norm->knot;
  for (int c = 0; c < norm->C; c++) {
    double mean = 0;
    for (int x = 0; x < norm->nx; x++) {
      const int e    = c * norm->nx + x;
      double *square = s->square + (size_t)e * HERMITES;
      s->mean[e]     = hermite_squares(norm, e, knot + (size_t)e * MARGINAL_KNOTS, square);
      s->share[e]    = 0;
      for (int n = 0; n < HERMITES; n++) s->share[e] += square[n];
      mean += s->share[e] / norm->nx;
    }
    for (int x = 0; x < norm->nx; x++) {
      double *variance = &s->share[c * norm->nx + x];
      *variance        = *variance > LEAST * mean ? 1 / *variance : 0;
    }
  }
}

/* Covariances of scores (C, nz, ny, nx) at all distances from the first place become those of fields. */
static void covariances(const NormLateral norm, const Powers *s, double grid[])
{
  for (int c = 0; c < norm->C; c++) {
    double *const here = grid + (size_t)c * norm->N * norm->nx, *variance = norm->profile;
    memcpy(variance, here, sizeof *here * (size_t)norm->nx);
    for (int i = 0; i < norm->N * norm->nx; i++) {
      const int x          = i % norm->nx;
      const double *square = s->square + (size_t)(c * norm->nx + x) * HERMITES;
      const double rho     = variance[x] > 0 ? here[i] / variance[x] : 0;
      double sum           = 0;
      for (int n = HERMITES - 1; n >= 0; n--) sum = rho * (square[n] + sum);
      here[i] = sum;
    }
  }
}

/* law at the condition that norm is at. */
static void set_law(const NormLateral norm, Powers *s)
{
  const Waves *w = &norm->waves;
  set_squares(norm, s);
  for (int c = 0; c < w->classes; c++) {
    double *power = norm->row;
    memset(power, 0, sizeof *power * (size_t)norm->E);
    for (int k = 0; k < norm->kept[c]; k++) {
      const double *unit = norm->W + (size_t)(norm->mode[c] + k) * norm->E;
      for (int e = 0; e < norm->E; e++) power[e] += unit[e] * unit[e];
    }
    for (int e = 0; e < norm->E; e++) power[e] *= swell_power(norm, c, e);
    waves_put_power(w, &w->class[c], power);
  }
  waves_back(w, w->ny / 2);
  covariances(norm, s, w->grid);
  fftw_execute(w->forward);
  for (int c = 0; c < w->classes; c++) waves_take_power(w, &w->class[c], s -> law + (size_t)c * norm -> E);
}

/* Adds the powers of the field whose v is in waves.grid. */
static void add_powers(const NormLateral norm, double weight, Powers *s)
{
  const Waves *w     = &norm->waves;
  const int64_t each = (int64_t)norm->N * norm->nx;
  for (int c = 0; c < norm->C; c++) lateral_values_back(norm, c * norm->nx, each, w->grid + c * each);
  for (int i = 0; i < norm->m; i++) w->grid[i] -= s->mean[i / each * norm->nx + i % norm->nx];
  fftw_execute(w->forward);
  for (int c = 0; c < w->classes; c++) {
    const int width = wave_coordinates(&w->class[c]);
    waves_take(w, &w->class[c], norm -> row);
    for (int j = 0; j < width; j++)
      for (int e = 0; e < norm->E; e++) {
        const double a = norm->row[(size_t)j * norm->E + e];
        s->found[c * norm->C + e / norm->nx] += weight / width * a * a * s->share[e];
      }
  }
}

/* Of channel i, elements over their variance. */
static double channel_power(const NormLateral norm, const Powers *s, int i, const double power[])
{
  double sum = 0;
  for (int e = i * norm->nx; e < (i + 1) * norm->nx; e++) sum += power[e] * s->share[e];
  return sum;
}

static PetscErrorCode powers_visit(void *ctx, LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  const int channels     = norm->waves.classes * norm->C;
  Powers *s              = ctx;
  double *ratio = s->ratio + (size_t)i * (size_t)channels, rows = 0;
  PetscFunctionBeginUser;
  lateral_set_piece(data, i);
  lateral_set_modes(norm, data->u + i * norm->d);
  set_law(norm, s);
  memset(s->found, 0, sizeof *s->found * (size_t)channels);
  for (int64_t k = 0; k < data->buffer.rows; k++) {
    if (!lateral_data_row(data, k, norm->waves.grid)) continue;
    bool finite = true;
    for (int j = 0; j < norm->m; j++) finite = finite && isfinite(norm->waves.grid[j]);
    if (!finite) continue;
    rows += lateral_row_weight(data, i, k);
    add_powers(norm, lateral_row_weight(data, i, k), s);
  }
  for (int k = 0; k < channels && rows > 0; k++) {
    const double law = rows * channel_power(norm, s, k % norm->C, s->law + (size_t)(k / norm->C) * (size_t)norm->E);
    if (norm->kept[k / norm->C] && law > 0 && s->found[k] > 0) ratio[k] = s->found[k] / law;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode LateralFitPowers(LateralData *data)
{
  const NormLateral norm = data->norm;
  const size_t channels = (size_t)(norm->waves.classes * norm->C), rows = (size_t)data->n + 1;
  const NormDesign design = lateral_design(data, norm->shape.terms, data->shape_X, (int)channels);
  const size_t E          = (size_t)norm->E;
  Powers s;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc6(rows * channels, &s.ratio, E * HERMITES, &s.square, (size_t)norm->waves.classes * E, &s.law,
                         channels, &s.found, E, &s.mean, E, &s.share));
  for (size_t k = 0; k < rows * channels; k++) s.ratio[k] = 1;
  PetscCall(LateralDataWalk(data, "powers", true, powers_visit, &s));
  PetscCall(NormGammaRegression(&design, s.ratio, norm->power_coef));
  for (size_t k = 0; k < (size_t)norm->shape.terms * channels; k++) norm->power_coef[k] /= 2; /* of deviations */
  norm->powers = true;
  PetscCall(PetscFree6(s.ratio, s.square, s.law, s.found, s.mean, s.share));
  PetscFunctionReturn(0);
}
