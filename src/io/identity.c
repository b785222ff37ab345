/* Identities: what files are made from is kept in them, and compared by content.  The CRCs that a file holds of its own
 * arrays or rows are enough for that; nothing else of it is read. */
#include "private.h"
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Fields and conditions by name, and where the cells are: rows that agree in their numbers may differ in these.  Of
 * profiles the number of cells says their shape. */
static uint32_t layout_crc(ScoriaDataset ds)
{
  uint32_t crc = crc32c(0, ds->x, (size_t)spec_centres(&ds->spec) * sizeof *ds->x);

  if (spec_is_whole(&ds->spec)) crc = crc32c(crc, ds->spec.shape, sizeof ds->spec.shape);
  for (int f = 0; f < ds->spec.nfields; f++)
    crc = crc32c(crc, ds->spec.field[f].name, strlen(ds->spec.field[f].name) + 1);
  for (int f = 0; f < ds->spec.nfields && fields_differ(ds->spec.nfields, ds->spec.field); f++)
    for (int d = 0; d < spec_axes(&ds->spec); d++)
      crc = crc32c(crc, ds->spec.field[f].axis[d], strlen(ds->spec.field[f].axis[d]) + 1);
  for (int c = 0; c < ds->spec.space.n; c++)
    crc = crc32c(crc, ds->spec.space.c[c].name, strlen(ds->spec.space.c[c].name) + 1);
  return crc;
}

/* The name of a digest among the notes of a run: of these rows of this file as it is now. */
static PetscErrorCode NameDigest(ScoriaDataset ds, int64_t rows, size_t size, char name[])
{
  int64_t file[4] = {0};
  struct stat st;

  PetscFunctionBeginUser;
  if (!ds->rank && !stat(ds->open_path, &st)) {
    file[0] = (int64_t)st.st_dev;
    file[1] = (int64_t)st.st_ino;
    file[2] = st.st_size;
    file[3] = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec; /* nobody else writes here meanwhile */
  }
  PetscCallMPI(MPI_Bcast(file, 4, MPI_INT64_T, 0, ds->comm));
  snprintf(name, size, "digest of %" PRId64 " rows of %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, rows, file[0],
           file[1], file[2], file[3]);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetDigest(ScoriaRun run, ScoriaDataset ds, int64_t rows, uint32_t *digest)
{
  char name[128];
  int64_t noted;

  PetscFunctionBeginUser;
  if (run) {
    PetscCall(NameDigest(ds, rows, sizeof name, name));
    if (run_noted(run, name, &noted)) {
      *digest = (uint32_t)noted;
      PetscFunctionReturn(0);
    }
  }
  PetscCall(DatasetReadDigest(ds, rows, digest));
  if (run) PetscCall(ScoriaRunNote(run, name, *digest));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetIdentity(ScoriaRun run, ScoriaDataset ds, int64_t rows, char identity[SCORIA_IDENTITY_SIZE])
{
  uint32_t crc[2] = {layout_crc(ds), 0};

  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetDigest(run, ds, rows, &crc[1]));
  snprintf(identity, SCORIA_IDENTITY_SIZE, "%" PRId64 " rows, CRC32C %08x", rows, crc32c(0, crc, sizeof crc));
  PetscFunctionReturn(0);
}

int64_t identity_rows(const char *identity)
{
  int64_t rows = 0;

  return sscanf(identity, "%" SCNd64 " rows", &rows) == 1 && rows > 0 ? rows : 0;
}

/* Arrays without a CRC are the place holders of axes. */
static herr_t add_array(hid_t file, const char *name, const H5O_info_t *info, void *ctx)
{
  uint32_t *crc = ctx, stored = 0;

  if (info->type != H5O_TYPE_DATASET) return 0;
  const hid_t array     = H5Dopen2(file, name, H5P_DEFAULT);
  const hid_t attribute = array >= 0 && H5Aexists(array, "crc32c") > 0 ? H5Aopen(array, "crc32c", H5P_DEFAULT) : -1;
  const bool read       = attribute >= 0 && H5Aread(attribute, H5T_NATIVE_UINT32, &stored) >= 0;

  if (attribute >= 0) H5Aclose(attribute);
  if (array >= 0) H5Dclose(array);
  if (!read) return 0;
  *crc = crc32c(*crc, name, strlen(name) + 1);
  *crc = crc32c(*crc, &stored, sizeof stored);
  return 0;
}

PetscErrorCode ScoriaStoreIdentity(ScoriaStore store, char identity[SCORIA_IDENTITY_SIZE])
{
  ScoriaTrouble bad = {.path = store->path};
  uint32_t crc      = 0;

  PetscFunctionBeginUser;
  if (!store->rank && H5Ovisit(store->file, H5_INDEX_NAME, H5_ITER_INC, add_array, &crc) < 0)
    trouble_hdf5(&bad, SCORIA_EXIT_INPUT, "damaged");
  PetscCall(StoreAgree(store, &bad));
  PetscCallMPI(MPI_Bcast(&crc, 1, MPI_UINT32_T, 0, store->comm));
  snprintf(identity, SCORIA_IDENTITY_SIZE, "CRC32C %08x", crc);
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------- made from ---- */

/* The attributes, and where their texts stand; NULL past the last. */
static char *made_from(ScoriaMadeFrom *from, int i, const char **name, size_t *size)
{
  static const char *const names[] = {"made_from_model", "made_from_dataset", "made_from_file", "made_from_library"};
  char *const texts[]              = {from->model, from->dataset, from->file, from->library};
  const size_t sizes[] = {sizeof from->model, sizeof from->dataset, sizeof from->file, sizeof from->library};

  if (i >= (int)(sizeof names / sizeof names[0])) return NULL;
  *name = names[i];
  *size = sizes[i];
  return texts[i];
}

PetscErrorCode PutMadeFrom(hid_t file, const ScoriaMadeFrom *from, ScoriaTrouble *bad)
{
  ScoriaMadeFrom copy = *from;
  const char *name, *text;
  size_t size;

  PetscFunctionBeginUser;
  for (int i = 0; (text = made_from(&copy, i, &name, &size)); i++)
    if (*text) PetscCall(PutText(file, name, text, bad));
  if (from->correlation > 0) PetscCall(PutNumber(file, "cheap_correlation", IO_F8, &from->correlation, bad));
  PetscFunctionReturn(0);
}

PetscErrorCode GetMadeFrom(hid_t file, ScoriaMadeFrom *from, ScoriaTrouble *bad)
{
  const char *name;
  char *text;
  size_t size;

  PetscFunctionBeginUser;
  *from = (ScoriaMadeFrom){.model = ""};
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  for (int i = 0; (text = made_from(from, i, &name, &size)); i++)
    if (H5Aexists(file, name) > 0) PetscCall(GetShortText(file, name, size, text, bad));
  if (H5Aexists(file, "cheap_correlation") > 0)
    PetscCall(GetNumber(file, "cheap_correlation", IO_F8, &from->correlation, bad));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStorePutMadeFrom(ScoriaStore store, const ScoriaMadeFrom *from)
{
  ScoriaTrouble bad = {.path = store->path};

  PetscFunctionBeginUser;
  if (!store->rank) PetscCall(PutMadeFrom(store->file, from, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStoreMadeFrom(ScoriaStore store, ScoriaMadeFrom *from)
{
  ScoriaTrouble bad = {.path = store->path};

  PetscFunctionBeginUser;
  if (!store->rank) PetscCall(GetMadeFrom(store->file, from, &bad));
  PetscCall(StoreAgree(store, &bad));
  PetscCallMPI(MPI_Bcast(from, (int)sizeof *from, MPI_BYTE, 0, store->comm));
  PetscFunctionReturn(0);
}

const ScoriaMadeFrom *dataset_made_from(ScoriaDataset ds)
{
  return &ds->made;
}

/* -------------------------------------------------------------------------------------------- plain files ---- */

void source_text(const char *path, int64_t bytes, uint32_t crc, size_t size, char text[])
{
  char copy[PETSC_MAX_PATH_LEN];

  snprintf(copy, sizeof copy, "%s", path);
  snprintf(text, size, "%.200s, %lld bytes, CRC32C %08x", basename(copy), (long long)bytes, crc);
}

#define OTHERS ", which refers to "

void source_add_others(int n, int64_t bytes, uint32_t crc, size_t size, char text[])
{
  const size_t used = strlen(text);

  snprintf(text + used, size - used, OTHERS "%d, %lld bytes, CRC32C %08x", n, (long long)bytes, crc);
}

bool source_has_others(const char *source)
{
  return strstr(source, OTHERS) != NULL;
}

/* Of the last change of the file or of what the system keeps of it: unlike the date of its bytes, nobody sets it back.
 */
int64_t source_modified(const struct stat *st)
{
  return (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
}

/* What a stored text says of the length of its file; -1 where it says nothing. */
static int64_t source_bytes(const char *source)
{
  const char *end = strstr(source, " bytes, CRC32C ");
  int64_t bytes   = -1;

  for (; end && end > source && end[-1] != ' '; end--) continue;
  if (end && sscanf(end, "%" SCNd64 " bytes", &bytes) != 1) bytes = -1;
  return bytes;
}

PetscErrorCode ScoriaSourceNow(MPI_Comm comm, const char *path, const char *stored, int64_t modified,
                               char now[SCORIA_SOURCE_SIZE])
{
  struct stat st   = {0};
  int64_t found[3] = {-1, 0, 0}; /* length; date; whether both are as they were */
  uint32_t crc     = 0;
  int rank, failed;

  PetscFunctionBeginUser;
  *now = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank && !stat(path, &st) && S_ISREG(st.st_mode)) {
    found[0] = st.st_size;
    found[1] = source_modified(&st);
    found[2] = stored && modified && found[1] == modified && found[0] == source_bytes(stored);
  }
  PetscCallMPI(MPI_Bcast(found, 3, MPI_INT64_T, 0, comm));
  if (found[2]) PetscCall(PetscStrncpy(now, stored, SCORIA_SOURCE_SIZE));
  if (found[0] < 0 || found[2]) PetscFunctionReturn(0);
  PetscCall(FileCrc(comm, NULL, path, found[0], &crc, &failed));
  if (!failed) source_text(path, found[0], crc, SCORIA_SOURCE_SIZE, now);
  PetscFunctionReturn(0);
}
