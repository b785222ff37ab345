/* same_arrays A.h5 B.h5: whether both hold the same arrays with the same bytes; attributes (dates, ranks) may differ.
 * Exit 0 where they do, 1 with a line where they do not, 2 where a file cannot be read. */
#define H5_USE_110_API /* as src/io does */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hid_t other;
static long arrays;
static int verdict;

static void tell(int code, const char *name, const char *what)
{
  printf("%s: %s\n", name, what);
  if (code > verdict) verdict = code;
}

/* All bytes of an array as stored; NULL where it cannot be read. */
static char *read_array(hid_t file, const char *name, size_t *size)
{
  const hid_t array = H5Dopen2(file, name, H5P_DEFAULT);
  if (array < 0) return NULL;
  const hid_t space = H5Dget_space(array), type = H5Dget_type(array);
  *size       = (size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(type);
  char *bytes = malloc(*size + 1);
  if (*size && H5Dread(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0) {
    free(bytes);
    bytes = NULL;
  }
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(array);
  return bytes;
}

static herr_t compare_array(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
  size_t size = 0, other_size = 0;
  (void)context;
  if (info->type != H5O_TYPE_DATASET) return 0;
  char *bytes = read_array(file, name, &size), *other_bytes = read_array(other, name, &other_size);
  if (!bytes)
    tell(2, name, "cannot be read");
  else if (!other_bytes)
    tell(1, name, "not in both");
  else if (size != other_size || memcmp(bytes, other_bytes, size) != 0)
    tell(1, name, "differs");
  arrays++;
  free(bytes);
  free(other_bytes);
  return 0;
}

/* Every array of `path` against those of `against`; their number. */
static long compare(const char *path, const char *against)
{
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  other            = H5Fopen(against, H5F_ACC_RDONLY, H5P_DEFAULT);
  arrays           = 0;
  if (file < 0 || other < 0)
    tell(2, file < 0 ? path : against, "cannot be opened");
  else if (H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, compare_array, NULL) < 0)
    tell(2, path, "cannot be read");
  if (other >= 0) H5Fclose(other);
  if (file >= 0) H5Fclose(file);
  return arrays;
}

int main(int argc, char **argv)
{
  if (argc != 3) return 2;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  const long first = compare(argv[1], argv[2]);
  if (first != compare(argv[2], argv[1]) && verdict == 0) tell(1, argv[2], "has other arrays");
  if (first == 0 && verdict == 0) tell(1, argv[1], "has no arrays");
  return verdict;
}
