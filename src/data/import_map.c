/* import: the file that the deck's section names, and where in it rows and cells stand. */
#include "import_axes.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static PetscErrorCode OpenFile(Import *im)
{
  const char *names[2 * SCORIA_MAX_FIELDS + SCORIA_MAX_CONDITIONS + IMPORT_GRID];
  int n = 0;
  PetscFunctionBeginUser;
  for (int d = 0; d < im->grid && *im->centre[0].path; d++) {
    names[n]            = im->centre[d].path;
    im->centre[d].array = n++;
  }
  for (int f = 0; f < im->spec.nfields; f++) {
    names[n]           = im->field[f].path;
    im->field[f].array = n++;
    if (!*im->own[f].path) continue;
    names[n]         = im->own[f].path;
    im->own[f].array = n++;
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

/* Fields along an axis of their own say so. */
static PetscErrorCode ReadCentres(Import *im)
{
  double *x;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(spec_centres(&im->spec), &im->centres)); /* of two dimensions, z is 0 */
  x = im->centres;
  for (int f = 0; f < im->spec.nfields && *im->spec.field[0].axis; f++) {
    const ScoriaField *field = &im->spec.field[f];
    const bool own           = strcmp(field->axis, import_grid_names[0]) != 0;
    PetscCall(ReadCentre(im, field->name, own ? &im->own[f] : &im->centre[0], field->cells, x + field->centre));
    if (own)
      PetscCall(ScoriaSay(im->run, "  %s: along an axis of its own, %s (%d)", field->name, field->axis, field->cells));
  }
  if (*im->spec.field[0].axis) PetscFunctionReturn(0);
  for (int d = 0; d < im->grid; x += im->spec.shape[d++])
    PetscCall(ReadCentre(im, import_grid_names[d], &im->centre[d], im->spec.shape[d], x));
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
  PetscCall(ReadCentres(im));
  PetscCall(ImportPlaceFields(im));
  for (int f = 0; f < im->spec.nfields; f++) {
    ScoriaField *field = &im->spec.field[f];
    snprintf(field->description, sizeof field->description, "imported %.60s%s", field->name,
             import_lacks(im, &im->field[f]) < 0   ? ""
             : import_is_scalar(im, &im->field[f]) ? SCORIA_ONE_VALUE
                                                   : ", the same along an axis that it lacks");
    if (*field->axis && strcmp(field->axis, import_grid_names[0]) && !import_is_scalar(im, &im->field[f])) {
      const size_t used = strlen(field->description);
      snprintf(field->description + used, sizeof field->description - used, ", along %.40s", field->axis);
    }
  }
  for (int k = 0; k < im->spec.space.n; k++)
    if (im->condition[k].array >= 0) PetscCall(ImportPlaceCondition(im, k));
  PetscCall(ImportNumberRows(im));
  PetscFunctionReturn(0);
}
