/* Walks over the training rows; chooses the transform of each channel; evaluates the twins.  A row is usable when it is
 * marked as done and finite; a condition, when it has two such rows. */
#include "normaliser_fit.h"
#include <math.h>
#include <string.h>

enum { ROWS_AT_ONCE = 2048 };

static bool row_usable(const NormData *data, int64_t i)
{
  const int L = data->norm->L;
  if (data->rows.done[i] != SCORIA_ROW_DONE) return false;
  for (int c = 0; c < data->norm->C; c++) {
    const double *x = data->rows.field[data->channel[c]] + (size_t)i * L;
    for (int j = 0; j < L; j++)
      if (!isfinite(x[j])) return false;
  }
  return true;
}

/* The usable rows of what was read, side by side in data->v. */
static int pack(NormData *data)
{
  const int L = data->norm->L, C = data->norm->C;
  int n = 0;
  for (int64_t i = 0; i < data->rows.rows; i++) {
    if (!row_usable(data, i)) continue;
    for (int c = 0; c < C; c++)
      memcpy(data->v + ((size_t)n * C + c) * L, data->rows.field[data->channel[c]] + (size_t)i * L, L * sizeof(double));
    n++;
  }
  return n;
}

PetscErrorCode NormDataWalk(NormData *data, NormVisit visit, void *ctx)
{
  const int64_t each = data->spec->realisations;
  PetscFunctionBeginUser;
  for (int i = 0; i < data->n; i++)
    for (int64_t first = 0; first < each; first += data->capacity) {
      const int64_t number = PetscMin(data->capacity, each - first);
      PetscCall(ScoriaDatasetRead(data->ds, data->condition[i] * each + first, number, &data->rows));
      const int n = pack(data);
      normaliser_transform(data->norm, n, data->v, data->v);
      normaliser_subtract_first(data->norm, n, data->v);
      if (n > 0) PetscCall(visit(ctx, data, i, n, data->v));
    }
  PetscFunctionReturn(0);
}

/* Range of sign (x - reference) over the rows, per channel. */
typedef struct {
  double lo[SCORIA_MAX_FIELDS], hi[SCORIA_MAX_FIELDS];
} Range;

/* Squares of x_0, and of x_j - x_0 averaged over the cells j > 0, about their means within a condition. */
typedef struct {
  double level[SCORIA_MAX_FIELDS], shape[SCORIA_MAX_FIELDS];
} Spread;

typedef struct {
  Range range;
  Spread spread;
} Scan;

/* sum_i (a_i - mean a)^2 of a = x - from at one place in n rows, x and from (n) being `stride` apart. */
static double squares(int n, size_t stride, const double x[], const double from[])
{
  double mean = 0, sum = 0;
  for (size_t i = 0; i < (size_t)n * stride; i += stride) mean += (x[i] - (from ? from[i] : 0)) / n;
  for (size_t i = 0; i < (size_t)n * stride; i += stride) {
    const double a = x[i] - (from ? from[i] : 0) - mean;
    sum += a * a;
  }
  return sum;
}

static void spread_extend(const ScoriaNormaliser norm, int n, const double x[], Spread *spread)
{
  const size_t m = (size_t)norm->m;
  for (int c = 0; c < norm->C; c++) {
    const double *first = x + (size_t)c * norm->L;
    spread->level[c] += squares(n, m, first, NULL);
    for (int j = 1; j < norm->L; j++) spread->shape[c] += squares(n, m, first + j, first) / (norm->L - 1);
  }
}

static void range_extend(const ScoriaNormaliser norm, int64_t n, const double x[], Range *range)
{
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < norm->C; c++)
      for (int j = 0; j < norm->L; j++) {
        const double distance = x[((size_t)i * norm->C + c) * norm->L + j] - norm->reference[c];
        range->lo[c]          = PetscMin(range->lo[c], distance);
        range->hi[c]          = PetscMax(range->hi[c], distance);
      }
}

static PetscErrorCode scan_visit(void *ctx, NormData *data, int i, int n, double v[])
{
  const int conditions = data->norm->space.n;
  Scan *scan           = ctx;
  PetscFunctionBeginUser;
  data->good[i] += n;
  for (int j = 0; j < conditions; j++) data->theta[(size_t)i * conditions + j] = data->rows.condition[j][0];
  range_extend(data->norm, n, v, &scan->range);
  spread_extend(data->norm, n, v, &scan->spread);
  PetscFunctionReturn(0);
}

/* Leaves out conditions with fewer than two usable rows. */
static PetscErrorCode keep_usable(NormData *data)
{
  const int conditions = data->norm->space.n, before = data->n;
  PetscFunctionBeginUser;
  data->n = 0;
  for (int i = 0; i < before; i++) {
    if (data->good[i] < 2) continue;
    const int k        = data->n++;
    data->condition[k] = data->condition[i];
    data->good[k]      = data->good[i];
    memmove(data->theta + (size_t)k * conditions, data->theta + (size_t)i * conditions, conditions * sizeof(double));
    normaliser_unit(data->norm, data->theta + (size_t)k * conditions, data->u + (size_t)k * data->norm->d);
  }
  if (data->n == 0)
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "none of the %d training conditions has two usable realisations (%d stored per condition): a spread cannot be "
        "estimated; raise ensemble_realisations",
        before, (int)data->spec->realisations);
  const int least = data->norm->d > 0 ? 3 : 1;
  if (data->n < least)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "the training set has %d usable conditions, but %d conditions vary: at least %d are needed", data->n,
                data->norm->d, least);
  PetscFunctionReturn(0);
}

static PetscErrorCode solve_twins(NormData *data, const ScoriaTwin *twin)
{
  const int m = data->norm->m;
  PetscFunctionBeginUser;
  for (int i = 0; i < data->n; i++) {
    double *fields = data->base + (size_t)i * m;
    PetscCall(twin->solve(twin->ctx, data->theta + (size_t)i * data->norm->space.n, fields));
    for (int j = 0; j < m; j++)
      if (!isfinite(fields[j]))
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "condition %lld: the equations have no solution at a homogeneous porosity there",
                    (long long)data->condition[i]);
  }
  PetscFunctionReturn(0);
}

/* A channel with a reference is logarithmic when x - reference keeps one sign, in every row and, where there is one, in
 * the twin. */
static void choose_transforms(NormData *data, Range *range)
{
  ScoriaNormaliser norm = data->norm;
  if (norm->twin) range_extend(norm, data->n, data->base, range);
  for (int c = 0; c < norm->C; c++) {
    const double sign = range->lo[c] > 0 ? 1 : -1;
    norm->logged[c]   = isfinite(norm->reference[c]) && (range->lo[c] > 0 || range->hi[c] < 0);
    norm->sign[c]     = norm->logged[c] ? sign : 0;
  }
}

/* A channel that is not logarithmic is relative where its differences from the first cell spread a tenth of what that
 * cell does, or less: standardised cell by cell, it would be the same number everywhere, and its shape would lie in
 * modes of 1e-2 of the variance and far below, after all that is larger in other channels. */
static PetscErrorCode choose_relative(NormData *data, const Spread *spread)
{
  ScoriaNormaliser norm = data->norm;
  double relative[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  for (int c = 0; c < norm->C; c++)
    relative[c] = norm->L > 1 && !norm->logged[c] && spread->shape[c] < 0.01 * spread->level[c];
  PetscCall(NormShare(data, (size_t)norm->C, relative));
  for (int c = 0; c < norm->C; c++) norm->relative[c] = relative[c] != 0;
  PetscFunctionReturn(0);
}

PetscErrorCode NormDataCreate(MPI_Comm comm, ScoriaDataset ds, const int channel[], const bool train[],
                              const ScoriaTwin *twin, bool relative, ScoriaNormaliser norm, NormData *data)
{
  Scan scan = {.spread = {{0}, {0}}};
  PetscFunctionBeginUser;
  *data = (NormData){.comm = comm, .ds = ds, .norm = norm};
  PetscCall(ScoriaDatasetInfo(ds, &data->spec, NULL, NULL));
  const int64_t all = data->spec->rows / data->spec->realisations;
  PetscCall(PetscCalloc5(all, &data->condition, all, &data->good, all * norm->space.n + 1, &data->theta,
                         all * norm->d + 1, &data->u, all * norm->m, &data->base));
  for (int64_t i = 0; i < all; i++)
    if (train[i]) data->condition[data->n++] = i;
  data->capacity = PetscMin(data->spec->realisations, ROWS_AT_ONCE);
  PetscCall(ScoriaRowsCreate(data->spec, data->capacity, &data->rows));
  PetscCall(PetscMalloc1((size_t)data->capacity * norm->m, &data->v));
  PetscCall(PetscCalloc1(norm->m, &data->varies));
  for (int c = 0; c < norm->C; c++) {
    data->channel[c] = channel[c];
    scan.range.lo[c] = INFINITY;
    scan.range.hi[c] = -INFINITY;
  }
  PetscCall(NormDataWalk(data, scan_visit, &scan));
  PetscCall(keep_usable(data));
  if (norm->twin) PetscCall(solve_twins(data, twin));
  choose_transforms(data, &scan.range);
  if (relative) PetscCall(choose_relative(data, &scan.spread));
  if (norm->twin) {
    normaliser_transform(norm, data->n, data->base, data->base);
    normaliser_subtract_first(norm, data->n, data->base);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode NormDataDestroy(NormData *data)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree5(data->condition, data->good, data->theta, data->u, data->base));
  PetscCall(PetscFree(data->v));
  PetscCall(PetscFree(data->varies));
  PetscCall(ScoriaRowsDestroy(&data->rows));
  PetscFunctionReturn(0);
}
