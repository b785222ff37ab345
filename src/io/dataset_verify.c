/* Reading all rows of a dataset back: what is there of one that was begun, and whether one that is finished holds what
 * was written.
 *
 * Batch by batch from the front, each shared by all ranks in nearly equal blocks, so that how far the reading has come
 * is one number.  Columns are contiguous in the file: the CRCs of the blocks, and of the little that lies between the
 * columns, join to the CRC of the whole file, and the manifest need not read it again. */
#include "private.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VERIFY_BYTES (16LL << 20) /* of rows read at a time, per rank */
#define SILENT_SECONDS 5          /* before progress is told */

typedef struct {
  ScoriaDataset ds; /* borrowed */
  void (*visit)(void *ctx, int64_t first, const ScoriaRows *rows);
  void *ctx;
  bool survey;          /* rows may be missing: which are there is asked for */
  int64_t batch;        /* rows of a rank at a time */
  ScoriaReading so_far; /* owned; CRCs and rows there are this rank's contributions */
  ScoriaRows rows;      /* owned: (batch) */
  ScoriaProgress bar;   /* owned */
  double began;         /* [s] */
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

/* The CRC of a column is the exclusive or of what every rank contributes: its pieces with zeros for all that the others
 * read, since a CRC of joined parts is linear in theirs. */
static PetscErrorCode ShareReading(Reader *r)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, r->so_far.crc, r->so_far.columns, MPI_UINT32_T, MPI_BXOR, r->ds->comm));
  if (r->survey) PetscCall(ScoriaIntervalsShare(r->ds->comm, &r->so_far.there));
  PetscFunctionReturn(0);
}

/* The next start goes on from here; a finished reading by a writer has all its rows there. */
static PetscErrorCode StopReading(Reader *r)
{
  PetscFunctionBeginUser;
  PetscCall(ShareReading(r));
  if (!r->survey) PetscCall(ScoriaIntervalsAdd(&r->so_far.there, 0, r->so_far.rows));
  PetscCall(ReadingKeep(r->ds, &r->so_far));
  PetscCall(ScoriaStopped(r->ds->run, "the rows written are kept, and %lld of %lld have been read back in %.3g s",
                          (long long)r->so_far.rows, (long long)r->ds->spec.rows, wall_seconds() - r->began));
  PetscFunctionReturn(0);
}

/* Between two batches: progress where it takes long; fails where the run is to stop. */
static PetscErrorCode BetweenBatches(Reader *r)
{
  const ScoriaDataset ds = r->ds;
  bool stop;

  PetscFunctionBeginUser;
  if (!ds->run) PetscFunctionReturn(0);
  if (!r->bar && wall_seconds() - r->began > SILENT_SECONDS)
    PetscCall(ScoriaProgressCreate(ds->run, "read back", "rows", (double)ds->spec.rows, &r->bar));
  if (r->bar) PetscCall(ScoriaProgressUpdate(r->bar, (double)r->so_far.rows, NULL));
  PetscCall(ScoriaStopAsked(ds->run, &stop));
  if (stop) PetscCall(StopReading(r));
  PetscFunctionReturn(0);
}

/* This rank's block of a batch, [first, first + number), is in the sums of the columns. */
static void join_batch(Reader *r, int64_t rows, int64_t first, int64_t number)
{
  ScoriaColumn *column[SCORIA_MAX_COLUMNS];
  const int n         = dataset_columns(r->ds, column);
  const int64_t after = r->so_far.rows + rows - first - number;

  for (int i = 0; i < n; i++) {
    const int64_t bytes = column_row_bytes(r->ds, column[i]);

    r->so_far.crc[i] = crc32c_join(r->so_far.crc[i], 0, rows * bytes) ^ crc32c_join(column[i]->sum, 0, after * bytes);
    column[i]->sum   = 0;
  }
}

static PetscErrorCode ReadBatch(Reader *r, int64_t rows)
{
  int64_t first, number;

  PetscFunctionBeginUser;
  deal_block(rows, r->ds->rank, r->ds->size, &first, &number);
  first += r->so_far.rows;
  PetscCall(DatasetReadRows(r->ds, first, number, &r->rows));
  if (r->survey) PetscCall(AddDone(&r->so_far.there, first, &r->rows));
  if (r->visit) r->visit(r->ctx, first, &r->rows);
  join_batch(r, rows, first, number);
  r->so_far.rows += rows;
  PetscFunctionReturn(0);
}

/* Of the rows that have been read before, what the visitor wants of them: not the fields. */
static PetscErrorCode VisitRead(Reader *r)
{
  int64_t first, number;
  bool stop = false;

  PetscFunctionBeginUser;
  for (int64_t at = 0; at < r->so_far.rows && r->visit; at += r->batch * r->ds->size) {
    if (r->ds->run) PetscCall(ScoriaStopAsked(r->ds->run, &stop));
    if (stop) PetscCall(ScoriaStopped(r->ds->run, "the rows written are kept"));
    deal_block(PetscMin(r->batch * r->ds->size, r->so_far.rows - at), r->ds->rank, r->ds->size, &first, &number);
    PetscCall(DatasetReadStatus(r->ds, at + first, number, &r->rows));
    for (int64_t i = 0; i < number; i++)
      if (!intervals_count(&r->so_far.there, at + first + i, at + first + i + 1)) r->rows.done[i] = 0;
    r->visit(r->ctx, at + first, &r->rows);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateRows(Reader *r)
{
  const ScoriaDataset ds = r->ds;
  const int64_t width    = (int64_t)ds->spec.cells * 8 * (ds->spec.nfields + 1);

  PetscFunctionBeginUser;
  r->batch = ds->batch_rows ? ds->batch_rows : PetscMax(1, VERIFY_BYTES / width);
  PetscCall(ScoriaRowsCreateStored(&ds->spec, PetscMin((ds->spec.rows + ds->size - 1) / ds->size, r->batch), &r->rows));
  PetscFunctionReturn(0);
}

/* From where an earlier start has come to, if that is known: its sums are rank 0's. */
static PetscErrorCode BeginReading(Reader *r)
{
  ScoriaColumn *column[SCORIA_MAX_COLUMNS];

  PetscFunctionBeginUser;
  PetscCall(CreateRows(r));
  r->so_far.columns = dataset_columns(r->ds, column);
  for (int i = 0; i < r->so_far.columns; i++) column[i]->sum = 0;
  if (!r->survey) PetscFunctionReturn(0);
  PetscCall(ReadingFind(r->ds, &r->so_far));
  if (r->ds->rank) memset(r->so_far.crc, 0, sizeof r->so_far.crc);
  PetscCall(VisitRead(r));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOn(Reader *r)
{
  const int64_t all = r->ds->spec.rows;

  PetscFunctionBeginUser;
  PetscCall(BeginReading(r));
  r->began       = wall_seconds();
  r->ds->summing = true;
  while (r->so_far.rows < all) {
    PetscCall(ReadBatch(r, PetscMin(r->batch * r->ds->size, all - r->so_far.rows)));
    if (r->so_far.rows < all) PetscCall(BetweenBatches(r));
  }
  PetscCall(ShareReading(r));
  PetscCall(ReadingForget(r->ds));
  PetscFunctionReturn(0);
}

/* All rows; the sums of the columns are those of the whole columns afterwards, on every rank. */
static PetscErrorCode ReadAll(Reader *r)
{
  ScoriaColumn *column[SCORIA_MAX_COLUMNS];
  const int n = dataset_columns(r->ds, column);

  PetscFunctionBeginUser;
  const PetscErrorCode failed = ReadOn(r);
  r->ds->summing              = false;
  for (int i = 0; i < n; i++) column[i]->sum = r->so_far.crc[i];
  PetscCall(ScoriaProgressDestroy(&r->bar));
  PetscCall(ScoriaRowsDestroy(&r->rows));
  PetscCall(failed);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetSurvey(ScoriaDataset ds, ScoriaIntervals *there,
                                   void (*visit)(void *ctx, int64_t first, const ScoriaRows *rows), void *ctx)
{
  Reader reader = {.ds = ds, .visit = visit, .ctx = ctx, .survey = true};

  PetscFunctionBeginUser;
  const PetscErrorCode failed = ReadAll(&reader);
  if (failed) PetscCall(ScoriaIntervalsDestroy(&reader.so_far.there));
  PetscCall(failed);
  ds->intact = intervals_count(&reader.so_far.there, 0, ds->spec.rows) == ds->spec.rows;
  *there     = reader.so_far.there;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetVisit(ScoriaDataset ds, void (*visit)(void *ctx, int64_t first, const ScoriaRows *rows),
                                  void *ctx)
{
  Reader reader = {.ds = ds, .visit = visit, .ctx = ctx, .so_far = {.rows = ds->spec.rows}};

  PetscFunctionBeginUser;
  PetscCall(CreateRows(&reader));
  PetscCall(ScoriaIntervalsAdd(&reader.so_far.there, 0, ds->spec.rows));
  PetscCall(VisitRead(&reader));
  PetscCall(ScoriaIntervalsDestroy(&reader.so_far.there));
  PetscCall(ScoriaRowsDestroy(&reader.rows));
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

/* The columns in the order of the file, with their CRCs. */
static void sort_columns(ScoriaDataset ds, int n, ScoriaColumn *const column[], Extent extent[])
{
  for (int i = 0; i < n; i++)
    extent[i] = (Extent){.offset    = (int64_t)H5Dget_offset(column[i]->id),
                         .row_bytes = column_row_bytes(ds, column[i]),
                         .crc       = column[i]->sum};
  qsort(extent, (size_t)n, sizeof *extent, by_offset);
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

PetscErrorCode DatasetVerify(ScoriaDataset written, ScoriaDataset again, ScoriaFileSum *sum)
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
  else {
    Reader reader               = {.ds = again};
    const PetscErrorCode failed = ReadAll(&reader);
    PetscCall(ScoriaIntervalsDestroy(&reader.so_far.there));
    PetscCall(failed);
  }
  if (!again->rank) sort_columns(again, n, column, extent);
  PetscCall(SumFile(again, n, extent, written->part, sum));
  PetscFunctionReturn(0);
}
