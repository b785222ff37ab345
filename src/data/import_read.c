/* import: rows of the file, block by block, whatever the order of their axes. */
#include "import_axes.h"
#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------------------------------- blocks ----
 */

int import_sorted_axes(const ImportColumn *c, int axis[SCORIA_FOREIGN_RANK])
{
  int n = 0;
  for (int a = 0; a < c->rank; a++) {
    if (!c->stride[a]) continue;
    int at = n++;
    for (; at > 0 && c->stride[axis[at - 1]] > c->stride[a]; at--) axis[at] = axis[at - 1];
    axis[at] = a;
  }
  return n;
}

/* The largest block that holds rows from `row` on, at most n, and no others: how many. */
static int64_t find_block(const ImportColumn *c, int64_t row, int64_t n, int64_t start[], int64_t count[])
{
  int axis[SCORIA_FOREIGN_RANK];
  const int axes = import_sorted_axes(c, axis);
  int64_t rows   = 1;
  bool whole     = true; /* along all faster axes */
  for (int a = 0; a < c->rank; a++) {
    start[a] = c->stride[a] ? row / c->stride[a] % c->dims[a] : a == c->channels ? c->channel : 0;
    count[a] = c->step[a] ? c->dims[a] : 1;
  }
  for (int i = 0; i < axes && whole; i++) {
    const int a = axis[i];
    count[a]    = PetscMax(1, PetscMin(n / c->stride[a], c->dims[a] - start[a]));
    whole       = count[a] == c->dims[a];
    rows *= count[a];
  }
  return rows;
}

/* A block in the order of the file to rows: element by element, the last axis innermost. */
static void scatter(const ImportColumn *c, int64_t L, const int64_t count[], const double block[],
                    const int64_t place[], double values[])
{
  int64_t at[SCORIA_FOREIGN_RANK] = {0}, total = 1;
  for (int a = 0; a < c->rank; a++) total *= count[a];
  const int last = c->rank - 1;
  for (int64_t k = 0; k < total; k += count[last]) {
    int64_t row = 0, cell = 0;
    for (int a = 0; a < last; a++) {
      row += at[a] * c->stride[a];
      cell += at[a] * c->step[a];
    }
    for (int64_t i = 0; i < count[last]; i++) {
      const int64_t r = row + i * c->stride[last], j = cell + i * c->step[last];
      values[place[r] * L + j] = block[k + i] * c->scale + c->offset;
    }
    for (int a = last - 1; a >= 0 && ++at[a] == count[a]; a--) at[a] = 0;
  }
}

PetscErrorCode ImportReadRows(const Import *im, const ImportColumn *c, int64_t row, int64_t n, const int64_t place[],
                              double block[], double values[])
{
  int64_t start[SCORIA_FOREIGN_RANK], count[SCORIA_FOREIGN_RANK];
  PetscFunctionBeginUser;
  for (int64_t i = 0, rows; i < n; i += rows) {
    rows = find_block(c, row + i, n - i, start, count);
    PetscCall(ScoriaForeignRead(im->file, c->array, start, count, block));
    scatter(c, im->spec.cells, count, block, place + i, values);
  }
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------------- rows ----
 */

/* Rows of the file in their order, and where in the batch they go. */
typedef struct {
  int64_t row, at;
} Wanted;

static int by_row(const void *a, const void *b)
{
  const Wanted *p = a, *q = b;
  return (p->row > q->row) - (p->row < q->row);
}

/* Consecutive rows of the file are read at once. */
static PetscErrorCode ReadField(const Import *im, const ImportColumn *c, int64_t n, const Wanted wanted[],
                                const int64_t place[], double block[], double values[])
{
  PetscFunctionBeginUser;
  for (int64_t i = 0, run; i < n; i += run) {
    for (run = 1; i + run < n && wanted[i + run].row == wanted[i].row + run;) run++;
    PetscCall(ImportReadRows(im, c, wanted[i].row, run, place + i, block, values));
  }
  PetscFunctionReturn(0);
}

/* The value of a field's first cell along the axes of cells that it lacks, in all others. */
static void repeat(const Import *im, const ImportColumn *c, int64_t n, const int64_t place[], double values[])
{
  const int *shape = im->spec.shape;
  for (int64_t i = 0; i < n && import_lacks(im, c) >= 0; i++) {
    double *v = values + place[i] * im->spec.cells;
    for (int j = 0; j < im->spec.cells; j++) {
      const int at[IMPORT_GRID] = {j % shape[0], j / shape[0] % shape[1], j / shape[0] / shape[1]};
      int from                  = 0;
      for (int d = im->grid - 1; d >= 0; d--) from = from * shape[d] + (c->cells[d] < 0 ? 0 : at[d]);
      v[j] = v[from];
    }
  }
}

/* Whether the dataset can hold a row's values of a field as numbers. */
static bool is_finite(const ScoriaDatasetSpec *spec, const double v[])
{
  for (int j = 0; j < spec->cells; j++)
    if (!isfinite(spec->float64 ? v[j] : (double)(float)v[j])) return false;
  return true;
}

static void set_status(const ScoriaDatasetSpec *spec, int64_t i, bool there, ScoriaRows *rows, int64_t not_finite[])
{
  bool good = there;
  for (int f = 0; f < spec->nfields; f++) {
    const bool finite = is_finite(spec, rows->field[f] + i * spec->cells);
    good              = good && finite;
    if (there && not_finite) not_finite[f] += !finite;
  }
  rows_set_status(rows, i, good ? SCORIA_ROW_DONE : SCORIA_ROW_FAILED);
  if (!there) rows->reason[i] = SCORIA_ROW_LACKING;
}

PetscErrorCode ImportRead(const Import *im, int64_t first, int64_t number, ScoriaRows *rows, int64_t not_finite[])
{
  const ScoriaDatasetSpec *spec = &im->spec;
  const size_t values           = (size_t)number * (size_t)spec->cells;
  int64_t there                 = 0, *place;
  Wanted *wanted;
  double *block;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(number, &wanted, number, &place, values, &block));
  int64_t at = import_find(im, first);
  for (int64_t i = 0; i < number; i++) {
    while (at + 1 < im->rows && im->row[at + 1].at <= first + i) at++;
    for (int k = 0; k < spec->space.n; k++) rows->condition[k][i] = im->row[at].theta[k];
    rows->done[i] = im->row[at].at == first + i;
    if (rows->done[i]) wanted[there++] = (Wanted){im->row[at].row, i};
  }
  qsort(wanted, (size_t)there, sizeof *wanted, by_row);
  for (int64_t i = 0; i < there; i++) place[i] = wanted[i].at;
  for (int f = 0; f < spec->nfields; f++) {
    for (size_t j = 0; j < values; j++) rows->field[f][j] = NAN;
    PetscCall(ReadField(im, &im->field[f], there, wanted, place, block, rows->field[f]));
    repeat(im, &im->field[f], there, place, rows->field[f]);
  }
  rows->rows = number;
  for (int64_t i = 0; i < number; i++) set_status(spec, i, rows->done[i], rows, not_finite);
  PetscCall(PetscFree3(wanted, place, block));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- precision ----
 */

#define LOOKED_AT 64    /* conditions, spread over all */
#define ROWS_OF_EACH 16 /* at most */
#define LOOK_BYTES (32LL << 20)
#define RESOLVED 1e-3 /* of the spread: rounding that fine changes a variance by less than 1e-6 of it */

/* Mean square of the deviations from their mean of the rows of a condition, summed; and the largest value. */
static void add_spread(const ScoriaDatasetSpec *spec, const ScoriaRows *rows, const double v[], double sum[2],
                       double *largest)
{
  for (int j = 0; j < spec->cells; j++) {
    double n = 0, mean = 0, square = 0;
    for (int64_t i = 0; i < rows->rows; i++) {
      if (rows->done[i] != SCORIA_ROW_DONE) continue;
      const double x = v[i * spec->cells + j], d = x - mean;
      mean += d / ++n;
      square += d * (x - mean);
      *largest = fmax(*largest, fabs(x));
    }
    if (n > 1) {
      sum[0] += square;
      sum[1] += n - 1;
    }
  }
}

/* Rows of the file of the first rows of conditions spread over all, on rank 0: row (LOOKED_AT, ROWS_OF_EACH), -1 where
 * there is none. */
static PetscErrorCode RowsToLookAt(const Import *im, int64_t row[])
{
  const int64_t groups = im->spec.rows / im->spec.realisations, most = im->spec.realisations;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(im->comm, &rank));
  for (int64_t i = 0; i < LOOKED_AT * ROWS_OF_EACH; i++) {
    const int64_t k = i / ROWS_OF_EACH, r = i % ROWS_OF_EACH,
                  place = k * groups / PetscMin(groups, LOOKED_AT) * most + r;
    row[i]              = -1;
    if (k >= groups || r >= most || place < im->begin || place >= im->end) continue;
    const ImportRow *at = &im->row[import_find(im, place)];
    if (at->at == place) row[i] = at->row;
  }
  PetscCallMPI(MPI_Reduce(rank ? row : MPI_IN_PLACE, row, LOOKED_AT * ROWS_OF_EACH, MPI_INT64_T, MPI_MAX, 0, im->comm));
  PetscFunctionReturn(0);
}

/* Rank 0's part: the field that single precision does not resolve, or -1. */
static PetscErrorCode LookAtPrecision(const Import *im, const int64_t row[], double *largest, double *sd, int *field)
{
  ScoriaDatasetSpec exact          = im->spec;
  double sum[SCORIA_MAX_FIELDS][2] = {{0}}, most[SCORIA_MAX_FIELDS] = {0};
  ImportRow some[ROWS_OF_EACH];
  Import look = *im;
  ScoriaRows rows;
  PetscFunctionBeginUser;
  look.spec.float64 = exact.float64 = true;
  look.row                          = some;
  *field                            = -1;
  const int64_t row_bytes           = (int64_t)sizeof(double) * exact.cells * (exact.nfields + 1),
                each                = PetscClipInterval(LOOK_BYTES / row_bytes, 2, ROWS_OF_EACH);
  PetscCall(ScoriaRowsCreate(&exact, each, &rows));
  for (int64_t k = 0; k < LOOKED_AT && row[k * ROWS_OF_EACH] >= 0; k++) {
    for (look.rows = 0; look.rows < each && row[k * ROWS_OF_EACH + look.rows] >= 0; look.rows++)
      some[look.rows] = (ImportRow){.row = row[k * ROWS_OF_EACH + look.rows], .at = look.rows};
    PetscCall(ImportRead(&look, 0, look.rows, &rows, NULL));
    for (int f = 0; f < exact.nfields; f++) add_spread(&exact, &rows, rows.field[f], sum[f], &most[f]);
  }
  PetscCall(ScoriaRowsDestroy(&rows));
  for (int f = exact.nfields - 1; f >= 0; f--) {
    const double spread = sum[f][1] > 0 ? sqrt(sum[f][0] / sum[f][1]) : 0;
    if (!(spread > 0) || ldexp(most[f], -24) <= RESOLVED * spread) continue;
    *field   = f;
    *largest = most[f];
    *sd      = spread;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ImportPrecision(Import *im)
{
  int64_t row[LOOKED_AT * ROWS_OF_EACH];
  double told[3] = {0};
  int rank, field = -1;
  PetscFunctionBeginUser;
  if (im->spec.float64) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Comm_rank(im->comm, &rank));
  PetscCall(RowsToLookAt(im, row));
  if (!rank) PetscCall(LookAtPrecision(im, row, &told[0], &told[1], &field));
  PetscCall(ScoriaForeignAgree(im->file));
  told[2] = field;
  PetscCallMPI(MPI_Bcast(told, 3, MPI_DOUBLE, 0, im->comm));
  field            = (int)told[2];
  im->spec.float64 = field >= 0;
  if (field >= 0)
    PetscCall(ScoriaSay(im->run,
                        "  %s: values up to %.4g differ by %.2g (SD) at a condition, and single precision rounds them "
                        "by %.1g: fields are stored in double precision",
                        im->spec.field[field].name, told[0], told[1], ldexp(told[0], -24)));
  PetscFunctionReturn(0);
}
