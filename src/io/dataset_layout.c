/* What a dataset file consists of, made on one rank (dataset_examine.c reads it back):
 *   root attributes  origin (format, kind, versions, date, deck, ...), seed, ranks, group_size, realisations, the
 *                    order of fields and conditions as "c phi eps"; of a shard, first_row and whole_rows; of imported
 *                    rows, source and its date; made_from_*
 *   /row [N] and /x [nx], of whole fields also /y [ny] and /z [nz], the scales of the axes (the first without bytes);
 *   of fields on cells of their own /<axis> [n] for each axis, by its name, and the root attributes axes, of whole
 *   fields also axes_y and axes_z, the fields'
 *   /conditions/<name> [N]   /status/<column> [N]   /status/crc [N]   /crc [N]
 *   /fields/<name> [N][nx], of whole fields [N][nz][ny][nx]
 * All arrays are contiguous and at full size from the start, so that a killed job leaves a file that opens; nothing is
 * filled, and what the file system gives for bytes never written are zeros: /status/done starts as 0. */
#include "private.h"
#include "scoria/run_files.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* -------------------------------------------------------------------------------------------------- making ---- */

static PetscErrorCode PutSpec(hid_t file, const ScoriaDatasetSpec *spec, ScoriaTrouble *bad)
{
  const char *name[SCORIA_MAX_FIELDS];
  int latent = 0;

  PetscFunctionBeginUser;
  for (int f = 0; f < spec->nfields; f++) name[f] = spec->field[f].name;
  PetscCall(PutNames(file, "fields", spec->nfields, name, bad));
  for (int f = 0; f < spec->nfields; f++)
    if (spec->field[f].latent) name[latent++] = spec->field[f].name;
  PetscCall(PutNames(file, "latent", latent, name, bad));
  for (int d = 0; d < spec_axes(spec) && fields_differ(spec->nfields, spec->field); d++) {
    for (int f = 0; f < spec->nfields; f++) name[f] = field_axis(&spec->field[f], d);
    PetscCall(PutNames(file, dataset_axes[d], spec->nfields, name, bad));
  }
  PetscCall(PutConditionNames(file, &spec->space, bad));
  PetscCall(PutNumber(file, "realisations", IO_I8, &spec->realisations, bad));
  if (spec->whole) {
    PetscCall(PutNumber(file, "first_row", IO_I8, &spec->first, bad));
    PetscCall(PutNumber(file, "whole_rows", IO_I8, &spec->whole, bad));
  }
  if (*spec->source) PetscCall(PutText(file, "source", spec->source, bad));
  if (*spec->source) PetscCall(PutNumber(file, "source_modified", IO_I8, &spec->source_modified, bad));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutColumn(hid_t file, const char *name, ScoriaType type, int64_t rows, const char *unit,
                                const char *description, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  PetscCall(PutArray(file, name, type, 1, &rows, NULL, unit, description, bad));
  PetscCall(PutAxes(file, name, "row", bad));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutRows(hid_t file, const ScoriaDatasetSpec *spec, ScoriaTrouble *bad)
{
  int64_t dims[SCORIA_FIELD_RANK];
  char name[SCORIA_NAME_SIZE + 16], axes[3 * SCORIA_NAME_SIZE], all[3 * SCORIA_NAME_SIZE + 8];

  PetscFunctionBeginUser;
  for (int i = 0; i < SCORIA_STATUS_COLUMNS; i++) {
    const ScoriaStatusColumn *s = &scoria_status[i];

    snprintf(name, sizeof name, "/status/%s", s->name);
    PetscCall(PutColumn(file, name, s->type, spec->rows, s->unit, s->description, bad));
  }
  PetscCall(PutColumn(file, "/status/crc", IO_U4, spec->rows, "1",
                      "CRC32C of the row's status: done, reason, newton, attempts, residual", bad));
  PetscCall(PutColumn(file, "/crc", IO_U4, spec->rows, "1",
                      "CRC32C of the row's conditions (8 bytes each), then its fields, both as stored and in the "
                      "order of the root attributes",
                      bad));
  for (int c = 0; c < spec->space.n; c++)
    PetscCall(PutCondition(file, &spec->space.c[c], spec->rows, NULL, "operating condition", "row", bad));
  for (int f = 0; f < spec->nfields; f++) {
    const ScoriaField *field = &spec->field[f];
    const int rank           = field_array_shape(spec, f, dims);

    field_axes_text(field, spec_is_whole(spec), sizeof axes, axes);
    snprintf(all, sizeof all, "row %s", axes);
    file_field_path(field->name, sizeof name, name);
    PetscCall(
        PutArray(file, name, spec->float64 ? IO_F8 : IO_F4, rank, dims, NULL, field->unit, field->description, bad));
    PetscCall(PutAxes(file, name, all, bad));
  }
  PetscFunctionReturn(0);
}

/* Cell centres along every axis that the fields have, before the fields, whose axes they are. */
static PetscErrorCode PutCentres(hid_t file, const ScoriaDatasetSpec *spec, const double x[], ScoriaTrouble *bad)
{
  ScoriaFieldAxis axis[SCORIA_MAX_AXES];

  PetscFunctionBeginUser;
  const int axes = fields_axes(spec->nfields, spec->field, spec->shape, axis);
  for (int a = 0; a < axes; a++) {
    const int64_t n = axis[a].n;
    char name[SCORIA_NAME_SIZE + 1];

    snprintf(name, sizeof name, "/%s", axis[a].name);
    PetscCall(PutArray(file, name, IO_F8, 1, &n, x + axis[a].centre, space_axis_unit(&spec->space, axis[a].along),
                       space_axis_help(&spec->space, axis[a].along), bad));
  }
  PetscFunctionReturn(0);
}

/* Made by hand, so that a dataset without conditions has /conditions all the same, and without time stamps, so that the
 * attribute date is the only time in the file. */
static PetscErrorCode PutGroup(hid_t file, const char *name, ScoriaTrouble *bad)
{
  hid_t group, plain;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  CallH5(plain = H5Pcreate(H5P_GROUP_CREATE));
  CallH5(H5Pset_obj_track_times(plain, 0));
  group = H5Gcreate2(file, name, H5P_DEFAULT, plain, H5P_DEFAULT);
  H5Pclose(plain);
  if (group < 0)
    trouble_hdf5(bad, SCORIA_EXIT_IO, "group %s cannot be made", name);
  else
    H5Gclose(group);
  PetscFunctionReturn(0);
}

/* Arrays of a stripe or more (1 MiB is usual on parallel file systems) start at one. */
#define ALIGN_FROM 1048576
#define ALIGN_TO 1048576

/* A little more than the file will take: arrays, each perhaps aligned, and metadata. */
static int64_t size_bound(const ScoriaDatasetSpec *spec, const char *deck)
{
  const int64_t all = spec->rows * (int64_t)fields_row_size(spec), column = spec->rows * 8;
  const int64_t fields = spec->nfields, columns = spec->space.n + SCORIA_STATUS_COLUMNS + 2;
  const int64_t margin = (all >= ALIGN_FROM ? fields : 0) + (column >= ALIGN_FROM ? columns : 0) + 1;

  return all + columns * column + 8LL * spec_centres(spec) + margin * ALIGN_TO + (int64_t)strlen(deck);
}

PetscErrorCode DatasetLayOut(const char *part, const ScoriaDatasetSpec *spec, const double x[],
                             const ScoriaProvenance *from, ScoriaTrouble *bad)
{
  const int64_t ranks = from->ranks, group = from->group_size;
  hsize_t size = 0;
  hid_t access, plain, file;

  PetscFunctionBeginUser;
  /* Tried before HDF5 has anything to lose, and again, exactly, when the file has its size. */
  PetscCall(FileReserve(part, size_bound(spec, from->deck ? from->deck : ""), bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(FileAccess(MPI_COMM_NULL, &access));
  CallH5(H5Pset_alignment(access, ALIGN_FROM, ALIGN_TO));
  CallH5(plain = H5Pcreate(H5P_FILE_CREATE));
  CallH5(H5Pset_obj_track_times(plain, 0));
  file = H5Fcreate(part, H5F_ACC_TRUNC, plain, access);
  H5Pclose(plain);
  H5Pclose(access);
  if (file < 0) {
    trouble_hdf5(bad, SCORIA_EXIT_IO, "%s cannot be made", part);
    PetscFunctionReturn(0);
  }
  PetscCall(PutOrigin(file, SCORIA_DATASET_FORMAT, from->kind, from->deck, bad));
  PetscCall(PutNumber(file, "seed", IO_U8, &from->seed, bad));
  PetscCall(PutNumber(file, "ranks", IO_I8, &ranks, bad));
  PetscCall(PutNumber(file, "group_size", IO_I8, &group, bad));
  PetscCall(PutSpec(file, spec, bad));
  PetscCall(PutMadeFrom(file, &from->made, bad));
  PetscCall(PutCentres(file, spec, x, bad));
  PetscCall(PutGroup(file, "/conditions", bad));
  PetscCall(PutGroup(file, "/fields", bad));
  PetscCall(PutGroup(file, "/status", bad));
  PetscCall(PutRows(file, spec, bad));
  PetscCall(AttachScales(file, bad));
  if (bad->code == SCORIA_EXIT_OK && (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 || H5Fget_filesize(file, &size) < 0))
    trouble_hdf5(bad, SCORIA_EXIT_IO, "%s cannot be written", part);
  if (H5Fclose(file) < 0) trouble_hdf5(bad, SCORIA_EXIT_IO, "%s cannot be closed", part);
  PetscCall(FileReserve(part, (int64_t)size, bad));
  PetscFunctionReturn(0);
}

PetscErrorCode DatasetCheckLayOut(const char *fresh, ScoriaTrouble *bad)
{
  ScoriaTrouble found = {.path = bad->path};
  char format[SCORIA_NAME_SIZE], kind[SCORIA_NAME_SIZE], *deck = NULL;
  ScoriaDatasetSpec spec;
  double *x = NULL;
  int64_t size;
  hid_t file;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(OpenOurs(fresh, "a scoria dataset", &size, &file, format, kind, &found));
  if (found.code == SCORIA_EXIT_OK) PetscCall(DatasetExamine(file, size, &spec, &x, &deck, &found));
  if (file >= 0) H5Fclose(file);
  PetscCall(PetscFree(x));
  PetscCall(PetscFree(deck));
  if (found.code != SCORIA_EXIT_OK)
    trouble_note(bad, SCORIA_EXIT_IO, "it was not written as it should be: %s", found.line);
  PetscFunctionReturn(0);
}
