/* Rows to and from a dataset, collectively.  Every rank makes the same sequence of HDF5 calls whatever it has to give
 * or want (an empty selection where it has nothing) and whatever went wrong on it; trouble is agreed on afterwards.
 *
 * Order of a write: conditions, fields, status, CRCs; then, at the next write or at the end, flush, which syncs to
 * disk; only then `done`, so that a row that is marked done is on disk, while the disk has had the time between two
 * writes to take the rows.  A row has two CRC32Cs: of conditions and fields, and of its status. */
#define _GNU_SOURCE /* sync_file_range */
#include "private.h"
#include "scoria/phases.h"
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* -------------------------------------------------------------------------------------------- slabs and CRCs ---- */

static bool rows_are_stored(const ScoriaRows *rows)
{
  return rows->stored[0] != NULL;
}

/* Buffers grow to the largest batch seen; a rank without rows has some too, to pass on. */
static PetscErrorCode Reserve(ScoriaDataset ds, int64_t number, bool stored)
{
  const int64_t rows = number > 0 ? number : 1, slab = rows < ds->slab_rows ? rows : ds->slab_rows;

  PetscFunctionBeginUser;
  if (rows > ds->sum_rows) {
    PetscCall(PetscFree(ds->sum));
    PetscCall(PetscFree(ds->stored));
    PetscCall(PetscMalloc1((size_t)(2 * rows), &ds->sum));
    PetscCall(PetscMalloc1((size_t)(2 * rows), &ds->stored));
    ds->sum_rows = rows;
  }
  if (slab > ds->slab_capacity && !stored) {
    PetscCall(PetscFree(ds->slab));
    size_t row = 1;
    for (int f = 0; f < ds->spec.nfields; f++) row = PetscMax(row, field_row_size(&ds->spec, f));
    PetscCall(PetscMalloc(row * (size_t)slab, &ds->slab));
    ds->slab_capacity = slab;
  }
  PetscFunctionReturn(0);
}

/* Chains the CRCs of `number` rows of `size` bytes each. */
static void crc_rows(int64_t number, size_t size, const void *data, uint32_t crc[])
{
  for (int64_t r = 0; r < number; r++) crc[r] = crc32c(crc[r], (const char *)data + (size_t)r * size, size);
}

/* Starts both CRCs of every row: conditions, to be followed by the fields; and all of the status. */
static void crc_start(const ScoriaDataset ds, const ScoriaRows *rows, uint32_t of_row[], uint32_t of_status[])
{
  memset(of_row, 0, (size_t)rows->rows * sizeof of_row[0]);
  memset(of_status, 0, (size_t)rows->rows * sizeof of_status[0]);
  for (int c = 0; c < ds->spec.space.n; c++) crc_rows(rows->rows, 8, rows->condition[c], of_row);
  for (int i = 0; i < SCORIA_STATUS_COLUMNS; i++)
    crc_rows(rows->rows, type_size(scoria_status[i].type), rows_status(rows, i), of_status);
}

/* How many slabs the rank with the most rows needs: every rank takes part in as many. */
static PetscErrorCode SlabRounds(ScoriaDataset ds, int64_t rows, int64_t *rounds)
{
  PetscFunctionBeginUser;
  *rounds = (rows + ds->slab_rows - 1) / ds->slab_rows;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, rounds, 1, MPI_INT64_T, MPI_MAX, ds->comm));
  PetscFunctionReturn(0);
}

/* Rows [offset, offset + n) of a batch that belong to slab s; none past the end. */
static void slab_range(const ScoriaDataset ds, int64_t rows, int64_t s, int64_t *offset, int64_t *n)
{
  *offset = s * ds->slab_rows < rows ? s * ds->slab_rows : rows;
  *n      = rows - *offset < ds->slab_rows ? rows - *offset : ds->slab_rows;
}

/* Rows from `offset` on of a field as they are in the file: in the batch itself, or in the buffer. */
static char *slab_of(ScoriaDataset ds, int f, const ScoriaRows *rows, int64_t offset)
{
  if (!rows_are_stored(rows)) return ds->slab;
  return (char *)rows->stored[f] + (size_t)offset * field_row_size(&ds->spec, f);
}

/* Row r of a field, as stored: one that failed is NaN, whatever the solver left there. */
static void field_pack(const ScoriaDatasetSpec *spec, const ScoriaRows *rows, int f, int64_t r, void *stored)
{
  const bool failed = rows->done[r] == SCORIA_ROW_FAILED;
  const int cells   = field_cells(&spec->field[f], spec->cells);
  double *wide      = stored;
  float *single     = stored;

  if (rows_are_stored(rows) && !failed) return;
  const double *values = failed ? NULL : rows->field[f] + r * spec->cells;
  if (spec->float64)
    for (int i = 0; i < cells; i++) wide[i] = failed ? (double)NAN : values[i];
  else
    for (int i = 0; i < cells; i++) single[i] = failed ? NAN : (float)values[i];
}

static void field_unpack(const ScoriaDatasetSpec *spec, int f, const void *stored, double values[])
{
  const int cells     = field_cells(&spec->field[f], spec->cells);
  const float *single = stored;

  if (spec->float64)
    memcpy(values, stored, (size_t)cells * sizeof(double));
  else
    for (int i = 0; i < cells; i++) values[i] = single[i];
  field_pad(&spec->field[f], spec->cells, values);
}

/* Rows [offset, offset + n) of a field between a batch and its slab, each with its CRC while it is in the cache. */
static void slab_convert(ScoriaDataset ds, ScoriaDirection direction, int f, const ScoriaRows *rows, int64_t offset,
                         int64_t n, uint32_t crc[])
{
  const size_t size = field_row_size(&ds->spec, f);
  char *slab        = slab_of(ds, f, rows, offset);

  for (int64_t r = offset; r < offset + n; r++) {
    char *stored = slab + (size_t)(r - offset) * size;

    if (direction == TO_FILE) field_pack(&ds->spec, rows, f, r, stored);
    crc[r] = crc32c(crc[r], stored, size);
    if (direction == FROM_FILE && !rows_are_stored(rows))
      field_unpack(&ds->spec, f, stored, rows->field[f] + r * ds->spec.cells);
  }
}

/* One field of a batch, slab by slab.  Chains the CRCs. */
static PetscErrorCode TransferField(ScoriaDataset ds, ScoriaDirection direction, int f, int64_t first,
                                    const ScoriaRows *rows, int64_t rounds, uint32_t crc[], ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  for (int64_t s = 0; s < rounds; s++) {
    int64_t offset, n;

    slab_range(ds, rows->rows, s, &offset, &n);
    if (direction == TO_FILE) slab_convert(ds, direction, f, rows, offset, n, crc);
    PetscCall(ColumnTransfer(ds, direction, &ds->field[f], first + offset, n, slab_of(ds, f, rows, offset), bad));
    if (direction == FROM_FILE) slab_convert(ds, direction, f, rows, offset, n, crc);
  }
  PetscFunctionReturn(0);
}

/* What is wrong with the arguments is a defect, but told to all ranks: the others are about to enter a collective. */
static PetscErrorCode CheckRange(ScoriaDataset ds, int64_t first, int64_t number, int64_t capacity)
{
  ScoriaTrouble bad = {.path = ds->open_path};

  PetscFunctionBeginUser;
  if (number < 0 || number > capacity || (number && (first < 0 || first + number > ds->spec.rows)))
    trouble_note(&bad, SCORIA_EXIT_INTERNAL, "rows %lld to %lld asked for, of %lld, with room for %lld",
                 (long long)first, (long long)(first + number - 1), (long long)ds->spec.rows, (long long)capacity);
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- writing ---- */

PetscErrorCode DatasetFlush(ScoriaDataset ds, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  PetscCall(StuckBegin(ds->part, "flushed", SCORIA_STUCK_ROWS, ds->rank));
  if (H5Fflush(ds->file, H5F_SCOPE_GLOBAL) < 0) trouble_hdf5(bad, SCORIA_EXIT_IO, "cannot be flushed to disk");
  PetscCall(StuckEnd());
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetSettle(ScoriaDataset ds)
{
  ScoriaTrouble bad = {.path = ds->part};

  PetscFunctionBeginUser;
  if (!ds->unmarked) PetscFunctionReturn(0);
  ds->unmarked = false;
  PetscCall(DatasetFlush(ds, &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscCall(
      ColumnTransfer(ds, TO_FILE, &ds->status[0], ds->unmarked_first, ds->unmarked_rows, ds->unmarked_done, &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

/* Lets the disk begin with what has been written, without waiting for it.  A hint: where it is not taken, the flush
 * that follows does it all. */
static void start_writeback(const char *path)
{
#ifdef SYNC_FILE_RANGE_WRITE
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  (void)!sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  close(fd);
#else
  (void)path;
#endif
}

static PetscErrorCode KeepUnmarked(ScoriaDataset ds, int64_t first, const ScoriaRows *rows)
{
  PetscFunctionBeginUser;
  if (rows->rows > ds->unmarked_capacity) {
    PetscCall(PetscFree(ds->unmarked_done));
    PetscCall(PetscMalloc1(rows->rows, &ds->unmarked_done));
    ds->unmarked_capacity = rows->rows;
  }
  PetscCall(PetscArraycpy(ds->unmarked_done, rows->done, rows->rows));
  ds->unmarked_first = first;
  ds->unmarked_rows  = rows->rows;
  ds->unmarked       = true;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetWrite(ScoriaDataset ds, int64_t first, const ScoriaRows *rows)
{
  ScoriaTrouble bad = {.path = ds->part};
  const int64_t n   = rows->rows;
  uint32_t *of_row, *of_status;
  int64_t rounds;

  PetscFunctionBeginUser;
  PetscCheck(ds->writing, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONGSTATE, "%s was opened for reading", ds->path);
  phase_begin(SCORIA_PHASE_WRITE);
  PetscCall(CheckRange(ds, first, n, rows->capacity));
  PetscCall(ScoriaDatasetSettle(ds));
  ds->intact = false;
  PetscCall(Reserve(ds, n, rows_are_stored(rows)));
  of_row    = ds->sum;
  of_status = ds->sum + n;
  crc_start(ds, rows, of_row, of_status);
  PetscCall(SlabRounds(ds, n, &rounds));
  for (int f = 0; f < ds->spec.nfields; f++)
    PetscCall(TransferField(ds, TO_FILE, f, first, rows, rounds, of_row, &bad));
  for (int c = 0; c < ds->spec.space.n; c++)
    PetscCall(ColumnTransfer(ds, TO_FILE, &ds->condition[c], first, n, rows->condition[c], &bad));
  for (int i = 1; i < SCORIA_STATUS_COLUMNS; i++)
    PetscCall(ColumnTransfer(ds, TO_FILE, &ds->status[i], first, n, rows_status(rows, i), &bad));
  PetscCall(ColumnTransfer(ds, TO_FILE, &ds->status_crc, first, n, of_status, &bad));
  PetscCall(ColumnTransfer(ds, TO_FILE, &ds->crc, first, n, of_row, &bad));
  PetscCall(PetscArraycpy(rows->crc, of_row, n));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  start_writeback(ds->part);
  PetscCall(KeepUnmarked(ds, first, rows));
  phase_bytes((double)n * (double)fields_row_size(&ds->spec));
  phase_end(SCORIA_PHASE_WRITE, (double)n);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- reading ---- */

/* Notes the first row that is not what was written; or, tolerant, counts them and marks them as not done. */
static void rows_check(ScoriaDataset ds, int64_t first, const ScoriaRows *rows, ScoriaTrouble *bad)
{
  const int64_t n       = rows->rows;
  const uint32_t *found = ds->sum, *kept = ds->stored;

  for (int64_t r = 0; r < n; r++) {
    const bool row_good = found[r] == kept[r], status_good = found[n + r] == kept[n + r];

    if (ds->tolerant) {
      if (!rows->done[r] || (row_good && status_good)) continue;
      rows->done[r] = 0;
      ds->damaged++;
    } else if (!rows->done[r]) {
      trouble_note(bad, ds->code, "row %lld of %lld was never written", (long long)(first + r),
                   (long long)ds->spec.rows);
    } else if (!row_good) {
      trouble_note(bad, ds->code, "row %lld is damaged: its CRC32C is %08x, expected %08x", (long long)(first + r),
                   found[r], kept[r]);
    } else if (!status_good) {
      trouble_note(bad, ds->code, "the status of row %lld is damaged: its CRC32C is %08x, expected %08x",
                   (long long)(first + r), found[n + r], kept[n + r]);
    }
  }
}

/* All columns of a run of rows, their CRCs compared. */
static PetscErrorCode ReadColumns(ScoriaDataset ds, int64_t first, int64_t number, int64_t rounds, ScoriaRows *rows,
                                  ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  phase_begin(SCORIA_PHASE_READ);
  PetscCall(Reserve(ds, number, rows_are_stored(rows)));
  rows->rows = number;
  for (int c = 0; c < ds->spec.space.n; c++)
    PetscCall(ColumnTransfer(ds, FROM_FILE, &ds->condition[c], first, number, rows->condition[c], bad));
  for (int i = 0; i < SCORIA_STATUS_COLUMNS; i++)
    PetscCall(ColumnTransfer(ds, FROM_FILE, &ds->status[i], first, number, rows_status(rows, i), bad));
  PetscCall(ColumnTransfer(ds, FROM_FILE, &ds->crc, first, number, ds->stored, bad));
  PetscCall(ColumnTransfer(ds, FROM_FILE, &ds->status_crc, first, number, ds->stored + number, bad));
  crc_start(ds, rows, ds->sum, ds->sum + number);
  for (int f = 0; f < ds->spec.nfields; f++)
    PetscCall(TransferField(ds, FROM_FILE, f, first, rows, rounds, ds->sum, bad));
  if (bad->code == SCORIA_EXIT_OK) rows_check(ds, first, rows, bad);
  phase_bytes((double)number * (double)fields_row_size(&ds->spec));
  phase_end(SCORIA_PHASE_READ, (double)number);
  PetscFunctionReturn(0);
}

PetscErrorCode DatasetReadRows(ScoriaDataset ds, int64_t first, int64_t number, ScoriaRows *rows)
{
  ScoriaTrouble bad = {.path = ds->open_path};
  int64_t rounds;

  PetscFunctionBeginUser;
  PetscCall(CheckRange(ds, first, number, rows->capacity));
  PetscCall(SlabRounds(ds, number, &rounds));
  PetscCall(ReadColumns(ds, first, number, rounds, rows, &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

PetscErrorCode DatasetReadStatus(ScoriaDataset ds, int64_t first, int64_t number, ScoriaRows *rows)
{
  ScoriaTrouble bad = {.path = ds->open_path};

  PetscFunctionBeginUser;
  PetscCall(CheckRange(ds, first, number, rows->capacity));
  rows->rows = number;
  for (int c = 0; c < ds->spec.space.n; c++)
    PetscCall(ColumnTransfer(ds, FROM_FILE, &ds->condition[c], first, number, rows->condition[c], &bad));
  for (int i = 0; i < SCORIA_STATUS_COLUMNS; i++)
    PetscCall(ColumnTransfer(ds, FROM_FILE, &ds->status[i], first, number, rows_status(rows, i), &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetReadAlone(ScoriaDataset ds, int64_t first, int64_t number, ScoriaRows *rows)
{
  ScoriaTrouble bad = {.path = ds->open_path};

  PetscFunctionBeginUser;
  PetscCheck(!ds->writing && number >= 0 && number <= rows->capacity && first >= 0 && first + number <= ds->spec.rows,
             PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%s: %lld rows from row %lld of %lld, with room for %lld",
             ds->path, (long long)number, (long long)first, (long long)ds->spec.rows, (long long)rows->capacity);
  ds->alone = true;
  PetscCall(ReadColumns(ds, first, number, (number + ds->slab_rows - 1) / ds->slab_rows, rows, &bad));
  ds->alone = false;
  if (bad.code != SCORIA_EXIT_OK) SCORIA_FAIL(bad.code, "%s", bad.line);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetRead(ScoriaDataset ds, int64_t first, int64_t number, ScoriaRows *rows)
{
  PetscFunctionBeginUser;
  PetscCheck(!ds->writing, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONGSTATE, "%s is being written", ds->path);
  PetscCall(DatasetReadRows(ds, first, number, rows));
  PetscFunctionReturn(0);
}
