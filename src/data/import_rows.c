/* import: which rows belong to which condition, and the rows themselves. */
#include "import.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------------------------- conditions ---- */

/* One condition of all rows: (found) values at stride n. */
static PetscErrorCode ReadCondition(const Import *im, const ImportColumn *c, double column[], int n, double theta[])
{
  int64_t start[SCORIA_FOREIGN_RANK] = {0}, count[SCORIA_FOREIGN_RANK];
  int rank;
  PetscFunctionBeginUser;
  if (c->array >= 0) {
    foreign_shape(im->file, c->array, &rank, count);
    if (c->component >= 0) {
      start[!c->transposed] = c->component;
      count[!c->transposed] = 1;
    }
    PetscCall(ScoriaForeignRead(im->file, c->array, start, count, column));
  }
  for (int64_t i = 0; i < im->found; i++) theta[i * n] = c->array < 0 ? c->factor : column[i / c->group] * c->factor;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadConditions(Import *im)
{
  const int n = im->spec.space.n;
  double *column;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(im->comm, &rank));
  PetscCall(PetscMalloc1(im->found * n, &im->theta));
  PetscCall(PetscMalloc1(im->found, &column));
  for (int k = 0; k < n && !rank; k++) PetscCall(ReadCondition(im, &im->condition[k], column, n, im->theta + k));
  PetscCall(PetscFree(column));
  PetscCall(ScoriaForeignAgree(im->file));
  PetscCall(ScoriaBroadcastMany(im->comm, 0, im->found * n, MPI_DOUBLE, im->theta));
  for (int64_t i = 0; i < im->found; i++)
    for (int k = 0; k < n; k++)
      if (!isfinite(im->theta[i * n + k]))
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found %g in row %lld, expected a number", im->path,
                    im->spec.space.c[k].name, im->theta[i * n + k], (long long)i);
  PetscFunctionReturn(0);
}

static PetscErrorCode SetRange(Import *im, int k)
{
  ScoriaCondition *c = &im->spec.space.c[k];
  double lo = INFINITY, hi = -INFINITY;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < im->found; i++) {
    lo = fmin(lo, im->theta[i * im->spec.space.n + k]);
    hi = fmax(hi, im->theta[i * im->spec.space.n + k]);
  }
  if (c->lo < c->hi && !(condition_inside(c, lo) && condition_inside(c, hi)))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_ranges: %s: found [%g, %g], but the values go from %g to %g", c->name, c->lo,
                c->hi, lo, hi);
  if (!(c->lo < c->hi)) {
    c->lo = lo;
    c->hi = hi;
  }
  if (c->log && c->lo <= 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_logarithmic: %s: found %g in its range, expected a range above 0", c->name,
                c->lo);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ groups ---- */

/* A row of the file, or a run of rows of one condition, with what it is sorted by. */
typedef struct {
  const double *theta; /* borrowed (n) */
  int n;
  int64_t row, start, count;
} Entry;

static int by_theta(const void *a, const void *b)
{
  const Entry *p = a, *q = b;
  for (int k = 0; k < p->n; k++)
    if (p->theta[k] != q->theta[k]) return p->theta[k] < q->theta[k] ? -1 : 1;
  return (p->row > q->row) - (p->row < q->row);
}

static int by_row(const void *a, const void *b)
{
  const Entry *p = a, *q = b;
  return (p->row > q->row) - (p->row < q->row);
}

static bool same_theta(const Entry *p, const Entry *q)
{
  bool same = true;
  for (int k = 0; k < p->n; k++) same = same && p->theta[k] == q->theta[k];
  return same;
}

/* Conditions of one row each are no ensembles; filling up could make a few rows many. */
static PetscErrorCode CheckGroups(const Import *im, int64_t groups, int64_t most)
{
  PetscFunctionBeginUser;
  if (most > 2 * im->found / groups)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: %lld rows at %lld conditions, but %lld at one of them: expected at least half as many in the "
                "mean",
                im->path, (long long)im->found, (long long)groups, (long long)most);
  PetscFunctionReturn(0);
}

/* Conditions in the order in which the file brings them, each with its rows in the file's order; one that has fewer
 * rows than another is filled up with rows that are marked as failed, since a dataset has equally many of each. */
static PetscErrorCode Group(Import *im)
{
  const int64_t N = im->found;
  int64_t groups = 0, most = 0;
  Entry *entry, *group;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(N, &entry, N, &group));
  for (int64_t i = 0; i < N; i++) entry[i] = (Entry){im->theta + i * im->spec.space.n, im->spec.space.n, i, 0, 0};
  qsort(entry, (size_t)N, sizeof *entry, by_theta);
  for (int64_t i = 0; i < N; i++) {
    if (!i || !same_theta(&entry[i - 1], &entry[i])) {
      group[groups]         = entry[i];
      group[groups++].start = i;
    }
    group[groups - 1].count++;
    most = PetscMax(most, group[groups - 1].count);
  }
  qsort(group, (size_t)groups, sizeof *group, by_row);
  PetscCall(CheckGroups(im, groups, most));
  im->spec.realisations = most;
  im->spec.rows         = groups * most;
  PetscCall(PetscMalloc2(im->spec.rows, &im->from, groups, &im->first));
  for (int64_t g = 0; g < groups; g++) {
    im->first[g] = group[g].row;
    im->lacking += most - group[g].count;
    for (int64_t r = 0; r < most; r++) im->from[g * most + r] = r < group[g].count ? entry[group[g].start + r].row : -1;
  }
  PetscCall(PetscFree2(entry, group));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportGroup(Import *im)
{
  PetscFunctionBeginUser;
  PetscCall(ReadConditions(im));
  for (int k = 0; k < im->spec.space.n; k++) PetscCall(SetRange(im, k));
  PetscCall(Group(im));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportDestroy(Import *im)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaForeignClose(&im->file));
  PetscCall(PetscFree(im->centres));
  PetscCall(PetscFree(im->theta));
  PetscCall(PetscFree2(im->from, im->first));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------------- rows ---- */

/* Rows [row, row + n) of the file, which are in one run of a three-dimensional array. */
static PetscErrorCode ReadRun(const Import *im, const ImportColumn *c, int64_t row, int64_t n, double block[])
{
  const int64_t L                    = im->spec.cells;
  int64_t start[SCORIA_FOREIGN_RANK] = {row, 0, 0}, count[SCORIA_FOREIGN_RANK] = {n, L, 1};
  PetscFunctionBeginUser;
  if (c->transposed) {
    start[0] = 0;
    start[1] = row;
    count[0] = L;
    count[1] = n;
  } else if (c->component >= 0) {
    start[1] = c->component;
    count[1] = 1;
    count[2] = L;
  } else if (c->group > 1) {
    start[0] = row / c->group;
    start[1] = row % c->group;
    count[0] = 1;
    count[1] = n;
    count[2] = L;
  }
  PetscCall(ScoriaForeignRead(im->file, c->array, start, count, block));
  PetscFunctionReturn(0);
}

/* Rows of the file in their order, and where in the batch they go. */
typedef struct {
  int64_t row, at;
} Wanted;

static int by_place(const void *a, const void *b)
{
  const Wanted *p = a, *q = b;
  return (p->row > q->row) - (p->row < q->row);
}

/* Consecutive rows of the file are read at once. */
static PetscErrorCode ReadField(const Import *im, const ImportColumn *c, int64_t n, const Wanted wanted[],
                                double block[], double values[])
{
  const int64_t L = im->spec.cells;
  PetscFunctionBeginUser;
  for (int64_t i = 0, run; i < n; i += run) {
    for (run = 1; i + run < n && wanted[i + run].row == wanted[i].row + run; run++)
      if (c->group > 1 && wanted[i + run].row % c->group == 0) break;
    PetscCall(ReadRun(im, c, wanted[i].row, run, block));
    for (int64_t r = 0; r < run; r++)
      for (int64_t j = 0; j < L; j++)
        values[wanted[i + r].at * L + j] = c->factor * block[c->transposed ? j * run + r : r * L + j];
  }
  PetscFunctionReturn(0);
}

/* A row with a value that the dataset could not hold as a number. */
static bool row_is_finite(const ScoriaDatasetSpec *spec, const ScoriaRows *rows, int64_t i)
{
  for (int f = 0; f < spec->nfields; f++)
    for (int64_t j = i * spec->cells; j < (i + 1) * spec->cells; j++)
      if (!isfinite(spec->float64 ? rows->field[f][j] : (double)(float)rows->field[f][j])) return false;
  return true;
}

PetscErrorCode ImportRead(const Import *im, int64_t first, int64_t number, ScoriaRows *rows)
{
  const ScoriaDatasetSpec *spec = &im->spec;
  const int n                   = spec->space.n;
  const size_t values           = (size_t)number * (size_t)spec->cells;
  int64_t there                 = 0;
  Wanted *wanted;
  double *block;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(number, &wanted, values, &block));
  for (int64_t i = 0; i < number; i++)
    if (im->from[first + i] >= 0) wanted[there++] = (Wanted){im->from[first + i], i};
  qsort(wanted, (size_t)there, sizeof *wanted, by_place);
  for (int f = 0; f < spec->nfields; f++) {
    for (size_t j = 0; j < values; j++) rows->field[f][j] = NAN;
    PetscCall(ReadField(im, &im->field[f], there, wanted, block, rows->field[f]));
  }
  rows->rows = number;
  for (int64_t i = 0; i < number; i++) {
    const double *theta = im->theta + im->first[(first + i) / spec->realisations] * n;
    for (int k = 0; k < n; k++) rows->condition[k][i] = theta[k];
    rows_set_status(rows, i, row_is_finite(spec, rows, i) ? SCORIA_ROW_DONE : SCORIA_ROW_FAILED);
  }
  PetscCall(PetscFree2(wanted, block));
  PetscFunctionReturn(0);
}
