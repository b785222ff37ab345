/* import: rows of the file, block by block, whatever the order of their axes. */
#include "import_axes.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* n values that follow each other in a block, to cells of a row that are `step` apart: whether the dataset holds all of
 * them as numbers.  Of single precision they are as they were in the file, but for zeros, which have no sign. */
typedef bool (*Line)(const ImportColumn *c, int64_t n, const void *block, int64_t step, void *cells);

#define DEFINE_LINE(line, From, To, LARGEST)                                                                           \
  static bool line(const ImportColumn *c, int64_t n, const void *block, int64_t step, void *cells)                     \
  {                                                                                                                    \
    const From *in = block, scale = (From)c->scale, offset = (From)c->offset;                                          \
    To *out    = cells;                                                                                                \
    int finite = 1;                                                                                                    \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++)                                                               \
    {                                                                                                                  \
      const To value = (To)(in[i] * scale + offset);                                                                   \
      out[i * step]  = value;                                                                                          \
      finite &= value >= -LARGEST && value <= LARGEST;                                                                 \
    }                                                                                                                  \
    return finite;                                                                                                     \
  }
DEFINE_LINE(line_single, float, float, FLT_MAX)
DEFINE_LINE(line_rounded, double, float, FLT_MAX)
DEFINE_LINE(line_double, double, double, DBL_MAX)

/* A block of the file, count values along each axis of its array: of rows that are wanted. */
typedef struct {
  const ImportColumn *column;
  const int64_t *count;
  const ImportWanted *wanted;
  const char *values;
  size_t from, to; /* bytes of a value, there and in the dataset */
  Line line;
} Block;

/* A block to rows (cells) of a batch, line by line along its array's last axis, or value by value where that is one of
 * rows.  finite (rows) becomes false where a value is no number. */
static void scatter(const Block *b, int64_t cells, char rows[], bool finite[])
{
  const ImportColumn *c = b->column;
  const int last        = c->rank - 1;
  const int64_t n = b->count[last], line = c->stride[last] ? 1 : n;
  int64_t at[SCORIA_FOREIGN_RANK] = {0}, total = 1;
  for (int a = 0; a < c->rank; a++) total *= b->count[a];
  for (int64_t k = 0; k < total; k += n) {
    int64_t row = 0, cell = 0;
    for (int a = 0; a < last; a++) {
      row += at[a] * c->stride[a];
      cell += at[a] * c->step[a];
    }
    for (int64_t i = 0; i < n; i += line) {
      const int64_t r = b->wanted[row + i * c->stride[last]].at;
      char *to        = rows + (size_t)(r * cells + cell) * b->to;
      if (!b->line(c, line, b->values + (size_t)(k + i) * b->from, c->step[last], to)) finite[r] = false;
    }
    for (int a = last - 1; a >= 0 && ++at[a] == b->count[a]; a--) at[a] = 0;
  }
}

/* Whether a block of rows lies in the file as in the batch. */
static bool is_in_order(const ImportColumn *c, int64_t cells, const int64_t count[], int64_t rows,
                        const ImportWanted wanted[])
{
  int64_t before = 1;
  bool same      = true;
  for (int a = c->rank - 1; a >= 0; before *= count[a--])
    same = same && (count[a] == 1 || c->stride[a] * cells + c->step[a] == before);
  for (int64_t i = 1; i < rows && same; i++) same = wanted[i].at == wanted[0].at + i;
  return same;
}

/* A block from `start` on to its rows, in the dataset's precision on the way where no digit is lost by that, and
 * without a copy where it lies in that order. */
static PetscErrorCode ReadBlock(const Import *im, const ImportColumn *c, const int64_t start[], int64_t rows,
                                Block *block, ImportRoom *room, char *values)
{
  const int64_t cells = import_cells(im, c);
  const bool single   = !im->spec.float64 && foreign_plain(im->file, c->array) && c->scale == 1 && c->offset == 0;
  PetscFunctionBeginUser;
  block->to   = im->spec.float64 ? sizeof(double) : sizeof(float);
  block->from = single ? sizeof(float) : sizeof(double);
  block->line = single ? line_single : im->spec.float64 ? line_double : line_rounded;
  char *to    = room->block;
  if (block->from == block->to && is_in_order(c, cells, block->count, rows, block->wanted))
    to = values + (size_t)(block->wanted[0].at * cells) * block->to;
  if (single)
    PetscCall(ScoriaForeignReadPlain(im->file, c->array, start, block->count, (float *)(void *)to));
  else
    PetscCall(ScoriaForeignRead(im->file, c->array, start, block->count, (double *)(void *)to));
  block->values = to;
  scatter(block, cells, values, room->finite);
  PetscFunctionReturn(0);
}

/* Rows of the file that follow each other there. */
static PetscErrorCode ReadRun(const Import *im, const ImportColumn *c, int64_t n, const ImportWanted wanted[],
                              ImportRoom *room, char *values)
{
  int64_t start[SCORIA_FOREIGN_RANK], count[SCORIA_FOREIGN_RANK];
  PetscFunctionBeginUser;
  for (int64_t i = 0, rows; i < n; i += rows) {
    Block block = {.column = c, .count = count, .wanted = wanted + i};
    rows        = find_block(c, wanted[i].row, n - i, start, count);
    PetscCall(ReadBlock(im, c, start, rows, &block, room, values));
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------- rows ----
 */

static int by_row(const void *a, const void *b)
{
  const ImportWanted *p = a, *q = b;
  return (p->row > q->row) - (p->row < q->row);
}

/* Consecutive rows of the file are read at once. */
static PetscErrorCode ReadField(const Import *im, const ImportColumn *c, int64_t n, ImportRoom *room, char *values)
{
  const ImportWanted *wanted = room->wanted;
  PetscFunctionBeginUser;
  for (int64_t i = 0, run; i < n; i += run) {
    for (run = 1; i + run < n && wanted[i + run].row == wanted[i].row + run;) run++;
    PetscCall(ReadRun(im, c, run, wanted + i, room, values));
  }
  PetscFunctionReturn(0);
}

/* The value of a field's first cell along the axes of cells that it lacks, in all others. */
static void repeat(const Import *im, const ImportColumn *c, int64_t n, const ImportWanted wanted[], char *values)
{
  const size_t size            = im->spec.float64 ? sizeof(double) : sizeof(float);
  const int cells              = import_cells(im, c),
            shape[IMPORT_GRID] = {import_extent(im, c, 0), import_extent(im, c, 1), import_extent(im, c, 2)};
  for (int64_t i = 0; i < n && import_lacks(im, c) >= 0; i++) {
    char *v = values + (size_t)(wanted[i].at * cells) * size;
    for (int j = 0; j < cells; j++) {
      const int at[IMPORT_GRID] = {j % shape[0], j / shape[0] % shape[1], j / shape[0] / shape[1]};
      int from                  = 0;
      for (int d = im->grid - 1; d >= 0; d--) from = from * shape[d] + (c->cells[d] < 0 ? 0 : at[d]);
      if (from != j) memcpy(v + (size_t)j * size, v + (size_t)from * size, size);
    }
  }
}

/* Rows that are in the file, in its order: how many. */
static int64_t list_wanted(const Import *im, int64_t first, int64_t number, ScoriaRows *rows, ImportWanted wanted[])
{
  int64_t at = import_find(im, first), there = 0;
  for (int64_t i = 0; i < number; i++) {
    while (at + 1 < im->rows && im->row[at + 1].at <= first + i) at++;
    for (int k = 0; k < im->spec.space.n; k++) rows->condition[k][i] = im->row[at].theta[k];
    const bool good = im->row[at].at == first + i;
    rows_set_status(rows, i, good ? SCORIA_ROW_DONE : SCORIA_ROW_FAILED);
    if (good)
      wanted[there++] = (ImportWanted){im->row[at].row, i};
    else
      rows->reason[i] = SCORIA_ROW_LACKING;
  }
  qsort(wanted, (size_t)there, sizeof *wanted, by_row);
  return there;
}

PetscErrorCode ImportRoomCreate(const ScoriaDatasetSpec *spec, int64_t rows, ImportRoom *room)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(rows, &room->wanted, rows, &room->finite));
  PetscCall(PetscMalloc((size_t)rows * (size_t)spec->cells * sizeof(double), &room->block));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportRoomDestroy(ImportRoom *room)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(room->wanted, room->finite));
  PetscCall(PetscFree(room->block));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportRead(const Import *im, int64_t first, int64_t number, ImportRoom *room, ScoriaRows *rows,
                          int64_t not_finite[])
{
  const ScoriaDatasetSpec *spec = &im->spec;
  PetscFunctionBeginUser;
  const int64_t there = list_wanted(im, first, number, rows, room->wanted);
  rows->rows          = number;
  for (int f = 0; f < spec->nfields; f++) {
    for (int64_t i = 0; i < number; i++) room->finite[i] = true;
    PetscCall(ReadField(im, &im->field[f], there, room, rows->stored[f]));
    repeat(im, &im->field[f], there, room->wanted, rows->stored[f]);
    for (int64_t i = 0; i < number; i++) {
      if (room->finite[i]) continue;
      rows->done[i] = SCORIA_ROW_FAILED;
      if (not_finite) not_finite[f]++;
    }
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- precision ----
 */

#define LOOKED_AT 64    /* conditions, spread over all */
#define ROWS_OF_EACH 16 /* at most */
#define LOOK_BYTES (32LL << 20)
#define RESOLVED 1e-3 /* of the spread: rounding that fine changes a variance by less than 1e-6 of it */

/* What of a field was looked at. */
typedef struct {
  double square, rows; /* sum of the deviations' squares from their mean, and of how many there are to it */
  double largest;      /* of their values */
  int64_t beyond, all; /* rows with a value beyond single precision, which are none of these, and all */
} Looked;

static void take_spread(int cells, const ScoriaRows *rows, const double v[], Looked *looked)
{
  bool beyond[ROWS_OF_EACH] = {false};
  for (int64_t i = 0; i < rows->rows; i++) {
    for (int j = 0; j < cells; j++) beyond[i] = beyond[i] || fabs(v[i * cells + j]) > (double)FLT_MAX;
    looked->beyond += beyond[i];
    looked->all++;
  }
  for (int j = 0; j < cells; j++) {
    double n = 0, mean = 0, square = 0;
    for (int64_t i = 0; i < rows->rows; i++) {
      if (rows->done[i] != SCORIA_ROW_DONE || beyond[i]) continue;
      const double x = v[i * cells + j], d = x - mean;
      mean += d / ++n;
      square += d * (x - mean);
      looked->largest = fmax(looked->largest, fabs(x));
    }
    if (n > 1) {
      looked->square += square;
      looked->rows += n - 1;
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

/* By how much single precision rounds numbers of this size at most: there is no smaller step than 2^-149. */
static double single_rounding(double largest)
{
  return fmax(ldexp(largest, -24), ldexp(1, -150));
}

/* Rank 0's part: the field that single precision does not resolve, or does not hold, or -1. */
static PetscErrorCode LookAtPrecision(const Import *im, const int64_t row[], double *largest, double *sd, int *field)
{
  ScoriaDatasetSpec exact          = im->spec;
  Looked looked[SCORIA_MAX_FIELDS] = {{0}};
  ImportRow some[ROWS_OF_EACH];
  Import look = *im;
  ScoriaRows rows;
  ImportRoom room;
  PetscFunctionBeginUser;
  look.spec.float64 = exact.float64 = true;
  look.row                          = some;
  *field                            = -1;
  const int64_t row_bytes           = (int64_t)sizeof(double) * exact.cells * (exact.nfields + 1),
                each                = PetscClipInterval(LOOK_BYTES / row_bytes, 2, ROWS_OF_EACH);
  PetscCall(ScoriaRowsCreateStored(&exact, each, &rows));
  PetscCall(ImportRoomCreate(&exact, each, &room));
  for (int64_t k = 0; k < LOOKED_AT && row[k * ROWS_OF_EACH] >= 0; k++) {
    for (look.rows = 0; look.rows < each && row[k * ROWS_OF_EACH + look.rows] >= 0; look.rows++)
      some[look.rows] = (ImportRow){.row = row[k * ROWS_OF_EACH + look.rows], .at = look.rows};
    PetscCall(ImportRead(&look, 0, look.rows, &room, &rows, NULL));
    for (int f = 0; f < exact.nfields; f++)
      take_spread(import_cells(im, &im->field[f]), &rows, rows.stored[f], &looked[f]);
  }
  PetscCall(ImportRoomDestroy(&room));
  PetscCall(ScoriaRowsDestroy(&rows));
  for (int f = exact.nfields - 1; f >= 0; f--) {
    const Looked *of    = &looked[f];
    const double spread = of->rows > 0 ? sqrt(of->square / of->rows) : 0;
    const bool tiny     = of->largest > 0 && of->largest < (double)FLT_MIN; /* whose squares may be 0 even in double */
    const bool coarse   = tiny || (spread > 0 && single_rounding(of->largest) > RESOLVED * spread);
    const bool beyond   = 2 * of->beyond > of->all; /* fewer hold numbers that stand for none, and are lost rows */
    if (!coarse && !beyond) continue;
    *field   = f;
    *largest = beyond ? INFINITY : of->largest;
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
  if (field >= 0 && isinf(told[0]))
    PetscCall(ScoriaSay(im->run,
                        "  %s: values are beyond single precision, %.3g: fields are stored in double precision",
                        im->spec.field[field].name, (double)FLT_MAX));
  else if (field >= 0)
    PetscCall(ScoriaSay(im->run,
                        "  %s: values up to %.4g differ by %.2g (SD) at a condition, and single precision rounds them "
                        "by %.1g: fields are stored in double precision",
                        im->spec.field[field].name, told[0], told[1], single_rounding(told[0])));
  PetscFunctionReturn(0);
}
