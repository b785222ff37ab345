/* Arrays of any HDF5 file, block by block.  A trial in a child process reads all of them, with limits that follow from
 * their sizes; from then on every rank reads what it needs for itself. */
#include "foreign.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_ARRAYS (SCORIA_MAX_FIELDS + SCORIA_MAX_CONDITIONS + 1)
#define CACHE_BYTES ((size_t)32 << 20) /* of chunks, for every array */
#define CACHE_SLOTS 12421              /* a prime, as HDF5 wants it */
#define TRIAL_VALUES (1 << 20)         /* read at a time in the trial */
#define SLOWEST 4e6                    /* values a second that a trial reads at least */
/* deflate makes 1032 bytes of one at best: an array whose chunks hold less is empty, or a trap. */
#define MOST_DEFLATED 1100
#define HOLLOW_BYTES ((uint64_t)1 << 30) /* that may be nothing but fill values */

typedef struct {
  const char *name; /* borrowed */
  hid_t file, id;   /* owned; HDF5 knows that it is one file */
  int rank;
  int64_t dims[SCORIA_FOREIGN_RANK];
  ScoriaForeignAxis axis[SCORIA_FOREIGN_RANK];
  ScoriaPacking packing;
  bool single;    /* reals of 4 bytes */
  bool plain;     /* IEEE's, and not packed */
  bool raw;       /* IEEE's, and in one piece in the file: HDF5 finds where it begins, and copies */
  uint64_t chunk; /* bytes of one chunk, unpacked; 0: contiguous */
} Array;

struct ScoriaForeign_ {
  MPI_Comm comm; /* borrowed */
  int me, n;
  char *path;               /* owned */
  char *names[MOST_ARRAYS]; /* owned */
  char source[SCORIA_SOURCE_SIZE];
  int64_t modified;
  Array array[MOST_ARRAYS];
  ScoriaSources sources; /* owned */
  ScoriaTrouble bad;
};

/* ------------------------------------------------------------------------------------------------- one array ---- */

static int64_t array_values(const Array *a)
{
  int64_t values = 1;
  for (int i = 0; i < a->rank; i++) values *= a->dims[i];
  return values;
}

/* Sizes that nothing later has to doubt: no overflow, and no more than the bytes in the file can be unpacked to. */
static void check_size(const Array *a, size_t width, uint64_t stored, ScoriaTrouble *bad)
{
  double values = 1;
  for (int i = 0; i < a->rank; i++) values *= (double)a->dims[i];
  if (values < 1)
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is empty", a->name);
  else if (values * (double)width > (double)stored * (a->chunk ? MOST_DEFLATED : 1) + (double)HOLLOW_BYTES)
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s says it has %.0f values, more than are in the file", a->name,
                 values);
}

static PetscErrorCode Inspect(const char *path, Array *a, ScoriaSources *sources, ScoriaTrouble *bad)
{
  uint64_t behind = 0;
  hsize_t extent[H5S_MAX_RANK], chunk[H5S_MAX_RANK];
  hid_t space, type, layout;

  PetscFunctionBeginUser;
  CallH5(space = H5Dget_space(a->id));
  CallH5(type = H5Dget_type(a->id));
  CallH5(layout = H5Dget_create_plist(a->id));
  const size_t width = H5Tget_size(type);
  a->single          = H5Tget_class(type) == H5T_FLOAT && width == 4;
  a->rank            = H5Sget_simple_extent_ndims(space);
  if (H5Sget_simple_extent_type(space) == H5S_NULL) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is empty: it has no shape", a->name);
    a->rank = 0;
  } else if (a->rank < 0 || a->rank > SCORIA_FOREIGN_RANK) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s has %d dimensions, expected 0 to %d", a->name, a->rank,
                 SCORIA_FOREIGN_RANK);
    a->rank = 0;
  } else if (H5Sget_simple_extent_dims(space, extent, NULL) >= 0) {
    for (int i = 0; i < a->rank; i++) a->dims[i] = (int64_t)extent[i];
    if (H5Pget_layout(layout) == H5D_CHUNKED && H5Pget_chunk(layout, H5S_MAX_RANK, chunk) >= 0) {
      a->chunk = width;
      for (int i = 0; i < a->rank; i++) a->chunk *= chunk[i];
    }
    PetscCall(SourcesAdd(sources, path, a->id, a->name, &behind, bad));
    if (H5Pget_layout(layout) == H5D_VIRTUAL) a->chunk = 1; /* its sources may be deflated */
    check_size(a, width, behind + (a->chunk == 1 ? 0 : (uint64_t)H5Dget_storage_size(a->id)), bad);
    PetscCall(AxesRead(a->id, a->rank, a->axis, bad));
    PetscCall(PackingRead(a->id, a->name, &a->packing, bad));
    const bool ieee4 = H5Tequal(type, H5T_IEEE_F32LE) > 0 || H5Tequal(type, H5T_IEEE_F32BE) > 0;
    const bool ieee8 = H5Tequal(type, H5T_IEEE_F64LE) > 0 || H5Tequal(type, H5T_IEEE_F64BE) > 0;
    a->plain         = ieee4 && !*a->packing.text;
    a->raw           = (ieee4 || ieee8) && H5Pget_layout(layout) == H5D_CONTIGUOUS && !H5Pget_external_count(layout);
  }
  H5Pclose(layout);
  H5Tclose(type);
  H5Sclose(space);
  PetscFunctionReturn(0);
}

/* Once more, with a cache that holds a chunk at least: rows out of order would unpack it for each of them. */
static PetscErrorCode OpenCached(Array *a, ScoriaTrouble *bad)
{
  hid_t access;

  PetscFunctionBeginUser;
  CallH5(access = H5Pcreate(H5P_DATASET_ACCESS));
  CallH5(H5Pset_chunk_cache(access, CACHE_SLOTS, PetscMax(CACHE_BYTES, (size_t)a->chunk), 0.75));
  H5Dclose(a->id);
  a->id = H5Dopen2(a->file, a->name, access);
  H5Pclose(access);
  if (a->id < 0) trouble_hdf5(bad, SCORIA_EXIT_INPUT, "array %s cannot be opened", a->name);
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenArray(const char *path, Array *a, ScoriaSources *sources, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(OpenNumbers(path, a->name, &a->file, &a->id, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  if (a->id < 0)
    PetscCall(NoteMissing(a->file, a->name, bad));
  else
    PetscCall(Inspect(path, a, sources, bad));
  if (bad->code == SCORIA_EXIT_OK) PetscCall(OpenCached(a, bad));
  PetscFunctionReturn(0);
}

/* As numbers of type `memory`; doubles are unpacked. */
static PetscErrorCode ReadBlock(const Array *a, const int64_t start[], const int64_t count[], hid_t memory, void *data,
                                ScoriaTrouble *bad)
{
  hsize_t from[SCORIA_FOREIGN_RANK], number[SCORIA_FOREIGN_RANK], values = 1;
  hid_t there, here;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  for (int i = 0; i < a->rank; i++) {
    from[i]   = (hsize_t)start[i];
    number[i] = (hsize_t)count[i];
    values *= number[i];
  }
  CallH5(there = H5Dget_space(a->id));
  CallH5(here = H5Screate_simple(1, &values, NULL));
  if (a->rank) CallH5(H5Sselect_hyperslab(there, H5S_SELECT_SET, from, NULL, number, NULL));
  if (H5Dread(a->id, memory, here, there, H5P_DEFAULT, data) < 0)
    PetscCall(NoteUnreadable(bad->path, a->id, a->name, bad));
  else if (!a->plain)
    packing_apply(&a->packing, (size_t)values, data);
  H5Sclose(here);
  H5Sclose(there);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- the trial ---- */

/* Names, types and shapes alone. */
static PetscErrorCode TryHeaders(void *ctx, ScoriaTrouble *bad)
{
  ScoriaForeign f = ctx;

  PetscFunctionBeginUser;
  for (int i = 0; i < f->n; i++) PetscCall(OpenArray(f->path, &f->array[i], &f->sources, bad));
  PetscFunctionReturn(0);
}

/* Every value, slab by slab along the first axis; of one in one piece the last alone, as the others take HDF5 to no
 * place that it has not been to then. */
static PetscErrorCode TryArray(const Array *a, ScoriaTrouble *bad)
{
  const int64_t lines = a->rank ? a->dims[0] : 1, width = array_values(a) / lines;
  const int64_t slab                 = PetscMax(1, PetscMin(lines, TRIAL_VALUES / width));
  int64_t start[SCORIA_FOREIGN_RANK] = {0}, count[SCORIA_FOREIGN_RANK];
  double *data;

  PetscFunctionBeginUser;
  memcpy(count, a->dims, sizeof count);
  for (int i = 0; i < a->rank && a->raw; i++) {
    start[i] = a->dims[i] - 1;
    count[i] = 1;
  }
  data = malloc((size_t)(slab * width) * sizeof *data);
  if (!data)
    trouble_note(bad, SCORIA_EXIT_INPUT, "no memory for %lld values of %s", (long long)(slab * width), a->name);
  for (; start[0] < lines && bad->code == SCORIA_EXIT_OK; start[0] += slab) {
    count[0] = PetscMin(slab, lines - start[0]);
    PetscCall(ReadBlock(a, start, count, H5T_NATIVE_DOUBLE, data, bad));
  }
  free(data);
  PetscFunctionReturn(0);
}

static PetscErrorCode TryValues(void *ctx, ScoriaTrouble *bad)
{
  ScoriaForeign f = ctx;

  PetscFunctionBeginUser;
  PetscCall(TryHeaders(ctx, bad));
  for (int i = 0; i < f->n && bad->code == SCORIA_EXIT_OK; i++) PetscCall(TryArray(&f->array[i], bad));
  PetscFunctionReturn(0);
}

static void close_arrays(ScoriaForeign f)
{
  for (int i = 0; i < f->n; i++) {
    numbers_close(f->array[i].file, f->array[i].id);
    f->array[i].file = f->array[i].id = H5I_INVALID_HID;
  }
}

/* Rank 0's part. The headers first, as the limits on the values follow from them. */
static PetscErrorCode Try(ScoriaForeign f)
{
  ScoriaTrialLimits limits = {SCORIA_TRIAL_SECONDS, SCORIA_TRIAL_BYTES, 0};
  double values            = 0;
  int64_t size;

  PetscFunctionBeginUser;
  PetscCall(FileProbe(f->path, "an HDF5 file", &size, &f->bad));
  PetscCall(TrialRun(f->path, &limits, TryHeaders, f, &f->bad));
  if (f->bad.code == SCORIA_EXIT_OK) PetscCall(TryHeaders(f, &f->bad));
  for (int i = 0; i < f->n && f->bad.code == SCORIA_EXIT_OK; i++) {
    values += (double)array_values(&f->array[i]);
    limits.bytes += CACHE_BYTES + 3 * f->array[i].chunk;
  }
  close_arrays(f);
  limits.seconds += (unsigned)PetscMin(values / SLOWEST, 1e6);
  PetscCall(TrialRun(f->path, &limits, TryValues, f, &f->bad));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- the source ---- */

/* A file's length, date [ns] and CRC, read by all ranks together.  Collective. */
static PetscErrorCode SumFile(ScoriaForeign f, const char *path, int64_t *size, int64_t *modified, uint32_t *crc)
{
  struct stat st   = {0};
  int64_t found[3] = {0}; /* trouble, length, date */
  int failed;

  PetscFunctionBeginUser;
  if (!f->me && stat(path, &st)) found[0] = errno;
  found[1] = st.st_size;
  found[2] = source_modified(&st);
  PetscCallMPI(MPI_Bcast(found, 3, MPI_INT64_T, 0, f->comm));
  failed    = (int)found[0];
  *size     = found[1];
  *modified = found[2];
  if (!failed) PetscCall(FileCrc(f->comm, NULL, path, *size, crc, &failed));
  if (failed) trouble_note(&f->bad, SCORIA_EXIT_INPUT, "%s cannot be read: %s", path, strerror(failed));
  PetscFunctionReturn(0);
}

/* "name, 1234 bytes, CRC32C 0badcafe"; and of the files that it refers to, together.  Collective. */
static PetscErrorCode Identify(ScoriaForeign f)
{
  int64_t size, one, date, more = 0;
  uint32_t crc = 0, own = 0, behind = 0;

  PetscFunctionBeginUser;
  PetscCall(SumFile(f, f->path, &size, &f->modified, &crc));
  source_text(f->path, size, crc, sizeof f->source, f->source);
  for (int i = 0; i < f->sources.n; i++, more += one) {
    PetscCall(SumFile(f, f->sources.path[i], &one, &date, &own));
    behind = crc32c_join(behind, own, one);
  }
  if (f->sources.n) source_add_others(f->sources.n, more, behind, sizeof f->source, f->source);
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- public ---- */

PetscErrorCode ScoriaForeignOpen(MPI_Comm comm, const char *path, int n, const char *const name[], ScoriaForeign *file)
{
  ScoriaForeign f;

  PetscFunctionBeginUser;
  PetscCheck(n <= MOST_ARRAYS, comm, PETSC_ERR_ARG_OUTOFRANGE, "%d arrays, at most %d", n, MOST_ARRAYS);
  PetscCall(PetscNew(&f));
  f->comm = comm;
  f->n    = n;
  PetscCall(PetscStrallocpy(path, &f->path));
  f->bad.path = f->path;
  PetscCallMPI(MPI_Comm_rank(comm, &f->me));
  for (int i = 0; i < n; i++) {
    PetscCall(PetscStrallocpy(name[i], &f->names[i]));
    f->array[i] = (Array){.name = f->names[i], .file = H5I_INVALID_HID, .id = H5I_INVALID_HID};
  }
  if (!f->me) PetscCall(Try(f));
  PetscCall(ScoriaForeignAgree(f));
  for (int i = 0; i < n; i++) PetscCall(OpenArray(f->path, &f->array[i], &f->sources, &f->bad));
  PetscCall(ScoriaForeignAgree(f));
  PetscCall(Identify(f));
  PetscCall(ScoriaForeignAgree(f));
  *file = f;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaForeignClose(ScoriaForeign *file)
{
  ScoriaForeign f = *file;

  PetscFunctionBeginUser;
  if (!f) PetscFunctionReturn(0);
  close_arrays(f);
  PetscCall(SourcesDestroy(&f->sources));
  for (int i = 0; i < f->n; i++) PetscCall(PetscFree(f->names[i]));
  PetscCall(PetscFree(f->path));
  PetscCall(PetscFree(*file));
  PetscFunctionReturn(0);
}

const char *foreign_source(ScoriaForeign file)
{
  return file->source;
}

int64_t foreign_modified(ScoriaForeign file)
{
  return file->modified;
}

const ScoriaForeignAxis *foreign_axes(ScoriaForeign file, int i)
{
  return file->array[i].axis;
}

const char *foreign_packing(ScoriaForeign file, int i)
{
  return file->array[i].packing.text;
}

const char *foreign_unit(ScoriaForeign file, int i)
{
  return file->array[i].packing.unit;
}

const char *foreign_unit_from(ScoriaForeign file, int i)
{
  return file->array[i].packing.named ? "array name" : "attribute units";
}

bool foreign_single(ScoriaForeign file, int i)
{
  return file->array[i].single;
}

bool foreign_plain(ScoriaForeign file, int i)
{
  return file->array[i].plain;
}

void foreign_shape(ScoriaForeign file, int i, int *rank, int64_t dims[SCORIA_FOREIGN_RANK])
{
  *rank = file->array[i].rank;
  memcpy(dims, file->array[i].dims, sizeof file->array[i].dims);
}

PetscErrorCode ScoriaForeignRead(ScoriaForeign file, int i, const int64_t start[], const int64_t count[], double data[])
{
  PetscFunctionBeginUser;
  PetscCall(ReadBlock(&file->array[i], start, count, H5T_NATIVE_DOUBLE, data, &file->bad));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaForeignReadPlain(ScoriaForeign file, int i, const int64_t start[], const int64_t count[],
                                      float data[])
{
  PetscFunctionBeginUser;
  PetscCheck(file->array[i].plain, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "%s is not plain", file->array[i].name);
  PetscCall(ReadBlock(&file->array[i], start, count, H5T_NATIVE_FLOAT, data, &file->bad));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaForeignAgree(ScoriaForeign file)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaAgree(file->comm, file->bad.code, file->bad.line));
  PetscFunctionReturn(0);
}
