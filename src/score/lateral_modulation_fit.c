/* Fits the size of waves by the smooth field of the leading channel, by one pass over the training rows.
 *
 * Where t = (1 + b (s - r t) + ...) w, E (t^2 - 1) s' = 2 b E t^2 s'^2, s' being s without its regression on t: sums of
 * both sides over lateral places and rows give b.  An element has its own, a channel its trend over the conditions. */
#include "scoria/linalg.h"
#include "lateral_fit.h"
#include <math.h>
#include <string.h>

/* Sums over places and rows, of an element and of the smooth field before it is of variance 1. */
enum { T1, T2, T3, T4, TS, T2S, T3S, T2S2, SUMS };

typedef struct {
  double *sum;       /* owned (n, E, SUMS): means */
  double *S1, *S2;   /* owned (n): of s, of s^2 */
  double *up, *down; /* owned (n, E): E (t^2 - 1) s', 2 E t^2 s'^2 */
} Moments;

/* -------------------------------------------------------------------------------------- the smooth field ---- */

/* Covariance (nx, nx) of the leading channel at the wave numbers of class c. */
static void covariance(const NormLateral norm, int c, double C[])
{
  const int nx = norm->nx;
  memset(C, 0, sizeof *C * (size_t)nx * nx);
  for (int k = 0; k < norm->kept[c]; k++) {
    const int q     = norm->mode[c] + k;
    const double *V = norm->V + (size_t)q * norm->E + norm->modulation.channel * nx;
    for (int i = 0; i < nx; i++)
      for (int j = 0; j < nx; j++) C[i * nx + j] += norm->lambda[q] * V[i] * V[j];
  }
}

/* Its mode and filter, from the modes of all channels; whether the leading channel varies at all. */
static PetscErrorCode SetSmooth(const NormLateral norm, bool *varies)
{
  const int nx  = norm->nx;
  Modulation *m = &norm->modulation;
  double *C, *all, *w, most = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc3(nx * nx, &C, nx * nx, &all, nx, &w));
  for (int c = 0; c < norm->waves.classes; c++) {
    covariance(norm, c, C);
    for (int i = 0; i < nx * nx; i++) all[i] += wave_coordinates(&norm->waves.class[c]) * C[i];
  }
  PetscCall(LinalgEigen(nx, all, w));
  norm_take_mode(nx, all + (size_t)(nx - 1) * nx, m->mode);
  for (int c = 0; c < norm->waves.classes; c++) {
    covariance(norm, c, C);
    m->filter[c] = 0;
    for (int i = 0; i < nx * nx; i++) m->filter[c] += C[i] * m->mode[i / nx] * m->mode[i % nx];
    most = PetscMax(most, m->filter[c]);
  }
  *varies = most > 0;
  for (int c = 0; c < norm->waves.classes && *varies; c++) m->filter[c] /= most;
  PetscCall(PetscFree3(C, all, w));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------- moments ---- */

static void add_field(const NormLateral norm, double weight, const double t[], Moments *s, int64_t i)
{
  const double *smooth = norm->modulation.s;
  double *sums         = s->sum + (size_t)i * norm->E * SUMS;
  for (int c = 0; c < norm->C; c++)
    for (int p = 0; p < norm->N; p++)
      for (int x = 0; x < norm->nx; x++, t++) {
        const double a = *t, b = smooth[p], aa = a * a, ab = a * b;
        double *to = sums + (size_t)(c * norm->nx + x) * SUMS;
        to[T1] += weight * a;
        to[T2] += weight * aa;
        to[T3] += weight * aa * a;
        to[T4] += weight * aa * aa;
        to[TS] += weight * ab;
        to[T2S] += weight * a * ab;
        to[T3S] += weight * aa * ab;
        to[T2S2] += weight * ab * ab;
      }
  for (int p = 0; p < norm->N; p++) {
    s->S1[i] += weight * smooth[p];
    s->S2[i] += weight * smooth[p] * smooth[p];
  }
}

static PetscErrorCode moments_visit(void *ctx, LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  double *t = norm->waves.grid, rows = 0;
  Moments *s = ctx;
  PetscFunctionBeginUser;
  lateral_set_piece(data, i);
  s->S2[i] = 0;
  for (int64_t k = 0; k < data->buffer.rows; k++) {
    if (!lateral_row_scores(data, k)) continue;
    modulation_smooth(norm, t);
    add_field(norm, lateral_row_weight(data, i, k), t, s, i);
    rows += lateral_row_weight(data, i, k);
  }
  const double share = rows > 0 ? 1 / (rows * norm->N) : 0;
  for (int k = 0; k < norm->E * SUMS; k++) s->sum[(size_t)i * norm->E * SUMS + k] *= share;
  s->S1[i] *= share;
  s->S2[i] = rows > 0 ? s->S2[i] * share : 1;
  PetscFunctionReturn(0);
}

/* The spread of the smooth field, and its correlations with scores. */
static PetscErrorCode FitLaw(LateralData *data, Moments *s)
{
  const NormLateral norm = data->norm;
  Modulation *m          = &norm->modulation;
  const int E = norm->E, p = norm->shape.terms;
  double log_spread;
  PetscFunctionBeginUser;
  const NormDesign spread = lateral_design(data, p, data->shape_X, 1), each = lateral_design(data, p, data->shape_X, E);
  PetscCall(NormGammaRegression(&spread, s->S2, m->log_spread_coef));
  for (int k = 0; k < p; k++) m->log_spread_coef[k] /= 2;
  for (int64_t i = 0; i < data->n; i++) {
    const double *sum = s->sum + (size_t)i * E * SUMS;
    la_rows_product(1, p, 1, data->shape_X + i * p, m->log_spread_coef, NULL, &log_spread);
    for (int e = 0; e < E; e++) s->up[i * E + e] = sum[e * SUMS + TS] * exp(-log_spread);
  }
  PetscCall(NormLeastSquares(&each, s->up, m->correlation_coef));
  PetscFunctionReturn(0);
}

/* Both sides of the equation for b, of all elements of a piece. */
static void set_sides(const LateralData *data, int64_t i, Moments *s)
{
  const NormLateral norm = data->norm;
  const Modulation *m    = &norm->modulation;
  const int E = norm->E, p = norm->shape.terms;
  const double *X = data->shape_X + i * p;
  double log_spread;
  la_rows_product(1, p, 1, X, m->log_spread_coef, NULL, &log_spread);
  la_rows_product(1, p, E, X, m->correlation_coef, NULL, m->correlation);
  const double unit = exp(-log_spread), S1 = s->S1[i] * unit;
  for (int e = 0; e < E; e++) {
    const double *a = s->sum + ((size_t)i * E + e) * SUMS, r = m->correlation[e];
    s->up[i * E + e]   = a[T2S] * unit - S1 - r * (a[T3] - a[T1]);
    s->down[i * E + e] = 2 * (a[T2S2] * unit * unit - 2 * r * a[T3S] * unit + r * r * a[T4]);
  }
}

/* --------------------------------------------------------------------------------------------- exponents ---- */

#define CUBIC 5.0 /* the sides' quotient is b (1 - CUBIC b^2) to 2 % up to b = .2, whatever the correlation */
#define SURE 4.0  /* standard errors of a channel's exponent: below, its waves are as large everywhere */

static double channel_sum(const NormLateral norm, int c, const double of_elements[])
{
  double sum = 0;
  for (int x = 0; x < norm->nx; x++) sum += of_elements[c * norm->nx + x];
  return sum;
}

/* Whether the exponent b of channel c is beyond chance, by its scatter between pieces; `down` is its pooled sum. */
static PetscErrorCode IsSure(const LateralData *data, const Moments *s, int c, double b, double down, bool *sure)
{
  const NormLateral norm = data->norm;
  double *square, mean;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(data->n + 1, &square));
  for (int64_t i = 0; i < data->n; i++)
    square[i] = pow(channel_sum(norm, c, s->up + i * norm->E) - b * channel_sum(norm, c, s->down + i * norm->E), 2);
  PetscCall(LateralPooled(data, 1, square, &mean));
  *sure = down > 0 && fabs(b) * down > SURE * sqrt(mean / (double)data->fitted);
  PetscCall(PetscFree(square));
  PetscFunctionReturn(0);
}

/* Coefficients (shape.terms) of the exponent of channel c over the conditions. */
static PetscErrorCode FitTrend(const LateralData *data, const Moments *s, int c, double coef[])
{
  const NormLateral norm = data->norm;
  double *b, *weight;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2(data->n + 1, &b, data->n + 1, &weight));
  for (int64_t i = 0; i < data->n; i++) {
    const double down = channel_sum(norm, c, s->down + i * norm->E);
    b[i]              = down > 0 ? channel_sum(norm, c, s->up + i * norm->E) / down : 0;
    weight[i]         = PetscMax(down, 0) / norm->nx * data->weight[i];
  }
  NormDesign design = lateral_design(data, norm->shape.terms, data->shape_X, 1);
  design.w          = weight;
  PetscCall(NormLeastSquares(&design, b, coef));
  PetscCall(PetscFree2(b, weight));
  PetscFunctionReturn(0);
}

/* b from the quotient of its sides. */
static double exponent_of(double quotient)
{
  double b = quotient;
  for (int i = 0; i < 20; i++) b = quotient / (1 - CUBIC * PetscMin(b * b, 0.25 / CUBIC));
  return b;
}

/* Exponents of the elements of channel c from pooled sides (E) and the trend; whether it has any. */
static PetscErrorCode FitChannel(LateralData *data, const Moments *s, int c, const double up[], const double down[],
                                 bool *sure)
{
  const NormLateral norm = data->norm;
  Modulation *m          = &norm->modulation;
  const double all = channel_sum(norm, c, down), b = all > 0 ? channel_sum(norm, c, up) / all : 0;
  double *coef;
  PetscFunctionBeginUser;
  PetscCall(IsSure(data, s, c, b, all, sure));
  if (!*sure) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(norm->shape.terms, &coef));
  PetscCall(FitTrend(data, s, c, coef));
  const double factor = exponent_of(b) / b;
  for (int e = c * norm->nx; e < (c + 1) * norm->nx; e++) {
    const double own = down[e] > 0 ? up[e] / down[e] : b;
    for (int k = 0; k < norm->shape.terms; k++)
      m->exponent_coef[k * norm->E + e] = factor * (k ? coef[k] : coef[k] + own - b); /* term 0 is 1 */
  }
  PetscCall(PetscFree(coef));
  if (data->in.run)
    PetscCall(ScoriaSay(data->in.run, "  waves of %s swell as exp(%.3f s) with the smooth part s of %s",
                        data->spec->field[data->in.channel[c]].name, factor * b,
                        data->spec->field[data->in.channel[m->channel]].name));
  PetscFunctionReturn(0);
}

static PetscErrorCode FitExponents(LateralData *data, Moments *s)
{
  const NormLateral norm = data->norm;
  double *up, *down;
  bool sure = false;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < data->n; i++) set_sides(data, i, s);
  PetscCall(PetscMalloc2(norm->E, &up, norm->E, &down));
  PetscCall(LateralPooled(data, norm->E, s->up, up));
  PetscCall(LateralPooled(data, norm->E, s->down, down));
  for (int c = 0; c < norm->C; c++) {
    if (c == norm->modulation.channel) continue;
    PetscCall(FitChannel(data, s, c, up, down, &sure));
    norm->modulation.on = norm->modulation.on || sure;
  }
  PetscCall(PetscFree2(up, down));
  PetscFunctionReturn(0);
}

int lateral_leading(const ScoriaTwin *twin, int channels)
{
  int c = 0;
  while (twin && c < channels && !twin->leading[c]) c++;
  return twin && channels > 1 && c < channels ? c : -1;
}

PetscErrorCode LateralFitModulation(LateralData *data)
{
  const NormLateral norm = data->norm;
  const size_t n = (size_t)data->n + 1, E = (size_t)norm->E;
  const int channel = lateral_leading(data->in.twin, norm->C);
  bool varies       = false;
  Moments s;
  PetscFunctionBeginUser;
  if (channel < 0) PetscFunctionReturn(0);
  PetscCall(ModulationCreate(norm));
  norm->modulation.channel = channel;
  PetscCall(SetSmooth(norm, &varies));
  if (!varies) PetscFunctionReturn(0);
  if (norm->nz > 1) PetscCall(LateralFitSwell(data)); /* worse in two dimensions (benchmarks/whole_fields.md) */
  PetscCall(PetscCalloc5(n * E * SUMS, &s.sum, n, &s.S1, n, &s.S2, n * E, &s.up, n * E, &s.down));
  for (size_t i = 0; i < n; i++) s.S2[i] = 1;
  PetscCall(LateralDataWalk(data, "modulation", true, moments_visit, &s));
  PetscCall(FitLaw(data, &s));
  PetscCall(FitExponents(data, &s));
  PetscCall(PetscFree5(s.sum, s.S1, s.S2, s.up, s.down));
  PetscFunctionReturn(0);
}
