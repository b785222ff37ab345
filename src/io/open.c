/* Opens a file of ours on one rank: probed first, then held to its format, version and kind. */
#include "private.h"
#include <string.h>

PetscErrorCode OpenOurs(const char *path, const char *expected, int64_t *size, hid_t *file,
                        char format[SCORIA_NAME_SIZE], char kind[SCORIA_NAME_SIZE], ScoriaTrouble *bad)
{
  int64_t version = 0;
  hid_t access;

  PetscFunctionBeginUser;
  *file     = H5I_INVALID_HID;
  format[0] = kind[0] = 0;
  PetscCall(FileProbe(path, expected, size, bad));
  PetscCall(SuperblockProbe(path, expected, *size, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(FileAccess(MPI_COMM_NULL, &access));
  *file = H5Fopen(path, H5F_ACC_RDONLY, access);
  if (*file < 0) trouble_hdf5(bad, SCORIA_EXIT_INPUT, "damaged, expected %s", expected);
  H5Pclose(access);
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  const htri_t ours = H5Aexists(*file, "format");
  if (ours < 0) {
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "damaged, expected %s", expected);
  } else if (!ours) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "an HDF5 file that scoria did not write (no attribute 'format'), expected %s",
                 expected);
  }
  PetscCall(GetShortText(*file, "format", SCORIA_NAME_SIZE, format, bad));
  PetscCall(GetNumber(*file, "format_version", IO_I8, &version, bad));
  PetscCall(GetShortText(*file, "kind", SCORIA_NAME_SIZE, kind, bad));
  if (bad->code == SCORIA_EXIT_OK && strcmp(format, SCORIA_DATASET_FORMAT) && strcmp(format, SCORIA_STORE_FORMAT))
    trouble_note(bad, SCORIA_EXIT_INPUT, "of format '%s', expected %s", format, expected);
  if (version != SCORIA_FORMAT_VERSION)
    trouble_note(bad, SCORIA_EXIT_INPUT, "format version %lld, expected %d", (long long)version, SCORIA_FORMAT_VERSION);
  PetscFunctionReturn(0);
}
