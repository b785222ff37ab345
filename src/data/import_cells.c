/* import: which axes of an array are those of the cells, along x, or x and y, or x, y and z. */
#include "import_axes.h"
#include <stdio.h>
#include <string.h>

#define MOST_CELLS (1 << 27)

const char *const import_grid_names[IMPORT_GRID] = {"x", "y", "z"};

/* One array of centres: its axis, and how many cells lie along it. */
static PetscErrorCode PlaceCentre(const Import *im, const char *name, ImportColumn *c, int *cells,
                                  ScoriaForeignAxis *along)
{
  int axis = -1, matter = 0;
  PetscFunctionBeginUser;
  *cells = 2; /* where there are none */
  if (!*c->path) PetscFunctionReturn(0);
  foreign_shape(im->file, c->array, &c->rank, c->dims);
  for (int a = 0; a < c->rank; a++)
    if (import_matters(c, a)) {
      axis = a;
      matter++;
    }
  if (matter != 1 || c->dims[axis] < 2 || c->dims[axis] > 1000000)
    PetscCall(ImportWrongShape(im, name, c, "(cells), 2 to 1000000 of them"));
  *cells = (int)c->dims[axis];
  *along = foreign_axes(im->file, c->array)[axis];
  PetscFunctionReturn(0);
}

/* Which axis along x each field has, and the cells of the longest. */
static PetscErrorCode PlaceOwn(Import *im)
{
  ScoriaField *field = im->spec.field;
  const int n        = im->spec.nfields;
  int first[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  for (int f = 0; f < n; f++) {
    field[f].cells = im->spec.shape[0];
    snprintf(field[f].axis, sizeof field[f].axis, "%s", import_grid_names[0]);
    if (!*im->own[f].path || !strcmp(im->own[f].path, im->centre[0].path)) continue;
    int like = 0; /* the first field with this array */
    while (strcmp(im->own[like].path, im->own[f].path)) like++;
    snprintf(field[f].axis, sizeof field[f].axis, "x_%.60s", field[like].name);
    PetscCall(PlaceCentre(im, field[f].name, &im->own[f], &field[f].cells, &im->own_along[f]));
  }
  im->spec.shape[0] = fields_place_centres(n, field);
  for (int f = 0; f < n && fields_axes(n, field, first) == 1; f++) field[f].axis[0] = 0; /* x, by another path */
  for (int f = 0; f < n && !*field[0].axis; f++) field[f].cells = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode ImportPlaceCentres(Import *im)
{
  double cells = 1;
  bool own     = false;
  PetscFunctionBeginUser;
  for (int d = 0; d < IMPORT_GRID; d++) im->spec.shape[d] = 1;
  for (int d = 0; d < im->grid; d++) {
    PetscCall(PlaceCentre(im, import_grid_names[d], &im->centre[d], &im->spec.shape[d], &im->along[d]));
    cells *= (double)im->spec.shape[d];
  }
  if (cells > MOST_CELLS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found fields of %.0f cells, expected at most %d", im->path, cells, MOST_CELLS);
  im->spec.cells = (int)cells;
  for (int f = 0; f < im->spec.nfields; f++) own = own || *im->own[f].path;
  if (own) PetscCall(PlaceOwn(im));
  if (own) im->spec.cells = im->spec.shape[0];
  PetscFunctionReturn(0);
}

int import_extent(const Import *im, const ImportColumn *c, int d)
{
  return d ? im->spec.shape[d] : field_cells(&im->spec.field[c - im->field], im->spec.shape[0]);
}

int import_cells(const Import *im, const ImportColumn *c)
{
  return field_cells(&im->spec.field[c - im->field], im->spec.cells);
}

bool import_is_cell(const ImportColumn *c, int a)
{
  return a == c->cells[0] || a == c->cells[1] || a == c->cells[2];
}

bool import_has_cells(const Import *im, const ImportColumn *c)
{
  return *im->centre[0].path || *im->own[c - im->field].path;
}

/* Axes of cells that nothing else tells, by their extents; false where these leave a choice.  Where it is one among the
 * axes of cells alone, they are assumed to be z, y, x in the order of the file. */
static bool fit_cells(const Import *im, ImportColumn *c, bool *assumed)
{
  bool open[IMPORT_GRID];
  int fit = 0;
  if (!import_has_cells(im, c)) return true;
  for (int d = 0; d < im->grid; d++) open[d] = c->cells[d] < 0;
  for (int a = 0; a < c->rank; a++) {
    int slowest = -1, fits = 0;
    for (int d = 0; d < im->grid && !import_is_cell(c, a); d++)
      if (c->cells[d] < 0 && c->dims[a] == import_extent(im, c, d)) slowest = d, fits++;
    if (slowest >= 0) c->cells[slowest] = a;
    *assumed = *assumed || fits > 1;
  }
  for (int a = 0; a < c->rank; a++) {
    bool fits = false;
    for (int d = 0; d < im->grid; d++) fits = fits || (open[d] && c->dims[a] == import_extent(im, c, d));
    fit += fits && !import_is_cell(c, a);
  }
  return !fit;
}

/* The axes by their names, or without an order by their scales. */
static void find_told_cells(const Import *im, ImportNames name, ImportColumn *c)
{
  const ScoriaForeignAxis *scale = foreign_axes(im->file, c->array);
  const ptrdiff_t f              = c - im->field;
  for (int d = 0; d < IMPORT_GRID; d++) c->cells[d] = -1;
  for (int d = 0; d < im->grid && import_has_cells(im, c); d++) {
    c->cells[d] = import_named(c, name, import_grid_names[d]);
    for (int a = 0; a < c->rank && c->cells[d] < 0 && !*c->order; a++)
      if (import_same_scale(&scale[a], *im->own[f].path ? &im->own_along[f] : &im->along[d]) && !import_is_cell(c, a))
        c->cells[d] = a;
  }
}

int import_lacks(const Import *im, const ImportColumn *c)
{
  for (int d = 0; d < im->grid; d++)
    if (c->cells[d] < 0) return d;
  return -1;
}

bool import_is_scalar(const Import *im, const ImportColumn *c)
{
  for (int d = 0; d < im->grid; d++)
    if (c->cells[d] >= 0) return false;
  return true;
}

PetscErrorCode ImportWrongCells(const Import *im, const char *what, const ImportColumn *c, int missing)
{
  const long long L = import_extent(im, c, missing);
  char expected[384], grid[64] = "";
  PetscFunctionBeginUser;
  for (int d = im->grid - 1; d >= 0; d--)
    snprintf(grid + strlen(grid), sizeof grid - strlen(grid), "%s%d", d + 1 < im->grid ? ", " : "",
             import_extent(im, c, d));
  if (*c->order)
    snprintf(expected, sizeof expected, "an axis %s of %lld cells in its order: %s has %lld",
             import_grid_names[missing], L, import_grid_names[missing], L);
  else if (c->channel >= 0)
    snprintf(expected, sizeof expected, "(rows, channels, %s) with more than %lld channels", grid,
             (long long)c->channel);
  else if (im->grid == 1)
    snprintf(expected, sizeof expected, "(rows, %lld), (%lld, rows) or (conditions, realisations, %lld): x has %lld", L,
             L, L, L);
  else
    snprintf(expected, sizeof expected, "(rows, %s) or (conditions, realisations, %s): %s has %lld", grid, grid,
             import_grid_names[missing], L);
  if (im->told >= 0) /* another field has these cells */
    snprintf(expected + strlen(expected), sizeof expected - strlen(expected),
             im->grid == 1 ? "; of a field on cells of its own its member x names their centres"
                           : "; fields on other cells go into a set of their own, another deck with its own run_dir");
  PetscCall(ImportWrongShape(im, what, c, expected));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportFindCells(const Import *im, const char *what, ImportNames name, ImportColumn *c)
{
  bool assumed = false;
  int64_t step = 1;
  PetscFunctionBeginUser;
  find_told_cells(im, name, c);
  if (!*c->order && !fit_cells(im, c, &assumed)) PetscCall(ImportAmbiguous(im, what, c, "cells", true));
  for (int d = 0; d < im->grid; d++)
    if (c->cells[d] >= 0 && c->dims[c->cells[d]] != import_extent(im, c, d))
      PetscCall(ImportWrongCells(im, what, c, d));
  for (int a = 0; a < SCORIA_FOREIGN_RANK; a++) c->step[a] = 0;
  for (int d = 0; d < im->grid; step *= im->spec.shape[d++])
    if (c->cells[d] >= 0) c->step[c->cells[d]] = step;
  if (assumed)
    PetscCall(ScoriaSay(im->run,
                        "  %s: its axes of equal extents are taken for %s in the order of the file; order: says "
                        "otherwise",
                        what, im->grid == 2 ? "y, x" : "z, y, x"));
  PetscFunctionReturn(0);
}
