/* The few things this room does with HDF5 on one rank: types, access and attributes.
 *
 * Texts are of fixed length: variable-length ones live in a heap without checksums.  With the 1.8 file format a text
 * may be longer than 64 KiB and every byte of metadata is under a checksum of HDF5's own. */
#include "private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- types and access ---- */

hid_t type_of(ScoriaType type)
{
  switch (type) {
  case IO_U1:
    return H5T_STD_U8LE;
  case IO_I4:
    return H5T_STD_I32LE;
  case IO_U4:
    return H5T_STD_U32LE;
  case IO_I8:
    return H5T_STD_I64LE;
  case IO_U8:
    return H5T_STD_U64LE;
  case IO_F4:
    return H5T_IEEE_F32LE;
  case IO_F8:
    return H5T_IEEE_F64LE;
  }
  return H5I_INVALID_HID;
}

size_t type_size(ScoriaType type)
{
  static const size_t size[] = {
      [IO_U1] = 1, [IO_I4] = 4, [IO_U4] = 4, [IO_I8] = 8, [IO_U8] = 8, [IO_F4] = 4, [IO_F8] = 8};

  return size[type];
}

PetscErrorCode FileAccess(MPI_Comm comm, hid_t *access)
{
  PetscFunctionBeginUser;
  CallH5(H5Eset_auto2(H5E_DEFAULT, NULL, NULL)); /* failures are told in one line of ours */
  CallH5(*access = H5Pcreate(H5P_FILE_ACCESS));
  CallH5(H5Pset_libver_bounds(*access, H5F_LIBVER_V18, H5F_LIBVER_V110));
  CallH5(H5Pset_fclose_degree(*access, H5F_CLOSE_STRONG));
#if H5_VERSION_GE(1, 10, 7) && !(H5_VERS_MAJOR == 1 && H5_VERS_MINOR == 12 && H5_VERS_RELEASE == 0)
  /* Parallel file systems are often mounted without locks; the run directory has one of ours. */
  CallH5(H5Pset_file_locking(*access, 0, 1));
#endif
  if (comm != MPI_COMM_NULL) {
    CallH5(H5Pset_fapl_mpio(*access, comm, io_hints()));
    CallH5(H5Pset_all_coll_metadata_ops(*access, 1));
    CallH5(H5Pset_coll_metadata_write(*access, 1));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CreateLayout(hid_t *layout)
{
  PetscFunctionBeginUser;
  CallH5(*layout = H5Pcreate(H5P_DATASET_CREATE));
  CallH5(H5Pset_layout(*layout, H5D_CONTIGUOUS));
  CallH5(H5Pset_alloc_time(*layout, H5D_ALLOC_TIME_EARLY));
  CallH5(H5Pset_fill_time(*layout, H5D_FILL_TIME_NEVER));
  CallH5(H5Pset_obj_track_times(*layout, 0));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- attributes ---- */

static PetscErrorCode PutAttribute(hid_t object, const char *name, hid_t type, const void *data, ScoriaTrouble *bad)
{
  hid_t space, attribute;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  CallH5(space = H5Screate(H5S_SCALAR));
  attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0 || H5Awrite(attribute, type, data) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_IO, "attribute %s cannot be written", name);
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  PetscFunctionReturn(0);
}

PetscErrorCode PutText(hid_t object, const char *name, const char *text, ScoriaTrouble *bad)
{
  hid_t type;

  PetscFunctionBeginUser;
  CallH5(type = H5Tcopy(H5T_C_S1));
  CallH5(H5Tset_size(type, strlen(text) + 1));
  CallH5(H5Tset_cset(type, H5T_CSET_UTF8));
  PetscCall(PutAttribute(object, name, type, text, bad));
  H5Tclose(type);
  PetscFunctionReturn(0);
}

PetscErrorCode PutNumber(hid_t object, const char *name, ScoriaType type, const void *value, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  PetscCall(PutAttribute(object, name, type_of(type), value, bad));
  PetscFunctionReturn(0);
}

/* Opens a scalar attribute of a class; -1 and a note when there is none. */
static PetscErrorCode OpenAttribute(hid_t object, const char *name, H5T_class_t class, const char *what,
                                    hid_t *attribute, hid_t *type, ScoriaTrouble *bad)
{
  hid_t space;

  PetscFunctionBeginUser;
  *attribute = *type = H5I_INVALID_HID;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  if (H5Aexists(object, name) <= 0 || (*attribute = H5Aopen(object, name, H5P_DEFAULT)) < 0) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "no attribute '%s', expected %s", name, what);
    PetscFunctionReturn(0);
  }
  *type = H5Aget_type(*attribute);
  space = H5Aget_space(*attribute);
  if (H5Sget_simple_extent_npoints(space) != 1 ||
      (H5Tget_class(*type) != class && !(class == H5T_FLOAT && H5Tget_class(*type) == H5T_INTEGER)) ||
      H5Tis_variable_str(*type) > 0)
    trouble_note(bad, SCORIA_EXIT_INPUT, "attribute '%s' is not %s", name, what);
  H5Sclose(space);
  PetscFunctionReturn(0);
}

static void attribute_close(hid_t attribute, hid_t type)
{
  if (type >= 0) H5Tclose(type);
  if (attribute >= 0) H5Aclose(attribute);
}

PetscErrorCode GetText(hid_t object, const char *name, char **text, ScoriaTrouble *bad)
{
  hid_t attribute, type, memory;
  size_t size = 0;

  PetscFunctionBeginUser;
  *text = NULL;
  PetscCall(OpenAttribute(object, name, H5T_STRING, "a text of fixed length", &attribute, &type, bad));
  if (bad->code == SCORIA_EXIT_OK) {
    size = H5Tget_size(type);
    PetscCall(PetscCalloc1(size + 1, text));
    CallH5(memory = H5Tcopy(type));
    CallH5(H5Tset_strpad(memory, H5T_STR_NULLPAD));
    if (H5Aread(attribute, memory, *text) < 0)
      trouble_hdf5(bad, SCORIA_EXIT_INPUT, "attribute '%s' cannot be read", name);
    H5Tclose(memory);
  }
  attribute_close(attribute, type);
  PetscFunctionReturn(0);
}

PetscErrorCode GetShortText(hid_t object, const char *name, size_t size, char text[], ScoriaTrouble *bad)
{
  char *all;

  PetscFunctionBeginUser;
  text[0] = 0;
  PetscCall(GetText(object, name, &all, bad));
  if (all && strlen(all) >= size)
    trouble_note(bad, SCORIA_EXIT_INPUT, "attribute '%s' has %zu characters, expected at most %zu", name, strlen(all),
                 size - 1);
  if (all && bad->code == SCORIA_EXIT_OK) PetscCall(PetscStrncpy(text, all, size));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

PetscErrorCode GetNumber(hid_t object, const char *name, ScoriaType type, void *value, ScoriaTrouble *bad)
{
  const bool whole = type == IO_I8;
  hid_t attribute, stored;

  PetscFunctionBeginUser;
  PetscCall(OpenAttribute(object, name, whole ? H5T_INTEGER : H5T_FLOAT, whole ? "one integer" : "one number",
                          &attribute, &stored, bad));
  if (bad->code == SCORIA_EXIT_OK && H5Aread(attribute, type_of(type), value) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "attribute '%s' cannot be read", name);
  attribute_close(attribute, stored);
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- origin ---- */

static PetscErrorCode PutLibraries(hid_t file, ScoriaTrouble *bad)
{
  ScoriaLibraries libraries;

  PetscFunctionBeginUser;
  PetscCall(ScoriaLibrariesGet(&libraries));
  PetscCall(PutText(file, "mpi_version", libraries.mpi, bad));
  PetscCall(PutText(file, "petsc_version", libraries.petsc, bad));
  PetscCall(PutText(file, "hdf5_version", libraries.hdf5, bad));
  PetscFunctionReturn(0);
}

PetscErrorCode PutOrigin(hid_t file, const char *format, const char *kind, const char *deck, ScoriaTrouble *bad)
{
  const int64_t version = SCORIA_FORMAT_VERSION;
  const char *job       = getenv("SLURM_JOB_ID");
  char date[32];

  PetscFunctionBeginUser;
  utc_now(date);
  PetscCall(PutText(file, "format", format, bad));
  PetscCall(PutNumber(file, "format_version", IO_I8, &version, bad));
  PetscCall(PutText(file, "kind", kind, bad));
  PetscCall(PutText(file, "program_version", scoria_version(), bad));
  PetscCall(PutText(file, "git_revision", scoria_revision(), bad));
  PetscCall(PutText(file, "date", date, bad));
  PetscCall(PutText(file, "job_id", job ? job : "", bad));
  PetscCall(PutText(file, "deck", deck ? deck : "", bad));
  PetscCall(PutLibraries(file, bad));
  PetscFunctionReturn(0);
}
