/* The fields that a store is about, as root attributes: fields, how many; field0_name, field0_unit, ...; and the axes
 * of its arrays. */
#include "private.h"
#include <stdio.h>

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
