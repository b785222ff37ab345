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

static PetscErrorCode CheckCells(const Import *im, const int n[IMPORT_GRID])
{
  const double cells = (double)n[0] * n[1] * n[2];
  PetscFunctionBeginUser;
  if (cells > MOST_CELLS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found fields of %.0f cells, expected at most %d", im->path, cells, MOST_CELLS);
  PetscFunctionReturn(0);
}

/* Whether the field has an axis of its own; and any field. */
static bool has_own(const Import *im, int f)
{
  bool own = false;
  for (int d = 0; d < im->grid; d++) own = own || *im->own[f][d].path;
  return own;
}

static bool any_own(const Import *im)
{
  bool own = false;
  for (int f = 0; f < im->spec.nfields; f++) own = own || has_own(im, f);
  return own;
}

bool import_has_own(const ScoriaField *field, int d)
{
  return *field->axis[d] && strcmp(field->axis[d], import_grid_names[d]) != 0;
}

static void name_axis(Import *im, int f, int d, int like)
{
  snprintf(im->spec.field[f].axis[d], sizeof im->spec.field[f].axis[d], "%s_%.60s", import_grid_names[d],
           im->spec.field[like].name);
}

/* Which axes each field has, and how many cells along them. */
static PetscErrorCode PlaceOwn(Import *im, int f)
{
  ScoriaField *field = &im->spec.field[f];
  char what[SCORIA_NAME_SIZE + 8];
  PetscFunctionBeginUser;
  for (int d = 0; d < IMPORT_GRID; d++) {
    const ImportColumn *own = &im->own[f][d];
    int like                = 0; /* the first field with this array */
    field->n[d]             = im->extent[d];
    snprintf(field->axis[d], sizeof field->axis[d], "%s", import_grid_names[d]);
    if (d >= im->grid || !*own->path || !strcmp(own->path, im->centre[d].path)) continue;
    while (strcmp(im->own[like][d].path, own->path)) like++;
    name_axis(im, f, d, like);
    snprintf(what, sizeof what, "%s: %s", field->name, import_grid_names[d]);
    PetscCall(PlaceCentre(im, d ? what : field->name, &im->own[f][d], &field->n[d], &im->own_along[f][d]));
  }
  PetscCall(CheckCells(im, field->n));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportPlaceCentres(Import *im)
{
  PetscFunctionBeginUser;
  for (int d = 0; d < IMPORT_GRID; d++) im->extent[d] = 1;
  for (int d = 0; d < im->grid; d++)
    PetscCall(PlaceCentre(im, import_grid_names[d], &im->centre[d], &im->extent[d], &im->along[d]));
  PetscCall(CheckCells(im, im->extent));
  for (int f = 0; f < im->spec.nfields && any_own(im); f++) PetscCall(PlaceOwn(im, f));
  PetscFunctionReturn(0);
}

/* The strides of a field's axes in its cells. */
static void place_steps(const Import *im, ImportColumn *c)
{
  int64_t step = 1;
  for (int a = 0; a < SCORIA_FOREIGN_RANK; a++) c->step[a] = 0;
  for (int d = 0; d < im->grid; step *= import_extent(im, c, d++))
    if (c->cells[d] >= 0) c->step[c->cells[d]] = step;
}

/* A field on cells of its own has one along an axis that it lacks, unless it is one value. */
static void settle_own(Import *im, int f)
{
  for (int d = 0; d < im->grid && has_own(im, f) && !import_is_scalar(im, &im->field[f]); d++) {
    int like = 0; /* the first field that lacks it too */
    if (im->field[f].cells[d] >= 0) continue;
    while (like < f && !(has_own(im, like) && im->field[like].cells[d] < 0 && !import_is_scalar(im, &im->field[like])))
      like++;
    im->spec.field[f].n[d] = 1;
    name_axis(im, f, d, like);
  }
}

/* All fields on the same cells, whatever their paths: those of the set. */
static void settle_alike(Import *im)
{
  for (int d = 0; d < im->grid; d++)
    if (import_has_own(&im->spec.field[0], d)) {
      im->centre[d] = im->own[0][d];
      im->extent[d] = im->spec.field[0].n[d];
    }
  for (int f = 0; f < im->spec.nfields; f++) {
    ScoriaField *field = &im->spec.field[f];
    for (int d = 0; d < IMPORT_GRID; d++) field->n[d] = field->centre[d] = field->axis[d][0] = 0;
    field->cells = 0;
  }
}

/* The set is of the dimension of the field with most cells. */
static PetscErrorCode CheckDimension(const Import *im)
{
  PetscFunctionBeginUser;
  if (im->spec.shape[1] > 1 || im->spec.shape[2] > 1) PetscFunctionReturn(0);
  for (int f = 0; f < im->spec.nfields; f++)
    if (im->spec.field[f].n[1] > 1 || im->spec.field[f].n[2] > 1)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: found a field of %d cells along x alone beside %s of %d cells in more dimensions: expected no "
                  "more; take every second of its cells, or put it into a set of its own",
                  im->path, im->spec.shape[0], im->spec.field[f].name, im->spec.field[f].cells);
  PetscFunctionReturn(0);
}

PetscErrorCode ImportSettleShapes(Import *im)
{
  const int n        = im->spec.nfields;
  ScoriaField *field = im->spec.field;
  PetscFunctionBeginUser;
  const bool differ = fields_differ(n, field); /* else all are held as the same along an axis that they lack */
  for (int f = 0; f < n && differ; f++) settle_own(im, f);
  if (!differ && any_own(im)) settle_alike(im);
  memcpy(im->spec.shape, im->extent, sizeof im->spec.shape);
  for (int f = 0; f < n && differ; f++) field[f].cells = field[f].n[0] * field[f].n[1] * field[f].n[2];
  if (differ) fields_place_centres(n, field, im->spec.shape);
  im->spec.cells = im->spec.shape[0] * im->spec.shape[1] * im->spec.shape[2];
  if (differ) PetscCall(CheckDimension(im));
  for (int f = 0; f < n; f++) place_steps(im, &im->field[f]);
  PetscFunctionReturn(0);
}

int import_extent(const Import *im, const ImportColumn *c, int d)
{
  const int n = im->spec.field[c - im->field].n[d];
  return n ? n : im->extent[d];
}

int import_cells(const Import *im, const ImportColumn *c)
{
  return import_extent(im, c, 0) * import_extent(im, c, 1) * import_extent(im, c, 2);
}

bool import_is_cell(const ImportColumn *c, int a)
{
  return a == c->cells[0] || a == c->cells[1] || a == c->cells[2];
}

bool import_has_cells(const Import *im, const ImportColumn *c)
{
  return *im->centre[0].path || has_own(im, (int)(c - im->field));
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
      if (import_same_scale(&scale[a], *im->own[f][d].path ? &im->own_along[f][d] : &im->along[d]) &&
          !import_is_cell(c, a))
        c->cells[d] = a;
  }
}

int import_lacks(const Import *im, const ImportColumn *c)
{
  for (int d = 0; d < im->grid; d++)
    if (c->cells[d] < 0 && import_extent(im, c, d) > 1) return d;
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
             "; of a field on cells of its own its member%s name%s their centres",
             im->grid == 1   ? " x"
             : im->grid == 2 ? "s x and y"
                             : "s x, y and z",
             im->grid == 1 ? "s" : "");
  PetscCall(ImportWrongShape(im, what, c, expected));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportFindCells(const Import *im, const char *what, ImportNames name, ImportColumn *c)
{
  bool assumed = false;
  PetscFunctionBeginUser;
  find_told_cells(im, name, c);
  if (!*c->order && !fit_cells(im, c, &assumed)) PetscCall(ImportAmbiguous(im, what, c, "cells", true));
  for (int d = 0; d < im->grid; d++)
    if (c->cells[d] >= 0 && c->dims[c->cells[d]] != import_extent(im, c, d))
      PetscCall(ImportWrongCells(im, what, c, d));
  place_steps(im, c);
  if (assumed)
    PetscCall(ScoriaSay(im->run,
                        "  %s: its axes of equal extents are taken for %s in the order of the file; order: says "
                        "otherwise",
                        what, im->grid == 2 ? "y, x" : "z, y, x"));
  PetscFunctionReturn(0);
}
