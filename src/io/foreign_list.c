/* What a file that is not ours holds: its arrays of numbers, listed in a child process first. */
#include "foreign.h"
#include <stdio.h>
#include <string.h>

typedef struct {
  const char *path;
  int most, n;
  ScoriaForeignArray *list; /* borrowed (most) */
  ScoriaForeignTables tables;
} Listing;

/* Shape, unit and axes of an array; one of no numbers, or of more dimensions than are read, is passed over. */
static PetscErrorCode Describe(hid_t array, const char *name, ScoriaForeignArray *to, bool *numbers)
{
  ScoriaTrouble unwanted = {.path = name};
  hsize_t extent[H5S_MAX_RANK];
  ScoriaPacking packing;
  PetscFunctionBeginUser;
  const hid_t type = H5Dget_type(array), space = H5Dget_space(array);
  *to      = (ScoriaForeignArray){.rank = H5Sget_simple_extent_ndims(space)};
  *numbers = type_is_number(type) && to->rank >= 0 && to->rank <= SCORIA_FOREIGN_RANK &&
             H5Sget_simple_extent_type(space) != H5S_NULL && strlen(name) + 2 <= sizeof to->path;
  H5Tclose(type);
  if (*numbers) {
    snprintf(to->path, sizeof to->path, "/%s", name);
    if (H5Sget_simple_extent_dims(space, extent, NULL) >= 0)
      for (int i = 0; i < to->rank; i++) to->dims[i] = (int64_t)extent[i];
    PetscCall(PackingRead(array, name, &packing, &unwanted));
    snprintf(to->unit, sizeof to->unit, "%s", packing.unit);
    PetscCall(AxesRead(array, to->rank, to->axis, &unwanted));
  }
  H5Sclose(space);
  PetscFunctionReturn(0);
}

/* An array whose elements have members, as tables of pandas and PyTables; or a name that no deck can have. */
static void note_left_out(hid_t array, const char *name, ScoriaForeignTables *tables)
{
  if (!name_is_plain(name)) tables->unnamed++;
  const hid_t type = H5Dget_type(array);
  if (H5Tget_class(type) == H5T_COMPOUND && !tables->n++)
    snprintf(tables->first, sizeof tables->first, "/%.*s", (int)sizeof tables->first - 2, name);
  H5Tclose(type);
}

static herr_t visit(hid_t file, const char *name, const H5O_info_t *info, void *ctx)
{
  Listing *l = ctx;
  bool numbers;
  if (info->type != H5O_TYPE_DATASET || l->n == l->most) return 0;
  const hid_t array = H5Dopen2(file, name, H5P_DEFAULT);
  if (array < 0) return 0;
  const PetscErrorCode failed = Describe(array, name, &l->list[l->n], &numbers);
  note_left_out(array, name, &l->tables);
  H5Dclose(array);
  l->n += !failed && numbers && name_is_plain(name);
  return failed ? -1 : 0;
}

static PetscErrorCode List(void *ctx, ScoriaTrouble *bad)
{
  Listing *l = ctx;
  hid_t access, file = H5I_INVALID_HID;
  PetscFunctionBeginUser;
  l->n      = 0;
  l->tables = (ScoriaForeignTables){0};
  PetscCall(FileAccess(MPI_COMM_NULL, &access));
  if (H5Fis_hdf5(l->path) <= 0)
    not_hdf5_note(l->path, bad);
  else if ((file = H5Fopen(l->path, H5F_ACC_RDONLY, access)) < 0 ||
           H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit, l) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "damaged or truncated");
  H5Pclose(access);
  if (file >= 0) H5Fclose(file);
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------- a missing array ---- */

#define NAMES 256 /* that are looked at */
#define PATH_SIZE sizeof(((ScoriaForeignArray *)0)->path)

typedef struct {
  int n;
  char name[NAMES][PATH_SIZE];
} Names;

static herr_t take_name(hid_t file, const char *name, const H5O_info_t *info, void *ctx)
{
  Names *names = ctx;
  (void)file;
  if (info->type != H5O_TYPE_DATASET || strlen(name) + 2 > PATH_SIZE) return 0;
  snprintf(names->name[names->n++], PATH_SIZE, "/%s", name);
  return names->n == NAMES;
}

static const char *last_part(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* By the last part of the path, which may stand in another group; of one without a group by all of it, as one letter
 * has no likeness. */
static const char *nearest_path(const Names *names, const char *name)
{
  const char *part[NAMES], *path[NAMES];
  for (int i = 0; i < names->n; i++) {
    path[i] = names->name[i];
    part[i] = last_part(path[i]);
  }
  const char *nearest = text_nearest(last_part(name), names->n, part);
  for (int i = 0; i < names->n; i++)
    if (nearest == part[i]) return path[i];
  return strrchr(name, '/') == name ? text_nearest(name, names->n, path) : NULL;
}

PetscErrorCode NoteMissing(hid_t file, const char *name, ScoriaTrouble *bad)
{
  Names *names;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&names));
  H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, take_name, names); /* what it does not list, it does not suggest */
  const char *nearest = nearest_path(names, name);
  note_path(file, name, bad); /* which is noted first counts */
  if (nearest)
    trouble_note(bad, SCORIA_EXIT_INPUT, "no array %s; did you mean %s? (scoria import -import_file FILE lists all)",
                 name, nearest);
  else
    trouble_note(bad, SCORIA_EXIT_INPUT, "no array %s (scoria import -import_file FILE lists what is there)", name);
  PetscCall(PetscFree(names));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaForeignProbe(MPI_Comm comm, const char *path)
{
  ScoriaTrouble bad = {.path = path};
  int64_t size;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) PetscCall(FileProbe(path, "an HDF5 file", &size, &bad));
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaForeignList(MPI_Comm comm, const char *path, int most, ScoriaForeignArray list[], int *n,
                                 ScoriaForeignTables *tables)
{
  const ScoriaTrialLimits limits = {SCORIA_TRIAL_SECONDS, SCORIA_TRIAL_BYTES, 0};
  ScoriaTrouble bad              = {.path = path};
  Listing l                      = {.path = path, .most = most, .list = list};
  int64_t size;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) {
    PetscCall(FileProbe(path, "an HDF5 file", &size, &bad));
    PetscCall(TrialRun(path, &limits, List, &l, &bad));
    if (bad.code == SCORIA_EXIT_OK) PetscCall(List(&l, &bad));
  }
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscCallMPI(MPI_Bcast(&l.n, 1, MPI_INT, 0, comm));
  PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)l.n * (int64_t)sizeof *list, MPI_BYTE, list));
  PetscCallMPI(MPI_Bcast(&l.tables, sizeof l.tables, MPI_BYTE, 0, comm));
  *n      = l.n;
  *tables = l.tables;
  PetscFunctionReturn(0);
}
