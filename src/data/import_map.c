/* import: the file that the deck's section names, and where in it rows and cells stand. */
#include "import_axes.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static PetscErrorCode OpenFile(Import *im)
{
  const char *names[SCORIA_MAX_FIELDS + SCORIA_MAX_CONDITIONS + IMPORT_GRID];
  int n = 0;
  PetscFunctionBeginUser;
  for (int d = 0; d < im->grid; d++) {
    names[n]            = im->centre[d].path;
    im->centre[d].array = n++;
  }
  for (int f = 0; f < im->spec.nfields; f++) {
    names[n]           = im->field[f].path;
    im->field[f].array = n++;
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

static PetscErrorCode ReadCentres(Import *im)
{
  const int64_t start[SCORIA_FOREIGN_RANK] = {0};
  double *x;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(spec_centres(&im->spec), &im->centres)); /* of two dimensions, z is 0 */
  x = im->centres;
  for (int d = 0; d < im->grid; x += im->spec.shape[d++]) {
    const ImportColumn *c = &im->centre[d];
    PetscCall(ScoriaForeignRead(im->file, c->array, start, c->dims, x));
    PetscCall(ScoriaForeignAgree(im->file));
    for (int i = 0; i < im->spec.shape[d]; i++) {
      x[i] = x[i] * c->scale + c->offset;
      if (!isfinite(x[i]) || (i && x[i] <= x[i - 1]))
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: array %s: found %g m at cell %d, expected increasing numbers", im->path,
                    import_grid_names[d], c->path, x[i], i);
    }
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
  PetscCall(ImportUnits(im));
  PetscCall(ReadCentres(im));
  PetscCall(ImportPlaceFields(im));
  for (int f = 0; f < im->spec.nfields; f++) {
    ScoriaField *field = &im->spec.field[f];
    snprintf(field->description, sizeof field->description, "imported %.60s%s", field->name,
             import_lacks(im, &im->field[f]) < 0   ? ""
             : import_is_scalar(im, &im->field[f]) ? SCORIA_ONE_VALUE
                                                   : ", the same along an axis that it lacks");
  }
  for (int k = 0; k < im->spec.space.n; k++)
    if (im->condition[k].array >= 0) PetscCall(ImportPlaceCondition(im, k));
  PetscCall(ImportNumberRows(im));
  PetscFunctionReturn(0);
}
