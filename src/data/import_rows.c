/* import: the conditions of the rows of a file.
 *
 * Rows are dealt to the ranks in blocks, and sorted over all ranks where their order matters, so that no rank holds
 * more than its share of them. */
#include "import.h"
#include <float.h>
#include <math.h>

/* -------------------------------------------------------------------------------------------------- conditions ---- */

#define READ_AT_ONCE 8192 /* rows */

/* The largest block of values that rows from `row` on, at most n, have in an array: of how many rows. */
static int64_t find_values(const ImportColumn *c, int64_t row, int64_t n, int64_t start[], int64_t count[])
{
  int axis[SCORIA_FOREIGN_RANK];
  const int axes = import_sorted_axes(c, axis);
  for (int a = 0; a < c->rank; a++) {
    start[a] = c->stride[a] ? row / c->stride[a] % c->dims[a] : a == c->channels ? c->channel : 0;
    count[a] = 1;
  }
  if (!axes) return n;
  int64_t rows = c->stride[axis[0]];
  if (row % rows || n < rows) return PetscMin(n, rows - row % rows);
  for (int i = 0; i < axes && c->stride[axis[i]] == rows; i++) {
    const int a = axis[i];
    count[a]    = PetscMax(1, PetscMin(n / rows, c->dims[a] - start[a]));
    rows *= count[a];
    if (count[a] < c->dims[a]) break;
  }
  return rows;
}

/* Which value of such a block is a row's. */
static int64_t value_of_row(const ImportColumn *c, int64_t row, const int64_t start[], const int64_t count[])
{
  int64_t at = 0;
  for (int a = 0; a < c->rank; a++)
    at = at * count[a] + (c->stride[a] ? row / c->stride[a] % c->dims[a] - start[a] : 0);
  return at;
}

/* Condition k of this rank's rows, which follow each other in the file. */
static PetscErrorCode ReadCondition(Import *im, int k, double values[])
{
  const ImportColumn *c = &im->condition[k];
  int64_t start[SCORIA_FOREIGN_RANK], count[SCORIA_FOREIGN_RANK];
  PetscFunctionBeginUser;
  for (int64_t i = 0, n; i < im->rows; i += n) {
    const int64_t row = im->row[i].row;
    n                 = PetscMin(READ_AT_ONCE, im->rows - i);
    if (c->array >= 0) {
      n = find_values(c, row, n, start, count);
      PetscCall(ScoriaForeignRead(im->file, c->array, start, count, values));
    }
    for (int64_t j = i; j < i + n; j++)
      im->row[j].theta[k] =
          (c->array < 0 ? c->value : values[value_of_row(c, im->row[j].row, start, count)]) * c->scale + c->offset;
  }
  PetscFunctionReturn(0);
}

/* Rows of which a condition is no number, as of a simulation that was never set up, are left out: which condition it is
 * that this rank's first such row lacks, and how many rows there are of all ranks. */
static PetscErrorCode LeaveOut(Import *im)
{
  int64_t without[SCORIA_MAX_CONDITIONS + 1] = {0};
  const int all                              = im->spec.space.n;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < im->rows; i++) {
    int k = 0;
    while (k < all && isfinite(im->row[i].theta[k])) k++;
    if (k == all) continue;
    without[k]++;
    without[all]++;
    im->row[i].row = IMPORT_NO_ROW;
  }
  PetscCallMPI(MPI_Allreduce(without, im->without, all + 1, MPI_INT64_T, MPI_SUM, im->comm));
  for (int k = 0; k < all && im->without[all] == im->found; k++)
    if (im->without[k])
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found no number in %lld of %lld rows, and none is left: expected numbers",
                  im->path, im->spec.space.c[k].name, (long long)im->without[k], (long long)im->found);
  im->found -= im->without[all];
  PetscFunctionReturn(0);
}

/* This rank's block of the file's rows: as many as on any other, with none at the end. */
static PetscErrorCode DealRows(Import *im)
{
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(im->comm, &rank));
  PetscCallMPI(MPI_Comm_size(im->comm, &size));
  im->block = (im->found + size - 1) / size;
  im->rows  = PetscMin(im->block, PetscMax(0, im->found - rank * im->block));
  PetscCall(PetscCalloc1(im->block, &im->row));
  for (int64_t i = 0; i < im->block; i++) im->row[i].row = i < im->rows ? rank * im->block + i : IMPORT_NO_ROW;
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- round-off ----
 */

#define ROUND_OFF 64 /* units in the last place: what a few operations on a value leave */

static int by_key(const void *a, const void *b)
{
  const ImportRow *p = a, *q = b;
  const bool none = p->row == IMPORT_NO_ROW || q->row == IMPORT_NO_ROW;
  if (!none && p->key != q->key) return p->key < q->key ? -1 : 1;
  return (p->row > q->row) - (p->row < q->row);
}

/* How far apart two values of a condition may be that were meant to be one: by the values' own precision, relative to
 * the largest where the coordinate is linear, as differences come from there. */
static double round_off(const Import *im, int k, double value, double largest)
{
  const ImportColumn *c = &im->condition[k];
  const double unit     = c->array >= 0 && foreign_single(im->file, c->array) ? FLT_EPSILON : DBL_EPSILON;
  return ROUND_OFF * unit * (im->spec.space.c[k].log ? fabs(value) : largest);
}

/* What a rank has to know of those before it: the last value, and what it has become. */
typedef struct {
  double any, last, kept; /* any: 0 at the first */
} Before;

/* Values within round-off of each other become the smallest of them, of this rank's rows as sorted: how many different
 * ones there were, and are. */
static void merge_values(Import *im, int k, double largest, Before *before, int64_t number[2])
{
  for (int64_t i = 0; i < im->rows; i++) {
    const double value = im->row[i].key;
    if (!before->any || value != before->last) number[0]++;
    if (!before->any || value - before->kept > round_off(im, k, value, largest)) {
      before->kept = value;
      number[1]++;
    }
    before->any         = 1;
    before->last        = value;
    im->row[i].theta[k] = before->kept;
  }
}

/* One rank after the other, as each has to know what the one before has come to. */
static PetscErrorCode MergeCondition(Import *im, int k)
{
  int64_t number[2] = {0, 0};
  Before before     = {0, 0, 0};
  double largest    = 0;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(im->comm, &rank));
  PetscCallMPI(MPI_Comm_size(im->comm, &size));
  for (int64_t i = 0; i < im->block; i++) im->row[i].key = im->row[i].theta[k];
  PetscCall(ImportSort(im, by_key));
  for (int64_t i = 0; i < im->rows; i++) largest = fmax(largest, fabs(im->row[i].key));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, im->comm));
  if (rank) PetscCallMPI(MPI_Recv(&before, 3, MPI_DOUBLE, rank - 1, 0, im->comm, MPI_STATUS_IGNORE));
  merge_values(im, k, largest, &before, number);
  if (rank + 1 < size) PetscCallMPI(MPI_Send(&before, 3, MPI_DOUBLE, rank + 1, 0, im->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, number, 2, MPI_INT64_T, MPI_SUM, im->comm));
  if (number[0] > number[1])
    PetscCall(ScoriaSay(im->run, "  %s: %lld values, of which some differ by round-off alone, are taken as %lld",
                        im->spec.space.c[k].name, (long long)number[0], (long long)number[1]));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetRange(Import *im, int k)
{
  ScoriaCondition *c = &im->spec.space.c[k];
  double end[2]      = {INFINITY, INFINITY}; /* the smallest value, and minus the largest */
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < im->rows; i++) {
    end[0] = fmin(end[0], im->row[i].theta[k]);
    end[1] = fmin(end[1], -im->row[i].theta[k]);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, end, 2, MPI_DOUBLE, MPI_MIN, im->comm));
  const double lo = end[0], hi = -end[1];
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

PetscErrorCode ImportReadConditions(Import *im)
{
  double *values;
  PetscFunctionBeginUser;
  PetscCall(DealRows(im));
  PetscCall(PetscMalloc1(READ_AT_ONCE, &values));
  for (int k = 0; k < im->spec.space.n; k++) PetscCall(ReadCondition(im, k, values));
  PetscCall(PetscFree(values));
  PetscCall(ScoriaForeignAgree(im->file));
  PetscCall(LeaveOut(im));
  for (int k = 0; k < im->spec.space.n; k++) PetscCall(MergeCondition(im, k));
  for (int k = 0; k < im->spec.space.n; k++) PetscCall(SetRange(im, k));
  PetscFunctionReturn(0);
}
