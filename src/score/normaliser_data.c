/* The scan of the training rows: what can be used, and the transform of each channel.  A row is usable when it is
 * marked as done and finite; a piece is fitted when it has such a row. */
#include "normaliser_fit.h"
#include "tile_sum.h"
#include <math.h>

/* Range of x - reference over the rows, per channel, the least with the opposite sign; and by tile the squares of x_0,
 * and of x_j - x_0 averaged over the cells j > 0, about their means within a piece.  All for maxima over ranks. */
typedef struct {
  double range[2 * SCORIA_MAX_FIELDS];
  double largest[2 * SCORIA_MAX_FIELDS]; /* of the squares of a tile */
  double *squares;                       /* owned (tiles, 2 C): of x_0, of the differences */
  double *mean;                          /* owned (L) */
} Scan;

static PetscErrorCode ScanCreate(const NormData *data, Scan *scan)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < 2 * SCORIA_MAX_FIELDS; c++) scan->range[c] = -INFINITY, scan->largest[c] = 0;
  PetscCall(PetscCalloc2((size_t)data->tiles.tiles * 2 * data->norm->C, &scan->squares, data->norm->L, &scan->mean));
  PetscFunctionReturn(0);
}

static void range_extend(const NormProfile norm, int64_t n, const double x[], double range[])
{
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < norm->C; c++) {
      const double *cell = x + ((size_t)i * norm->C + c) * norm->L;
      double lo = cell[0], hi = cell[0];
      for (int j = 1; j < norm->L; j++) {
        lo = cell[j] < lo ? cell[j] : lo;
        hi = cell[j] > hi ? cell[j] : hi;
      }
      range[2 * c]     = PetscMax(range[2 * c], norm->reference[c] - lo);
      range[2 * c + 1] = PetscMax(range[2 * c + 1], hi - norm->reference[c]);
    }
}

/* Adds the squares of one channel of n rows of a piece, m apart. */
static void squares_extend(const NormProfile norm, int L, int n, const double x[], double mean[], double *level,
                           double *shape)
{
  const size_t m = (size_t)norm->m;
  double sum     = 0;
  for (int j = 0; j < L; j++) mean[j] = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < L; j++) mean[j] += (x[i * m + j] - (j ? x[i * m] : 0)) / n;
  for (int i = 0; i < n; i++) {
    const double *row = x + i * m, first = row[0] - mean[0];
    double part[4] = {0};
    *level += first * first;
    for (int j = 1; j < L; j++) part[j % 4] += (row[j] - row[0] - mean[j]) * (row[j] - row[0] - mean[j]);
    sum += (part[0] + part[1]) + (part[2] + part[3]);
  }
  *shape += sum / PetscMax(L - 1, 1);
}

static PetscErrorCode scan_visit(void *ctx, NormData *data, int t, double v[])
{
  const NormProfile norm = data->norm;
  Scan *scan             = ctx;
  double *squares        = scan->squares + (size_t)t * 2 * norm->C;
  int64_t slot           = data->start[t];
  PetscFunctionBeginUser;
  range_extend(norm, data->rows[t].fitted, v, scan->range);
  for (int k = 0; k < data->fitted[t]; k++, slot++) {
    for (int c = 0; c < norm->C; c++)
      squares_extend(norm, norm_cells(norm, c), (int)data->good[slot], v + (size_t)c * norm->L, scan->mean,
                     &squares[2 * c], &squares[2 * c + 1]);
    v += (size_t)data->good[slot] * norm->m;
  }
  if (norm->twin) range_extend(norm, data->fitted[t], data->twin + data->start[t] * norm->m, scan->range);
  for (int c = 0; c < 2 * norm->C; c++) scan->largest[c] = PetscMax(scan->largest[c], squares[c]);
  PetscFunctionReturn(0);
}

/* Ranges over all ranks, and the sums of squares in `squares` (2 C) on rank 0. */
static PetscErrorCode ShareScan(NormData *data, Scan *scan, double squares[])
{
  const int n = 2 * data->norm->C;
  double scaled[2 * SCORIA_MAX_FIELDS];
  TileSum sum;
  PetscFunctionBeginUser;
  _Static_assert(offsetof(Scan, largest) == offsetof(Scan, range) + sizeof scan->range, "one reduction of both");
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, scan->range, 4 * SCORIA_MAX_FIELDS, MPI_DOUBLE, MPI_MAX, data->in.comm));
  PetscCall(TileSumCreate(data->in.comm, n, &sum));
  for (int t = 0; t < data->tiles.tiles; t++) {
    for (int c = 0; c < n; c++) scaled[c] = scan->squares[t * n + c] / binary_scale(scan->largest[c]);
    tile_sum_add(&sum, 0, n, scaled);
  }
  PetscCall(TileSumTake(&sum, squares));
  for (int c = 0; c < n; c++) squares[c] *= binary_scale(scan->largest[c]);
  PetscCall(TileSumDestroy(&sum));
  PetscFunctionReturn(0);
}

/* A channel with a reference is logarithmic when x - reference keeps one sign, in every row and, where there is one, in
 * the twin; one with bounds has their transform. */
static void choose_transforms(NormProfile norm, const double range[])
{
  for (int c = 0; c < norm->C; c++)
    norm->logged[c] = bounds_choose(&norm->bounds[c], norm->reference[c], &range[2 * c], &norm->sign[c]);
}

/* A channel that is not logarithmic is relative where its differences from the first cell spread a tenth of what that
 * cell does, or less: standardised cell by cell, it would be the same number everywhere, and its shape would lie in
 * modes of 1e-2 of the variance and far below, after all that is larger in other channels. */
static PetscErrorCode ChooseRelative(NormData *data, const double squares[])
{
  NormProfile norm = data->norm;
  double relative[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  for (int c = 0; c < norm->C; c++)
    relative[c] = norm_cells(norm, c) > 1 && !norm->logged[c] && !norm->bounds[c].on &&
                  squares[2 * c + 1] < 0.01 * squares[2 * c];
  PetscCall(NormShare(data->in.comm, (size_t)norm->C, relative));
  for (int c = 0; c < norm->C; c++) norm->relative[c] = relative[c] != 0;
  PetscFunctionReturn(0);
}

/* Of the rows' degrees of freedom at least so many must lie within conditions for these alone to tell a spread: four
 * rows a condition. */
#define LEAST_WITHIN 0.75

/* n and fitted_rows; too few conditions are a user error. */
static PetscErrorCode CountConditions(NormData *data)
{
  int64_t count[3] = {0, 0, 0}; /* pieces of the training set, fitted ones, rows of these */
  PetscFunctionBeginUser;
  for (int t = 0; t < data->tiles.tiles; t++) {
    for (int64_t i = data->start[t]; i < data->start[t + 1]; i++) count[0] += data->kind[i] != NORM_LEFT_OUT;
    count[1] += data->fitted[t];
    count[2] += data->rows[t].fitted;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, count, 3, MPI_INT64_T, MPI_SUM, data->in.comm));
  data->n             = (count[1] + data->parts - 1) / data->parts;
  data->fitted_pieces = (double)count[1];
  data->fitted_rows   = (double)count[2];
  if (data->n == 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "none of the %lld training conditions has a usable row (%d stored per condition)",
                (long long)(count[0] / data->parts), (int)data->spec->realisations);
  data->unrepeated = data->fitted_rows - data->fitted_pieces < LEAST_WITHIN * data->fitted_rows;
  const int least  = data->norm->d > 0 ? 3 : 1;
  if (data->n < least)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "the training set has %lld usable conditions, but %d conditions vary: at least %d are needed",
                (long long)data->n, data->norm->d, least);
  PetscFunctionReturn(0);
}

PetscErrorCode NormDataScan(NormData *data, bool relative)
{
  double squares[2 * SCORIA_MAX_FIELDS];
  Scan scan;
  PetscFunctionBeginUser;
  PetscCall(ScanCreate(data, &scan));
  PetscCall(NormDataWalk(data, "reading", NORM_FIELDS, scan_visit, &scan));
  PetscCall(CountConditions(data));
  PetscCall(ShareScan(data, &scan, squares));
  choose_transforms(data->norm, scan.range);
  if (relative) PetscCall(ChooseRelative(data, squares));
  if (data->norm->twin) PetscCall(NormDataTransformTwins(data));
  PetscCall(PetscFree2(scan.squares, scan.mean));
  PetscFunctionReturn(0);
}

void norm_design(const NormData *data, int terms, const double X[], int responses, NormDesign *design)
{
  *design = (NormDesign){data->tiles, terms, responses, X, data->good, NULL};
}
