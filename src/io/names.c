/* What datasets and stores have in common about their parts: ordered lists of names, kept as one root attribute
 * "c phi eps", and conditions, kept as attributes units, lo, hi, log of /conditions/<name>. */
#include "private.h"
#include "scoria/run_files.h"
#include <stdio.h>
#include <string.h>

PetscErrorCode PutNames(hid_t file, const char *attribute, int n, const char *const name[], ScoriaTrouble *bad)
{
  char list[SCORIA_LIST_SIZE];

  PetscFunctionBeginUser;
  list[0] = 0;
  for (int i = 0; i < n; i++) {
    PetscCheck(name[i][0] && !strpbrk(name[i], " /"), PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "bad name '%s'", name[i]);
    if (i) PetscCall(PetscStrlcat(list, " ", sizeof list));
    PetscCall(PetscStrlcat(list, name[i], sizeof list));
  }
  PetscCall(PutText(file, attribute, list, bad));
  PetscFunctionReturn(0);
}

/* "a b c" to names; the number of them, or -1 when there are more than max or one is too long. */
static int names_split(const char *list, int max, char name[][SCORIA_NAME_SIZE])
{
  int n = 0;

  while (*list) {
    const size_t length = strcspn(list, " ");

    if (n == max || length == 0 || length >= SCORIA_NAME_SIZE) return -1;
    memcpy(name[n], list, length);
    name[n++][length] = 0;
    list += length + (list[length] == ' ');
  }
  return n;
}

PetscErrorCode GetNames(hid_t file, const char *attribute, int max, int *n, char name[][SCORIA_NAME_SIZE],
                        ScoriaTrouble *bad)
{
  char list[SCORIA_LIST_SIZE];

  PetscFunctionBeginUser;
  PetscCall(GetShortText(file, attribute, sizeof list, list, bad));
  *n = names_split(list, max, name);
  if (*n < 0) {
    *n = 0;
    trouble_note(bad, SCORIA_EXIT_INPUT, "attribute '%s' is not a list of at most %d names", attribute, max);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PutConditionNames(hid_t file, const ScoriaSpace *space, ScoriaTrouble *bad)
{
  const char *name[SCORIA_MAX_CONDITIONS];

  PetscFunctionBeginUser;
  for (int i = 0; i < space->n; i++) name[i] = space->c[i].name;
  PetscCall(PutNames(file, "conditions", space->n, name, bad));
  if (space->lengths_unknown) PetscCall(PutText(file, "unit_of_lengths", SCORIA_UNIT_UNKNOWN, bad));
  PetscFunctionReturn(0);
}

PetscErrorCode PutCondition(hid_t file, const ScoriaCondition *c, int64_t n, const double data[],
                            const char *description, const char *axis, ScoriaTrouble *bad)
{
  const int64_t is_log = c->log, one = 1;
  char name[SCORIA_NAME_SIZE + 16];
  hid_t array;

  PetscFunctionBeginUser;
  file_condition_path(c->name, sizeof name, name);
  PetscCall(PutArray(file, name, IO_F8, 1, &n, data, c->unit, description, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  CallH5(array = H5Dopen2(file, name, H5P_DEFAULT));
  PetscCall(PutNumber(array, "lo", IO_F8, &c->lo, bad));
  PetscCall(PutNumber(array, "hi", IO_F8, &c->hi, bad));
  PetscCall(PutNumber(array, "log", IO_I8, &is_log, bad));
  if (c->thickness) PetscCall(PutNumber(array, "thickness", IO_I8, &one, bad));
  if (c->log_learned) PetscCall(PutNumber(array, "log_learned", IO_I8, &one, bad));
  H5Dclose(array);
  PetscCall(PutAxes(file, name, axis, bad));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetCondition(hid_t file, ScoriaCondition *c, ScoriaTrouble *bad)
{
  char name[SCORIA_NAME_SIZE + 16];
  int64_t is_log = 0, dims[1];
  ScoriaType type;
  int rank;
  hid_t array;

  PetscFunctionBeginUser;
  file_condition_path(c->name, sizeof name, name);
  PetscCall(ShapeOf(file, name, 1, &rank, dims, &type, bad));
  if (rank != 1) trouble_note(bad, SCORIA_EXIT_INPUT, "no array %s of one dimension", name);
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  CallH5(array = H5Dopen2(file, name, H5P_DEFAULT));
  PetscCall(GetShortText(array, "units", sizeof c->unit, c->unit, bad));
  PetscCall(GetNumber(array, "lo", IO_F8, &c->lo, bad));
  PetscCall(GetNumber(array, "hi", IO_F8, &c->hi, bad));
  PetscCall(GetNumber(array, "log", IO_I8, &is_log, bad));
  c->log         = is_log != 0;
  c->thickness   = H5Aexists(array, "thickness") > 0; /* no attribute of any other condition */
  c->log_learned = H5Aexists(array, "log_learned") > 0;
  H5Dclose(array);
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------- space of a store ---- */

static PetscErrorCode PutSpace(hid_t file, const ScoriaSpace *space, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  PetscCall(PutConditionNames(file, space, bad));
  for (int i = 0; i < space->n; i++) {
    const double range[2] = {space->c[i].lo, space->c[i].hi};

    PetscCall(PutCondition(file, &space->c[i], 2, range, "range of an operating condition", "bound", bad));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStorePutSpace(ScoriaStore store, const ScoriaSpace *space)
{
  ScoriaTrouble bad = {.path = store->path};

  PetscFunctionBeginUser;
  if (!store->rank) PetscCall(PutSpace(store->file, space, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscFunctionReturn(0);
}

PetscErrorCode GetSpace(hid_t file, ScoriaSpace *space, ScoriaTrouble *bad)
{
  char name[SCORIA_MAX_CONDITIONS][SCORIA_NAME_SIZE];

  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(space, sizeof(*space)));
  PetscCall(GetNames(file, "conditions", SCORIA_MAX_CONDITIONS, &space->n, name, bad));
  for (int i = 0; i < space->n; i++) {
    PetscCall(PetscStrncpy(space->c[i].name, name[i], SCORIA_NAME_SIZE));
    PetscCall(GetCondition(file, &space->c[i], bad));
  }
  space->lengths_unknown = H5Aexists(file, "unit_of_lengths") > 0; /* of no other files */
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreGetSpace(ScoriaStore store, ScoriaSpace *space)
{
  ScoriaTrouble bad = {.path = store->path};

  PetscFunctionBeginUser;
  if (!store->rank) PetscCall(GetSpace(store->file, space, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscCallMPI(MPI_Bcast(space, (int)sizeof *space, MPI_BYTE, 0, store->comm));
  PetscFunctionReturn(0);
}
