/* Sums over draws that several models evaluate. */
#include "scoria/fixed.h"
#include "scoria/estimators.h"
#include <math.h>
#include <string.h>

enum { HERE, TOTAL };

/* Sums of z^4 beside those in fixed point, in coarse units, that tell when these could overflow: z beyond HEAVY_Z, or
 * more than HEAVY_MOST units, z^4 of 2^62.  They stay at HEAVY_MOST, so that they are associative as well. */
#define HEAVY_Z 8192.0
#define HEAVY_UNIT 0x1p20
#define HEAVY_MOST ((int64_t)1 << 42)

struct ScoriaCoupled_ {
  int m;
  int64_t columns, plain; /* plain: columns without a histogram, the first.  64 bits, as rows times columns need them */
  int sampled;            /* the model that is sampled; -1: none */
  int pairs;       /* pairs of models, each with itself in front: m + m (m - 1) / 2; squares of the sampled one */
  int64_t moments; /* rows of sums: 2 m of u = (z, z^2), then products of two of u */
  int nthresholds;
  int cells;                                  /* of all thresholds, with two more of each */
  ScoriaThreshold *threshold;                 /* owned */
  double *centre, *inverse_scale;             /* owned (m, columns) */
  double *limit;                              /* owned (m, cells) */
  int64_t at_bins, at_exceed, at_heavy, size; /* places in the sums: the count, moments as pairs, bins, exceedances,
                                                 and z^4 as HEAVY_UNIT counts it (columns) */
  int64_t *sum[2];                            /* owned (size) */
  double *extreme[2];                         /* owned (2, columns): least x, minus the largest */
  double *power;                              /* owned (moments, columns): of a tile */
  double *u;                                  /* owned (2 m, columns), and two more of the row in place */
  int *bin;                                   /* owned (m, columns), and those of the row in place */
};

static void clear(ScoriaCoupled c, int which)
{
  memset(c->sum[which], 0, (size_t)c->size * sizeof(int64_t));
  for (int64_t j = 0; j < 2 * c->columns; j++) c->extreme[which][j] = INFINITY;
}

double coupled_bytes(const ScoriaCoupledSpec *spec)
{
  const double m = spec->models, n = spec->columns, moments = 2 * m + m * (2 * m + 1),
               pairs = m + m * (m - 1) / 2 + (spec->sampled > 0),
               sums  = 2 * (2 * moments * n + pairs * (n - spec->plain) * (COUPLED_BINS + 2) + n);
  return sums * sizeof(int64_t) + (moments + 4 * m + 4) * n * sizeof(double) + m * n * sizeof(int);
}

PetscErrorCode ScoriaCoupledCreate(const ScoriaCoupledSpec *spec, ScoriaCoupled *coupled)
{
  const int64_t n = spec->columns;
  const int m     = spec->models;
  ScoriaCoupled c;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&c));
  c->m           = m;
  c->columns     = n;
  c->plain       = spec->plain;
  c->sampled     = spec->sampled - 1;
  c->pairs       = m + m * (m - 1) / 2 + (spec->sampled > 0);
  c->moments     = 2 * m + m * (2 * m + 1);
  c->nthresholds = spec->nthresholds;
  c->at_bins     = 1 + 2 * (int64_t)c->moments * n;
  c->at_exceed   = c->at_bins + (int64_t)c->pairs * (n - c->plain) * (COUPLED_BINS + 2);
  c->size        = c->at_exceed;
  for (int t = 0; t < spec->nthresholds; t++) c->cells += spec->threshold[t].number + 2;
  c->size += (int64_t)c->pairs * c->cells;
  c->at_heavy = c->size;
  c->size += n;
  PetscCall(PetscMalloc1(spec->nthresholds, &c->threshold));
  PetscCall(PetscArraycpy(c->threshold, spec->threshold, spec->nthresholds));
  PetscCall(PetscMalloc3(m * n, &c->centre, m * n, &c->inverse_scale, m * c->cells, &c->limit));
  PetscCall(PetscMalloc4(c->size, &c->sum[HERE], c->size, &c->sum[TOTAL], 2 * n, &c->extreme[HERE], 2 * n,
                         &c->extreme[TOTAL]));
  PetscCall(PetscMalloc3(c->moments * n, &c->power, 2 * (m + 1) * n, &c->u, (m + 1) * n, &c->bin));
  for (int a = 0; a < m; a++) {
    PetscCall(PetscArraycpy(c->centre + a * n, spec->centre[a], n));
    for (int j = 0; j < n; j++) c->inverse_scale[a * n + j] = 1 / spec->scale[a][j];
    if (c->cells) PetscCall(PetscArraycpy(c->limit + a * c->cells, spec->limit[a], c->cells));
  }
  clear(c, HERE);
  clear(c, TOTAL);
  *coupled = c;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCoupledDestroy(ScoriaCoupled *coupled)
{
  ScoriaCoupled c = *coupled;
  PetscFunctionBeginUser;
  if (!c) PetscFunctionReturn(0);
  PetscCall(PetscFree(c->threshold));
  PetscCall(PetscFree3(c->centre, c->inverse_scale, c->limit));
  PetscCall(PetscFree4(c->sum[HERE], c->sum[TOTAL], c->extreme[HERE], c->extreme[TOTAL]));
  PetscCall(PetscFree3(c->power, c->u, c->bin));
  PetscCall(PetscFree(*coupled));
  PetscFunctionReturn(0);
}

/* The place of a pair a <= b. */
static int pair_of(const ScoriaCoupled c, int a, int b)
{
  return a == b ? a : c->m + a * (2 * c->m - a - 1) / 2 + (b - a - 1);
}

/* ------------------------------------------------------------------------------------------------- adding ---- */

/* z within what may be added, `times` of it. */
static double within(double z, double times, int64_t *heavy)
{
  const double z4 = z * z * z * z * times * times, most = HEAVY_Z / times;
  if (z4 < HEAVY_UNIT) return z;
  const int64_t units = fabs(z) <= most ? (int64_t)(z4 / HEAVY_UNIT) : HEAVY_MOST;
  *heavy              = PetscMin(*heavy + units, HEAVY_MOST);
  return PetscMax(-most, PetscMin(most, z));
}

/* z, its square and its bin, of a row of model a that counts `times` times: (columns). */
static void take_values(ScoriaCoupled c, int a, const double x[], int times, double z[], double z2[], int bin[])
{
  int64_t *heavy       = c->sum[HERE] + c->at_heavy;
  const int64_t n      = c->columns;
  const double *centre = c->centre + a * n, *inverse = c->inverse_scale + a * n;
  for (int j = 0; j < n; j++) {
    z[j]               = within((x[j] - centre[j]) * inverse[j], times, &heavy[j]);
    z2[j]              = z[j] * z[j];
    const double place = (z[j] + COUPLED_RANGE) * (COUPLED_BINS / (2 * COUPLED_RANGE)) + 1;
    bin[j]             = place < 1 ? 0 : (place < COUPLED_BINS + 1 ? (int)place : COUPLED_BINS + 1);
  }
}

/* The sampled model's row in place counts `times` times, and its own that much less. */
static void take_in_place(ScoriaCoupled c, const double x[], int times)
{
  const int64_t n = c->columns;
  const int m = c->m, a = c->sampled;
  double *in = c->u + 2 * m * n;
  take_values(c, a, x, times, in, in + n, c->bin + m * n);
  for (int k = 0; k < 2; k++, in += n) {
    double *own = c->u + (k * m + a) * n;
    for (int j = 0; j < n; j++) own[j] += times * (in[j] - own[j]);
  }
}

static void take_row(ScoriaCoupled c, int64_t i, const double *const rows[], const double *in_place, int times)
{
  const int64_t n = c->columns;
  const int m     = c->m;
  for (int a = 0; a < m; a++)
    take_values(c, a, rows[a] + i * n, a == c->sampled && times > 0 ? times : 1, c->u + a * n, c->u + (m + a) * n,
                c->bin + a * n);
  if (times > 0) take_in_place(c, in_place + i * n, times);
  for (int j = 0; j < n; j++) {
    const double x          = rows[0][i * n + j];
    c->extreme[HERE][j]     = PetscMin(c->extreme[HERE][j], x);
    c->extreme[HERE][n + j] = PetscMin(c->extreme[HERE][n + j], -x);
  }
}

static void add_moments(ScoriaCoupled c)
{
  const int64_t n = c->columns;
  const int all   = 2 * c->m;
  double *to      = c->power;
  for (int a = 0; a < all; a++, to += n)
    for (int j = 0; j < n; j++) to[j] += c->u[a * n + j];
  for (int a = 0; a < all; a++)
    for (int b = a; b < all; b++, to += n) {
      const double *restrict x = c->u + a * n, *restrict y = c->u + b * n;
      for (int j = 0; j < n; j++) to[j] += x[j] * y[j];
    }
}

static int64_t *bins_here(const ScoriaCoupled c, int pair)
{
  return c->sum[HERE] + c->at_bins + (int64_t)pair * (c->columns - c->plain) * (COUPLED_BINS + 2);
}

/* `times` to the bin of the larger of two, which is below an edge when both are. */
static void count_bins(const ScoriaCoupled c, const int x[], const int y[], int64_t times, int64_t *to)
{
  for (int j = c->plain; j < c->columns; j++, to += COUPLED_BINS + 2) to[PetscMax(x[j], y[j])] += times;
}

static void add_bins(ScoriaCoupled c, int times)
{
  const int64_t n = c->columns;
  const int s = c->sampled, *in = c->bin + c->m * n;
  for (int a = 0; a < c->m; a++)
    for (int b = a; b < c->m; b++) {
      int64_t *to  = bins_here(c, pair_of(c, a, b));
      const int *x = c->bin + a * n, *y = c->bin + b * n;
      count_bins(c, x, y, a == s || b == s ? 1 - times : 1, to);
      if (times > 0 && (a == s || b == s)) count_bins(c, a == s ? in : x, b == s ? in : y, times, to);
    }
  if (s < 0) return;
  const int *own   = c->bin + s * n;
  int64_t *squares = bins_here(c, c->pairs - 1);
  count_bins(c, own, own, (1 - times) * (1 - times), squares);
  if (times == 0) return;
  count_bins(c, in, in, times * times, squares);
  count_bins(c, own, in, 2 * times * (1 - times), squares);
}

/* Whether the models, and the row in place, are beyond a threshold, as bits, to the counts of all pairs. */
static void count_beyond(const ScoriaCoupled c, unsigned beyond, int times, int cells, int64_t *to)
{
  int value[PLAN_MODELS] = {0};
  for (int a = 0; a < c->m; a++) value[a] = beyond >> a & 1;
  if (times > 0) value[c->sampled] += times * ((int)(beyond >> c->m & 1) - value[c->sampled]);
  for (int a = 0; a < c->m; a++)
    for (int b = a; b < c->m; b++) to[(int64_t)pair_of(c, a, b) * cells] += a == b ? value[a] : value[a] * value[b];
  if (c->sampled >= 0) to[(int64_t)(c->pairs - 1) * cells] += value[c->sampled] * value[c->sampled];
}

/* row (m + 1): of all models, and that in place, where there is one.  limit (m, all cells): from the threshold's first
 * on. */
static void add_exceedance(ScoriaCoupled c, const ScoriaThreshold *of, const double *const row[], int times,
                           const double *limit, int64_t *to)
{
  const double sign = of->below ? -1 : 1;
  const int cells = of->number + 2, rows = c->m + (times > 0);
  double most[2][PLAN_MODELS + 1]; /* of the most extreme cell, and of the least */
  for (int a = 0; a < rows; a++) most[0][a] = most[1][a] = sign * row[a][of->first];
  for (int j = 0; j < of->number; j++) {
    unsigned beyond = 0;
    for (int a = 0; a < rows; a++) {
      const double x = sign * row[a][of->first + j];
      most[0][a]     = PetscMax(most[0][a], x);
      most[1][a]     = PetscMin(most[1][a], x);
      beyond |= (unsigned)(x > sign * limit[(a < c->m ? a : c->sampled) * c->cells + j]) << a;
    }
    count_beyond(c, beyond, times, cells, to + j);
  }
  for (int k = 0; k < 2; k++) {
    unsigned beyond = 0;
    for (int a = 0; a < rows; a++)
      beyond |= (unsigned)(most[k][a] > sign * limit[(a < c->m ? a : c->sampled) * c->cells + of->number + k]) << a;
    count_beyond(c, beyond, times, cells, to + of->number + k);
  }
}

static void add_exceedances(ScoriaCoupled c, int64_t i, const double *const rows[], const double *in_place, int times)
{
  const double *row[PLAN_MODELS + 1], *limit = c->limit;
  int64_t *to = c->sum[HERE] + c->at_exceed;
  for (int a = 0; a < c->m; a++) row[a] = rows[a] + i * c->columns;
  row[c->m] = times > 0 ? in_place + i * c->columns : NULL;
  for (int t = 0; t < c->nthresholds; t++) {
    const int cells = c->threshold[t].number + 2;
    add_exceedance(c, &c->threshold[t], row, times, limit, to);
    limit += cells;
    to += (int64_t)c->pairs * cells;
  }
}

void coupled_add(ScoriaCoupled c, int64_t n, const double *const rows[], const double in_place[], const int times[])
{
  memset(c->power, 0, (size_t)(c->moments * c->columns) * sizeof *c->power);
  for (int64_t i = 0; i < n; i++) {
    const int in = c->sampled >= 0 ? times[i] : 0;
    take_row(c, i, rows, in_place, in);
    add_moments(c);
    add_bins(c, in);
    add_exceedances(c, i, rows, in_place, in);
  }
  c->sum[HERE][0] += n;
  add_fixed_all(c->moments * c->columns, c->power, c->sum[HERE] + 1);
}

PetscErrorCode ScoriaCoupledReduce(ScoriaCoupled c, MPI_Comm comm)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaReduceMany(comm, MPI_SUM, c->size, MPI_INT64_T, c->sum[HERE]));
  PetscCall(ScoriaReduceMany(comm, MPI_MIN, 2 * c->columns, MPI_DOUBLE, c->extreme[HERE]));
  for (int64_t i = 0; i < c->size; i++) c->sum[TOTAL][i] += c->sum[HERE][i];
  for (int64_t i = 1; i < c->at_bins; i += 2) carry_fixed(c->sum[TOTAL] + i);
  for (int64_t i = c->at_heavy; i < c->size; i++) c->sum[TOTAL][i] = PetscMin(c->sum[TOTAL][i], HEAVY_MOST);
  for (int64_t j = 0; j < 2 * c->columns; j++)
    c->extreme[TOTAL][j] = PetscMin(c->extreme[TOTAL][j], c->extreme[HERE][j]);
  clear(c, HERE);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- asking ---- */

int64_t coupled_count(ScoriaCoupled c)
{
  return c->sum[TOTAL][0];
}

void coupled_moments(ScoriaCoupled c, int column, double mean[], double covariance[])
{
  const int all       = 2 * c->m;
  const double n      = (double)coupled_count(c);
  const int64_t *from = c->sum[TOTAL] + 1 + 2 * (int64_t)column;
  for (int a = 0; a < all; a++, from += 2 * c->columns) mean[a] = get_fixed(from) / n;
  for (int a = 0; a < all; a++)
    for (int b = a; b < all; b++, from += 2 * c->columns)
      covariance[a * all + b] = covariance[b * all + a] = (get_fixed(from) / n - mean[a] * mean[b]) * n / (n - 1);
}

/* Means and covariances of indicators from how often each of a pair's both are 1. */
static void of_counts(const ScoriaCoupled c, const double count[], double mean[], double covariance[])
{
  const int m    = c->m;
  const double n = (double)coupled_count(c);
  for (int a = 0; a < m; a++) mean[a] = count[a] / n;
  for (int a = 0; a < m; a++)
    for (int b = a; b < m; b++) {
      const int pair        = a == b && a == c->sampled ? c->pairs - 1 : pair_of(c, a, b);
      covariance[a * m + b] = covariance[b * m + a] = (count[pair] / n - mean[a] * mean[b]) * n / (n - 1);
    }
}

static const int64_t *bins_of(const ScoriaCoupled c, int pair, int column)
{
  return c->sum[TOTAL] + c->at_bins +
         ((int64_t)pair * (c->columns - c->plain) + column - c->plain) * (COUPLED_BINS + 2);
}

void coupled_below(ScoriaCoupled c, int column, int edge, double mean[], double covariance[])
{
  double count[PLAN_MODELS * (PLAN_MODELS + 1) / 2 + 1];
  for (int p = 0; p < c->pairs; p++) {
    const int64_t *bin = bins_of(c, p, column);
    count[p]           = 0;
    for (int k = 0; k <= edge; k++) count[p] += (double)bin[k];
  }
  of_counts(c, count, mean, covariance);
}

void coupled_shares(ScoriaCoupled c, int column, double mean[])
{
  const double n = (double)coupled_count(c);
  for (int a = 0; a < c->m; a++) {
    const int64_t *bin = bins_of(c, a, column);
    double below       = 0;
    for (int k = 0; k <= COUPLED_BINS; k++) mean[k * c->m + a] = (below += (double)bin[k]) / n;
  }
}

double coupled_edge(int edge)
{
  return edge * (2 * COUPLED_RANGE / COUPLED_BINS) - COUPLED_RANGE;
}

void coupled_exceedance(ScoriaCoupled c, int t, int cell, double mean[], double covariance[])
{
  double count[PLAN_MODELS * (PLAN_MODELS + 1) / 2 + 1];
  const int64_t *from = c->sum[TOTAL] + c->at_exceed;
  const int number = c->threshold[t].number, at = cell >= 0 ? cell : number + (cell == SUMMARY_ALL);
  for (int k = 0; k < t; k++) from += (int64_t)c->pairs * (c->threshold[k].number + 2);
  for (int p = 0; p < c->pairs; p++) count[p] = (double)from[(int64_t)p * (number + 2) + at];
  of_counts(c, count, mean, covariance);
}

void coupled_extremes(ScoriaCoupled c, int column, double *least, double *largest)
{
  *least   = c->extreme[TOTAL][column];
  *largest = -c->extreme[TOTAL][c->columns + column];
}

bool coupled_overflows(ScoriaCoupled c, int column)
{
  return c->sum[TOTAL][c->at_heavy + column] >= HEAVY_MOST;
}

void coupled_state(ScoriaCoupled c, int64_t *nsums, int64_t **sums, int64_t *nextremes, double **extremes)
{
  *nsums     = c->size;
  *sums      = c->sum[TOTAL];
  *nextremes = 2 * c->columns;
  *extremes  = c->extreme[TOTAL];
}
