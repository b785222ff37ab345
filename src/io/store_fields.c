/* The fields that a store is about, as root attributes: fields, how many; field0_name, field0_unit, ...; and the axes
 * of its arrays. */
#include "private.h"
#include "scoria/run_files.h"
#include <stdio.h>
#include <string.h>

static const char *const axis_attribute[3] = {"field%d_axis", "field%d_axis_y", "field%d_axis_z"};

PetscErrorCode ScoriaStorePutFields(ScoriaStore store, int n, const ScoriaField field[])
{
  char name[32];
  int directions = 1;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStorePutInt(store, "fields", n));
  for (int f = 0; f < n; f++)
    if (field[f].n[1] > 1 || field[f].n[2] > 1) directions = 3;
  for (int f = 0; f < n; f++) {
    snprintf(name, sizeof name, "field%d_name", f);
    PetscCall(ScoriaStorePutText(store, name, field[f].name));
    snprintf(name, sizeof name, "field%d_unit", f);
    PetscCall(ScoriaStorePutText(store, name, field[f].unit));
    snprintf(name, sizeof name, "field%d_description", f);
    PetscCall(ScoriaStorePutText(store, name, field[f].description));
    snprintf(name, sizeof name, "field%d_latent", f);
    PetscCall(ScoriaStorePutInt(store, name, field[f].latent));
    for (int d = 0; d < directions && fields_differ(n, field); d++) {
      snprintf(name, sizeof name, axis_attribute[d], f);
      PetscCall(ScoriaStorePutText(store, name, field_axis(&field[f], d)));
    }
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

/* An axis of a field that has some of its own, and its cells; *n is 0 where it has none. */
static PetscErrorCode GetAxis(ScoriaStore store, const char *attribute, const char *field, char axis[SCORIA_NAME_SIZE],
                              int *n)
{
  char name[SCORIA_NAME_SIZE + 1];
  int64_t cells;
  int rank;
  bool told;
  PetscFunctionBeginUser;
  *axis = 0;
  *n    = 0;
  PetscCall(ScoriaStoreHas(store, attribute, &told));
  if (!told) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreGetText(store, attribute, SCORIA_NAME_SIZE, axis));
  snprintf(name, sizeof name, "/%s", axis);
  PetscCall(ScoriaStoreShape(store, name, 1, &rank, &cells));
  if (rank != 1 || cells < 1 || cells > 1 << 24)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "found no array %s of the centres of field %s", name, field);
  *n = (int)cells;
  PetscFunctionReturn(0);
}

static PetscErrorCode GetAxes(ScoriaStore store, int f, ScoriaField *field)
{
  int64_t cells = 1;
  char attribute[32];
  PetscFunctionBeginUser;
  for (int d = 0; d < 3; d++) {
    snprintf(attribute, sizeof attribute, axis_attribute[d], f);
    PetscCall(GetAxis(store, attribute, field->name, field->axis[d], &field->n[d]));
    field->centre[d] = 0;
    if (d) field->n[d] = PetscMax(field->n[d], field->n[0] ? 1 : 0); /* profiles have one axis */
    cells *= field->n[d];
    if (cells > 1 << 27) SCORIA_FAIL(SCORIA_EXIT_INPUT, "found more than %d cells of field %s", 1 << 27, field->name);
  }
  field->cells = (int)cells;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreGetFields(ScoriaStore store, int *n, ScoriaField field[])
{
  char name[32];
  int shape[3];
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
    PetscCall(GetAxes(store, f, &field[f]));
    if (!field[f].cells != !field[0].cells)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "found axes of the one and none of the other of the fields %s and %s",
                  field[0].name, field[f].name);
  }
  if (fields_differ(*n, field)) fields_place_centres(*n, field, shape);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStorePutCentres(ScoriaStore store, int n, const ScoriaField field[], const int shape[3],
                                     const ScoriaSpace *space, const double x[])
{
  ScoriaTrouble bad = {.path = store->path};
  ScoriaFieldAxis axis[SCORIA_MAX_AXES];
  PetscFunctionBeginUser;
  const int axes = fields_axes(n, field, shape, axis);
  for (int a = 0; a < axes; a++) {
    const int64_t cells = axis[a].n;
    char name[SCORIA_NAME_SIZE + 1];
    snprintf(name, sizeof name, "/%s", axis[a].name);
    PetscCall(ScoriaStorePutReals(store, name, 1, &cells, x + axis[a].centre, space_axis_unit(space, axis[a].along),
                                  space_axis_help(space, axis[a].along)));
  }
  for (int a = 0; a < axes && !store->rank; a++) PetscCall(PutScale(store->file, axis[a].name, axis[a].n, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreGetCentres(ScoriaStore store, int n, const ScoriaField field[], const int shape[3],
                                     double x[])
{
  ScoriaFieldAxis axis[SCORIA_MAX_AXES];
  PetscFunctionBeginUser;
  const int axes = fields_axes(n, field, shape, axis);
  for (int a = 0; a < axes; a++) {
    char name[SCORIA_NAME_SIZE + 1];
    snprintf(name, sizeof name, "/%s", axis[a].name);
    PetscCall(ScoriaStoreGetReals(store, name, axis[a].n, x + axis[a].centre));
  }
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
