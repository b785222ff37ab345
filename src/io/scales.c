/* Names of axes, so that xarray and other readers of netCDF-4 find them: the attribute axes of an array, "row x", and
 * HDF5's dimension scales after it (HDF5 Dimension Scale Specification; netCDF-4's conventions on top).  The scale of
 * an axis is the one-dimensional root array of its name, or where the axis has no coordinates, a place holder without
 * bytes that says so.
 *
 * Written by hand: what HDF5's high-level library writes has padding bytes that nobody sets, and a file's bytes are to
 * depend on its contents alone. */
#include "private.h"
#include <stdio.h>
#include <string.h>

#define MOST_SCALES 64

/* Axis `axis` of an array has this scale. */
typedef struct {
  hobj_ref_t array;
  int axis, scale;
} Use;

typedef struct {
  hid_t file;         /* borrowed */
  ScoriaTrouble *bad; /* borrowed */
  PetscErrorCode failed;
  char (*array)[SCORIA_PATH_SIZE]; /* owned: arrays that name their axes */
  int narrays, capacity;
  char scale[MOST_SCALES][SCORIA_NAME_SIZE];
  int nscales;
  Use *use; /* owned: (narrays, H5S_MAX_RANK) at most */
  int nuses;
} Scales;

/* --------------------------------------------------------------------------------------------------- naming ---- */

static PetscErrorCode MarkScale(hid_t scale, const char *name, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  PetscCall(PutText(scale, "CLASS", "DIMENSION_SCALE", bad));
  PetscCall(PutText(scale, "NAME", name, bad));
  PetscFunctionReturn(0);
}

/* netCDF's own text for an axis without coordinates; its readers know it by that. */
static PetscErrorCode PutPlaceHolder(hid_t file, const char *path, hsize_t length, ScoriaTrouble *bad)
{
  char name[80];
  hid_t space, layout, scale;

  PetscFunctionBeginUser;
  snprintf(name, sizeof name, "This is a netCDF dimension but not a netCDF variable.%10lld", (long long)length);
  CallH5(space = H5Screate_simple(1, &length, NULL));
  PetscCall(CreateLayout(&layout));
  CallH5(H5Pset_alloc_time(layout, H5D_ALLOC_TIME_LATE));
  /* reads as zeros: what is never filled leaves a reader with what its memory held */
  CallH5(H5Pset_fill_time(layout, H5D_FILL_TIME_IFSET));
  scale = H5Dcreate2(file, path, H5T_IEEE_F32LE, space, H5P_DEFAULT, layout, H5P_DEFAULT);
  if (scale < 0) trouble_hdf5(bad, SCORIA_EXIT_IO, "axis %s cannot be made", path);
  PetscCall(MarkScale(scale, name, bad));
  if (scale >= 0) H5Dclose(scale);
  H5Pclose(layout);
  H5Sclose(space);
  PetscFunctionReturn(0);
}

/* The scale of an axis of so many values, made where there is none. */
static PetscErrorCode RequireScale(hid_t file, const char *name, hsize_t length, ScoriaTrouble *bad)
{
  char path[SCORIA_NAME_SIZE + 1];
  hsize_t found = 0;
  hid_t scale, space;

  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "/%s", name);
  if (H5Lexists(file, path, H5P_DEFAULT) <= 0) {
    PetscCall(PutPlaceHolder(file, path, length, bad));
    PetscFunctionReturn(0);
  }
  CallH5(scale = H5Dopen2(file, path, H5P_DEFAULT));
  CallH5(space = H5Dget_space(scale));
  PetscCheck(H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_dims(space, &found, NULL) == 1 &&
                 found == length,
             PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "axis %s of %lld values, found %lld", name, (long long)length,
             (long long)found);
  if (H5Aexists(scale, "CLASS") <= 0) PetscCall(MarkScale(scale, name, bad));
  H5Sclose(space);
  H5Dclose(scale);
  PetscFunctionReturn(0);
}

PetscErrorCode PutScale(hid_t file, const char *name, int64_t length, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  if (bad->code == SCORIA_EXIT_OK) PetscCall(RequireScale(file, name, (hsize_t)length, bad));
  PetscFunctionReturn(0);
}

/* Splits "row x" in place; the number of names. */
static int axes_split(char axes[], const char *name[H5S_MAX_RANK])
{
  int n      = 0;
  char *save = NULL;

  for (char *word = strtok_r(axes, " ", &save); word && n < H5S_MAX_RANK; word = strtok_r(NULL, " ", &save))
    name[n++] = word;
  return n;
}

PetscErrorCode PutAxes(hid_t file, const char *array, const char *axes, ScoriaTrouble *bad)
{
  const char *name[H5S_MAX_RANK];
  char words[SCORIA_LIST_SIZE];
  hsize_t extent[H5S_MAX_RANK];
  hid_t id, space;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(PetscStrncpy(words, axes, sizeof words));
  const int n = axes_split(words, name);
  CallH5(id = H5Dopen2(file, array, H5P_DEFAULT));
  CallH5(space = H5Dget_space(id));
  PetscCheck(H5Sget_simple_extent_dims(space, extent, NULL) == n, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
             "axes \"%s\" of %s", axes, array);
  for (int i = 0; i < n; i++) PetscCall(RequireScale(file, name[i], extent[i], bad));
  PetscCall(PutText(id, "axes", axes, bad));
  H5Sclose(space);
  H5Dclose(id);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ attaching ---- */

static PetscErrorCode NoteArray(Scales *s, const char *name)
{
  PetscFunctionBeginUser;
  if (s->narrays == s->capacity) {
    s->capacity = s->capacity ? 2 * s->capacity : 64;
    PetscCall(PetscRealloc((size_t)s->capacity * sizeof *s->array, &s->array));
  }
  PetscCheck(strlen(name) + 1 < SCORIA_PATH_SIZE, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "array %s", name);
  snprintf(s->array[s->narrays++], SCORIA_PATH_SIZE, "/%s", name);
  PetscFunctionReturn(0);
}

static herr_t visit_array(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
  Scales *s = context;

  if (info->type != H5O_TYPE_DATASET || H5Aexists_by_name(file, name, "axes", H5P_DEFAULT) <= 0) return 0;
  s->failed = NoteArray(s, name);
  return s->failed != 0;
}

static int scale_index(Scales *s, const char *name)
{
  int i = 0;

  while (i < s->nscales && strcmp(s->scale[i], name)) i++;
  if (i == s->nscales && i < MOST_SCALES) snprintf(s->scale[s->nscales++], SCORIA_NAME_SIZE, "%s", name);
  return i;
}

static PetscErrorCode PutList(hid_t object, const char *name, hid_t type, int n, const void *list, ScoriaTrouble *bad)
{
  const hsize_t extent = (hsize_t)n;
  hid_t space, attribute;

  PetscFunctionBeginUser;
  CallH5(space = H5Screate_simple(1, &extent, NULL));
  attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0 || H5Awrite(attribute, type, list) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_IO, "attribute %s cannot be written", name);
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  PetscFunctionReturn(0);
}

/* From an array to the scales of its axes. */
static PetscErrorCode PutForward(Scales *s, const char *array)
{
  const char *name[H5S_MAX_RANK];
  char axes[SCORIA_LIST_SIZE], path[SCORIA_NAME_SIZE + 1];
  hobj_ref_t self, to[H5S_MAX_RANK];
  hvl_t list[H5S_MAX_RANK];
  hid_t id, type;

  PetscFunctionBeginUser;
  CallH5(id = H5Dopen2(s->file, array, H5P_DEFAULT));
  PetscCall(GetShortText(id, "axes", sizeof axes, axes, s->bad));
  const int n = axes_split(axes, name);
  CallH5(H5Rcreate(&self, s->file, array, H5R_OBJECT, -1));
  for (int i = 0; i < n; i++) {
    const int scale = scale_index(s, name[i]);

    PetscCheck(scale < MOST_SCALES, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "more than %d axes", MOST_SCALES);
    snprintf(path, sizeof path, "/%s", name[i]);
    CallH5(H5Rcreate(&to[i], s->file, path, H5R_OBJECT, -1));
    list[i]            = (hvl_t){.len = 1, .p = &to[i]};
    s->use[s->nuses++] = (Use){self, i, scale};
  }
  CallH5(type = H5Tvlen_create(H5T_STD_REF_OBJ));
  PetscCall(PutList(id, "DIMENSION_LIST", type, n, list, s->bad));
  H5Tclose(type);
  H5Dclose(id);
  PetscFunctionReturn(0);
}

/* From a scale to the arrays that use it. */
static PetscErrorCode PutBackward(Scales *s, int scale)
{
  enum { SIZE = sizeof(hobj_ref_t) + sizeof(int) }; /* without padding */
  char path[SCORIA_NAME_SIZE + 1], *list;
  hid_t id, type;
  int n = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)s->nuses * SIZE, &list));
  for (int i = 0; i < s->nuses; i++) {
    if (s->use[i].scale != scale) continue;
    memcpy(list + (size_t)n * SIZE, &s->use[i].array, sizeof(hobj_ref_t));
    memcpy(list + (size_t)n++ * SIZE + sizeof(hobj_ref_t), &s->use[i].axis, sizeof(int));
  }
  CallH5(type = H5Tcreate(H5T_COMPOUND, SIZE));
  CallH5(H5Tinsert(type, "dataset", 0, H5T_STD_REF_OBJ));
  CallH5(H5Tinsert(type, "dimension", sizeof(hobj_ref_t), H5T_NATIVE_INT));
  snprintf(path, sizeof path, "/%s", s->scale[scale]);
  CallH5(id = H5Dopen2(s->file, path, H5P_DEFAULT));
  PetscCall(PutList(id, "REFERENCE_LIST", type, n, list, s->bad));
  H5Dclose(id);
  H5Tclose(type);
  PetscCall(PetscFree(list));
  PetscFunctionReturn(0);
}

PetscErrorCode AttachScales(hid_t file, ScoriaTrouble *bad)
{
  Scales s = {.file = file, .bad = bad};

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  if (H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit_array, &s) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_IO, "its arrays cannot be listed");
  PetscCall(s.failed);
  PetscCall(PetscMalloc1((size_t)s.narrays * H5S_MAX_RANK, &s.use));
  for (int i = 0; i < s.narrays && bad->code == SCORIA_EXIT_OK; i++) PetscCall(PutForward(&s, s.array[i]));
  for (int i = 0; i < s.nscales && bad->code == SCORIA_EXIT_OK; i++) PetscCall(PutBackward(&s, i));
  PetscCall(PetscFree(s.use));
  PetscCall(PetscFree(s.array));
  PetscFunctionReturn(0);
}
