/* Streamed statistics.
 *
 * Of a column x, z = (x - centre) / scale with the pilot's mean and SD, so that sums of powers neither cancel nor
 * overflow.  A tile's sum is added in fixed point (fixed.h), in units of z.
 *
 * One array of integers holds everything:  rows | powers (POWERS, columns, 2) | products (joint (joint + 1) / 2, 2) |
 * bins (columns, BINS + 2) | exceedances (per threshold: its columns, any, all). */
#include "base/linalg.h"
#include "fixed.h"
#include "scoria/phases.h"
#include "scoria/stats.h"
#include <math.h>
#include <string.h>

#define POWERS 6
#define BINS 4096  /* of 0.005 SD or less: what interpolation costs is far below any Monte Carlo error */
#define MARGIN 0.6 /* the range of the pilot is widened by this share of it on each side */
#define BLOCK 16   /* columns of a row taken together */
#define COUNTED 8  /* columns whose counts in use stay in the first-level cache together; divides BLOCK */

struct ScoriaSummary_ {
  int columns, joint, nthresholds;
  ScoriaThreshold *threshold; /* owned */
  double *centre, *scale, *inverse_scale, *lo,
      *inverse;                                  /* owned (columns): z; left edge and bins per unit of the histogram */
  int64_t size, powers, products, bins, exceeds; /* length of the sums, and where each kind begins */
  int64_t *sum[2];                               /* owned (size): added here since the last reduction; the total */
  double *extreme[2];                            /* owned (2, columns): smallest, and minus the largest */
  double *power;                                 /* owned (POWERS, columns) of a tile */
  float *product;                                /* owned (joint, joint) of a tile */
  double *row;                                   /* owned (joint): of product */
  float *z;                                      /* owned (SUMMARY_TILE, columns): of the rows being added */
  uint16_t *bin;                                 /* owned (blocks, SUMMARY_TILE, BLOCK) */
  uint16_t *recent;                              /* owned (columns, BINS + 2): bins not yet in the sums */
  int64_t open, nrecent;                         /* rows of the tile at work, and in `recent` */
};

enum { HERE, TOTAL };

/* ---------------------------------------------------------------------------------------------- life cycle ---- */

static void lay_out(ScoriaSummary s)
{
  s->powers   = 1;
  s->products = s->powers + (int64_t)POWERS * s->columns * 2;
  s->bins     = s->products + (int64_t)s->joint * (s->joint + 1);
  s->exceeds  = s->bins + (int64_t)s->columns * (BINS + 2);
  s->size     = s->exceeds;
  for (int t = 0; t < s->nthresholds; t++) s->size += s->threshold[t].number + 2;
}

static void clear(ScoriaSummary s, int which)
{
  memset(s->sum[which], 0, (size_t)s->size * sizeof(int64_t));
  for (int j = 0; j < 2 * s->columns; j++) s->extreme[which][j] = INFINITY;
}

/* A column that the pilot finds constant keeps scale 1. */
static void take_scales(ScoriaSummary s, int64_t n, const double pilot[])
{
  const int m = s->columns;
  stats_moments(n, m, pilot, s->centre, s->scale);
  for (int j = 0; j < m; j++) {
    double lo = INFINITY, hi = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
      lo = PetscMin(lo, pilot[i * m + j]);
      hi = PetscMax(hi, pilot[i * m + j]);
    }
    const double width = hi > lo ? hi - lo : PetscMax(fabs(hi), 1e-300) * 1e-6;
    if (!(s->scale[j] > 1e-12 * fabs(s->centre[j]))) s->scale[j] = 1;
    s->inverse_scale[j] = 1 / s->scale[j];
    s->lo[j]            = lo - MARGIN * width;
    s->inverse[j]       = BINS / ((1 + 2 * MARGIN) * width);
  }
}

PetscErrorCode ScoriaSummaryCreate(const ScoriaSummarySpec *spec, int64_t n, const double pilot[],
                                   ScoriaSummary *summary)
{
  ScoriaSummary s;
  PetscFunctionBeginUser;
  PetscCheck(n >= 2 && spec->columns > 0 && spec->joint <= spec->columns, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "%lld pilot rows, %d columns", (long long)n, spec->columns);
  PetscCall(PetscNew(&s));
  s->columns     = spec->columns;
  s->joint       = spec->joint;
  s->nthresholds = spec->nthresholds;
  PetscCall(PetscMalloc1(spec->nthresholds, &s->threshold));
  PetscCall(PetscArraycpy(s->threshold, spec->threshold, spec->nthresholds));
  lay_out(s);
  PetscCall(PetscMalloc5(s->columns, &s->centre, s->columns, &s->scale, s->columns, &s->inverse_scale, s->columns,
                         &s->lo, s->columns, &s->inverse));
  PetscCall(PetscMalloc4(s->size, &s->sum[HERE], s->size, &s->sum[TOTAL], 2 * s->columns, &s->extreme[HERE],
                         2 * s->columns, &s->extreme[TOTAL]));
  PetscCall(PetscCalloc3(POWERS * s->columns, &s->power, (size_t)s->joint * s->joint, &s->product, s->joint, &s->row));
  PetscCall(PetscMalloc2((size_t)SUMMARY_TILE * s->columns, &s->z,
                         (size_t)SUMMARY_TILE * ((s->columns + BLOCK - 1) / BLOCK) * BLOCK, &s->bin));
  PetscCall(PetscCalloc1((int64_t)s->columns * (BINS + 2), &s->recent));
  clear(s, HERE);
  clear(s, TOTAL);
  take_scales(s, n, pilot);
  *summary = s;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSummaryDestroy(ScoriaSummary *summary)
{
  ScoriaSummary s = *summary;
  PetscFunctionBeginUser;
  if (!s) PetscFunctionReturn(0);
  PetscCall(PetscFree(s->threshold));
  PetscCall(PetscFree5(s->centre, s->scale, s->inverse_scale, s->lo, s->inverse));
  PetscCall(PetscFree4(s->sum[HERE], s->sum[TOTAL], s->extreme[HERE], s->extreme[TOTAL]));
  PetscCall(PetscFree3(s->power, s->product, s->row));
  PetscCall(PetscFree2(s->z, s->bin));
  PetscCall(PetscFree(s->recent));
  PetscCall(PetscFree(*summary));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- adding ---- */

/* n <= BLOCK columns of one row; the sums are arrays of their own to the compiler, which can then take many columns at
 * once.  Bin 0 holds what is below the histogram's range, bin BINS + 1 what is above. */
static inline void power_block(int n, const double *restrict x, const double *restrict centre,
                               const double *restrict inverse, const double *restrict left,
                               const double *restrict per_bin, float *restrict keep, uint16_t *restrict bin,
                               double *restrict S1, double *restrict S2, double *restrict S3, double *restrict S4,
                               double *restrict S5, double *restrict S6, double *restrict lo, double *restrict minus_hi)
{
  for (int j = 0; j < n; j++) {
    const double z = (x[j] - centre[j]) * inverse[j], z2 = z * z, z3 = z2 * z;
    const double place = (x[j] - left[j]) * per_bin[j] + 1, low = place > 0 ? place : 0;
    bin[j]  = (uint16_t)(int)(low < BINS + 1 ? low : BINS + 1);
    keep[j] = (float)z;
    S1[j] += z;
    S2[j] += z2;
    S3[j] += z3;
    S4[j] += z2 * z2;
    S5[j] += z2 * z3;
    S6[j] += z3 * z3;
    lo[j]       = x[j] < lo[j] ? x[j] : lo[j];
    minus_hi[j] = -x[j] < minus_hi[j] ? -x[j] : minus_hi[j];
  }
}

/* Powers of z, and the extremes of x; z itself goes to s->z and the bins, block of columns by block of columns, to
 * s->bin. */
static void add_powers(ScoriaSummary s, int64_t n, const double rows[])
{
  const int m = s->columns;
  double *S = s->power, *extreme = s->extreme[HERE];
  for (int64_t i = 0; i < n; i++)
    for (int j = 0; j < m; j += BLOCK) {
      const int64_t row = s->open + i;
      const double *x   = rows + i * m + j;
      float *z          = s->z + i * m + j;
      uint16_t *bin     = s->bin + (int64_t)j * SUMMARY_TILE + row * BLOCK;
      double *to = S + j, *lo = extreme + j;
#define COLUMNS(number)                                                                                                \
  power_block(number, x, s->centre + j, s->inverse_scale + j, s->lo + j, s->inverse + j, z, bin, to, to + m,           \
              to + 2 * m, to + 3 * m, to + 4 * m, to + 5 * m, lo, lo + m)
      if (m - j >= BLOCK)
        COLUMNS(BLOCK);
      else
        COLUMNS(m - j);
#undef COLUMNS
    }
}

static void end_powers(ScoriaSummary s)
{
  add_fixed_all(POWERS * s->columns, s->power, s->sum[HERE] + s->powers);
  memset(s->power, 0, POWERS * (size_t)s->columns * sizeof *s->power);
}

/* In single precision: the rounding of a tile's sum, some 1e-6 of a variance and of random sign, is far below the Monte
 * Carlo error of the tile, 1 / sqrt(1024), and stays so in the sum over tiles. */
static void add_products(ScoriaSummary s, int64_t n)
{
  la_syrk_single(s->joint, (int)n, s->columns, s->z, s->product);
}

static void end_products(ScoriaSummary s)
{
  int64_t *to = s->sum[HERE] + s->products;
  for (int a = 0; a < s->joint; to += 2 * ++a) {
    for (int b = 0; b <= a; b++) s->row[b] = (double)s->product[(size_t)a * s->joint + b];
    add_fixed_all(a + 1, s->row, to);
  }
  memset(s->product, 0, (size_t)s->joint * s->joint * sizeof(float));
}

static inline void count_bins(int wide, int64_t n, const uint16_t bin[], uint16_t to[])
{
  for (int64_t i = 0; i < n; i++, bin += BLOCK)
    for (int j = 0; j < wide; j++) to[(int64_t)j * (BINS + 2) + bin[j]]++;
}

static void flush_bins(ScoriaSummary s)
{
  const int64_t n       = (int64_t)s->columns * (BINS + 2);
  int64_t *restrict sum = s->sum[HERE] + s->bins;
  for (int64_t k = 0; k < n; k++) sum[k] += s->recent[k];
  memset(s->recent, 0, (size_t)n * sizeof *s->recent);
  s->nrecent = 0;
}

/* Bins are counted in short integers, of which those in use stay in the first-level cache for COUNTED columns. */
static void add_bins(ScoriaSummary s)
{
  if (s->nrecent + s->open > UINT16_MAX) flush_bins(s);
  for (int left = 0; left < s->columns; left += COUNTED) {
    const int block     = left / BLOCK * BLOCK;
    const uint16_t *bin = s->bin + (int64_t)block * SUMMARY_TILE + (left - block);
    uint16_t *to        = s->recent + (int64_t)left * (BINS + 2);
    if (s->columns - left >= COUNTED)
      count_bins(COUNTED, s->open, bin, to);
    else
      count_bins(s->columns - left, s->open, bin, to);
  }
  s->nrecent += s->open;
}

static void add_exceedances(ScoriaSummary s, int64_t n, const double rows[])
{
  int64_t *to = s->sum[HERE] + s->exceeds;
  for (int t = 0; t < s->nthresholds; t++) {
    const ScoriaThreshold *limit = &s->threshold[t];
    const double sign = limit->below ? -1 : 1, value = sign * limit->value;
    for (int64_t i = 0; i < n; i++) {
      const double *restrict x = rows + i * s->columns + limit->first;
      int64_t *restrict counts = to, number = 0;
      for (int j = 0; j < limit->number; j++) {
        const int64_t beyond = sign * x[j] > value;
        counts[j] += beyond;
        number += beyond;
      }
      counts[limit->number] += number > 0;
      counts[limit->number + 1] += number == limit->number;
    }
    to += limit->number + 2;
  }
}

void summary_add(ScoriaSummary s, int64_t n, const double rows[])
{
  if (s->open + n > SUMMARY_TILE) abort(); /* a defect of the caller */
  phase_begin(SCORIA_PHASE_STATISTICS);
  add_powers(s, n, rows);
  if (s->joint) add_products(s, n);
  add_exceedances(s, n, rows);
  s->open += n;
  phase_bytes((double)n * s->columns * sizeof *rows);
  phase_end(SCORIA_PHASE_STATISTICS, (double)n);
}

void summary_end_tile(ScoriaSummary s)
{
  phase_begin(SCORIA_PHASE_STATISTICS);
  s->sum[HERE][0] += s->open;
  end_powers(s);
  if (s->joint) end_products(s);
  add_bins(s);
  s->open = 0;
  phase_end(SCORIA_PHASE_STATISTICS, 0);
}

PetscErrorCode ScoriaSummaryReduce(ScoriaSummary s, MPI_Comm comm)
{
  PetscFunctionBeginUser;
  phase_begin(SCORIA_PHASE_REDUCE);
  flush_bins(s);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->sum[HERE], (PetscMPIInt)s->size, MPI_INT64_T, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->extreme[HERE], 2 * s->columns, MPI_DOUBLE, MPI_MIN, comm));
  for (int64_t i = 0; i < s->size; i++) s->sum[TOTAL][i] += s->sum[HERE][i];
  for (int j = 0; j < 2 * s->columns; j++) s->extreme[TOTAL][j] = PetscMin(s->extreme[TOTAL][j], s->extreme[HERE][j]);
  clear(s, HERE);
  phase_bytes((double)s->size * sizeof(int64_t));
  phase_end(SCORIA_PHASE_REDUCE, 0);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- asking ---- */

int64_t summary_count(ScoriaSummary s)
{
  return s->sum[TOTAL][0];
}

/* Central moments of z from its raw ones E[1] = mean, E[2], ... E[6]. */
static void central_moments(const double E[POWERS + 1], double mu[POWERS + 1])
{
  static const double choose[POWERS + 1][POWERS + 1] = {
      {1}, {1, 1}, {1, 2, 1}, {1, 3, 3, 1}, {1, 4, 6, 4, 1}, {1, 5, 10, 10, 5, 1}, {1, 6, 15, 20, 15, 6, 1}};
  for (int p = 0; p <= POWERS; p++) {
    mu[p] = 0;
    for (int k = 0; k <= p; k++) mu[p] += choose[p][k] * E[k] * pow(-E[1], p - k);
  }
}

/* The errors are those of the influence functions: of the mean z, of the variance z^2 - 1, of the skewness
 * z^3 - 3 z - 3/2 g z^2 + g/2, for standardised z of skewness g. */
void summary_moments(ScoriaSummary s, int j, ScoriaMoments *out)
{
  const double n       = (double)summary_count(s);
  double E[POWERS + 1] = {1}, mu[POWERS + 1];
  for (int p = 1; p <= POWERS; p++)
    E[p] = get_fixed(s->sum[TOTAL] + s->powers + 2 * ((int64_t)(p - 1) * s->columns + j)) / n;
  central_moments(E, mu);
  const double sd = sqrt(PetscMax(mu[2], 0)), unbiased = n > 1 ? sqrt(n / (n - 1)) : NAN;
  *out         = (ScoriaMoments){.mean = s->centre[j] + s->scale[j] * E[1],
                                 .sd   = s->scale[j] * sd * unbiased,
                                 .min  = s->extreme[TOTAL][j],
                                 .max  = -s->extreme[TOTAL][s->columns + j]};
  out->mean_se = out->sd / sqrt(n);
  if (sd == 0) return;
  const double g = mu[3] / pow(sd, 3), m4 = mu[4] / pow(sd, 4), m5 = mu[5] / pow(sd, 5), m6 = mu[6] / pow(sd, 6);
  const double spread = m6 - 6 * m4 + 9 + g * g * (9 * m4 / 4 + 8.75) - 3 * g * m5;
  out->skewness       = g;
  out->sd_se          = out->sd * sqrt(PetscMax(m4 - 1, 0) / (4 * n));
  out->skewness_se    = sqrt(PetscMax(spread, 0) / n);
}

/* The value below which `target` rows lie: linear within a bin, and between the edge and the extreme outside. */
static bool value_at(const ScoriaSummary s, int j, double target, double *value)
{
  const int64_t *bin  = s->sum[TOTAL] + s->bins + (int64_t)j * (BINS + 2);
  const double lowest = s->extreme[TOTAL][j], highest = -s->extreme[TOTAL][s->columns + j];
  double below = 0;
  int k        = 0;
  while (k < BINS + 1 && below + (double)bin[k] < target) below += (double)bin[k++];
  const double left  = k == 0 ? lowest : PetscMax(lowest, s->lo[j] + (k - 1) / s->inverse[j]);
  const double right = k == BINS + 1 ? highest : PetscMin(highest, s->lo[j] + k / s->inverse[j]);
  const double share = bin[k] ? PetscMin(PetscMax((target - below) / (double)bin[k], 0), 1) : 0;
  *value             = left + share * (right - left);
  return k > 0 && k < BINS + 1;
}

bool summary_quantile(ScoriaSummary s, int j, double p, double *quantile, double *se)
{
  const double n = (double)summary_count(s), step = sqrt(p * (1 - p) / n);
  double above, below;
  const bool inside = value_at(s, j, p * n, quantile);
  value_at(s, j, PetscMin(p + step, 1) * n, &above);
  value_at(s, j, PetscMax(p - step, 0) * n, &below);
  *se = (above - below) / 2;
  return inside;
}

ScoriaShare stats_share(int64_t count, int64_t n)
{
  const double N = (double)n, p = (double)count / N, z = 1.959963984540054, z2 = z * z,
               middle = (p + z2 / (2 * N)) / (1 + z2 / N),
               half   = z / (1 + z2 / N) * sqrt(p * (1 - p) / N + z2 / (4 * N * N));
  return (ScoriaShare){p, sqrt(p * (1 - p) / N), count > 0 ? middle - half : 0, count < n ? middle + half : 1};
}

ScoriaShare summary_exceedance(ScoriaSummary s, int t, int c)
{
  const int64_t *from = s->sum[TOTAL] + s->exceeds;
  for (int k = 0; k < t; k++) from += s->threshold[k].number + 2;
  return stats_share(from[c >= 0 ? c : s->threshold[t].number + (c == SUMMARY_ALL)], summary_count(s));
}

void summary_covariance(ScoriaSummary s, double covariance[])
{
  const double n      = (double)summary_count(s);
  const int64_t *from = s->sum[TOTAL] + s->products, *mean = s->sum[TOTAL] + s->powers;
  for (int a = 0; a < s->joint; a++)
    for (int b = 0; b <= a; b++, from += 2) {
      const double product = get_fixed(from) / n - get_fixed(mean + 2 * a) / n * (get_fixed(mean + 2 * b) / n);
      covariance[(size_t)a * s->joint + b] = covariance[(size_t)b * s->joint + a] =
          product * s->scale[a] * s->scale[b] * n / (n - 1);
    }
}

void summary_histogram(ScoriaSummary s, int j, int bins, double *lo, double *hi, double share[])
{
  const int64_t *bin = s->sum[TOTAL] + s->bins + (int64_t)j * (BINS + 2);
  int first = 1, last = BINS; /* without the empty margins */
  while (first < last && !bin[first]) first++;
  while (last > first && !bin[last]) last--;
  const double width = (double)(last - first + 1) / bins, n = (double)summary_count(s);
  *lo = s->lo[j] + (first - 1) / s->inverse[j];
  *hi = s->lo[j] + last / s->inverse[j];
  for (int k = 0; k < bins; k++) {
    share[k] = 0;
    for (int i = first; i <= last; i++) { /* the part of bin i that lies in part k */
      const double from = PetscMax(i - first, k * width), to = PetscMin(i - first + 1, (k + 1) * width);
      if (to > from) share[k] += (double)bin[i] * (to - from) / n;
    }
  }
}

void summary_state(ScoriaSummary s, int64_t *nsums, int64_t **sums, int64_t *nextremes, double **extremes)
{
  *nsums     = s->size;
  *sums      = s->sum[TOTAL];
  *nextremes = 2 * s->columns;
  *extremes  = s->extreme[TOTAL];
}
