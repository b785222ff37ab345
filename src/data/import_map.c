/* import: the file that the deck's section names, and where in it rows and cells stand. */
#include "import_axes.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static PetscErrorCode OpenFile(Import *im)
{
  const char *names[(1 + IMPORT_GRID) * SCORIA_MAX_FIELDS + SCORIA_MAX_CONDITIONS + IMPORT_GRID];
  int n = 0;
  PetscFunctionBeginUser;
  for (int d = 0; d < im->grid && *im->centre[0].path; d++) {
    names[n]            = im->centre[d].path;
    im->centre[d].array = n++;
  }
  for (int f = 0; f < im->spec.nfields; f++) {
    names[n]           = im->field[f].path;
    im->field[f].array = n++;
    for (int d = 0; d < im->grid; d++) {
      if (!*im->own[f][d].path) continue;
      names[n]            = im->own[f][d].path;
      im->own[f][d].array = n++;
    }
  }
  for (int k = 0; k < im->spec.space.n; k++)
    if (*im->condition[k].path) {
      names[n]               = im->condition[k].path;
      im->condition[k].array = n++;
    }
  PetscCall(ScoriaForeignOpen(im->comm, im->path, n, names, &im->file));
  PetscCall(PetscStrncpy(im->spec.source, foreign_source(im->file), sizeof im->spec.source));
  im->spec.source_modified = foreign_modified(im->file);
  PetscFunctionReturn(0);
}

/* Where there are none, those of a unit interval. */
static PetscErrorCode ReadCentre(Import *im, const char *name, const ImportColumn *c, int cells, double x[])
{
  const int64_t start[SCORIA_FOREIGN_RANK] = {0};
  PetscFunctionBeginUser;
  for (int i = 0; i < cells; i++) x[i] = (i + 0.5) / cells;
  if (!*c->path) PetscFunctionReturn(0);
  PetscCall(ScoriaForeignRead(im->file, c->array, start, c->dims, x));
  PetscCall(ScoriaForeignAgree(im->file));
  for (int i = 0; i < cells; i++) {
    x[i] = x[i] * c->scale + c->offset;
    if (!isfinite(x[i]) || (i && x[i] <= x[i - 1]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: array %s: found %g m at cell %d, expected increasing numbers", im->path,
                  name, c->path, x[i], i);
  }
  PetscFunctionReturn(0);
}

/* The only cell along an axis that a field lacks: the middle of the set's. */
static PetscErrorCode ReadMiddle(Import *im, int d, double *x)
{
  double *all;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(im->extent[d], &all));
  PetscCall(ReadCentre(im, import_grid_names[d], &im->centre[d], im->extent[d], all));
  *x = (all[0] + all[im->extent[d] - 1]) / 2;
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* The centres along the axis of a field. */
static PetscErrorCode ReadAxis(Import *im, int f, const ScoriaFieldAxis *axis)
{
  const int d = axis->along;
  char what[SCORIA_NAME_SIZE + 8];
  double *x = im->centres + axis->centre;
  PetscFunctionBeginUser;
  if (d >= im->grid) PetscFunctionReturn(0); /* of two dimensions, z is 0 */
  if (!import_has_own(&im->spec.field[f], d)) {
    PetscCall(ReadCentre(im, import_grid_names[d], &im->centre[d], axis->n, x));
  } else if (*im->own[f][d].path) {
    snprintf(what, sizeof what, "%s: %s", im->spec.field[f].name, import_grid_names[d]);
    PetscCall(ReadCentre(im, d ? what : im->spec.field[f].name, &im->own[f][d], axis->n, x));
  } else
    PetscCall(ReadMiddle(im, d, x));
  PetscFunctionReturn(0);
}

/* Fields along axes of their own say so. */
static PetscErrorCode ReadCentres(Import *im)
{
  ScoriaFieldAxis axis[SCORIA_MAX_AXES];
  PetscFunctionBeginUser;
  const int axes = fields_axes(im->spec.nfields, im->spec.field, im->spec.shape, axis);
  PetscCall(PetscCalloc1(spec_centres(&im->spec), &im->centres));
  for (int a = 0; a < axes; a++) {
    int f = 0; /* the first field along it */
    while (strcmp(field_axis(&im->spec.field[f], axis[a].along), axis[a].name)) f++;
    PetscCall(ReadAxis(im, f, &axis[a]));
  }
  for (int f = 0; f < im->spec.nfields; f++)
    for (int d = 0; d < im->grid; d++) {
      const ScoriaField *field = &im->spec.field[f];
      if (import_has_own(field, d) && *im->own[f][d].path)
        PetscCall(
            ScoriaSay(im->run, "  %s: along an axis of its own, %s (%d)", field->name, field->axis[d], field->n[d]));
    }
  PetscFunctionReturn(0);
}

PetscErrorCode ImportMap(ScoriaRun run, ScoriaDeck deck, Import *im)
{
  PetscFunctionBeginUser;
  *im = (Import){.comm = ScoriaRunComm(run), .run = run};
  PetscCall(ImportReadDeck(deck, im));
  PetscCall(OpenFile(im));
  PetscCall(ImportPlaceCentres(im));
  PetscCall(ImportUnits(deck, im));
  PetscCall(ImportPlaceFields(im));
  PetscCall(ImportSettleShapes(im));
  for (int f = 0; f < im->spec.nfields; f++) PetscCall(ImportSayRepeated(im, f));
  PetscCall(ReadCentres(im));
  for (int f = 0; f < im->spec.nfields; f++) {
    ScoriaField *field = &im->spec.field[f];
    snprintf(field->description, sizeof field->description, "imported %.60s%s", field->name,
             import_lacks(im, &im->field[f]) < 0   ? ""
             : import_is_scalar(im, &im->field[f]) ? SCORIA_ONE_VALUE
                                                   : ", the same along an axis that it lacks");
    for (int d = 0; d < im->grid && !import_is_scalar(im, &im->field[f]); d++) {
      const size_t used = strlen(field->description);
      if (import_has_own(field, d))
        snprintf(field->description + used, sizeof field->description - used, ", %s%.40s",
                 field->n[d] > 1 ? "along " : "one cell along ",
                 field->n[d] > 1 ? field->axis[d] : import_grid_names[d]);
    }
  }
  for (int k = 0; k < im->spec.space.n; k++)
    if (im->condition[k].array >= 0) PetscCall(ImportPlaceCondition(im, k));
  PetscCall(ImportNumberRows(im));
  PetscFunctionReturn(0);
}
