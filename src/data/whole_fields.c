/* Whole fields of a few rows, as one file beside the dataset: what profiles along x leave out. */
#include "making.h"
#include "scoria/run_files.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows whose fields are kept: their numbers, and what they are computed from. */
typedef struct {
  int64_t number;
  int64_t *row;  /* owned */
  double *theta; /* owned: (number, space.n) */
  uint64_t *id;  /* owned */
  double *eps;   /* owned: (number, nx), or NULL */
} Chosen;

/* Extents of the box that the file is of: along x 1 where the thickness is a condition. */
static void set_extent(const ScoriaSpace *space, const ScoriaGrid *grid, double extent[3])
{
  for (int a = 0; a < 3; a++) extent[a] = a == 0 && space_thickness(space) >= 0 ? 1 : grid->length[a];
}

/* Centres along the axes, and which rows these are; buffer: as long as any axis or column. */
static PetscErrorCode PutPlaces(ScoriaStore store, const ScoriaSpace *space, const ScoriaGrid *grid, const Chosen *c,
                                double buffer[])
{
  double extent[3];
  PetscFunctionBeginUser;
  set_extent(space, grid, extent);
  for (int a = 0; a < grid->dim; a++) {
    const int64_t n = grid->n[a];
    for (int64_t i = 0; i < n; i++) buffer[i] = (i + 0.5) * extent[a] / (double)n;
    PetscCall(ScoriaStorePutReals(store, scoria_file_axes[a], 1, &n, buffer, space_axis_unit(space, a),
                                  space_axis_help(space, a)));
  }
  for (int64_t r = 0; r < c->number; r++) buffer[r] = (double)c->row[r];
  PetscCall(ScoriaStorePutReals(store, "/row", 1, &c->number, buffer, "", "row of the dataset"));
  PetscFunctionReturn(0);
}

/* values (rows, nfields, cells); offset (nfields): where their arrays begin in the file. */
static PetscErrorCode PutFields(ScoriaStore store, const ScoriaDatasetSpec *spec, const ScoriaGrid *grid, int nfields,
                                int64_t number, const double values[], double buffer[], int64_t offset[])
{
  const int64_t dims[4] = {number, grid->n[2], grid->n[1], grid->n[0]}, cells = dims[1] * dims[2] * dims[3];
  PetscFunctionBeginUser;
  for (int f = 0; f < nfields; f++) {
    const ScoriaField *field = &spec->field[f];
    char name[SCORIA_NAME_SIZE + 16];
    file_field_path(field->name, sizeof name, name);
    for (int64_t r = 0; r < number; r++)
      PetscCall(PetscArraycpy(buffer + r * cells, values + (r * nfields + f) * cells, cells));
    PetscCall(ScoriaStorePutReals(store, name, 4, dims, buffer, field->unit, field->description));
    PetscCall(ScoriaStorePutAxes(store, name, "row z y x"));
    PetscCall(ScoriaStoreOffset(store, name, &offset[f]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutConditions(ScoriaStore store, const ScoriaSpace *space, const Chosen *c, double buffer[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < space->n; k++) {
    char name[SCORIA_NAME_SIZE + 16];
    file_condition_path(space->c[k].name, sizeof name, name);
    for (int64_t r = 0; r < c->number; r++) buffer[r] = c->theta[r * space->n + k];
    PetscCall(ScoriaStorePutReals(store, name, 1, &c->number, buffer, space->c[k].unit, "operating condition"));
    PetscCall(ScoriaStorePutAxes(store, name, "row"));
  }
  PetscFunctionReturn(0);
}

/* What ParaView reads of the file, before the file whose presence says that all is done. */
static PetscErrorCode WriteXdmf(ScoriaRun run, const char *path, const ScoriaSpace *space, const ScoriaGrid *grid,
                                const Chosen *c, ScoriaXdmf *xdmf)
{
  const int thickness = space_thickness(space);
  double extent[3], *length = NULL;
  PetscFunctionBeginUser;
  set_extent(space, grid, extent);
  for (int a = 0; a < 3; a++) {
    xdmf->grid[0].n[a]       = grid->n[a];
    xdmf->grid[0].spacing[a] = extent[a] / grid->n[a];
  }
  if (thickness >= 0) PetscCall(PetscMalloc1(c->number, &length));
  for (int64_t r = 0; length && r < c->number; r++) length[r] = c->theta[r * space->n + thickness];
  xdmf->length = length;
  PetscCall(ScoriaXdmfWrite(ScoriaRunComm(run), path, xdmf));
  PetscCall(PetscFree(length));
  PetscFunctionReturn(0);
}

/* values (rows, nfields, cells), the porosity the last field. */
static PetscErrorCode WriteStore(ScoriaRun run, ScoriaDeck deck, const char *path, const ScoriaDatasetSpec *spec,
                                 const ScoriaGrid *grid, int nfields, const Chosen *c, const double values[])
{
  const int64_t cells = (int64_t)grid->n[0] * grid->n[1] * grid->n[2];
  ScoriaXdmf xdmf     = {
          .grids = 1, .rows = c->number, .row = c->row, .nfields = nfields, .field = spec->field, .float64 = true};
  const char *text;
  double *buffer;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(c->number * PetscMax(cells, spec->space.n), &buffer));
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(ScoriaStoreCreate(ScoriaRunComm(run), path, "fields", text, &store));
  PetscCall(ScoriaStorePutFields(store, nfields, spec->field));
  PetscCall(PutPlaces(store, &spec->space, grid, c, buffer));
  PetscCall(PutFields(store, spec, grid, nfields, c->number, values, buffer, xdmf.offset));
  PetscCall(PutConditions(store, &spec->space, c, buffer));
  if (grid->dim > 1) PetscCall(WriteXdmf(run, path, &spec->space, grid, c, &xdmf));
  PetscCall(ScoriaStoreClose(&store));
  PetscCall(PetscFree(buffer));
  PetscFunctionReturn(0);
}

#define MOST_ROWS 1000 /* that a deck can name */

/* The rows that ensemble_full_rows names, or the first ensemble_full_fields, as far as there are `rows` of them. */
static PetscErrorCode ChooseRows(ScoriaDeck deck, int64_t rows, int64_t *number, int64_t **row)
{
  PetscInt first = 0, n = 0, named[MOST_ROWS];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "ensemble_full_fields", &first));
  PetscCall(ScoriaDeckInts(deck, "ensemble_full_rows", MOST_ROWS, &n, named));
  PetscCall(PetscMalloc1(PetscMax(n, first), row));
  *number = 0;
  for (int64_t i = 0; i < (n ? n : first); i++) {
    const int64_t which = n ? named[i] : i;
    if (which < rows) (*row)[(*number)++] = which;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode WholeFieldsCheck(ScoriaDeck deck, int64_t rows)
{
  PetscInt n = 0, named[MOST_ROWS];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInts(deck, "ensemble_full_rows", MOST_ROWS, &n, named));
  for (PetscInt i = 0; i < n; i++)
    if (named[i] >= rows)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_full_rows: found %lld, expected rows from 0 to %lld",
                  (long long)named[i], (long long)(rows - 1));
  PetscFunctionReturn(0);
}

PetscErrorCode WholeFieldsWarn(ScoriaRun run, ScoriaDeck deck, ScoriaEnsemble ens)
{
  ScoriaDatasetSpec spec;
  ScoriaGrid grid;
  const double *x;
  double ratio[2] = {1, 1};
  PetscInt n;
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleSpec(ens, &spec, &x));
  ensemble_grid(ens, &grid);
  PetscCall(ScoriaDeckReals(deck, "porosity_anisotropy", 2, &n, ratio));
  const int ell = space_find(&spec.space, "ell");
  for (int a = 1; a < grid.dim && spec_is_whole(&spec) && ell >= 0; a++) {
    const double length = spec.space.c[ell].hi * ratio[a - 1];
    if (grid.length[a] < 2 * length)
      PetscCall(ScoriaSay(run,
                          "  WARNING: ensemble_lateral: %g m along %c is shorter than two correlation lengths of the "
                          "porosity (%g m): neighbouring places differ little, and their law is poorly known",
                          grid.length[a], "xyz"[a], length));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyChosen(Chosen *c)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(c->row));
  PetscCall(PetscFree(c->theta));
  PetscCall(PetscFree(c->id));
  PetscCall(PetscFree(c->eps));
  PetscFunctionReturn(0);
}

/* Between two rows, of which one may take long: the first group solves them, all look. */
static PetscErrorCode StopBetween(ScoriaRun run, const char *path)
{
  bool stop;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStopAsked(run, &stop));
  if (stop) PetscCall(ScoriaStopped(run, "the whole fields of %s restart from the beginning", path));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteChosen(ScoriaRun run, ScoriaDeck deck, ScoriaEnsemble ens, const Chosen *c, const char *name)
{
  char path[PETSC_MAX_PATH_LEN];
  const double *x;
  double *values;
  ScoriaDatasetSpec spec;
  ScoriaGrid grid;
  ScoriaRows one;
  bool there;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (there || c->number == 0) PetscFunctionReturn(0);
  PetscCall(ScoriaEnsembleSpec(ens, &spec, &x));
  ensemble_grid(ens, &grid);
  const int nfields   = spec_states(&spec);
  const int64_t cells = (int64_t)grid.n[0] * grid.n[1] * grid.n[2];
  PetscCall(PetscMalloc1(c->number * (nfields + 1) * cells, &values));
  PetscCall(ScoriaRowsCreate(&spec, 1, &one));
  for (int64_t i = 0; i < c->number; i++) {
    PetscCall(StopBetween(run, path));
    if (ScoriaEnsembleGroups(ens)->index) continue;
    PetscCall(ScoriaEnsembleCompute(ens, 1, c->theta + i * spec.space.n, c->id + i,
                                    c->eps ? c->eps + i * grid.n[0] : NULL, &one));
    for (int f = 0; f <= nfields; f++) PetscCall(ScoriaEnsembleField(ens, f, values + (i * (nfields + 1) + f) * cells));
  }
  PetscCall(WriteStore(run, deck, path, &spec, &grid, nfields + 1, c, values));
  PetscCall(ScoriaRowsDestroy(&one));
  PetscCall(PetscFree(values));
  PetscCall(ScoriaSay(run, "  wrote %s (whole fields of %lld rows)", path, (long long)c->number));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaWholeFieldsWrite(ScoriaRun run, ScoriaDeck deck, ScoriaEnsemble ens, int64_t rows,
                                      ScoriaGiveRow give, void *ctx, bool with_eps, const char *name)
{
  ScoriaDatasetSpec spec;
  const double *x;
  Chosen c = {0};
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleSpec(ens, &spec, &x));
  const int64_t width = spec.space.n, cells = spec.shape[0];
  PetscCall(ChooseRows(deck, rows, &c.number, &c.row));
  PetscCall(PetscMalloc1(c.number * width, &c.theta));
  PetscCall(PetscMalloc1(c.number, &c.id));
  if (with_eps) PetscCall(PetscMalloc1(c.number * cells, &c.eps));
  for (int64_t i = 0; i < c.number; i++) {
    c.id[i] = draw_number(SCORIA_DRAWS_ROWS, 0, c.row[i]);
    PetscCall(give(ctx, c.row[i], c.theta + i * width, with_eps ? c.eps + i * cells : NULL));
  }
  PetscCall(WriteChosen(run, deck, ens, &c, name));
  PetscCall(DestroyChosen(&c));
  PetscFunctionReturn(0);
}
