/* What else stands behind an array of a file that is not ours: other files (external links, virtual datasets, raw
 * data), filters that may be missing, and dimension scales. */
#include "foreign.h"
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------------------------------------- other files ---- */

static PetscErrorCode Add(ScoriaSources *s, const char *path)
{
  PetscFunctionBeginUser;
  for (int i = s->n - 1; i >= 0; i--)
    if (!strcmp(s->path[i], path)) PetscFunctionReturn(0);
  if (s->n == s->capacity) {
    s->capacity = s->capacity ? 2 * s->capacity : 8;
    PetscCall(PetscRealloc((size_t)s->capacity * sizeof *s->path, &s->path));
  }
  PetscCall(PetscStrallocpy(path, &s->path[s->n++]));
  PetscFunctionReturn(0);
}

PetscErrorCode SourcesDestroy(ScoriaSources *s)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < s->n; i++) PetscCall(PetscFree(s->path[i]));
  PetscCall(PetscFree(s->path));
  *s = (ScoriaSources){0};
  PetscFunctionReturn(0);
}

/* Where HDF5 looks for a source: as it is named, beside the file that names it, or there by its last name. */
static bool find_source(const char *file, const char *name, size_t size, char path[], struct stat *st)
{
  char copy[PETSC_MAX_PATH_LEN], last[PETSC_MAX_PATH_LEN];
  snprintf(copy, sizeof copy, "%s", file);
  snprintf(last, sizeof last, "%s", name);
  const char *dir = dirname(copy), *base = basename(last);
  if (*name != '/') {
    snprintf(path, size, "%s/%s", dir, name);
    if (!stat(path, st)) return true;
  }
  snprintf(path, size, "%s", name);
  if (!stat(path, st)) return true;
  snprintf(path, size, "%s/%s", dir, base);
  return !stat(path, st);
}

/* One source of a virtual dataset; names with a % stand for a series of files, which HDF5 itself ends. */
static PetscErrorCode AddSource(ScoriaSources *s, const char *path, hid_t layout, size_t i, const char *name,
                                uint64_t *bytes, ScoriaTrouble *bad)
{
  char file[PETSC_MAX_PATH_LEN], array[SCORIA_PATH_SIZE], found[PETSC_MAX_PATH_LEN];
  struct stat st;
  hid_t access, source;

  PetscFunctionBeginUser;
  if (H5Pget_virtual_filename(layout, i, file, sizeof file) < 0 ||
      H5Pget_virtual_dsetname(layout, i, array, sizeof array) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "array %s is virtual, and its sources cannot be read", name);
  if (bad->code != SCORIA_EXIT_OK || strchr(file, '%') || strchr(array, '%')) PetscFunctionReturn(0);
  if (!strcmp(file, ".")) snprintf(file, sizeof file, "%s", path);
  if (!find_source(path, file, sizeof found, found, &st)) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is virtual, and its source %s is missing", name, file);
    PetscFunctionReturn(0);
  }
  if (s->n && !strcmp(found, s->path[s->n - 1])) PetscFunctionReturn(0); /* one file, many blocks */
  *bytes += (uint64_t)st.st_size;
  PetscCall(FileAccess(MPI_COMM_NULL, &access));
  source = H5Fopen(found, H5F_ACC_RDONLY, access);
  if (source < 0 || H5Oexists_by_name(source, array, H5P_DEFAULT) <= 0)
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is virtual, and its source %s has no array %s", name, found, array);
  if (source >= 0) H5Fclose(source);
  H5Pclose(access);
  PetscCall(Add(s, found));
  PetscFunctionReturn(0);
}

PetscErrorCode SourcesAdd(ScoriaSources *s, const char *path, hid_t array, const char *name, uint64_t *bytes,
                          ScoriaTrouble *bad)
{
  char file[PETSC_MAX_PATH_LEN] = "", raw[PETSC_MAX_PATH_LEN], found[PETSC_MAX_PATH_LEN];
  size_t sources                = 0;
  struct stat st;
  hid_t layout;

  PetscFunctionBeginUser;
  *bytes = 0;
  if (H5Fget_name(array, file, sizeof file) > 0 && strcmp(file, path)) PetscCall(Add(s, file));
  CallH5(layout = H5Dget_create_plist(array));
  if (H5Pget_layout(layout) == H5D_VIRTUAL && H5Pget_virtual_count(layout, &sources) >= 0)
    for (size_t i = 0; i < sources && bad->code == SCORIA_EXIT_OK; i++)
      PetscCall(AddSource(s, *file ? file : path, layout, i, name, bytes, bad));
  const int external = H5Pget_external_count(layout);
  for (int i = 0; i < external; i++) {
    off_t offset;
    hsize_t size;
    if (H5Pget_external(layout, (unsigned)i, sizeof raw, raw, &offset, &size) < 0) continue;
    if (find_source(path, raw, sizeof found, found, &st))
      PetscCall(Add(s, found));
    else
      trouble_note(bad, SCORIA_EXIT_INPUT, "array %s: its values are in %s, which is missing", name, raw);
  }
  H5Pclose(layout);
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- filters ---- */

/* Registered with The HDF Group; files need not hold the names. */
static const char *filter_name(H5Z_filter_t id)
{
  static const struct {
    H5Z_filter_t id;
    const char *name;
  } known[] = {{4, "szip"},           {307, "bzip2"}, {32000, "lzf"},  {32001, "blosc"}, {32004, "lz4"},
               {32008, "bitshuffle"}, {32013, "zfp"}, {32015, "zstd"}, {32017, "sz"},    {32026, "blosc2"}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (known[i].id == id) return known[i].name;
  return "unknown";
}

static void note_filters(hid_t layout, const char *name, ScoriaTrouble *bad)
{
  const int filters = H5Pget_nfilters(layout);
  for (int i = 0; i < filters; i++) {
    char said[64] = "";
    unsigned flags;
    size_t values         = 0;
    const H5Z_filter_t id = H5Pget_filter2(layout, (unsigned)i, &flags, &values, NULL, sizeof said, said, NULL);
    if (id < 0 || H5Zfilter_avail(id) > 0) continue;
    trouble_note(bad, SCORIA_EXIT_INPUT,
                 "array %s is packed by the filter %s (%d), which this HDF5 does not have: where it is installed, "
                 "h5repack -f GZIP=4 writes a file without it; or set HDF5_PLUGIN_PATH",
                 name, *said ? said : filter_name(id), (int)id);
  }
}

/* Of the sources of a virtual dataset, too. */
static void note_source_filters(const char *path, hid_t layout, const char *name, ScoriaTrouble *bad)
{
  char file[PETSC_MAX_PATH_LEN], array[SCORIA_PATH_SIZE], found[PETSC_MAX_PATH_LEN];
  struct stat st;
  if (H5Pget_virtual_filename(layout, 0, file, sizeof file) < 0 ||
      H5Pget_virtual_dsetname(layout, 0, array, sizeof array) < 0 ||
      !find_source(path, strcmp(file, ".") ? file : path, sizeof found, found, &st))
    return;
  const hid_t source  = H5Fopen(found, H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t dataset = source < 0 ? source : H5Dopen2(source, array, H5P_DEFAULT);
  if (dataset >= 0) {
    const hid_t its = H5Dget_create_plist(dataset);
    note_filters(its, name, bad);
    H5Pclose(its);
    H5Dclose(dataset);
  }
  if (source >= 0) H5Fclose(source);
}

PetscErrorCode NoteUnreadable(const char *path, hid_t array, const char *name, ScoriaTrouble *bad)
{
  ScoriaTrouble why = {.path = bad->path};
  hid_t layout;

  PetscFunctionBeginUser;
  trouble_hdf5(&why, SCORIA_EXIT_INPUT, "array %s cannot be read", name); /* before the calls below clear the reason */
  CallH5(layout = H5Dget_create_plist(array));
  note_filters(layout, name, bad);
  if (H5Pget_layout(layout) == H5D_VIRTUAL) note_source_filters(path, layout, name, bad);
  H5Pclose(layout);
  if (bad->code == SCORIA_EXIT_OK) *bad = why;
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------- dimension scales ---- */

static void label(hid_t object, ScoriaForeignAxis *axis)
{
  char path[SCORIA_PATH_SIZE] = "";
  H5O_info_t info;
  if (object < 0 || H5Oget_info(object, &info) < 0) return;
  axis->known = info.addr;
  axis->file  = info.fileno;
  H5Iget_name(object, path, sizeof path);
  const char *last = strrchr(path, '/');
  snprintf(axis->name, sizeof axis->name, "%.63s", last ? last + 1 : path);
}

static bool is_scale(hid_t array)
{
  char class[32] = "";
  if (H5Aexists(array, "CLASS") <= 0) return false;
  const hid_t attribute = H5Aopen(array, "CLASS", H5P_DEFAULT), type = H5Aget_type(attribute);
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 && H5Tget_size(type) < sizeof class)
    H5Aread(attribute, type, class);
  H5Tclose(type);
  H5Aclose(attribute);
  return !strcmp(class, "DIMENSION_SCALE");
}

PetscErrorCode AxesRead(hid_t array, int rank, ScoriaForeignAxis axis[], ScoriaTrouble *bad)
{
  hvl_t list[H5S_MAX_RANK] = {{0}};
  hid_t attribute, type, space;

  PetscFunctionBeginUser;
  for (int i = 0; i < rank; i++) axis[i] = (ScoriaForeignAxis){.known = 0};
  if (rank == 1 && is_scale(array)) label(array, &axis[0]);
  if (H5Aexists(array, "DIMENSION_LIST") <= 0) PetscFunctionReturn(0);
  attribute = H5Aopen(array, "DIMENSION_LIST", H5P_DEFAULT);
  CallH5(space = H5Aget_space(attribute));
  CallH5(type = H5Tvlen_create(H5T_STD_REF_OBJ));
  if (H5Sget_simple_extent_npoints(space) == rank) {
    if (H5Aread(attribute, type, list) < 0)
      trouble_hdf5(bad, SCORIA_EXIT_INPUT, "attribute DIMENSION_LIST cannot be read");
    for (int i = 0; i < rank && bad->code == SCORIA_EXIT_OK; i++) {
      if (!list[i].len) continue;
      const hid_t scale = H5Rdereference2(array, H5P_DEFAULT, H5R_OBJECT, list[i].p);
      label(scale, &axis[i]);
      if (scale >= 0) H5Oclose(scale);
    }
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, list);
  }
  H5Tclose(type);
  H5Sclose(space);
  H5Aclose(attribute);
  PetscFunctionReturn(0);
}
