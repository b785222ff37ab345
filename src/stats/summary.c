/* Streamed statistics.
 *
 * Of a column x, z = (x - centre) / scale with the pilot's mean and SD, so that sums of powers neither cancel nor
 * overflow.  A tile's sum is added in fixed point (fixed.h), in units of z.
 *
 * One array of integers holds everything:  rows | powers (POWERS, columns, 2) | products (joint (joint + 1) / 2, 2) |
 * bins (columns, COARSE + 2 or BINS + 2) | exceedances (per threshold: its columns, any, all). */
#include "scoria/linalg.h"
#include "scoria/phases.h"
#include "summary.h"
#include <math.h>
#include <string.h>

#define MARGIN 0.6 /* the range of the pilot is widened by this share of it on each side */
#define BLOCK 16   /* columns of a row taken together */
#define STRIP 256  /* columns whose sums, 13 numbers each, stay there; a multiple of BLOCK */
#define TOGETHER 8 /* rows that sums in registers take */
#define KEPT 64    /* rows whose bins are counted together, where tiles have fewer: counts come from memory */
#define COUNTED 8  /* columns whose counts in use stay in the first-level cache together; divides BLOCK */

/* ---------------------------------------------------------------------------------------------- life cycle ---- */

/* Of as many tiles as KEPT has. */
static int kept_rows(int tile)
{
  return tile * PetscMax(KEPT / tile, 1);
}

static void lay_out(ScoriaSummary s)
{
  s->powers   = 1;
  s->products = s->powers + (int64_t)POWERS * s->columns * 2;
  s->bins     = s->products + (int64_t)s->joint * (s->joint + 1);
  s->exceeds  = s->bins + bins_at(s, s->columns);
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
    s->inverse[j]       = bins_of(s, j) / ((1 + 2 * MARGIN) * width);
    s->top[j]           = bins_of(s, j) + 1;
  }
}

PetscErrorCode ScoriaSummaryCreate(const ScoriaSummarySpec *spec, int64_t n, const double pilot[],
                                   ScoriaSummary *summary)
{
  ScoriaSummary s;
  PetscFunctionBeginUser;
  PetscCheck(n >= 2 && spec->columns > 0 && spec->joint <= spec->columns && spec->coarse <= spec->columns &&
                 spec->tile <= SUMMARY_TILE,
             PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%lld pilot rows, %d columns", (long long)n, spec->columns);
  PetscCall(PetscNew(&s));
  s->columns     = spec->columns;
  s->joint       = spec->joint;
  s->coarse      = spec->coarse;
  s->tile        = spec->tile ? spec->tile : SUMMARY_TILE;
  s->kept        = kept_rows((int)s->tile);
  s->nthresholds = spec->nthresholds;
  PetscCall(PetscMalloc1(spec->nthresholds, &s->threshold));
  PetscCall(PetscArraycpy(s->threshold, spec->threshold, spec->nthresholds));
  lay_out(s);
  PetscCall(PetscMalloc6(s->columns, &s->centre, s->columns, &s->scale, s->columns, &s->inverse_scale, s->columns,
                         &s->lo, s->columns, &s->inverse, s->columns, &s->top));
  PetscCall(PetscMalloc4(s->size, &s->sum[HERE], s->size, &s->sum[TOTAL], 2 * s->columns, &s->extreme[HERE],
                         2 * s->columns, &s->extreme[TOTAL]));
  PetscCall(PetscCalloc4((size_t)POWERS * s->columns, &s->power, (size_t)s->joint * s->joint, &s->product, s->joint,
                         &s->row, bins_at(s, s->columns), &s->recent));
  PetscCall(PetscMalloc2(s->joint ? (size_t)s->tile * s->columns : 0, &s->z,
                         (size_t)s->kept * ((s->columns + BLOCK - 1) / BLOCK) * BLOCK, &s->bin));
  for (int which = HERE; which <= TOTAL; which++) clear(s, which);
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
  PetscCall(PetscFree6(s->centre, s->scale, s->inverse_scale, s->lo, s->inverse, s->top));
  PetscCall(PetscFree4(s->sum[HERE], s->sum[TOTAL], s->extreme[HERE], s->extreme[TOTAL]));
  PetscCall(PetscFree4(s->power, s->product, s->row, s->recent));
  PetscCall(PetscFree2(s->z, s->bin));
  PetscCall(PetscFree(*summary));
  PetscFunctionReturn(0);
}

double summary_bytes(const ScoriaSummarySpec *spec)
{
  const double coarse = spec->coarse, fine = spec->columns - coarse, tile = spec->tile ? spec->tile : SUMMARY_TILE;
  return (coarse * (COARSE + 2) + fine * (BINS + 2)) * (2 * sizeof(int64_t) + sizeof(uint16_t)) +
         spec->columns * (2.0 * 2 * POWERS * sizeof(int64_t) + (POWERS + 10.0) * sizeof(double) +
                          tile * sizeof(float) * (spec->joint > 0) + kept_rows((int)tile) * sizeof(uint16_t));
}

/* ------------------------------------------------------------------------------------------------- adding ---- */

/* n <= BLOCK columns of `count` rows of m; the sums are arrays of their own to the compiler, which can then take many
 * columns at once and keep them in registers from row to row. */
static inline void power_block(int count, int n, int64_t m, const double *restrict x, const double *restrict centre,
                               const double *restrict inverse, double *restrict S1, double *restrict S2,
                               double *restrict S3, double *restrict S4, double *restrict S5, double *restrict S6,
                               double *restrict lo, double *restrict minus_hi)
{
  for (int j = 0; j < n; j++) {
    double s1 = S1[j], s2 = S2[j], s3 = S3[j], s4 = S4[j], s5 = S5[j], s6 = S6[j], least = lo[j], most = minus_hi[j];
    for (int i = 0; i < count; i++) {
      const double value = x[i * m + j], z = (value - centre[j]) * inverse[j], z2 = z * z, z3 = z2 * z;
      s1 += z;
      s2 += z2;
      s3 += z3;
      s4 += z2 * z2;
      s5 += z2 * z3;
      s6 += z3 * z3;
      least = value < least ? value : least;
      most  = -value < most ? -value : most;
    }
    S1[j] = s1, S2[j] = s2, S3[j] = s3, S4[j] = s4, S5[j] = s5, S6[j] = s6;
    lo[j] = least, minus_hi[j] = most;
  }
}

/* Bins of n <= BLOCK columns of a row: 0 is what is below the histogram's range, the top one what is above. */
static inline void bin_block(int n, const double *restrict x, const double *restrict left,
                             const double *restrict per_bin, const double *restrict top, uint16_t *restrict bin)
{
  for (int j = 0; j < n; j++) {
    const double place = (x[j] - left[j]) * per_bin[j] + 1, low = place > 0 ? place : 0;
    bin[j] = (uint16_t)(int)(low < top[j] ? low : top[j]);
  }
}

static inline void keep_block(int n, const double *restrict x, const double *restrict centre,
                              const double *restrict inverse, float *restrict z)
{
  for (int j = 0; j < n; j++) z[j] = (float)((x[j] - centre[j]) * inverse[j]);
}

/* n <= BLOCK columns from j on of `count` rows from row i on; z itself, for products, goes to s->z. */
static inline void add_block(ScoriaSummary s, int count, int n, int64_t i, int j, const double rows[])
{
  const int64_t m = s->columns;
  const double *x = rows + i * m + j;
  double *to = s->power + j, *lo = s->extreme[HERE] + j;
  power_block(count, n, m, x, s->centre + j, s->inverse_scale + j, to, to + m, to + 2 * m, to + 3 * m, to + 4 * m,
              to + 5 * m, lo, lo + m);
  for (int k = 0; k < count; k++, i++, x += m) {
    bin_block(n, x, s->lo + j, s->inverse + j, s->top + j, s->bin + j * s->kept + (s->waiting + s->open + i) * BLOCK);
    if (s->joint) keep_block(n, x, s->centre + j, s->inverse_scale + j, s->z + i * m + j);
  }
}

static inline void add_strip(ScoriaSummary s, int count, int64_t i, int first, int end, const double rows[])
{
  int j = first;
  for (; j + BLOCK <= end; j += BLOCK) add_block(s, count, BLOCK, i, j, rows);
  if (j < end) add_block(s, count, end - j, i, j, rows);
}

/* Powers of z, the extremes of x, and bins, block of columns by block of columns.  Of many columns the sums of a STRIP
 * stay in the first-level cache while all n rows are added. */
static void add_powers(ScoriaSummary s, int64_t n, const double rows[])
{
  for (int strip = 0; strip < s->columns; strip += STRIP) {
    const int end = PetscMin(strip + STRIP, s->columns);
    int64_t i     = 0;
    for (; i + TOGETHER <= n; i += TOGETHER) add_strip(s, TOGETHER, i, strip, end, rows);
    for (; i < n; i++) add_strip(s, 1, i, strip, end, rows);
  }
}

static void end_powers(ScoriaSummary s)
{
  add_fixed_all(POWERS * (int64_t)s->columns, s->power, s->sum[HERE] + s->powers);
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

static inline void count_bins(int wide, int64_t n, const uint16_t bin[], int64_t stride, uint16_t to[])
{
  for (int64_t i = 0; i < n; i++, bin += BLOCK)
    for (int j = 0; j < wide; j++) to[j * stride + bin[j]]++;
}

static void flush_bins(ScoriaSummary s)
{
  const int64_t n       = bins_at(s, s->columns);
  int64_t *restrict sum = s->sum[HERE] + s->bins;
  for (int64_t k = 0; k < n; k++) sum[k] += s->recent[k];
  memset(s->recent, 0, (size_t)n * sizeof *s->recent);
  s->nrecent = 0;
}

/* Bins are counted in short integers, of which those in use stay in the first-level cache for COUNTED columns.  Columns
 * counted together have equally many bins. */
static void add_bins(ScoriaSummary s)
{
  if (s->nrecent + s->waiting > UINT16_MAX) flush_bins(s);
  for (int left = 0, end; left < s->columns; left = end) {
    const int block     = left / BLOCK * BLOCK;
    const uint16_t *bin = s->bin + block * s->kept + (left - block);
    uint16_t *to        = s->recent + bins_at(s, left);
    end                 = PetscMin(left / COUNTED * COUNTED + COUNTED, left < s->coarse ? s->coarse : s->columns);
    if (end - left == COUNTED)
      count_bins(COUNTED, s->waiting, bin, bins_of(s, left) + 2, to);
    else
      count_bins(end - left, s->waiting, bin, bins_of(s, left) + 2, to);
  }
  s->nrecent += s->waiting;
  s->waiting = 0;
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
  if (s->open + n > s->tile) abort(); /* a defect of the caller */
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
  s->waiting += s->open;
  s->open = 0;
  if (s->waiting + s->tile > s->kept) add_bins(s);
  phase_end(SCORIA_PHASE_STATISTICS, 0);
}

PetscErrorCode ScoriaSummaryReduce(ScoriaSummary s, MPI_Comm comm)
{
  PetscFunctionBeginUser;
  phase_begin(SCORIA_PHASE_REDUCE);
  add_bins(s);
  flush_bins(s);
  PetscCall(ScoriaReduceMany(comm, MPI_SUM, s->size, MPI_INT64_T, s->sum[HERE]));
  PetscCall(ScoriaReduceMany(comm, MPI_MIN, 2 * (int64_t)s->columns, MPI_DOUBLE, s->extreme[HERE]));
  for (int64_t i = 0; i < s->size; i++) s->sum[TOTAL][i] += s->sum[HERE][i];
  for (int j = 0; j < 2 * s->columns; j++) s->extreme[TOTAL][j] = PetscMin(s->extreme[TOTAL][j], s->extreme[HERE][j]);
  clear(s, HERE);
  phase_bytes((double)s->size * sizeof(int64_t));
  phase_end(SCORIA_PHASE_REDUCE, 0);
  PetscFunctionReturn(0);
}
