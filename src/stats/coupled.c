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
  int m, columns, plain; /* plain: columns without a histogram, the first */
  int pairs;             /* pairs of models, each with itself in front: m + m (m - 1) / 2 */
  int moments;           /* rows of sums: 2 m of u = (z, z^2), then products of two of u */
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
  double *u;                                  /* owned (2 m, columns) */
  int *bin;                                   /* owned (m, columns) */
};

static void clear(ScoriaCoupled c, int which)
{
  memset(c->sum[which], 0, (size_t)c->size * sizeof(int64_t));
  for (int j = 0; j < 2 * c->columns; j++) c->extreme[which][j] = INFINITY;
}

double coupled_bytes(const ScoriaCoupledSpec *spec)
{
  const double m = spec->models, n = spec->columns, pairs = m + m * (m - 1) / 2, moments = 2 * m + m * (2 * m + 1),
               sums = 2 * (2 * moments * n + pairs * (n - spec->plain) * (COUPLED_BINS + 2) + n);
  return sums * sizeof(int64_t) + (moments + 4 * m + 4) * n * sizeof(double) + m * n * sizeof(int);
}

PetscErrorCode ScoriaCoupledCreate(const ScoriaCoupledSpec *spec, ScoriaCoupled *coupled)
{
  const int n = spec->columns, m = spec->models;
  ScoriaCoupled c;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&c));
  c->m           = m;
  c->columns     = n;
  c->plain       = spec->plain;
  c->pairs       = m + m * (m - 1) / 2;
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
  PetscCall(PetscMalloc3(c->moments * n, &c->power, 2 * m * n, &c->u, m * n, &c->bin));
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

/* z within what may be added. */
static double within(double z, int64_t *heavy)
{
  const double z4 = z * z * z * z;
  if (z4 < HEAVY_UNIT) return z;
  const int64_t units = fabs(z) <= HEAVY_Z ? (int64_t)(z4 / HEAVY_UNIT) : HEAVY_MOST;
  *heavy              = PetscMin(*heavy + units, HEAVY_MOST);
  return PetscMax(-HEAVY_Z, PetscMin(HEAVY_Z, z));
}

static void take_row(ScoriaCoupled c, int64_t i, const double *const rows[])
{
  int64_t *heavy = c->sum[HERE] + c->at_heavy;
  const int n = c->columns, m = c->m;
  for (int a = 0; a < m; a++) {
    const double *x = rows[a] + i * n, *centre = c->centre + a * n, *inverse = c->inverse_scale + a * n;
    double *z = c->u + a * n, *z2 = c->u + (m + a) * n;
    int *bin = c->bin + a * n;
    for (int j = 0; j < n; j++) {
      z[j]               = within((x[j] - centre[j]) * inverse[j], &heavy[j]);
      z2[j]              = z[j] * z[j];
      const double place = (z[j] + COUPLED_RANGE) * (COUPLED_BINS / (2 * COUPLED_RANGE)) + 1;
      bin[j]             = place < 1 ? 0 : (place < COUPLED_BINS + 1 ? (int)place : COUPLED_BINS + 1);
    }
  }
  for (int j = 0; j < n; j++) {
    const double x          = rows[0][i * n + j];
    c->extreme[HERE][j]     = PetscMin(c->extreme[HERE][j], x);
    c->extreme[HERE][n + j] = PetscMin(c->extreme[HERE][n + j], -x);
  }
}

static void add_moments(ScoriaCoupled c)
{
  const int n = c->columns, all = 2 * c->m;
  double *to = c->power;
  for (int a = 0; a < all; a++, to += n)
    for (int j = 0; j < n; j++) to[j] += c->u[a * n + j];
  for (int a = 0; a < all; a++)
    for (int b = a; b < all; b++, to += n) {
      const double *restrict x = c->u + a * n, *restrict y = c->u + b * n;
      for (int j = 0; j < n; j++) to[j] += x[j] * y[j];
    }
}

/* The larger of two is below an edge when both are. */
static void add_bins(ScoriaCoupled c)
{
  const int n = c->columns;
  for (int a = 0; a < c->m; a++)
    for (int b = a; b < c->m; b++) {
      int64_t *to  = c->sum[HERE] + c->at_bins + (int64_t)pair_of(c, a, b) * (n - c->plain) * (COUPLED_BINS + 2);
      const int *x = c->bin + a * n, *y = c->bin + b * n;
      for (int j = c->plain; j < n; j++, to += COUPLED_BINS + 2) to[PetscMax(x[j], y[j])]++;
    }
}

/* Bits of the models that are beyond a threshold, to the counts of all pairs. */
static void count_beyond(const ScoriaCoupled c, unsigned beyond, int cells, int64_t *to)
{
  for (int a = 0; a < c->m; a++)
    for (int b = a; b < c->m; b++) to[(int64_t)pair_of(c, a, b) * cells] += beyond >> a & beyond >> b & 1;
}

/* limit (m, all cells): from the threshold's first on. */
static void add_exceedance(ScoriaCoupled c, const ScoriaThreshold *of, int64_t i, const double *const rows[],
                           const double *limit, int64_t *to)
{
  const double sign = of->below ? -1 : 1;
  const int cells   = of->number + 2;
  double most[2][PLAN_MODELS]; /* of the most extreme cell, and of the least */
  for (int a = 0; a < c->m; a++) most[0][a] = most[1][a] = sign * rows[a][i * c->columns + of->first];
  for (int j = 0; j < of->number; j++) {
    unsigned beyond = 0;
    for (int a = 0; a < c->m; a++) {
      const double x = sign * rows[a][i * c->columns + of->first + j];
      most[0][a]     = PetscMax(most[0][a], x);
      most[1][a]     = PetscMin(most[1][a], x);
      beyond |= (unsigned)(x > sign * limit[a * c->cells + j]) << a;
    }
    count_beyond(c, beyond, cells, to + j);
  }
  for (int k = 0; k < 2; k++) {
    unsigned beyond = 0;
    for (int a = 0; a < c->m; a++) beyond |= (unsigned)(most[k][a] > sign * limit[a * c->cells + of->number + k]) << a;
    count_beyond(c, beyond, cells, to + of->number + k);
  }
}

static void add_exceedances(ScoriaCoupled c, int64_t i, const double *const rows[])
{
  int64_t *to         = c->sum[HERE] + c->at_exceed;
  const double *limit = c->limit;
  for (int t = 0; t < c->nthresholds; t++) {
    const int cells = c->threshold[t].number + 2;
    add_exceedance(c, &c->threshold[t], i, rows, limit, to);
    limit += cells;
    to += (int64_t)c->pairs * cells;
  }
}

void coupled_add(ScoriaCoupled c, int64_t n, const double *const rows[])
{
  memset(c->power, 0, (size_t)(c->moments * c->columns) * sizeof *c->power);
  for (int64_t i = 0; i < n; i++) {
    take_row(c, i, rows);
    add_moments(c);
    add_bins(c);
    add_exceedances(c, i, rows);
  }
  c->sum[HERE][0] += n;
  add_fixed_all(c->moments * c->columns, c->power, c->sum[HERE] + 1);
}

PetscErrorCode ScoriaCoupledReduce(ScoriaCoupled c, MPI_Comm comm)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaReduceMany(comm, MPI_SUM, c->size, MPI_INT64_T, c->sum[HERE]));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, c->extreme[HERE], 2 * c->columns, MPI_DOUBLE, MPI_MIN, comm));
  for (int64_t i = 0; i < c->size; i++) c->sum[TOTAL][i] += c->sum[HERE][i];
  for (int64_t i = 1; i < c->at_bins; i += 2) carry_fixed(c->sum[TOTAL] + i);
  for (int64_t i = c->at_heavy; i < c->size; i++) c->sum[TOTAL][i] = PetscMin(c->sum[TOTAL][i], HEAVY_MOST);
  for (int j = 0; j < 2 * c->columns; j++) c->extreme[TOTAL][j] = PetscMin(c->extreme[TOTAL][j], c->extreme[HERE][j]);
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
  const int64_t *from = c->sum[TOTAL] + 1 + 2 * column;
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
    for (int b = a; b < m; b++)
      covariance[a * m + b] = covariance[b * m + a] = (count[pair_of(c, a, b)] / n - mean[a] * mean[b]) * n / (n - 1);
}

static const int64_t *bins_of(const ScoriaCoupled c, int pair, int column)
{
  return c->sum[TOTAL] + c->at_bins +
         ((int64_t)pair * (c->columns - c->plain) + column - c->plain) * (COUPLED_BINS + 2);
}

void coupled_below(ScoriaCoupled c, int column, int edge, double mean[], double covariance[])
{
  double count[PLAN_MODELS * (PLAN_MODELS + 1) / 2];
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
  double count[PLAN_MODELS * (PLAN_MODELS + 1) / 2];
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
