/* import: which axes of an array are those of the cells, along x, or x and y, or x, y and z. */
#include "import_axes.h"
#include <stdio.h>
#include <string.h>

#define MOST_CELLS (1 << 27)

const char *const import_grid_names[IMPORT_GRID] = {"x", "y", "z"};

PetscErrorCode ImportPlaceCentres(Import *im)
{
  double cells = 1;
  PetscFunctionBeginUser;
  for (int d = 0; d < IMPORT_GRID; d++) im->spec.shape[d] = 1;
  for (int d = 0; d < im->grid; d++) {
    ImportColumn *c = &im->centre[d];
    int axis = -1, matter = 0;
    foreign_shape(im->file, c->array, &c->rank, c->dims);
    for (int a = 0; a < c->rank; a++)
      if (import_matters(c, a)) {
        axis = a;
        matter++;
      }
    if (matter != 1 || c->dims[axis] < 2 || c->dims[axis] > 1000000)
      PetscCall(ImportWrongShape(im, import_grid_names[d], c, "(cells), 2 to 1000000 of them"));
    im->spec.shape[d] = (int)c->dims[axis];
    im->along[d]      = foreign_axes(im->file, c->array)[axis];
    cells *= (double)c->dims[axis];
  }
  if (cells > MOST_CELLS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found fields of %.0f cells, expected at most %d", im->path, cells, MOST_CELLS);
  im->spec.cells = (int)cells;
  PetscFunctionReturn(0);
}

bool import_is_cell(const ImportColumn *c, int a)
{
  return a == c->cells[0] || a == c->cells[1] || a == c->cells[2];
}

/* Axes of cells that nothing else tells, by their extents; false where these leave a choice.  Where it is one among the
 * axes of cells alone, they are assumed to be z, y, x in the order of the file. */
static bool fit_cells(const Import *im, ImportColumn *c, bool *assumed)
{
  bool open[IMPORT_GRID];
  int fit = 0;
  for (int d = 0; d < im->grid; d++) open[d] = c->cells[d] < 0;
  for (int a = 0; a < c->rank; a++) {
    int slowest = -1, fits = 0;
    for (int d = 0; d < im->grid && !import_is_cell(c, a); d++)
      if (c->cells[d] < 0 && c->dims[a] == im->spec.shape[d]) slowest = d, fits++;
    if (slowest >= 0) c->cells[slowest] = a;
    *assumed = *assumed || fits > 1;
  }
  for (int a = 0; a < c->rank; a++) {
    bool fits = false;
    for (int d = 0; d < im->grid; d++) fits = fits || (open[d] && c->dims[a] == im->spec.shape[d]);
    fit += fits && !import_is_cell(c, a);
  }
  return !fit;
}

/* The axes by their names, or without an order by their scales. */
static void find_told_cells(const Import *im, ImportNames name, ImportColumn *c)
{
  const ScoriaForeignAxis *scale = foreign_axes(im->file, c->array);
  for (int d = 0; d < IMPORT_GRID; d++) c->cells[d] = -1;
  for (int d = 0; d < im->grid; d++) {
    c->cells[d] = import_named(c, name, import_grid_names[d]);
    for (int a = 0; a < c->rank && c->cells[d] < 0 && !*c->order; a++)
      if (import_same_scale(&scale[a], &im->along[d]) && !import_is_cell(c, a)) c->cells[d] = a;
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
  const long long L = im->spec.shape[missing];
  char expected[384], grid[64] = "";
  PetscFunctionBeginUser;
  for (int d = im->grid - 1; d >= 0; d--)
    snprintf(grid + strlen(grid), sizeof grid - strlen(grid), "%s%d", d + 1 < im->grid ? ", " : "", im->spec.shape[d]);
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
             "; fields on other cells go into a set of their own, another deck with its own run_dir");
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
    if (c->cells[d] >= 0 && c->dims[c->cells[d]] != im->spec.shape[d]) PetscCall(ImportWrongCells(im, what, c, d));
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
