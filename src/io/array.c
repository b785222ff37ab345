/* Named arrays, serially: made contiguous with a CRC32C of their bytes beside them as an attribute, and read back as
 * stored so that the CRC can be checked. */
#include "private.h"
#include <stdio.h>
#include <string.h>

static int64_t array_count(int rank, const int64_t dims[])
{
  int64_t n = 1;

  for (int i = 0; i < rank; i++) n *= dims[i];
  return n;
}

void shape_text(int rank, const int64_t dims[], size_t size, char text[])
{
  size_t n = (size_t)snprintf(text, size, "(");

  for (int i = 0; i < rank && n < size; i++)
    n += (size_t)snprintf(text + n, size - n, i ? ", %lld" : "%lld", (long long)dims[i]);
  if (n < size) snprintf(text + n, size - n, ")");
}

PetscErrorCode PutArray(hid_t file, const char *name, ScoriaType type, int rank, const int64_t dims[], const void *data,
                        const char *unit, const char *description, ScoriaTrouble *bad)
{
  hsize_t extent[H5S_MAX_RANK];
  hid_t space, layout, link, array;
  const size_t size = (size_t)array_count(rank, dims) * type_size(type);

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCheck(rank >= 0 && rank <= H5S_MAX_RANK, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "rank %d", rank);
  for (int i = 0; i < rank; i++) extent[i] = (hsize_t)dims[i];
  CallH5(space = H5Screate_simple(rank, extent, NULL));
  PetscCall(CreateLayout(&layout));
  CallH5(link = H5Pcreate(H5P_LINK_CREATE));
  CallH5(H5Pset_create_intermediate_group(link, 1));
  array = H5Dcreate2(file, name, type_of(type), space, link, layout, H5P_DEFAULT);
  if (array < 0 || (data && size && H5Dwrite(array, type_of(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
    trouble_hdf5(bad, SCORIA_EXIT_IO, "array %s of %zu bytes cannot be written", name, size);
  if (data || !size) {
    const uint32_t crc = crc32c(0, data, size);

    PetscCall(PutNumber(array, "crc32c", IO_U4, &crc, bad));
  }
  PetscCall(PutText(array, "units", unit, bad));
  PetscCall(PutText(array, "description", description, bad));
  /* closing writes what HDF5 still holds of the array */
  if (array >= 0 && H5Dclose(array) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_IO, "array %s of %zu bytes cannot be written", name, size);
  H5Pclose(link);
  H5Pclose(layout);
  H5Sclose(space);
  PetscFunctionReturn(0);
}

/* Whether every link on the way to `name` ("/a/b/c") exists: HDF5 takes a missing group for a failure.  A group that
 * cannot be read is trouble, not absence: what it held would be missing without a word. */
static bool array_exists(hid_t file, const char *name, ScoriaTrouble *bad)
{
  char path[256];
  size_t n = strlen(name);

  if (n >= sizeof path || n == 0 || !strcmp(name, "/")) return false;
  for (size_t i = 1; i <= n; i++) {
    if (name[i] != '/' && name[i]) continue;
    memcpy(path, name, i);
    path[i]            = 0;
    const htri_t there = H5Lexists(file, path, H5P_DEFAULT);
    if (there < 0) trouble_hdf5(bad, SCORIA_EXIT_INPUT, "%s cannot be looked up", path);
    if (there <= 0) return false;
  }
  return true;
}

static bool type_named(hid_t stored, ScoriaType *type)
{
  static const ScoriaType all[] = {IO_U1, IO_I4, IO_U4, IO_I8, IO_U8, IO_F4, IO_F8};

  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    if (H5Tequal(stored, type_of(all[i])) > 0) {
      *type = all[i];
      return true;
    }
  }
  return false;
}

/* Whether all bytes of the array are in the file, in one piece, as this program writes them: then no size that a file
 * states is larger than the file. */
static bool array_whole(hid_t array, hid_t stored, int rank, const hsize_t extent[])
{
  const hid_t layout = H5Dget_create_plist(array), file = H5Iget_file_id(array);
  const bool piece = H5Pget_layout(layout) == H5D_CONTIGUOUS && H5Pget_external_count(layout) == 0;
  hsize_t size = H5Tget_size(stored), end = 0;
  bool fits = H5Fget_filesize(file, &end) >= 0;

  H5Fclose(file); /* that id, not the file */
  H5Pclose(layout);
  for (int i = 0; i < rank; i++) {
    fits = fits && extent[i] <= INT64_MAX && (!extent[i] || size <= end / extent[i]);
    size = fits ? size * extent[i] : 0;
  }
  if (!piece || !fits) return false;
  return !size || (H5Dget_storage_size(array) == size && H5Dget_offset(array) <= end - size);
}

PetscErrorCode ShapeOf(hid_t file, const char *name, int max_rank, int *rank, int64_t dims[], ScoriaType *type,
                       ScoriaTrouble *bad)
{
  hsize_t extent[H5S_MAX_RANK];
  hid_t array, space, stored;
  int found;

  PetscFunctionBeginUser;
  *rank = -1;
  if (bad->code != SCORIA_EXIT_OK || !array_exists(file, name, bad)) PetscFunctionReturn(0);
  array = H5Dopen2(file, name, H5P_DEFAULT);
  if (array < 0) {
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "%s cannot be opened as an array", name);
    PetscFunctionReturn(0);
  }
  space  = H5Dget_space(array);
  stored = H5Dget_type(array);
  found  = H5Sget_simple_extent_dims(space, extent, NULL);
  if (found > max_rank)
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s has %d dimensions, expected at most %d", name, found, max_rank);
  else if (!type_named(stored, type))
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is of a type that scoria does not write", name);
  else if (found >= 0 && !array_whole(array, stored, found, extent))
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is not in the file as a whole and in one piece", name);
  else
    for (*rank = found; found > 0; found--) dims[found - 1] = (int64_t)extent[found - 1];
  H5Tclose(stored);
  H5Sclose(space);
  H5Dclose(array);
  PetscFunctionReturn(0);
}

PetscErrorCode GetArray(hid_t file, const char *name, int64_t count, ScoriaType type, void *data, ScoriaTrouble *bad)
{
  int64_t crc = 0;
  hid_t array;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  array = H5Dopen2(file, name, H5P_DEFAULT);
  if (array < 0 || (count && H5Dread(array, type_of(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "array %s cannot be read", name);
  if (bad->code == SCORIA_EXIT_OK) PetscCall(GetNumber(array, "crc32c", IO_I8, &crc, bad));
  if (bad->code == SCORIA_EXIT_OK) {
    const uint32_t found = crc32c(0, data, (size_t)count * type_size(type));

    if (found != (uint32_t)crc)
      trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is damaged: its CRC32C is %08x, expected %08x", name, found,
                   (unsigned)crc);
  }
  if (array >= 0) H5Dclose(array);
  PetscFunctionReturn(0);
}
