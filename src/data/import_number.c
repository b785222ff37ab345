/* import: the numbers of the rows of a file, along one axis or several. */
#include "import.h"

static void set_strides(const Import *im, ImportColumn *c)
{
  int64_t alone = 1;
  for (int a = c->rank - 1; a >= 0; a--) {
    c->stride[a] = c->axis[a] < 0 ? 0 : c->axis[a] == IMPORT_ALONE ? alone : im->axis[c->axis[a]].stride;
    if (c->axis[a] == IMPORT_ALONE) alone *= c->dims[a];
  }
}

static bool in_order(const ImportColumn *c)
{
  int last = -1;
  for (int a = 0; a < c->rank; a++) {
    if (c->axis[a] < 0 || c->axis[a] == IMPORT_ALONE) continue;
    if (c->axis[a] < last) return false;
    last = c->axis[a];
  }
  return true;
}

/* Rows that one array has along one axis, and others along several: in the order of these, which must be one. */
static PetscErrorCode CheckFlat(const Import *im)
{
  const char *told = im->spec.field[im->told].name;
  PetscFunctionBeginUser;
  if (!im->flat || im->naxes < 2) PetscFunctionReturn(0);
  for (int f = 0; f < im->spec.nfields; f++)
    if (!in_order(&im->field[f]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: the axes of rows of %s and %s are in different orders, and another array has its rows along one "
                  "axis: expected all fields with the same axes",
                  im->path, told, im->spec.field[f].name);
  PetscCall(ScoriaSay(im->run, "  arrays with all rows along one axis: taken in the order of %s, %s", told,
                      im->field[im->told].path));
  PetscFunctionReturn(0);
}

/* In the order of the array of field `told`; but axes along which no condition varies run fastest, so that the rows of
 * a condition stand together. */
PetscErrorCode ImportNumberRows(Import *im)
{
  int64_t stride = 1;
  PetscFunctionBeginUser;
  PetscCall(CheckFlat(im));
  for (int pass = 0; pass < 2; pass++)
    for (int i = im->naxes - 1; i >= 0; i--) {
      const bool late = !im->flat && im->axis[i].conditioned;
      if (late != (pass == 1)) continue;
      im->axis[i].stride = stride;
      stride *= im->axis[i].length;
    }
  for (int f = 0; f < im->spec.nfields; f++) set_strides(im, &im->field[f]);
  for (int k = 0; k < im->spec.space.n; k++) set_strides(im, &im->condition[k]);
  PetscFunctionReturn(0);
}
