/* The attributes of a store: text and numbers at its root. */
#include "private.h"
#include <string.h>

PetscErrorCode ScoriaStorePutText(ScoriaStore store, const char *name, const char *text)
{
  ScoriaTrouble bad = {.path = store->path};

  PetscFunctionBeginUser;
  if (!store->rank) PetscCall(PutText(store->file, name, text, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutScalar(ScoriaStore store, const char *name, ScoriaType type, const void *value)
{
  ScoriaTrouble bad = {.path = store->path};

  PetscFunctionBeginUser;
  if (!store->rank) PetscCall(PutNumber(store->file, name, type, value, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreUnit(ScoriaStore store, const char *array, size_t size, char unit[])
{
  ScoriaTrouble bad = {.path = store->path};
  hid_t of;

  PetscFunctionBeginUser;
  if (!store->rank && (of = H5Dopen2(store->file, array, H5P_DEFAULT)) < 0)
    trouble_note(&bad, SCORIA_EXIT_INPUT, "no array %s", array);
  else if (!store->rank) {
    PetscCall(GetShortText(of, "units", size, unit, &bad));
    H5Dclose(of);
  }
  PetscCall(StoreAgree(store, &bad));
  PetscCallMPI(MPI_Bcast(unit, (int)size, MPI_CHAR, 0, store->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStorePutReal(ScoriaStore store, const char *name, double value)
{
  PetscFunctionBeginUser;
  PetscCall(PutScalar(store, name, IO_F8, &value));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStorePutInt(ScoriaStore store, const char *name, int64_t value)
{
  PetscFunctionBeginUser;
  PetscCall(PutScalar(store, name, IO_I8, &value));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreHas(ScoriaStore store, const char *name, bool *has)
{
  ScoriaTrouble bad = {.path = store->path};
  int found         = 0;

  PetscFunctionBeginUser;
  if (!store->rank) found = H5Aexists(store->file, name);
  if (found < 0) trouble_hdf5(&bad, SCORIA_EXIT_INPUT, "attribute %s cannot be looked up", name);
  PetscCall(StoreAgree(store, &bad));
  PetscCallMPI(MPI_Bcast(&found, 1, MPI_INT, 0, store->comm));
  *has = found != 0;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreGetText(ScoriaStore store, const char *name, size_t size, char text[])
{
  ScoriaTrouble bad = {.path = store->path};
  int length;

  PetscFunctionBeginUser;
  if (!store->rank) PetscCall(GetShortText(store->file, name, size, text, &bad));
  PetscCall(StoreAgree(store, &bad));
  length = store->rank ? 0 : (int)strlen(text) + 1;
  PetscCallMPI(MPI_Bcast(&length, 1, MPI_INT, 0, store->comm));
  PetscCallMPI(MPI_Bcast(text, length, MPI_CHAR, 0, store->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreGetReal(ScoriaStore store, const char *name, double *value)
{
  ScoriaTrouble bad = {.path = store->path};

  PetscFunctionBeginUser;
  if (!store->rank) PetscCall(GetNumber(store->file, name, IO_F8, value, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscCallMPI(MPI_Bcast(value, 1, MPI_DOUBLE, 0, store->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreGetInt(ScoriaStore store, const char *name, int64_t *value)
{
  ScoriaTrouble bad = {.path = store->path};

  PetscFunctionBeginUser;
  if (!store->rank) PetscCall(GetNumber(store->file, name, IO_I8, value, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscCallMPI(MPI_Bcast(value, 1, MPI_INT64_T, 0, store->comm));
  PetscFunctionReturn(0);
}
