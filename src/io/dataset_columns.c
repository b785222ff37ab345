/* The columns of a dataset, opened once, and what is read of single columns: conditions, failures, the digest.  Every
 * rank makes the same sequence of HDF5 calls whatever it has to give or want: an empty selection where it has nothing.
 */
#include "private.h"
#include <stdio.h>

static PetscErrorCode OpenColumn(ScoriaDataset ds, const char *group, const char *name, ScoriaType type, int field,
                                 ScoriaColumn *column, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  column->type  = type;
  column->field = field;
  snprintf(column->name, sizeof column->name, "%s/%s", group, name);
  column->id = H5Dopen2(ds->file, column->name, H5P_DEFAULT);
  if (column->id < 0) trouble_hdf5(bad, ds->code, "array %s cannot be opened", column->name);
  PetscFunctionReturn(0);
}

PetscErrorCode DatasetOpenColumns(ScoriaDataset ds, ScoriaTrouble *bad)
{
  const ScoriaDatasetSpec *spec = &ds->spec;
  const hsize_t rows            = (hsize_t)spec->rows;
  int64_t dims[SCORIA_FIELD_RANK];
  hsize_t extent[SCORIA_FIELD_RANK];

  PetscFunctionBeginUser;
  CallH5(ds->row_space = H5Screate_simple(1, &rows, NULL));
  for (int f = 0; f < spec->nfields; f++) {
    const int rank = field_array_shape(spec, f, dims);

    for (int i = 0; i < rank; i++) extent[i] = (hsize_t)dims[i];
    CallH5(ds->field_space[f] = H5Screate_simple(rank, extent, NULL));
  }
  CallH5(ds->transfer = H5Pcreate(H5P_DATASET_XFER));
  CallH5(H5Pset_dxpl_mpio(ds->transfer, H5FD_MPIO_COLLECTIVE));
  for (int f = 0; f < spec->nfields; f++)
    PetscCall(OpenColumn(ds, "/fields", spec->field[f].name, spec->float64 ? IO_F8 : IO_F4, f, &ds->field[f], bad));
  for (int c = 0; c < spec->space.n; c++)
    PetscCall(OpenColumn(ds, "/conditions", spec->space.c[c].name, IO_F8, -1, &ds->condition[c], bad));
  for (int i = 0; i < SCORIA_STATUS_COLUMNS; i++)
    PetscCall(OpenColumn(ds, "/status", scoria_status[i].name, scoria_status[i].type, -1, &ds->status[i], bad));
  PetscCall(OpenColumn(ds, "/status", "crc", IO_U4, -1, &ds->status_crc, bad));
  PetscCall(OpenColumn(ds, "", "crc", IO_U4, -1, &ds->crc, bad));
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

/* Of a row. */
static int column_values(ScoriaDataset ds, const ScoriaColumn *column)
{
  return column->field < 0 ? 1 : field_cells(&ds->spec.field[column->field], ds->spec.cells);
}

int64_t column_row_bytes(ScoriaDataset ds, const ScoriaColumn *column)
{
  return (int64_t)type_size(column->type) * column_values(ds, column);
}

PetscErrorCode DatasetCloseColumns(ScoriaDataset ds)
{
  ScoriaColumn *column[SCORIA_MAX_COLUMNS];

  PetscFunctionBeginUser;
  if (ds->transfer < 0) PetscFunctionReturn(0); /* never opened, or closed before */
  const int n = dataset_columns(ds, column);
  for (int i = 0; i < n; i++) H5Dclose(column[i]->id);
  H5Pclose(ds->transfer);
  for (int f = 0; f < ds->spec.nfields; f++) H5Sclose(ds->field_space[f]);
  H5Sclose(ds->row_space);
  ds->transfer = H5I_INVALID_HID;
  PetscFunctionReturn(0);
}

PetscErrorCode ColumnTransfer(ScoriaDataset ds, ScoriaDirection direction, ScoriaColumn *column, int64_t first,
                              int64_t number, void *data, ScoriaTrouble *bad)
{
  const hsize_t start[SCORIA_FIELD_RANK] = {(hsize_t)first};
  const hsize_t items                    = number ? (hsize_t)(number * column_values(ds, column)) : 1;
  const hid_t file_space                 = column->field < 0 ? ds->row_space : ds->field_space[column->field];
  int64_t dims[SCORIA_FIELD_RANK];
  hsize_t count[SCORIA_FIELD_RANK];
  hid_t memory_space;
  herr_t failed;

  PetscFunctionBeginUser;
  const int rank = field_array_shape(&ds->spec, PetscMax(column->field, 0), dims);
  for (int i = 0; i < rank; i++) count[i] = (hsize_t)(i ? dims[i] : number);
  if (ds->spec.rows == 0) PetscFunctionReturn(0); /* an array without bytes has no place in the file */
  CallH5(memory_space = H5Screate_simple(1, &items, NULL));
  if (number) {
    CallH5(H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start, NULL, count, NULL));
  } else {
    CallH5(H5Sselect_none(file_space));
    CallH5(H5Sselect_none(memory_space));
  }
  if (direction == TO_FILE) {
    PetscCall(StuckBegin(ds->part, "written", SCORIA_STUCK_ROWS, ds->rank));
    failed = H5Dwrite(column->id, type_of(column->type), memory_space, file_space, ds->transfer, data);
    PetscCall(StuckEnd());
  } else
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
  CallH5(memory = H5Screate_simple(1, &items, NULL));
  if (number) {
    CallH5(H5Sselect_hyperslab(ds->row_space, H5S_SELECT_SET, &start, &stride, &count, NULL));
  } else {
    CallH5(H5Sselect_none(ds->row_space));
    CallH5(H5Sselect_none(memory));
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

    PetscCall(ColumnTransfer(ds, FROM_FILE, &ds->status[0], n ? first + at : 0, n, done, &bad));
    for (int64_t i = 0; i < n; i++) *failed += done[i] == SCORIA_ROW_FAILED;
  }
  PetscCall(PetscFree(done));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, failed, 1, MPI_INT64_T, MPI_SUM, ds->comm));
  PetscFunctionReturn(0);
}

/* CRC of this rank's share of the first rows of a column of CRCs. */
static PetscErrorCode ColumnCrc(ScoriaDataset ds, int64_t rows, ScoriaColumn *column, uint32_t *crc, ScoriaTrouble *bad)
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

    PetscCall(ColumnTransfer(ds, FROM_FILE, column, first + at, n, stored, bad));
    *crc = crc32c(*crc, stored, (size_t)n * sizeof *stored);
  }
  ds->alone = false;
  PetscCall(PetscFree(stored));
  PetscFunctionReturn(0);
}

PetscErrorCode DatasetReadDigest(ScoriaDataset ds, int64_t rows, uint32_t *digest)
{
  ScoriaTrouble bad = {.path = ds->open_path};
  uint32_t own[2], *all, crc[2] = {0, 0};
  int64_t first, number;

  PetscFunctionBeginUser;
  PetscCall(ColumnCrc(ds, rows, &ds->crc, &own[0], &bad));
  PetscCall(ColumnCrc(ds, rows, &ds->status_crc, &own[1], &bad));
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
