/* Measured structures: arrays of numbers of HDF5, NPY, CSV and TIFF files, read slab by slab by one rank. */
#include "structure.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const StructureFormat *const formats[] = {&structure_tiff, &structure_npy, &structure_array, &structure_csv};

struct ScoriaStructure_ {
  const StructureFormat *format;
  StructureShape shape;
  void *ctx; /* owned */
  char path[PETSC_MAX_PATH_LEN];
};

static PetscErrorCode Fail(const ScoriaTrouble *bad)
{
  return bad->code == SCORIA_EXIT_OK ? 0 : ScoriaFail(bad->code, "%s", bad->line);
}

/* By the first bytes; a directory is a stack of TIFF images. */
static PetscErrorCode FindFormat(const char *path, const StructureFormat **format, ScoriaTrouble *bad)
{
  static const char expected[] = "HDF5, NPY, CSV, TIFF, or a directory of TIFF images";
  unsigned char head[8];
  struct stat st;
  size_t n;
  PetscFunctionBeginUser;
  *format = &structure_tiff;
  if (!stat(path, &st) && S_ISDIR(st.st_mode)) PetscFunctionReturn(0);
  int64_t size;
  PetscCall(FileProbe(path, expected, &size, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  FILE *in = fopen(path, "rb");
  if (!in) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "cannot be read: %s", strerror(errno));
    PetscFunctionReturn(0);
  }
  n = fread(head, 1, sizeof head, in);
  fclose(in);
  for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
    if (formats[f]->is(head, n)) {
      *format = formats[f];
      PetscFunctionReturn(0);
    }
  trouble_note(bad, SCORIA_EXIT_INPUT, "of no known format, expected %s", expected);
  PetscFunctionReturn(0);
}

/* An array of one dimension is one slab. */
static void complete_shape(StructureShape *shape, ScoriaTrouble *bad)
{
  structure_check_lengths(shape, bad);
  if (bad->code != SCORIA_EXIT_OK) return;
  if (shape->rank == 1) {
    shape->dims[1] = shape->dims[0];
    shape->dims[0] = 1;
    shape->rank    = 2;
  }
}

PetscErrorCode ScoriaStructureOpen(const char *path, const char *array, ScoriaStructure *structure)
{
  ScoriaStructure s;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&s));
  PetscCall(PetscStrncpy(s->path, path, sizeof s->path));
  ScoriaTrouble bad = {.path = s->path};
  PetscCall(FindFormat(path, &s->format, &bad));
  if (bad.code == SCORIA_EXIT_OK) PetscCall(s->format->open(path, array, &s->shape, &s->ctx, &bad));
  complete_shape(&s->shape, &bad);
  *structure                  = s;
  const PetscErrorCode failed = Fail(&bad);
  if (failed) PetscCall(ScoriaStructureClose(structure));
  PetscFunctionReturn(failed);
}

PetscErrorCode ScoriaStructureClose(ScoriaStructure *structure)
{
  ScoriaStructure s = *structure;
  PetscFunctionBeginUser;
  if (!s) PetscFunctionReturn(0);
  if (s->ctx) PetscCall(s->format->close(s->ctx));
  PetscCall(PetscFree(*structure));
  PetscFunctionReturn(0);
}

void structure_shape(ScoriaStructure s, int *rank, int64_t dims[SCORIA_STRUCTURE_RANK])
{
  *rank = s->shape.rank;
  memcpy(dims, s->shape.dims, sizeof s->shape.dims);
}

bool structure_images(ScoriaStructure s)
{
  return s->shape.images;
}

PetscErrorCode ScoriaStructureSlab(ScoriaStructure s, int64_t index, double values[])
{
  ScoriaTrouble bad = {.path = s->path};
  PetscFunctionBeginUser;
  PetscCheck(index >= 0 && index < s->shape.dims[0], PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "slab %lld of %lld",
             (long long)index, (long long)s->shape.dims[0]);
  PetscCall(s->format->slab(s->ctx, &s->shape, index, values, &bad));
  PetscFunctionReturn(Fail(&bad));
}

/* ---------------------------------------------------------------------------------------------- identity ---- */

/* Of a stack: the bytes of all its images behind each other; 0 bytes where one cannot be read. */
static PetscErrorCode StackCrc(const char *directory, int64_t *bytes, uint32_t *crc)
{
  char **paths;
  int n;
  bool all = true;
  PetscFunctionBeginUser;
  *bytes = 0;
  *crc   = 0;
  PetscCall(StackList(directory, &n, &paths));
  for (int i = 0; i < n && all; i++) {
    struct stat st;
    uint32_t one = 0;
    all          = !stat(paths[i], &st) && !file_crc(paths[i], st.st_size, 0, st.st_size, &one);
    if (!all) break;
    *crc = crc32c_join(*crc, one, st.st_size);
    *bytes += st.st_size;
  }
  if (!all) *bytes = 0;
  PetscCall(StackFree(n, &paths));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaStructureNow(MPI_Comm comm, const char *path, char now[SCORIA_SOURCE_SIZE])
{
  struct stat st;
  int rank, directory = 0;
  PetscFunctionBeginUser;
  *now = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) directory = !stat(path, &st) && S_ISDIR(st.st_mode);
  PetscCallMPI(MPI_Bcast(&directory, 1, MPI_INT, 0, comm));
  if (!directory) PetscFunctionReturn(ScoriaSourceNow(comm, path, NULL, 0, now));
  if (!rank) {
    int64_t bytes;
    uint32_t crc;
    PetscCall(StackCrc(path, &bytes, &crc));
    if (bytes) source_text(path, bytes, crc, SCORIA_SOURCE_SIZE, now);
  }
  PetscCallMPI(MPI_Bcast(now, SCORIA_SOURCE_SIZE, MPI_CHAR, 0, comm));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- HDF5 ---- */

static bool is_hdf5(const unsigned char head[], size_t n)
{
  return n >= 4 && !memcmp(head, "\x89HDF", 4);
}

static PetscErrorCode OpenArray(const char *path, const char *array, StructureShape *shape, void **ctx,
                                ScoriaTrouble *bad)
{
  int64_t dims[SCORIA_FOREIGN_RANK];
  ScoriaForeign file;
  PetscFunctionBeginUser;
  PetscCall(ScoriaForeignOpen(PETSC_COMM_SELF, path, 1, &array, &file)); /* which says what is wrong */
  foreign_shape(file, 0, &shape->rank, dims);
  if (shape->rank < 1 || shape->rank > SCORIA_STRUCTURE_RANK)
    trouble_note(bad, SCORIA_EXIT_INPUT, "%s has %d dimensions, expected 1 to %d", array, shape->rank,
                 SCORIA_STRUCTURE_RANK);
  else
    for (int a = 0; a < shape->rank; a++) shape->dims[a] = dims[a];
  *ctx = file;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadArray(void *ctx, const StructureShape *shape, int64_t index, double values[],
                                ScoriaTrouble *bad)
{
  int64_t start[SCORIA_FOREIGN_RANK] = {index}, count[SCORIA_FOREIGN_RANK] = {1}, dims[SCORIA_FOREIGN_RANK];
  int rank;
  PetscFunctionBeginUser;
  (void)bad; /* ScoriaForeignAgree says what is wrong */
  foreign_shape(ctx, 0, &rank, dims);
  for (int a = 1; a < rank; a++) count[a] = dims[a];
  if (rank == 1) count[0] = shape->dims[1];
  PetscCall(ScoriaForeignRead(ctx, 0, start, count, values));
  PetscCall(ScoriaForeignAgree(ctx));
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseArray(void *ctx)
{
  ScoriaForeign file = ctx;
  PetscFunctionBeginUser;
  PetscCall(ScoriaForeignClose(&file));
  PetscFunctionReturn(0);
}

const StructureFormat structure_array = {"HDF5", is_hdf5, OpenArray, ReadArray, CloseArray};
