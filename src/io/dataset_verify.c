/* Reading all rows of a dataset back: what is there of one that was begun, and whether one that is finished holds what
 * was written.
 *
 * Every rank reads a block of the rows, and with it a contiguous piece of every column.  Columns are contiguous in the
 * file, so that the CRCs of these pieces, and of the little that lies between the columns, join to the CRC of the whole
 * file: the manifest need not read it again. */
#include "private.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VERIFY_BYTES (16LL << 20) /* of rows read at a time, per rank */
#define SILENT_SECONDS 5          /* before progress is told */

typedef struct {
  ScoriaIntervals *there; /* borrowed; NULL where nobody asks; gets this rank's share */
  void (*visit)(void *ctx, int64_t first, const ScoriaRows *rows);
  void *ctx;
} Reader;

static PetscErrorCode AddDone(ScoriaIntervals *there, int64_t first, const ScoriaRows *rows)
{
  PetscFunctionBeginUser;
  for (int64_t i = 0, end; i < rows->rows; i = end + 1) {
    for (end = i; end < rows->rows && rows->done[end];) end++;
    PetscCall(ScoriaIntervalsAdd(there, first + i, first + end));
  }
  PetscFunctionReturn(0);
}

/* A start that stops here has got no further: how much time the next one needs to get past this reading. */
static PetscErrorCode StopReading(ScoriaDataset ds, int64_t rows, double seconds)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaStopped(ds->run,
                          "the rows written are kept, but a start reads all of them back at once: %lld of %lld in %.3g "
                          "s, so the next one needs %.3g s for that",
                          (long long)rows, (long long)ds->spec.rows, seconds,
                          seconds * (double)ds->spec.rows / (double)rows));
  PetscFunctionReturn(0);
}

/* Between two batches, after `rows` of all: progress where it takes long; fails where the run is to stop. */
static PetscErrorCode BetweenBatches(ScoriaDataset ds, int64_t rows, double began, ScoriaProgress *bar)
{
  bool stop;

  PetscFunctionBeginUser;
  if (!ds->run) PetscFunctionReturn(0);
  if (!*bar && wall_seconds() - began > SILENT_SECONDS)
    PetscCall(ScoriaProgressCreate(ds->run, "read back", "rows", (double)ds->spec.rows, bar));
  rows = PetscMin(rows, ds->spec.rows);
  if (*bar) PetscCall(ScoriaProgressUpdate(*bar, (double)rows, NULL));
  PetscCall(ScoriaStopAsked(ds->run, &stop));
  if (stop) PetscCall(StopReading(ds, rows, wall_seconds() - began));
  PetscFunctionReturn(0);
}

/* Every rank reads a share of the rows back, which compares the CRCs and finds rows that never reached the file. */
static PetscErrorCode ReadBatches(ScoriaDataset ds, const Reader *reader, int64_t batch, ScoriaRows *rows,
                                  ScoriaProgress *bar)
{
  const int64_t share = (ds->spec.rows + ds->size - 1) / ds->size;
  const double began  = wall_seconds();
  int64_t first, number;

  PetscFunctionBeginUser;
  deal_block(ds->spec.rows, ds->rank, ds->size, &first, &number);
  for (int64_t done = 0; done < share; done += batch) {
    const int64_t left = number - done < 0 ? 0 : number - done, from = first + number - left;

    PetscCall(ScoriaDatasetReadRows(ds, from, left < batch ? left : batch, rows));
    if (reader->there) PetscCall(AddDone(reader->there, from, rows));
    if (reader->visit) reader->visit(reader->ctx, from, rows);
    if (done + batch < share) PetscCall(BetweenBatches(ds, (done + batch) * ds->size, began, bar));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadShares(ScoriaDataset ds, const Reader *reader)
{
  const int64_t width = (int64_t)ds->spec.cells * 8 * (ds->spec.nfields + 1);
  const int64_t batch = ds->batch_rows ? ds->batch_rows : PetscMax(1, VERIFY_BYTES / width);
  ScoriaColumn *column[SCORIA_MAX_COLUMNS];
  const int n        = dataset_columns(ds, column);
  ScoriaProgress bar = NULL;
  ScoriaRows rows;

  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++) column[i]->sum = 0;
  PetscCall(ScoriaRowsCreate(&ds->spec, PetscMin((ds->spec.rows + ds->size - 1) / ds->size, batch), &rows));
  ds->summing                 = true;
  const PetscErrorCode failed = ReadBatches(ds, reader, batch, &rows, &bar);
  ds->summing                 = false;
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscCall(failed);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetSurvey(ScoriaDataset ds, ScoriaIntervals *there,
                                   void (*visit)(void *ctx, int64_t first, const ScoriaRows *rows), void *ctx)
{
  const Reader reader = {there, visit, ctx};

  PetscFunctionBeginUser;
  PetscCall(ReadShares(ds, &reader));
  if (!there) PetscFunctionReturn(0);
  PetscCall(ScoriaIntervalsShare(ds->comm, there));
  ds->intact = intervals_count(there, 0, ds->spec.rows) == ds->spec.rows;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------- the whole file ---- */

/* A column in the file. */
typedef struct {
  int64_t offset, row_bytes;
  uint32_t crc;
} Extent;

static int by_offset(const void *a, const void *b)
{
  const Extent *p = a, *q = b;
  return (p->offset > q->offset) - (p->offset < q->offset);
}

/* The columns in the order of the file, with their CRCs joined from those of the ranks' blocks, on rank 0. */
static PetscErrorCode JoinColumns(ScoriaDataset ds, int n, ScoriaColumn *const column[], Extent extent[])
{
  uint32_t mine[SCORIA_MAX_COLUMNS], *all = NULL;

  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++) mine[i] = column[i]->sum;
  if (!ds->rank) PetscCall(PetscMalloc1((size_t)ds->size * n, &all));
  PetscCallMPI(MPI_Gather(mine, n, MPI_UINT32_T, all, n, MPI_UINT32_T, 0, ds->comm));
  for (int i = 0; i < n && !ds->rank; i++) {
    extent[i] = (Extent){.offset    = (int64_t)H5Dget_offset(column[i]->id),
                         .row_bytes = (int64_t)type_size(column[i]->type) * (column[i]->wide ? ds->spec.cells : 1)};
    for (int r = 0; r < ds->size; r++) {
      int64_t first, number;

      deal_block(ds->spec.rows, r, ds->size, &first, &number);
      extent[i].crc = crc32c_join(extent[i].crc, all[(size_t)r * n + i], number * extent[i].row_bytes);
    }
  }
  PetscCall(PetscFree(all));
  if (!ds->rank) qsort(extent, (size_t)n, sizeof *extent, by_offset);
  PetscFunctionReturn(0);
}

/* Rank 0 reads what lies between the columns, and behind them. */
static void join_file(const char *path, int n, const Extent extent[], int64_t rows, ScoriaFileSum *sum)
{
  struct stat st;
  int64_t at = 0;

  if (stat(path, &st)) return;
  *sum = (ScoriaFileSum){.known = true, .size = (int64_t)st.st_size};
  for (int i = 0; i <= n && sum->known; i++) {
    const int64_t end = i < n ? extent[i].offset : sum->size;
    uint32_t crc;

    sum->known = end >= at && !file_crc(path, sum->size, at, end - at, &crc);
    if (!sum->known) return;
    sum->crc = crc32c_join(sum->crc, crc, end - at);
    if (i < n) sum->crc = crc32c_join(sum->crc, extent[i].crc, rows * extent[i].row_bytes);
    at = i < n ? end + rows * extent[i].row_bytes : end;
  }
}

/* Of the closed part file, whose columns `read` has summed, on rank 0. */
static PetscErrorCode SumFile(ScoriaDataset read, int n, const Extent extent[], const char *path, ScoriaFileSum *sum)
{
  PetscFunctionBeginUser;
  if (read->rank) PetscFunctionReturn(0);
  join_file(path, read->spec.rows ? n : 0, extent, read->spec.rows, sum); /* columns without bytes are nowhere */
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetVerify(ScoriaDataset written, ScoriaDataset again, ScoriaFileSum *sum)
{
  ScoriaColumn *column[SCORIA_MAX_COLUMNS], *kept[SCORIA_MAX_COLUMNS];
  Extent extent[SCORIA_MAX_COLUMNS];

  PetscFunctionBeginUser;
  *sum        = (ScoriaFileSum){.known = false};
  const int n = dataset_columns(again, column);
  dataset_columns(written, kept);
  again->run        = written->run;
  again->batch_rows = written->batch_rows;
  if (written->intact)
    for (int i = 0; i < n; i++) column[i]->sum = kept[i]->sum;
  else
    PetscCall(ReadShares(again, &(Reader){0}));
  PetscCall(JoinColumns(again, n, column, extent));
  PetscCall(SumFile(again, n, extent, written->part, sum));
  PetscFunctionReturn(0);
}
