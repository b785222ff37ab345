/* A small tree of named arrays and attributes: written by rank 0 as path.part and published when closed, read by rank 0
 * and broadcast.  Every call ends in one agreement, so every rank sees the same outcome.
 *
 * While it is written the file is in memory, and goes to disk in one piece when closed: HDF5 1.10 does not survive a
 * file it cannot write (it crashes at exit, on what a full disk kept it from closing). */
#include "private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------ life cycle ---- */

static PetscErrorCode StoreNew(MPI_Comm comm, const char *path, bool writing, ScoriaStore *out)
{
  ScoriaStore store;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&store));
  *out           = store;
  store->comm    = comm;
  store->writing = writing;
  store->file    = H5I_INVALID_HID;
  PetscCallMPI(MPI_Comm_rank(comm, &store->rank));
  PetscCall(PetscStrncpy(store->path, path, sizeof store->path));
  PetscCall(PartName(path, sizeof store->part, store->part));
  PetscFunctionReturn(0);
}

static PetscErrorCode StoreFree(ScoriaStore *store)
{
  PetscFunctionBeginUser;
  if ((*store)->file >= 0) H5Fclose((*store)->file);
  free((*store)->image);
  PetscCall(PetscFree((*store)->deck));
  PetscCall(PetscFree(*store));
  PetscFunctionReturn(0);
}

PetscErrorCode StoreAgree(ScoriaStore store, const ScoriaTrouble *bad)
{
  PetscErrorCode failed;

  PetscFunctionBeginUser;
  failed = ScoriaAgree(store->comm, bad->code, bad->line);
  if (failed) store->failed = true;
  PetscCall(failed);
  PetscFunctionReturn(0);
}

/* The same while opening: a store that cannot be opened is freed. */
static PetscErrorCode StoreAgreeOrFree(ScoriaStore *store, const ScoriaTrouble *bad)
{
  PetscErrorCode failed;

  PetscFunctionBeginUser;
  failed = StoreAgree(*store, bad);
  if (failed) PetscCall(StoreFree(store));
  PetscCall(failed);
  PetscFunctionReturn(0);
}

/* HDF5's file in memory, which it hands to us instead of freeing it when it closes the file.  (Its image of an open
 * file has a superblock that fails its own checksum.) */
static void *image_malloc(size_t size, H5FD_file_image_op_t when, void *store)
{
  (void)when;
  (void)store;
  return malloc(size);
}

static void *image_realloc(void *bytes, size_t size, H5FD_file_image_op_t when, void *store)
{
  (void)when;
  (void)store;
  return realloc(bytes, size);
}

static herr_t image_keep(void *bytes, H5FD_file_image_op_t when, void *store)
{
  if (when == H5FD_FILE_IMAGE_OP_FILE_CLOSE)
    ((ScoriaStore)store)->image = bytes;
  else
    free(bytes);
  return 0;
}

static void *image_owner(void *store)
{
  return store;
}

static herr_t image_owner_free(void *store)
{
  (void)store;
  return 0;
}

static PetscErrorCode MemoryAccess(ScoriaStore store, hid_t *access)
{
  H5FD_file_image_callbacks_t keep = {.image_malloc  = image_malloc,
                                      .image_realloc = image_realloc,
                                      .image_free    = image_keep,
                                      .udata_copy    = image_owner,
                                      .udata_free    = image_owner_free,
                                      .udata         = store};

  PetscFunctionBeginUser;
  PetscCall(FileAccess(MPI_COMM_NULL, access));
  CallH5(H5Pset_fapl_core(*access, 1 << 20, 0)); /* grows by 1 MiB; not written by HDF5 */
  CallH5(H5Pset_file_image_callbacks(*access, &keep));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateFile(ScoriaStore store, const char *kind, ScoriaTrouble *bad)
{
  hid_t access;

  PetscFunctionBeginUser;
  PetscCall(FileStart(store->path, store->part, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(MemoryAccess(store, &access));
  store->file = H5Fcreate(store->part, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  if (store->file < 0) trouble_hdf5(bad, SCORIA_EXIT_IO, "%s cannot be made", store->part);
  H5Pclose(access);
  PetscCall(PutOrigin(store->file, SCORIA_STORE_FORMAT, kind, store->deck, bad));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreCreate(MPI_Comm comm, const char *path, const char *kind, const char *deck, ScoriaStore *out)
{
  ScoriaTrouble bad = {.path = path};
  ScoriaStore store;

  PetscFunctionBeginUser;
  *out = NULL;
  PetscCall(StoreNew(comm, path, true, &store));
  PetscCall(PetscStrallocpy(deck ? deck : "", &store->deck));
  if (!store->rank) PetscCall(CreateFile(store, kind, &bad));
  PetscCall(StoreAgreeOrFree(&store, &bad));
  *out = store;
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenFile(ScoriaStore store, const char *kind, ScoriaTrouble *bad)
{
  char expected[SCORIA_NAME_SIZE + 32], format[SCORIA_NAME_SIZE], found[SCORIA_NAME_SIZE];
  int64_t size;

  PetscFunctionBeginUser;
  snprintf(expected, sizeof expected, "a scoria file of kind '%s'", kind);
  PetscCall(OpenOurs(store->path, expected, &size, &store->file, format, found, bad));
  if (bad->code == SCORIA_EXIT_OK && (strcmp(format, SCORIA_STORE_FORMAT) || strcmp(found, kind)))
    trouble_note(bad, SCORIA_EXIT_INPUT, "a scoria file of kind '%s', expected kind '%s'", found, kind);
  PetscCall(GetText(store->file, "deck", &store->deck, bad));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreOpen(MPI_Comm comm, const char *path, const char *kind, ScoriaStore *out)
{
  ScoriaTrouble bad = {.path = path};
  ScoriaStore store;
  int length = 0;

  PetscFunctionBeginUser;
  *out = NULL;
  PetscCall(StoreNew(comm, path, false, &store));
  if (!store->rank) PetscCall(OpenFile(store, kind, &bad));
  PetscCall(StoreAgreeOrFree(&store, &bad));
  if (!store->rank) length = (int)strlen(store->deck) + 1;
  PetscCallMPI(MPI_Bcast(&length, 1, MPI_INT, 0, comm));
  if (store->rank) PetscCall(PetscMalloc1(length, &store->deck));
  PetscCallMPI(MPI_Bcast(store->deck, length, MPI_CHAR, 0, comm));
  *out = store;
  PetscFunctionReturn(0);
}

static PetscErrorCode FinishFile(ScoriaStore store, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  PetscCall(AttachScales(store->file, bad));
  CallH5(H5Fclose(store->file));
  store->file = H5I_INVALID_HID;
  PetscCheck(store->image, PETSC_COMM_SELF, PETSC_ERR_LIB, "HDF5 closed %s without its bytes", store->path);
  PetscCall(FileWrite(store->part, store->image, (size_t)superblock_end(store->image), bad));
  PetscCall(FilePublish(store->part, store->path, bad));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreClose(ScoriaStore *store)
{
  ScoriaTrouble bad = {0};

  PetscFunctionBeginUser;
  if (!*store) PetscFunctionReturn(0);
  bad.path = (*store)->path;
  if ((*store)->writing && !(*store)->rank) {
    if (!(*store)->failed) PetscCall(FinishFile(*store, &bad));
    if ((*store)->failed || bad.code != SCORIA_EXIT_OK) unlink((*store)->part); /* of no use, and it takes space */
  }
  PetscCall(StoreAgreeOrFree(store, &bad));
  PetscCall(StoreFree(store));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreDeck(ScoriaStore store, const char **deck)
{
  PetscFunctionBeginUser;
  *deck = store->deck;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- arrays ---- */

static PetscErrorCode PutValues(ScoriaStore store, const char *name, ScoriaType type, int rank, const int64_t dims[],
                                const void *data, const char *unit, const char *description)
{
  ScoriaTrouble bad = {.path = store->path};

  PetscFunctionBeginUser;
  PetscCheck(store->writing, store->comm, PETSC_ERR_ARG_WRONGSTATE, "%s was opened for reading", store->path);
  if (!store->rank)
    PetscCall(
        PutArray(store->file, name, type, rank, dims, data, unit ? unit : "", description ? description : "", &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStorePutReals(ScoriaStore store, const char *name, int rank, const int64_t dims[],
                                   const double data[], const char *unit, const char *description)
{
  PetscFunctionBeginUser;
  PetscCall(PutValues(store, name, IO_F8, rank, dims, data, unit, description));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStorePutFloats(ScoriaStore store, const char *name, int rank, const int64_t dims[],
                                    const float data[], const char *unit, const char *description)
{
  PetscFunctionBeginUser;
  PetscCall(PutValues(store, name, IO_F4, rank, dims, data, unit, description));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreOffset(ScoriaStore store, const char *name, int64_t *offset)
{
  hid_t array;

  PetscFunctionBeginUser;
  *offset = 0;
  if (!store->rank) {
    CallH5(array = H5Dopen2(store->file, name, H5P_DEFAULT));
    const haddr_t at = H5Dget_offset(array);

    PetscCheck(at != HADDR_UNDEF, PETSC_COMM_SELF, PETSC_ERR_LIB, "HDF5 has no place for %s", name);
    *offset = (int64_t)at;
    H5Dclose(array);
  }
  PetscCallMPI(MPI_Bcast(offset, 1, MPI_INT64_T, 0, store->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreShape(ScoriaStore store, const char *name, int max_rank, int *rank, int64_t dims[])
{
  ScoriaTrouble bad = {.path = store->path};
  ScoriaType type;

  PetscFunctionBeginUser;
  *rank = -1;
  if (!store->rank) PetscCall(ShapeOf(store->file, name, max_rank, rank, dims, &type, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscCallMPI(MPI_Bcast(rank, 1, MPI_INT, 0, store->comm));
  if (*rank > 0) PetscCallMPI(MPI_Bcast(dims, *rank, MPI_INT64_T, 0, store->comm));
  PetscFunctionReturn(0);
}

/* Rank 0's part of reading: as stored, for the CRC; then converted where the caller wants the other precision. */
static PetscErrorCode ReadArray(ScoriaStore store, const char *name, int64_t count, ScoriaType want, void *data,
                                ScoriaTrouble *bad)
{
  int64_t dims[H5S_MAX_RANK], found = 1;
  ScoriaType type = want;
  void *stored;
  int rank;

  PetscFunctionBeginUser;
  PetscCall(ShapeOf(store->file, name, H5S_MAX_RANK, &rank, dims, &type, bad));
  for (int i = 0; i < rank; i++) found *= dims[i];
  if (rank < 0)
    trouble_note(bad, SCORIA_EXIT_INPUT, "no array %s", name);
  else if (type != IO_F4 && type != IO_F8)
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is not of reals", name);
  else if (found != count)
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s has %lld values, expected %lld", name, (long long)found,
                 (long long)count);
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  if (type == want) {
    PetscCall(GetArray(store->file, name, count, type, data, bad));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc((size_t)count * type_size(type) + 1, &stored));
  PetscCall(GetArray(store->file, name, count, type, stored, bad));
  if (bad->code == SCORIA_EXIT_OK) {
    if (want == IO_F8)
      for (int64_t i = 0; i < count; i++) ((double *)data)[i] = ((float *)stored)[i];
    else
      for (int64_t i = 0; i < count; i++) ((float *)data)[i] = (float)((double *)stored)[i];
  }
  PetscCall(PetscFree(stored));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetValues(ScoriaStore store, const char *name, int64_t count, ScoriaType type, void *data)
{
  const MPI_Datatype mpi = type == IO_F8 ? MPI_DOUBLE : MPI_FLOAT;
  ScoriaTrouble bad      = {.path = store->path};

  PetscFunctionBeginUser;
  PetscCheck(!store->writing, store->comm, PETSC_ERR_ARG_WRONGSTATE, "%s is being written", store->path);
  if (!store->rank) PetscCall(ReadArray(store, name, count, type, data, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscCall(ScoriaBroadcastMany(store->comm, 0, count, mpi, data));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreGetReals(ScoriaStore store, const char *name, int64_t count, double data[])
{
  PetscFunctionBeginUser;
  PetscCall(GetValues(store, name, count, IO_F8, data));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreGetFloats(ScoriaStore store, const char *name, int64_t count, float data[])
{
  PetscFunctionBeginUser;
  PetscCall(GetValues(store, name, count, IO_F4, data));
  PetscFunctionReturn(0);
}
