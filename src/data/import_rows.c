/* import: which rows belong to which condition. */
#include "import.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

/* -------------------------------------------------------------------------------------------------- conditions ---- */

/* Values of an array's axes of rows, in the order of the file, for row `row`. */
static int64_t value_of_row(const ImportColumn *c, int64_t row)
{
  int64_t at = 0;
  for (int a = 0; a < c->rank; a++)
    if (c->stride[a]) at = at * c->dims[a] + row / c->stride[a] % c->dims[a];
  return at;
}

/* One condition of all rows: (found) values at stride n. */
static PetscErrorCode ReadCondition(const Import *im, const ImportColumn *c, double column[], int n, double theta[])
{
  int64_t start[SCORIA_FOREIGN_RANK] = {0}, count[SCORIA_FOREIGN_RANK];
  PetscFunctionBeginUser;
  for (int a = 0; a < c->rank; a++) {
    start[a] = a == c->channels ? c->channel : 0;
    count[a] = a == c->channels ? 1 : c->dims[a];
  }
  if (c->array >= 0) PetscCall(ScoriaForeignRead(im->file, c->array, start, count, column));
  for (int64_t i = 0; i < im->found; i++)
    theta[i * n] = (c->array < 0 ? c->value : column[value_of_row(c, i)]) * c->scale + c->offset;
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- round-off ---- */

#define ROUND_OFF 64 /* units in the last place: what a few operations on a value leave */

static int by_value(const void *a, const void *b)
{
  const double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

/* How far apart two values of a condition may be that were meant to be one: by the values' own precision, relative to
 * the largest where the coordinate is linear, as differences come from there. */
static double round_off(const Import *im, int k, double value, double largest)
{
  const ImportColumn *c = &im->condition[k];
  const double unit     = c->array >= 0 && foreign_single(im->file, c->array) ? FLT_EPSILON : DBL_EPSILON;
  return ROUND_OFF * unit * (im->spec.space.c[k].log ? fabs(value) : largest);
}

/* Values within round-off of each other become the smallest of them: how many different ones there were, and are. */
static void merge_values(const Import *im, int k, double sorted[], int64_t number[2])
{
  const int64_t N = im->found;
  const int n     = im->spec.space.n;
  double *theta   = im->theta + k;
  int64_t kept    = 0;
  for (int64_t i = 0; i < N; i++) sorted[i] = theta[i * n];
  qsort(sorted, (size_t)N, sizeof *sorted, by_value);
  const double largest = fmax(fabs(sorted[0]), fabs(sorted[N - 1]));
  number[0]            = 1;
  for (int64_t i = 1; i < N; i++) number[0] += sorted[i] != sorted[i - 1];
  for (int64_t i = 0; i < N; i++)
    if (!i || sorted[i] - sorted[kept - 1] > round_off(im, k, sorted[i], largest)) sorted[kept++] = sorted[i];
  number[1] = kept;
  for (int64_t i = 0; i < N && number[0] > kept; i++) {
    int64_t lo = 0, hi = kept;
    while (hi - lo > 1) *(sorted[(lo + hi) / 2] <= theta[i * n] ? &lo : &hi) = (lo + hi) / 2;
    theta[i * n] = sorted[lo];
  }
}

static PetscErrorCode MergeConditions(Import *im, double work[])
{
  int64_t number[SCORIA_MAX_CONDITIONS][2] = {{0}};
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(im->comm, &rank));
  for (int k = 0; k < im->spec.space.n && !rank; k++) merge_values(im, k, work, number[k]);
  for (int k = 0; k < im->spec.space.n && !rank; k++)
    if (number[k][0] > number[k][1])
      PetscCall(ScoriaSay(im->run, "  %s: %lld values, of which some differ by round-off alone, are taken as %lld",
                          im->spec.space.c[k].name, (long long)number[k][0], (long long)number[k][1]));
  PetscFunctionReturn(0);
}

/* Rank 0's part: every value is a number. */
static PetscErrorCode CheckConditions(const Import *im)
{
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < im->found; i++)
    for (int k = 0; k < im->spec.space.n; k++)
      if (!isfinite(im->theta[i * im->spec.space.n + k]))
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found %g in row %lld, expected a number", im->path,
                    im->spec.space.c[k].name, im->theta[i * im->spec.space.n + k], (long long)i);
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
  PetscCall(ScoriaForeignAgree(im->file));
  PetscCall(ScoriaAgreeFailed(im->comm, rank ? 0 : CheckConditions(im)));
  PetscCall(MergeConditions(im, column));
  PetscCall(PetscFree(column));
  PetscCall(ScoriaBroadcastMany(im->comm, 0, im->found * n, MPI_DOUBLE, im->theta));
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
