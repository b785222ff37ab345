/* A dataset file examined on one rank: all of it that is no row, as dataset_layout.c has laid it out. */
#include "private.h"
#include "scoria/run_files.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

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

static PetscErrorCode GetField(hid_t file, const ScoriaDatasetSpec *spec, int f, ScoriaField *field, ScoriaTrouble *bad)
{
  int64_t dims[SCORIA_FIELD_RANK];
  char name[SCORIA_NAME_SIZE + 16];
  hid_t array;

  PetscFunctionBeginUser;
  const int rank = field_array_shape(spec, f, dims);
  file_field_path(field->name, sizeof name, name);
  PetscCall(ExpectArray(file, name, spec->float64 ? IO_F8 : IO_F4, rank, dims, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  CallH5(array = H5Dopen2(file, name, H5P_DEFAULT));
  PetscCall(GetShortText(array, "units", sizeof field->unit, field->unit, bad));
  PetscCall(GetShortText(array, "description", sizeof field->description, field->description, bad));
  H5Dclose(array);
  PetscFunctionReturn(0);
}

/* Cells along an axis, from its centres. */
static PetscErrorCode GetCells(hid_t file, int64_t size, const char *axis, int *cells, ScoriaDatasetSpec *spec,
                               ScoriaTrouble *bad)
{
  const int64_t most = PetscMin(INT_MAX / spec->cells, size / 8);
  int64_t n          = 0;
  ScoriaType type    = IO_F8;
  int rank;

  PetscFunctionBeginUser;
  PetscCall(ShapeOf(file, axis, 1, &rank, &n, &type, bad));
  if (rank != 1 || n < 1 || n > most) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "no array %s of one dimension with at least one cell", axis);
  } else {
    *cells = (int)n;
    spec->cells *= (int)n;
  }
  PetscFunctionReturn(0);
}

const char *const dataset_axes[3] = {"axes", "axes_y", "axes_z"};

/* Names and cells of one field's axis along a direction. */
static PetscErrorCode GetAxis(hid_t file, int64_t size, const char *axis, int along, ScoriaField *field,
                              ScoriaDatasetSpec *spec, ScoriaTrouble *bad)
{
  char name[SCORIA_NAME_SIZE + 1];

  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(field->axis[along], axis, SCORIA_NAME_SIZE));
  snprintf(name, sizeof name, "/%s", axis);
  PetscCall(GetCells(file, size, name, &field->n[along], spec, bad));
  PetscFunctionReturn(0);
}

/* Of fields on different cells: names and cells of their axes, and where their centres are. */
static PetscErrorCode GetAxes(hid_t file, int64_t size, int directions, ScoriaDatasetSpec *spec, ScoriaTrouble *bad)
{
  char axis[3][SCORIA_MAX_FIELDS][SCORIA_NAME_SIZE];
  int n;

  PetscFunctionBeginUser;
  for (int d = 0; d < directions; d++) {
    PetscCall(GetNames(file, dataset_axes[d], SCORIA_MAX_FIELDS, &n, axis[d], bad));
    if (bad->code == SCORIA_EXIT_OK && n != spec->nfields)
      trouble_note(bad, SCORIA_EXIT_INPUT, "%d %s of %d fields", n, dataset_axes[d], spec->nfields);
  }
  for (int f = 0; f < spec->nfields && bad->code == SCORIA_EXIT_OK; f++) {
    ScoriaField *field = &spec->field[f];

    spec->cells        = 1;
    for (int d = 0; d < 3; d++) field->n[d] = 1;
    for (int d = 0; d < directions; d++) PetscCall(GetAxis(file, size, axis[d][f], d, field, spec, bad));
    field->cells = spec->cells;
  }
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  fields_place_centres(spec->nfields, spec->field, spec->shape);
  spec->cells = spec->shape[0] * spec->shape[1] * spec->shape[2];
  if (!fields_differ(spec->nfields, spec->field))
    trouble_note(bad, SCORIA_EXIT_INPUT, "fields on the same cells, expected different ones");
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
  if (H5Aexists(file, "axes") > 0)
    PetscCall(GetAxes(file, size, rank == SCORIA_FIELD_RANK ? 3 : 1, spec, bad));
  else
    for (int a = 0; a < (rank == SCORIA_FIELD_RANK ? 3 : 1); a++)
      PetscCall(GetCells(file, size, scoria_file_axes[a], &spec->shape[a], spec, bad));
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
  ScoriaFieldAxis axis[SCORIA_MAX_AXES];

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  const int axes = fields_axes(spec->nfields, spec->field, spec->shape, axis);
  PetscCall(PetscMalloc1(spec_centres(spec), x));
  for (int a = 0; a < axes; a++) {
    const int64_t n = axis[a].n;
    char name[SCORIA_NAME_SIZE + 1];

    snprintf(name, sizeof name, "/%s", axis[a].name);
    PetscCall(ExpectArray(file, name, IO_F8, 1, &n, bad));
    if (bad->code == SCORIA_EXIT_OK) PetscCall(GetArray(file, name, n, IO_F8, *x + axis[a].centre, bad));
  }
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
    PetscCall(GetField(file, spec, f, &spec->field[f], bad));
  }
  PetscCall(GetLatent(file, spec, bad));
  PetscCall(GetCentres(file, spec, x, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(GetText(file, "deck", deck, bad));
  PetscFunctionReturn(0);
}
