/* What a dataset file consists of, made and examined on one rank:
 *   root attributes  origin (format, kind, versions, date, deck, ...), seed, ranks, group_size, realisations, the
 *                    order of fields and conditions as "c phi eps"; of a shard, first_row and whole_rows; of imported
 *                    rows, source and its date; made_from_*
 *   /row [N] and /x [nx], of whole fields also /y [ny] and /z [nz], the scales of the axes (the first without bytes)
 *   /conditions/<name> [N]   /status/<column> [N]   /status/crc [N]   /crc [N]
 *   /fields/<name> [N][nx], of whole fields [N][nz][ny][nx]
 * All arrays are contiguous and at full size from the start, so that a killed job leaves a file that opens; nothing is
 * filled, and what the file system gives for bytes never written are zeros: /status/done starts as 0. */
#include "private.h"
#include "scoria/run_files.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Axes of a field: x, of whole fields also y and z. */
static int field_axes(const ScoriaDatasetSpec *spec)
{
  return spec_is_whole(spec) ? 3 : 1;
}

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
  char name[SCORIA_NAME_SIZE + 16];

  PetscFunctionBeginUser;
  const int rank = field_array_shape(spec, dims);
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

    file_field_path(field->name, sizeof name, name);
    PetscCall(
        PutArray(file, name, spec->float64 ? IO_F8 : IO_F4, rank, dims, NULL, field->unit, field->description, bad));
    PetscCall(PutAxes(file, name, rank == 2 ? "row x" : "row z y x", bad));
  }
  PetscFunctionReturn(0);
}

/* Cell centres along every axis that the fields have, before the fields, whose axes they are. */
static PetscErrorCode PutCentres(hid_t file, const ScoriaDatasetSpec *spec, const double x[], ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  for (int a = 0; a < field_axes(spec); a++) {
    const int64_t n = spec->shape[a];

    PetscCall(PutArray(file, scoria_file_axes[a], IO_F8, 1, &n, x, space_axis_unit(&spec->space, a),
                       space_axis_help(&spec->space, a), bad));
    x += n;
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
  const int64_t field = spec->rows * (int64_t)field_row_size(spec), column = spec->rows * 8;
  const int64_t fields = spec->nfields, columns = spec->space.n + SCORIA_STATUS_COLUMNS + 2;
  const int64_t margin = (field >= ALIGN_FROM ? fields : 0) + (column >= ALIGN_FROM ? columns : 0) + 1;

  return fields * field + columns * column + 8LL * spec->cells + margin * ALIGN_TO + (int64_t)strlen(deck);
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

/* ----------------------------------------------------------------------------------------------- examining ---- */

/* Is the array there with this type and shape? */
static PetscErrorCode ExpectArray(hid_t file, const char *name, ScoriaType type, int rank, const int64_t dims[],
                                  ScoriaTrouble *bad)
{
  int64_t found[SCORIA_FIELD_RANK] = {0};
  int found_rank;
  ScoriaType found_type = type;

  PetscFunctionBeginUser;
  PetscCall(ShapeOf(file, name, SCORIA_FIELD_RANK, &found_rank, found, &found_type, bad));
  if (found_rank < 0)
    trouble_note(bad, SCORIA_EXIT_INPUT, "no array %s", name);
  else if (found_type != type)
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is of the wrong type", name);
  else if (found_rank != rank || memcmp(found, dims, (size_t)rank * sizeof dims[0])) {
    char is[96], wanted[96];

    shape_text(found_rank, found, sizeof is, is);
    shape_text(rank, dims, sizeof wanted, wanted);
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s has the shape %s, expected %s", name, is, wanted);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode GetField(hid_t file, const ScoriaDatasetSpec *spec, ScoriaField *field, ScoriaTrouble *bad)
{
  int64_t dims[SCORIA_FIELD_RANK];
  char name[SCORIA_NAME_SIZE + 16];
  hid_t array;

  PetscFunctionBeginUser;
  const int rank = field_array_shape(spec, dims);
  file_field_path(field->name, sizeof name, name);
  PetscCall(ExpectArray(file, name, spec->float64 ? IO_F8 : IO_F4, rank, dims, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  CallH5(array = H5Dopen2(file, name, H5P_DEFAULT));
  PetscCall(GetShortText(array, "units", sizeof field->unit, field->unit, bad));
  PetscCall(GetShortText(array, "description", sizeof field->description, field->description, bad));
  H5Dclose(array);
  PetscFunctionReturn(0);
}

/* Cells along axis a, from its centres. */
static PetscErrorCode GetCells(hid_t file, int64_t size, int a, ScoriaDatasetSpec *spec, ScoriaTrouble *bad)
{
  const int64_t most = PetscMin(INT_MAX / spec->cells, size / 8);
  int64_t n          = 0;
  ScoriaType type    = IO_F8;
  int rank;

  PetscFunctionBeginUser;
  PetscCall(ShapeOf(file, scoria_file_axes[a], 1, &rank, &n, &type, bad));
  if (rank != 1 || n < 1 || n > most) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "no array %s of one dimension with at least one cell", scoria_file_axes[a]);
  } else {
    spec->shape[a] = (int)n;
    spec->cells *= (int)n;
  }
  PetscFunctionReturn(0);
}

/* Numbers of rows and cells, and the precision, from the arrays that fix them. */
static PetscErrorCode GetSizes(hid_t file, int64_t size, const char *first_field, ScoriaDatasetSpec *spec,
                               ScoriaTrouble *bad)
{
  char name[SCORIA_NAME_SIZE + 16];
  int64_t dims[SCORIA_FIELD_RANK] = {0};
  ScoriaType type                 = IO_F8;
  int rank;

  PetscFunctionBeginUser;
  PetscCall(ShapeOf(file, "/crc", 1, &rank, dims, &type, bad));
  if (rank != 1) trouble_note(bad, SCORIA_EXIT_INPUT, "no array /crc of one dimension");
  spec->rows     = dims[0];
  spec->cells    = 1;
  spec->shape[1] = spec->shape[2] = 1;
  rank                            = 2;
  if (spec->nfields) {
    file_field_path(first_field, sizeof name, name);
    PetscCall(ShapeOf(file, name, SCORIA_FIELD_RANK, &rank, dims, &type, bad));
    if (rank < 0) trouble_note(bad, SCORIA_EXIT_INPUT, "no array %s", name);
    spec->float64 = type == IO_F8;
  }
  for (int a = 0; a < (rank == SCORIA_FIELD_RANK ? 3 : 1); a++) PetscCall(GetCells(file, size, a, spec, bad));
  PetscFunctionReturn(0);
}

/* Which rows of which whole a shard holds, after the sizes. */
static PetscErrorCode GetShard(hid_t file, ScoriaDatasetSpec *spec, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK || H5Aexists(file, "whole_rows") <= 0) PetscFunctionReturn(0);
  PetscCall(GetNumber(file, "first_row", IO_I8, &spec->first, bad));
  PetscCall(GetNumber(file, "whole_rows", IO_I8, &spec->whole, bad));
  if (spec->first < 0 || spec->first > spec->whole - spec->rows)
    trouble_note(bad, SCORIA_EXIT_INPUT, "a shard of %lld rows from row %lld on of %lld", (long long)spec->rows,
                 (long long)spec->first, (long long)spec->whole);
  PetscFunctionReturn(0);
}

static PetscErrorCode ExpectStatus(hid_t file, int64_t rows, ScoriaTrouble *bad)
{
  char name[SCORIA_NAME_SIZE];

  PetscFunctionBeginUser;
  for (int i = 0; i < SCORIA_STATUS_COLUMNS; i++) {
    snprintf(name, sizeof name, "/status/%s", scoria_status[i].name);
    PetscCall(ExpectArray(file, name, scoria_status[i].type, 1, &rows, bad));
  }
  PetscCall(ExpectArray(file, "/status/crc", IO_U4, 1, &rows, bad));
  PetscCall(ExpectArray(file, "/crc", IO_U4, 1, &rows, bad));
  PetscFunctionReturn(0);
}

/* Which fields are latent; a file of the first release does not say, and has no others of these names. */
static PetscErrorCode GetLatent(hid_t file, ScoriaDatasetSpec *spec, ScoriaTrouble *bad)
{
  char latent[SCORIA_MAX_FIELDS][SCORIA_NAME_SIZE];
  int n = 0;

  PetscFunctionBeginUser;
  const bool stored = H5Aexists(file, "latent") > 0;
  if (stored) PetscCall(GetNames(file, "latent", SCORIA_MAX_FIELDS, &n, latent, bad));
  for (int f = 0; f < spec->nfields; f++) {
    spec->field[f].latent = !stored && field_was_latent(spec->field[f].name);
    for (int i = 0; i < n; i++) spec->field[f].latent |= !strcmp(latent[i], spec->field[f].name);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode GetCentres(hid_t file, const ScoriaDatasetSpec *spec, double **x, ScoriaTrouble *bad)
{
  double *centres;

  PetscFunctionBeginUser;
  for (int a = 0; a < field_axes(spec); a++) {
    const int64_t n = spec->shape[a];

    PetscCall(ExpectArray(file, scoria_file_axes[a], IO_F8, 1, &n, bad));
  }
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(spec_centres(spec), x));
  centres = *x;
  for (int a = 0; a < field_axes(spec); centres += spec->shape[a++])
    PetscCall(GetArray(file, scoria_file_axes[a], spec->shape[a], IO_F8, centres, bad));
  PetscFunctionReturn(0);
}

PetscErrorCode DatasetExamine(hid_t file, int64_t size, ScoriaDatasetSpec *spec, double **x, char **deck,
                              ScoriaTrouble *bad)
{
  char field[SCORIA_MAX_FIELDS][SCORIA_NAME_SIZE], name[SCORIA_NAME_SIZE + 16];

  PetscFunctionBeginUser;
  *x    = NULL;
  *deck = NULL;
  PetscCall(PetscMemzero(spec, sizeof(*spec)));
  PetscCall(GetNames(file, "fields", SCORIA_MAX_FIELDS, &spec->nfields, field, bad));
  PetscCall(GetSpace(file, &spec->space, bad));
  PetscCall(GetNumber(file, "realisations", IO_I8, &spec->realisations, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(GetSizes(file, size, field[0], spec, bad));
  PetscCall(GetShard(file, spec, bad));
  if (bad->code == SCORIA_EXIT_OK && H5Aexists(file, "source") > 0)
    PetscCall(GetShortText(file, "source", sizeof spec->source, spec->source, bad));
  if (bad->code == SCORIA_EXIT_OK && H5Aexists(file, "source_modified") > 0)
    PetscCall(GetNumber(file, "source_modified", IO_I8, &spec->source_modified, bad));
  if (spec->realisations < 1 || spec->realisations > PetscMax(PetscMax(spec->rows, spec->whole), 1))
    trouble_note(bad, SCORIA_EXIT_INPUT, "attribute 'realisations' is %lld, expected 1 to the number of rows",
                 (long long)spec->realisations);
  PetscCall(ExpectStatus(file, spec->rows, bad));
  for (int c = 0; c < spec->space.n; c++) {
    file_condition_path(spec->space.c[c].name, sizeof name, name);
    PetscCall(ExpectArray(file, name, IO_F8, 1, &spec->rows, bad));
  }
  for (int f = 0; f < spec->nfields; f++) {
    PetscCall(PetscStrncpy(spec->field[f].name, field[f], SCORIA_NAME_SIZE));
    PetscCall(GetField(file, spec, &spec->field[f], bad));
  }
  PetscCall(GetLatent(file, spec, bad));
  PetscCall(GetCentres(file, spec, x, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(GetText(file, "deck", deck, bad));
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
