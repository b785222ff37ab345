/* The fields that a store is about, as root attributes: fields, how many; field0_name, field0_unit, ...; and the axes
 * of its arrays. */
#include "private.h"
#include "scoria/run_files.h"
#include <stdio.h>
#include <string.h>

PetscErrorCode ScoriaStorePutFields(ScoriaStore store, int n, const ScoriaField field[])
{
  char name[32];
  PetscFunctionBeginUser;
  PetscCall(ScoriaStorePutInt(store, "fields", n));
  for (int f = 0; f < n; f++) {
    snprintf(name, sizeof name, "field%d_name", f);
    PetscCall(ScoriaStorePutText(store, name, field[f].name));
    snprintf(name, sizeof name, "field%d_unit", f);
    PetscCall(ScoriaStorePutText(store, name, field[f].unit));
    snprintf(name, sizeof name, "field%d_description", f);
    PetscCall(ScoriaStorePutText(store, name, field[f].description));
    snprintf(name, sizeof name, "field%d_latent", f);
    PetscCall(ScoriaStorePutInt(store, name, field[f].latent));
    snprintf(name, sizeof name, "field%d_axis", f);
    if (fields_differ(n, field)) PetscCall(ScoriaStorePutText(store, name, field_axis(&field[f])));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode GetLatent(ScoriaStore store, const char *attribute, ScoriaField *field)
{
  int64_t latent = field_was_latent(field->name);
  bool told;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreHas(store, attribute, &told));
  if (told) PetscCall(ScoriaStoreGetInt(store, attribute, &latent));
  field->latent = latent != 0;
  PetscFunctionReturn(0);
}

/* The axis of a field that has one of its own, and its cells. */
static PetscErrorCode GetAxis(ScoriaStore store, const char *attribute, ScoriaField *field)
{
  char name[SCORIA_NAME_SIZE + 1];
  int64_t cells;
  int rank;
  bool told;
  PetscFunctionBeginUser;
  field->axis[0] = 0;
  field->cells = field->centre = 0;
  PetscCall(ScoriaStoreHas(store, attribute, &told));
  if (!told) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreGetText(store, attribute, sizeof field->axis, field->axis));
  snprintf(name, sizeof name, "/%s", field->axis);
  PetscCall(ScoriaStoreShape(store, name, 1, &rank, &cells));
  if (rank != 1 || cells < 1 || cells > 1 << 24)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "found no array %s of the centres of field %s", name, field->name);
  field->cells = (int)cells;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreGetFields(ScoriaStore store, int *n, ScoriaField field[])
{
  char name[32];
  int64_t count = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetInt(store, "fields", &count));
  if (count < 1 || count > SCORIA_MAX_FIELDS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "found %lld fields in a file, expected 1 to %d", (long long)count,
                SCORIA_MAX_FIELDS);
  *n = (int)count;
  for (int f = 0; f < *n; f++) {
    snprintf(name, sizeof name, "field%d_name", f);
    PetscCall(ScoriaStoreGetText(store, name, sizeof field[f].name, field[f].name));
    snprintf(name, sizeof name, "field%d_unit", f);
    PetscCall(ScoriaStoreGetText(store, name, sizeof field[f].unit, field[f].unit));
    snprintf(name, sizeof name, "field%d_description", f);
    PetscCall(ScoriaStoreGetText(store, name, sizeof field[f].description, field[f].description));
    snprintf(name, sizeof name, "field%d_latent", f);
    PetscCall(GetLatent(store, name, &field[f]));
    snprintf(name, sizeof name, "field%d_axis", f);
    PetscCall(GetAxis(store, name, &field[f]));
  }
  if (fields_differ(*n, field)) (void)fields_place_centres(*n, field);
  PetscFunctionReturn(0);
}

/* The axes of n fields: name, cells, first centre; how many. */
typedef struct {
  char name[SCORIA_NAME_SIZE + 1];
  int64_t cells;
  int centre;
} Axis;
static int list_axes(int n, const ScoriaField field[], const int shape[3], Axis axis[SCORIA_MAX_FIELDS])
{
  const bool whole = shape[1] > 1 || shape[2] > 1, differ = fields_differ(n, field);
  int first[SCORIA_MAX_FIELDS], at                        = 0;
  const int axes = differ ? fields_axes(n, field, first) : whole ? 3 : 1;
  for (int a = 0; a < axes; a++) {
    if (differ) {
      const ScoriaField *of = &field[first[a]];
      axis[a]               = (Axis){.cells = of->cells, .centre = of->centre};
      snprintf(axis[a].name, sizeof axis[a].name, "/%s", field_axis(of));
      continue;
    }
    axis[a] = (Axis){.cells = shape[a], .centre = at};
    at += shape[a];
    snprintf(axis[a].name, sizeof axis[a].name, "%s", scoria_file_axes[a]);
  }
  return axes;
}

PetscErrorCode ScoriaStorePutCentres(ScoriaStore store, int n, const ScoriaField field[], const int shape[3],
                                     const ScoriaSpace *space, const double x[])
{
  ScoriaTrouble bad = {.path = store->path};
  Axis axis[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  const int axes    = list_axes(n, field, shape, axis);
  const bool differ = fields_differ(n, field);
  for (int a = 0; a < axes; a++)
    PetscCall(ScoriaStorePutReals(store, axis[a].name, 1, &axis[a].cells, x + axis[a].centre,
                                  space_axis_unit(space, differ ? 0 : a), space_axis_help(space, differ ? 0 : a)));
  for (int a = 0; a < axes && !store->rank; a++)
    PetscCall(PutScale(store->file, axis[a].name + 1, axis[a].cells, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreGetCentres(ScoriaStore store, int n, const ScoriaField field[], const int shape[3],
                                     double x[])
{
  Axis axis[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  const int axes = list_axes(n, field, shape, axis);
  for (int a = 0; a < axes; a++) PetscCall(ScoriaStoreGetReals(store, axis[a].name, axis[a].cells, x + axis[a].centre));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStorePutAxes(ScoriaStore store, const char *name, const char *axes)
{
  ScoriaTrouble bad = {.path = store->path};

  PetscFunctionBeginUser;
  if (!store->rank) PetscCall(PutAxes(store->file, name, axes, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscFunctionReturn(0);
}
