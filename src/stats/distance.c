/* Distances between two samples of field vectors: moments, central 95 % bands, Wasserstein-1 per column and over random
 * directions, covariance.  Columns whose reference spread is round-off are left out. */
#include "scoria/stats.h"
#include "sort.h"
#include "distances.h"
#include <math.h>
#include <string.h>

#define ENERGY_ROWS 1000 /* the test is quadratic in rows */

enum { GROUP = 16, CHUNK = 256 }; /* columns or directions at once; rows at once */

/* One of the two samples, and its moments. */
typedef struct {
  int64_t n;
  const double *x;   /* borrowed (n, m) */
  double *mean, *sd; /* owned (m) */
  double *group;     /* owned (GROUP, n): columns or projections, each contiguous */
  double *C;         /* owned (kept, kept): covariance of the scaled columns, lower triangle */
} Side;

typedef struct {
  int m, kept;
  int *column;  /* owned (kept): the columns that count */
  Side side[2]; /* a, b */
  double *work; /* owned (max n) */
  double *Z;    /* owned (CHUNK, kept) */
} Pair;

/* ------------------------------------------------------------------------------------------------ products ---- */

enum { TILE_A = 4, TILE_B = GROUP };

/* sum[a][b] += sum over k of A[k step_k + a step_a] B[k ld + b], na x nb of the tile. */
static void product_tile(int K, const double A[], int step_k, int step_a, int na, const double B[], int ld, int nb,
                         double sum[TILE_A][TILE_B])
{
  if (na == TILE_A && nb == TILE_B) {
    for (int k = 0; k < K; k++)
      for (int a = 0; a < TILE_A; a++)
        for (int b = 0; b < TILE_B; b++)
          sum[a][b] += A[(size_t)k * step_k + (size_t)a * step_a] * B[(size_t)k * ld + b];
  } else {
    for (int k = 0; k < K; k++)
      for (int a = 0; a < na; a++)
        for (int b = 0; b < nb; b++) sum[a][b] += A[(size_t)k * step_k + (size_t)a * step_a] * B[(size_t)k * ld + b];
  }
}

/* Z (rows, kept) of a side: its own mean taken off, in units of the reference's SD. */
static void scaled_rows(const Pair *pair, const Side *side, int64_t first, int rows)
{
  for (int i = 0; i < rows; i++)
    for (int k = 0; k < pair->kept; k++) {
      const int j = pair->column[k];
      pair->Z[(size_t)i * pair->kept + k] =
          (side->x[(size_t)(first + i) * pair->m + j] - side->mean[j]) / pair->side[1].sd[j];
    }
}

/* Lower triangle of C += Z^T Z. */
static void add_covariance(int n, int rows, const double Z[], double C[])
{
  for (int j = 0; j < n; j += TILE_A)
    for (int k = 0; k <= PetscMin(j + TILE_A, n) - 1; k += TILE_B) {
      const int na = PetscMin(TILE_A, n - j), nb = PetscMin(TILE_B, n - k);
      double sum[TILE_A][TILE_B] = {{0}};
      product_tile(rows, Z + j, n, 1, na, Z + k, n, nb, sum);
      for (int a = 0; a < na; a++)
        for (int b = 0; b < nb; b++) C[(size_t)(j + a) * n + k + b] += sum[a][b];
    }
}

static void covariance(Pair *pair, Side *side)
{
  const int n = pair->kept;
  for (int64_t first = 0; first < side->n; first += CHUNK) {
    const int rows = (int)PetscMin(CHUNK, side->n - first);
    scaled_rows(pair, side, first, rows);
    add_covariance(n, rows, pair->Z, side->C);
  }
  for (size_t k = 0; k < (size_t)n * n; k++) side->C[k] /= (double)(side->n - 1);
}

/* side->group = projections on `count` directions, D (kept, GROUP); shift is what the mean adds to each. */
static void project(Pair *pair, Side *side, int count, const double D[], const double shift[])
{
  for (int64_t first = 0; first < side->n; first += CHUNK) {
    const int rows = (int)PetscMin(CHUNK, side->n - first);
    scaled_rows(pair, side, first, rows);
    for (int i = 0; i < rows; i += TILE_A) {
      const int na               = PetscMin(TILE_A, rows - i);
      double sum[TILE_A][TILE_B] = {{0}};
      product_tile(pair->kept, pair->Z + (size_t)i * pair->kept, 1, pair->kept, na, D, GROUP, count, sum);
      for (int a = 0; a < na; a++)
        for (int b = 0; b < count; b++) side->group[(size_t)b * side->n + first + i + a] = sum[a][b] + shift[b];
    }
  }
}

/* ------------------------------------------------------------------------------------------------ distances ---- */

/* Between consecutive multiples of 1/na and 1/nb both quantiles are constant. */
double stats_wasserstein1(int64_t na, const double a[], int64_t nb, const double b[])
{
  int64_t i = 0, j = 0;
  double sum = 0, at = 0;
  if (na == nb) {
    for (i = 0; i < na; i++) sum += fabs(a[i] - b[i]);
    return sum / (double)na;
  }
  while (i < na && j < nb) {
    const double end_a = (double)(i + 1) / (double)na, end_b = (double)(j + 1) / (double)nb;
    const double end = PetscMin(end_a, end_b);
    sum += (end - at) * fabs(a[i] - b[j]);
    at                = end;
    const double both = (double)(i + 1) * (double)nb - (double)(j + 1) * (double)na; /* exact below 2^53 */
    i += both <= 0;
    j += both >= 0;
  }
  return sum;
}

/* Largest gap between the distribution functions of a and b, both ascending. */
static double kolmogorov_smirnov(int64_t na, const double a[], int64_t nb, const double b[])
{
  int64_t i = 0, j = 0;
  double largest = 0;
  while (i < na && j < nb) {
    const double value = PetscMin(a[i], b[j]);
    while (i < na && a[i] <= value) i++;
    while (j < nb && b[j] <= value) j++;
    largest = PetscMax(largest, fabs((double)i / (double)na - (double)j / (double)nb));
  }
  return largest;
}

/* Share of b (ascending) inside [lo, hi]. */
static double share_inside(int64_t n, const double b[], double lo, double hi)
{
  int64_t inside = 0;
  for (int64_t i = 0; i < n; i++) inside += b[i] >= lo && b[i] <= hi;
  return (double)inside / (double)n;
}

/* Adds column j's part: sums for now. */
static void add_column(const Pair *pair, int j, const double a[], const double b[], ScoriaDistance *d)
{
  const Side *A = &pair->side[0], *B = &pair->side[1];
  const double mean = (A->mean[j] - B->mean[j]) / B->sd[j], spread = A->sd[j] / B->sd[j] - 1;
  const double lo = stats_quantile(A->n, a, 0.025), hi = stats_quantile(A->n, a, 0.975);
  const double band = (hi - lo) / (stats_quantile(B->n, b, 0.975) - stats_quantile(B->n, b, 0.025)) - 1;
  d->mean_error += mean * mean;
  d->sd_error += spread * spread;
  d->sd_bias += spread;
  d->band_error += band * band;
  d->coverage95 += share_inside(B->n, b, lo, hi);
  d->w1 += stats_wasserstein1(A->n, a, B->n, b) / B->sd[j];
  d->ks = PetscMax(d->ks, kolmogorov_smirnov(A->n, a, B->n, b));
}

static void sort_group(Pair *pair, int count)
{
  for (int s = 0; s < 2; s++)
    for (int k = 0; k < count; k++)
      sort_ascending(pair->side[s].n, pair->side[s].group + (size_t)k * pair->side[s].n, pair->work);
}

static void column_distances(Pair *pair, ScoriaDistance *d)
{
  for (int first = 0; first < pair->kept; first += GROUP) {
    const int count = PetscMin(GROUP, pair->kept - first);
    for (int s = 0; s < 2; s++) {
      const Side *side = &pair->side[s];
      for (int64_t i = 0; i < side->n; i++)
        for (int k = 0; k < count; k++)
          side->group[(size_t)k * side->n + i] = side->x[(size_t)i * pair->m + pair->column[first + k]];
    }
    sort_group(pair, count);
    for (int k = 0; k < count; k++)
      add_column(pair, pair->column[first + k], pair->side[0].group + (size_t)k * pair->side[0].n,
                 pair->side[1].group + (size_t)k * pair->side[1].n, d);
  }
  d->mean_error = sqrt(d->mean_error / pair->kept);
  d->sd_error   = sqrt(d->sd_error / pair->kept);
  d->band_error = sqrt(d->band_error / pair->kept);
  d->sd_bias /= pair->kept;
  d->coverage95 /= pair->kept;
  d->w1 /= pair->kept;
}

/* Column b of D (kept, GROUP): a random unit vector; shift: what the difference of the means projects to. */
static void set_direction(const Pair *pair, uint64_t seed, int id, int b, double D[], double shift[], double normal[])
{
  double norm = 0;
  rng_normal(seed, SCORIA_STREAM_DIRECTION, (uint64_t)id, 0, pair->kept, normal);
  for (int k = 0; k < pair->kept; k++) norm += normal[k] * normal[k];
  norm     = sqrt(norm);
  shift[b] = 0;
  for (int k = 0; k < pair->kept; k++) {
    const int j              = pair->column[k];
    D[(size_t)k * GROUP + b] = normal[k] / norm;
    shift[b] += normal[k] / norm * (pair->side[0].mean[j] - pair->side[1].mean[j]) / pair->side[1].sd[j];
  }
}

static PetscErrorCode sliced_distance(Pair *pair, uint64_t seed, int directions, ScoriaDistance *d)
{
  static const double zero[GROUP];
  double shift[GROUP], *D, *normal;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)pair->kept * GROUP, &D, pair->kept, &normal));
  for (int first = 0; first < directions; first += GROUP) {
    const int count = PetscMin(GROUP, directions - first);
    for (int b = 0; b < count; b++) set_direction(pair, seed, first + b, b, D, shift, normal);
    project(pair, &pair->side[0], count, D, shift);
    project(pair, &pair->side[1], count, D, zero);
    sort_group(pair, count);
    for (int b = 0; b < count; b++)
      d->sliced_w += stats_wasserstein1(pair->side[0].n, pair->side[0].group + (size_t)b * pair->side[0].n,
                                        pair->side[1].n, pair->side[1].group + (size_t)b * pair->side[1].n) /
                     directions;
  }
  PetscCall(PetscFree2(D, normal));
  PetscFunctionReturn(0);
}

static double covariance_distance(const Pair *pair)
{
  const int n       = pair->kept;
  double difference = 0, reference = 0;
  for (int j = 0; j < n; j++)
    for (int k = 0; k <= j; k++) {
      const size_t at     = (size_t)j * n + k;
      const double weight = j == k ? 1 : 2, gap = pair->side[0].C[at] - pair->side[1].C[at];
      difference += weight * gap * gap;
      reference += weight * pair->side[1].C[at] * pair->side[1].C[at];
    }
  return sqrt(difference / reference);
}

/* From the covariances of both sides, which are in units of the reference's SDs. */
static double roughness_ratio(Pair *pair)
{
  const int n   = pair->kept;
  int number    = 0;
  double *ratio = pair->Z; /* CHUNK rows of kept numbers: room for 2 kept of them */
  for (int j = 0; j + 1 < n; j++) {
    if (pair->column[j + 1] != pair->column[j] + 1) continue;
    const double sj = pair->side[1].sd[pair->column[j]], sk = pair->side[1].sd[pair->column[j + 1]];
    double variance[2];
    for (int s = 0; s < 2; s++) {
      const double *C = pair->side[s].C;
      variance[s]     = sj * sj * C[(size_t)j * n + j] + sk * sk * C[(size_t)(j + 1) * n + j + 1] -
                    2 * sj * sk * C[(size_t)(j + 1) * n + j];
    }
    if (variance[1] > 0) ratio[number++] = sqrt(PetscMax(variance[0], 0) / variance[1]);
  }
  if (!number) return 1;
  sort_ascending(number, ratio, ratio + n);
  return stats_quantile(number, ratio, 0.5);
}

static PetscErrorCode EnergyTest(const Pair *pair, uint64_t seed, ScoriaDistance *d)
{
  const Side *a = &pair->side[0], *b = &pair->side[1];
  double *scale, distance;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(pair->m, &scale));
  for (int k = 0; k < pair->kept; k++) scale[pair->column[k]] = b->sd[pair->column[k]];
  PetscCall(ScoriaEnergyTest(PetscMin(PetscMin(a->n, b->n), ENERGY_ROWS), a->x, b->x, pair->m, scale, seed, &distance,
                             &d->energy_p));
  PetscCall(PetscFree(scale));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- set-up ---- */

static PetscErrorCode PairCreate(int64_t na, const double a[], int64_t nb, const double b[], int m, Pair *pair)
{
  PetscFunctionBeginUser;
  *pair = (Pair){.m = m, .side = {{.n = na, .x = a}, {.n = nb, .x = b}}};
  PetscCall(PetscMalloc1(m, &pair->column));
  for (int s = 0; s < 2; s++) {
    Side *side = &pair->side[s];
    PetscCall(PetscMalloc3(m, &side->mean, m, &side->sd, (size_t)GROUP * side->n, &side->group));
    stats_moments(side->n, m, side->x, side->mean, side->sd);
  }
  const Side *reference = &pair->side[1];
  for (int j = 0; j < m; j++)
    if (reference->sd[j] > 1e-9 * fabs(reference->mean[j])) pair->column[pair->kept++] = j;
  for (int s = 0; s < 2; s++) PetscCall(PetscCalloc1((size_t)pair->kept * pair->kept, &pair->side[s].C));
  PetscCall(PetscMalloc1(PetscMax(na, nb), &pair->work));
  PetscCall(PetscMalloc1((size_t)CHUNK * pair->kept, &pair->Z));
  PetscFunctionReturn(0);
}

static PetscErrorCode PairDestroy(Pair *pair)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < 2; s++) {
    PetscCall(PetscFree3(pair->side[s].mean, pair->side[s].sd, pair->side[s].group));
    PetscCall(PetscFree(pair->side[s].C));
  }
  PetscCall(PetscFree(pair->column));
  PetscCall(PetscFree(pair->work));
  PetscCall(PetscFree(pair->Z));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDistanceCompute(int64_t na, const double a[], int64_t nb, const double b[], int m, uint64_t seed,
                                     int directions, ScoriaDistance *d)
{
  Pair pair;
  PetscFunctionBeginUser;
  PetscCheck(directions > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%d directions", directions);
  if (na < 2 || nb < 2)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "comparing two samples needs at least two rows in each: %lld and %lld were found",
                (long long)na, (long long)nb);
  *d = (ScoriaDistance){0};
  PetscCall(PairCreate(na, a, nb, b, m, &pair));
  if (pair.kept > 0) {
    column_distances(&pair, d);
    PetscCall(sliced_distance(&pair, seed, directions, d));
    covariance(&pair, &pair.side[0]);
    covariance(&pair, &pair.side[1]);
    d->covariance_error = covariance_distance(&pair);
    d->roughness        = roughness_ratio(&pair);
    PetscCall(EnergyTest(&pair, seed, d));
  }
  const bool varies = pair.kept > 0;
  PetscCall(PairDestroy(&pair));
  if (!varies) SCORIA_FAIL(SCORIA_EXIT_INPUT, "comparing two samples: the reference does not vary in any cell");
  PetscFunctionReturn(0);
}
