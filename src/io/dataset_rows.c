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

/* ------------------------------------------------------------------------------------------------- columns ---- */

static PetscErrorCode OpenColumn(ScoriaDataset ds, const char *group, const char *name, ScoriaType type, bool wide,
                                 ScoriaColumn *column, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  column->type = type;
  column->wide = wide;
  snprintf(column->name, sizeof column->name, "%s/%s", group, name);
  column->id = H5Dopen2(ds->file, column->name, H5P_DEFAULT);
  if (column->id < 0) trouble_hdf5(bad, ds->code, "array %s cannot be opened", column->name);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetOpenColumns(ScoriaDataset ds, ScoriaTrouble *bad)
{
  const ScoriaDatasetSpec *spec = &ds->spec;
  const hsize_t extent[2]       = {(hsize_t)spec->rows, (hsize_t)spec->cells};

  PetscFunctionBeginUser;
  ScoriaCallH5(ds->row_space = H5Screate_simple(1, extent, NULL));
  ScoriaCallH5(ds->field_space = H5Screate_simple(2, extent, NULL));
  ScoriaCallH5(ds->transfer = H5Pcreate(H5P_DATASET_XFER));
  ScoriaCallH5(H5Pset_dxpl_mpio(ds->transfer, H5FD_MPIO_COLLECTIVE));
  for (int f = 0; f < spec->nfields; f++)
    PetscCall(OpenColumn(ds, "/fields", spec->field[f].name, spec->float64 ? IO_F8 : IO_F4, true, &ds->field[f], bad));
  for (int c = 0; c < spec->space.n; c++)
    PetscCall(OpenColumn(ds, "/conditions", spec->space.c[c].name, IO_F8, false, &ds->condition[c], bad));
  for (int i = 0; i < SCORIA_STATUS_COLUMNS; i++)
    PetscCall(OpenColumn(ds, "/status", scoria_status[i].name, scoria_status[i].type, false, &ds->status[i], bad));
  PetscCall(OpenColumn(ds, "/status", "crc", IO_U4, false, &ds->status_crc, bad));
  PetscCall(OpenColumn(ds, "", "crc", IO_U4, false, &ds->crc, bad));
  PetscFunctionReturn(0);
}

int dataset_columns(ScoriaDataset ds, ScoriaColumn *column[SCORIA_MAX_COLUMNS])
{
  int n = 0;

  for (int f = 0; f < ds->spec.nfields; f++) column[n++] = &ds->field[f];
  for (int c = 0; c < ds->spec.space.n; c++) column[n++] = &ds->condition[c];
  for (int i = 0; i < SCORIA_STATUS_COLUMNS; i++) column[n++] = &ds->status[i];
  column[n++] = &ds->status_crc;
  column[n++] = &ds->crc;
  return n;
}

int64_t column_row_bytes(ScoriaDataset ds, const ScoriaColumn *column)
{
  return (int64_t)type_size(column->type) * (column->wide ? ds->spec.cells : 1);
}

PetscErrorCode ScoriaDatasetCloseColumns(ScoriaDataset ds)
{
  ScoriaColumn *column[SCORIA_MAX_COLUMNS];

  PetscFunctionBeginUser;
  if (ds->transfer < 0) PetscFunctionReturn(0); /* never opened, or closed before */
  const int n = dataset_columns(ds, column);
  for (int i = 0; i < n; i++) H5Dclose(column[i]->id);
  H5Pclose(ds->transfer);
  H5Sclose(ds->field_space);
  H5Sclose(ds->row_space);
  ds->transfer = H5I_INVALID_HID;
  PetscFunctionReturn(0);
}

typedef enum { TO_FILE, FROM_FILE } Direction;

/* Rows [first, first + number) of one column, stored type in memory. */
static PetscErrorCode Transfer(ScoriaDataset ds, Direction direction, ScoriaColumn *column, int64_t first,
                               int64_t number, void *data, ScoriaTrouble *bad)
{
  const hsize_t start[2] = {(hsize_t)first, 0}, count[2] = {(hsize_t)number, (hsize_t)ds->spec.cells};
  const hsize_t items    = number ? count[0] * (column->wide ? count[1] : 1) : 1;
  const hid_t file_space = column->wide ? ds->field_space : ds->row_space;
  hid_t memory_space;
  herr_t failed;

  PetscFunctionBeginUser;
  if (ds->spec.rows == 0) PetscFunctionReturn(0); /* an array without bytes has no place in the file */
  ScoriaCallH5(memory_space = H5Screate_simple(1, &items, NULL));
  if (number) {
    ScoriaCallH5(H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start, NULL, count, NULL));
  } else {
    ScoriaCallH5(H5Sselect_none(file_space));
    ScoriaCallH5(H5Sselect_none(memory_space));
  }
  if (direction == TO_FILE)
    failed = H5Dwrite(column->id, type_of(column->type), memory_space, file_space, ds->transfer, data);
  else
    failed = H5Dread(column->id, type_of(column->type), memory_space, file_space,
                     ds->alone ? H5P_DEFAULT : ds->transfer, data);
  if (failed < 0)
    trouble_hdf5(bad, direction == TO_FILE ? SCORIA_EXIT_IO : ds->code, "rows %lld to %lld of %s cannot be %s",
                 (long long)first, (long long)(first + number - 1), column->name,
                 direction == TO_FILE ? "written" : "read");
  else if (ds->summing && direction == FROM_FILE && number)
    column->sum = crc32c(column->sum, data, (size_t)items * type_size(column->type));
  H5Sclose(memory_space);
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------- slabs and CRCs ---- */

/* Buffers grow to the largest batch seen; a rank without rows has some too, to pass on. */
static PetscErrorCode Reserve(ScoriaDataset ds, int64_t number)
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
  if (slab > ds->slab_capacity) {
    PetscCall(PetscFree(ds->slab));
    PetscCall(PetscMalloc(field_row_size(&ds->spec) * (size_t)slab, &ds->slab));
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

/* Rows [offset, offset + n) of a field, as stored: a row that failed is NaN, whatever the solver left there. */
static void field_pack(const ScoriaDatasetSpec *spec, const ScoriaRows *rows, int f, int64_t offset, int64_t n,
                       void *stored)
{
  const int64_t cells  = spec->cells;
  const double *values = rows->field[f] + offset * cells;
  double *wide         = stored;
  float *single        = stored;

  for (int64_t r = 0; r < n; r++) {
    const bool failed = rows->done[offset + r] == SCORIA_ROW_FAILED;

    if (spec->float64)
      for (int64_t i = r * cells; i < (r + 1) * cells; i++) wide[i] = failed ? (double)NAN : values[i];
    else
      for (int64_t i = r * cells; i < (r + 1) * cells; i++) single[i] = failed ? NAN : (float)values[i];
  }
}

static void field_unpack(const ScoriaDatasetSpec *spec, const void *stored, int64_t n, double values[])
{
  const float *single = stored;
  const int64_t items = n * spec->cells;

  if (spec->float64)
    memcpy(values, stored, (size_t)items * sizeof(double));
  else
    for (int64_t i = 0; i < items; i++) values[i] = single[i];
}

/* One field of a batch, slab by slab through the buffer.  Chains the CRCs. */
static PetscErrorCode TransferField(ScoriaDataset ds, Direction direction, int f, int64_t first, const ScoriaRows *rows,
                                    int64_t rounds, uint32_t crc[], ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  for (int64_t s = 0; s < rounds; s++) {
    int64_t offset, n;

    slab_range(ds, rows->rows, s, &offset, &n);
    if (direction == TO_FILE) field_pack(&ds->spec, rows, f, offset, n, ds->slab);
    PetscCall(Transfer(ds, direction, &ds->field[f], first + offset, n, ds->slab, bad));
    crc_rows(n, field_row_size(&ds->spec), ds->slab, crc + offset);
    if (direction == FROM_FILE) field_unpack(&ds->spec, ds->slab, n, rows->field[f] + offset * ds->spec.cells);
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

PetscErrorCode ScoriaDatasetSettle(ScoriaDataset ds)
{
  ScoriaTrouble bad = {.path = ds->part};

  PetscFunctionBeginUser;
  if (!ds->unmarked) PetscFunctionReturn(0);
  ds->unmarked = false;
  if (H5Fflush(ds->file, H5F_SCOPE_GLOBAL) < 0) trouble_hdf5(&bad, SCORIA_EXIT_IO, "cannot be flushed to disk");
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscCall(Transfer(ds, TO_FILE, &ds->status[0], ds->unmarked_first, ds->unmarked_rows, ds->unmarked_done, &bad));
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
  PetscCall(Reserve(ds, n));
  of_row    = ds->sum;
  of_status = ds->sum + n;
  crc_start(ds, rows, of_row, of_status);
  PetscCall(SlabRounds(ds, n, &rounds));
  for (int f = 0; f < ds->spec.nfields; f++)
    PetscCall(TransferField(ds, TO_FILE, f, first, rows, rounds, of_row, &bad));
  for (int c = 0; c < ds->spec.space.n; c++)
    PetscCall(Transfer(ds, TO_FILE, &ds->condition[c], first, n, rows->condition[c], &bad));
  for (int i = 1; i < SCORIA_STATUS_COLUMNS; i++)
    PetscCall(Transfer(ds, TO_FILE, &ds->status[i], first, n, rows_status(rows, i), &bad));
  PetscCall(Transfer(ds, TO_FILE, &ds->status_crc, first, n, of_status, &bad));
  PetscCall(Transfer(ds, TO_FILE, &ds->crc, first, n, of_row, &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  start_writeback(ds->part);
  PetscCall(KeepUnmarked(ds, first, rows));
  phase_bytes((double)(n * ds->spec.nfields) * (double)field_row_size(&ds->spec));
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
  PetscCall(Reserve(ds, number));
  rows->rows = number;
  for (int c = 0; c < ds->spec.space.n; c++)
    PetscCall(Transfer(ds, FROM_FILE, &ds->condition[c], first, number, rows->condition[c], bad));
  for (int i = 0; i < SCORIA_STATUS_COLUMNS; i++)
    PetscCall(Transfer(ds, FROM_FILE, &ds->status[i], first, number, rows_status(rows, i), bad));
  PetscCall(Transfer(ds, FROM_FILE, &ds->crc, first, number, ds->stored, bad));
  PetscCall(Transfer(ds, FROM_FILE, &ds->status_crc, first, number, ds->stored + number, bad));
  crc_start(ds, rows, ds->sum, ds->sum + number);
  for (int f = 0; f < ds->spec.nfields; f++)
    PetscCall(TransferField(ds, FROM_FILE, f, first, rows, rounds, ds->sum, bad));
  if (bad->code == SCORIA_EXIT_OK) rows_check(ds, first, rows, bad);
  phase_bytes((double)(number * ds->spec.nfields) * (double)field_row_size(&ds->spec));
  phase_end(SCORIA_PHASE_READ, (double)number);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetReadRows(ScoriaDataset ds, int64_t first, int64_t number, ScoriaRows *rows)
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

PetscErrorCode ScoriaDatasetReadStatus(ScoriaDataset ds, int64_t first, int64_t number, ScoriaRows *rows)
{
  ScoriaTrouble bad = {.path = ds->open_path};

  PetscFunctionBeginUser;
  PetscCall(CheckRange(ds, first, number, rows->capacity));
  rows->rows = number;
  for (int c = 0; c < ds->spec.space.n; c++)
    PetscCall(Transfer(ds, FROM_FILE, &ds->condition[c], first, number, rows->condition[c], &bad));
  for (int i = 0; i < SCORIA_STATUS_COLUMNS; i++)
    PetscCall(Transfer(ds, FROM_FILE, &ds->status[i], first, number, rows_status(rows, i), &bad));
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
  PetscCall(ScoriaDatasetReadRows(ds, first, number, rows));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetReadTheta(ScoriaDataset ds, int64_t first, int64_t number, double theta[])
{
  const int n         = ds->spec.space.n;
  const hsize_t start = (hsize_t)(first * ds->spec.realisations), stride = (hsize_t)ds->spec.realisations,
                count = (hsize_t)number, items = PetscMax(count, 1);
  ScoriaTrouble bad = {.path = ds->open_path};
  hid_t memory;
  double *column;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(number + 1, &column));
  ScoriaCallH5(memory = H5Screate_simple(1, &items, NULL));
  if (number) {
    ScoriaCallH5(H5Sselect_hyperslab(ds->row_space, H5S_SELECT_SET, &start, &stride, &count, NULL));
  } else {
    ScoriaCallH5(H5Sselect_none(ds->row_space));
    ScoriaCallH5(H5Sselect_none(memory));
  }
  for (int c = 0; c < n && ds->spec.rows; c++) {
    if (H5Dread(ds->condition[c].id, type_of(IO_F8), memory, ds->row_space, ds->transfer, column) < 0)
      trouble_hdf5(&bad, ds->code, "%s cannot be read", ds->condition[c].name);
    for (int64_t k = 0; k < number; k++) theta[k * n + c] = column[k];
  }
  H5Sclose(memory);
  PetscCall(PetscFree(column));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetCountFailed(ScoriaDataset ds, int64_t *failed)
{
  const int64_t batch = 1 << 20, share = (ds->spec.rows + ds->size - 1) / ds->size;
  ScoriaTrouble bad = {.path = ds->open_path};
  int64_t first, number;
  uint8_t *done;

  PetscFunctionBeginUser;
  *failed = 0;
  deal_block(ds->spec.rows, ds->rank, ds->size, &first, &number);
  PetscCall(PetscMalloc1(PetscMin(batch, share) + 1, &done));
  for (int64_t at = 0; at < share; at += batch) {
    const int64_t n = PetscMax(PetscMin(batch, number - at), 0);

    PetscCall(Transfer(ds, FROM_FILE, &ds->status[0], n ? first + at : 0, n, done, &bad));
    for (int64_t i = 0; i < n; i++) *failed += done[i] == SCORIA_ROW_FAILED;
  }
  PetscCall(PetscFree(done));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, failed, 1, MPI_INT64_T, MPI_SUM, ds->comm));
  PetscFunctionReturn(0);
}

/* CRC of this rank's share of the leading `rows` entries of a column of CRCs. */
static PetscErrorCode ColumnCrc(ScoriaDataset ds, ScoriaColumn *column, int64_t rows, uint32_t *crc, ScoriaTrouble *bad)
{
  const int64_t batch = 1 << 20;
  int64_t first, number;
  uint32_t *stored;

  PetscFunctionBeginUser;
  *crc = 0;
  deal_block(rows, ds->rank, ds->size, &first, &number);
  PetscCall(PetscMalloc1(PetscMin(batch, number) + 1, &stored));
  ds->alone = true;
  for (int64_t at = 0; at < number; at += batch) {
    const int64_t n = PetscMin(batch, number - at);

    PetscCall(Transfer(ds, FROM_FILE, column, first + at, n, stored, bad));
    *crc = crc32c(*crc, stored, (size_t)n * sizeof *stored);
  }
  ds->alone = false;
  PetscCall(PetscFree(stored));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetDigestOf(ScoriaDataset ds, int64_t rows, uint32_t *digest)
{
  ScoriaTrouble bad = {.path = ds->open_path};
  uint32_t own[2], *all, crc[2] = {0, 0};
  int64_t first, number;

  PetscFunctionBeginUser;
  PetscCall(ColumnCrc(ds, &ds->crc, rows, &own[0], &bad));
  PetscCall(ColumnCrc(ds, &ds->status_crc, rows, &own[1], &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscCall(PetscMalloc1(2 * ds->size, &all));
  PetscCallMPI(MPI_Allgather(own, 2, MPI_UINT32_T, all, 2, MPI_UINT32_T, ds->comm));
  for (int r = 0; r < ds->size; r++) {
    deal_block(rows, r, ds->size, &first, &number);
    for (int k = 0; k < 2; k++) crc[k] = crc32c_join(crc[k], all[2 * r + k], number * (int64_t)sizeof own[0]);
  }
  PetscCall(PetscFree(all));
  *digest = crc32c(0, crc, sizeof crc);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetDigest(ScoriaDataset ds, uint32_t *digest)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetDigestOf(ds, ds->spec.rows, digest));
  PetscFunctionReturn(0);
}
