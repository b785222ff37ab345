/* Life of a dataset: made by rank 0 and opened by all, verified by reading everything back, published; or opened for
 * reading, which rank 0 examines first so that no rank enters a collective call on a file that cannot be used. */
#include "private.h"
#include "scoria/phases.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One call transfers at most this much of one field per rank: MPI counts are ints, and Open MPI's collective writes
 * are known to go wrong from 1 GiB per rank on. */
#define SLAB_BYTES (128LL << 20)

static PetscErrorCode DatasetNew(MPI_Comm comm, const char *path, ScoriaDataset *out)
{
  ScoriaDataset ds;
  int rank;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&ds));
  *out = ds;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  /* A split, not a duplicate: a Cartesian topology must not reach MPI-IO. */
  PetscCallMPI(MPI_Comm_split(comm, 0, rank, &ds->comm));
  PetscCallMPI(MPI_Comm_rank(ds->comm, &ds->rank));
  PetscCallMPI(MPI_Comm_size(ds->comm, &ds->size));
  ds->file = ds->row_space = ds->transfer = H5I_INVALID_HID;
  PetscCall(PetscStrncpy(ds->path, path, sizeof ds->path));
  PetscCall(PartName(path, sizeof ds->part, ds->part));
  ds->open_path = ds->path;
  ds->code      = SCORIA_EXIT_INPUT;
  PetscFunctionReturn(0);
}

/* Columns and file; `bad` is told of a file that cannot be closed.  Where it was written, ranks do not wait for one
 * another for ever. */
static PetscErrorCode CloseFile(ScoriaDataset ds, ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  PetscCall(DatasetCloseColumns(ds));
  if (ds->file < 0) PetscFunctionReturn(0);
  if (ds->writing) PetscCall(StuckBegin(ds->part, "closed", SCORIA_STUCK_BYTES, ds->rank));
  if (H5Fclose(ds->file) < 0) trouble_hdf5(bad, SCORIA_EXIT_IO, "cannot be closed");
  ds->file = H5I_INVALID_HID;
  if (ds->writing) PetscCall(StuckEnd());
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetClose(ScoriaDataset *out)
{
  ScoriaDataset ds    = *out;
  ScoriaTrouble quiet = {.path = ""};

  PetscFunctionBeginUser;
  if (!ds) PetscFunctionReturn(0);
  const PetscErrorCode settled = ScoriaDatasetSettle(ds);
  /* A file that cannot be written stays open: closing it writes again, and ranks that fail apart in there wait for each
   * other.  What the disk holds of it is what counts. */
  if (!ds->writing || ScoriaFailureCode() != SCORIA_EXIT_IO) PetscCall(CloseFile(ds, &quiet));
  PetscCall(PetscFree(ds->unmarked_done));
  PetscCall(PetscFree(ds->x));
  PetscCall(PetscFree(ds->deck));
  PetscCall(PetscFree(ds->slab));
  PetscCall(PetscFree(ds->sum));
  PetscCall(PetscFree(ds->stored));
  PetscCallMPI(MPI_Comm_free(&ds->comm));
  PetscCall(PetscFree(ds));
  *out = NULL;
  PetscCall(settled);
  PetscFunctionReturn(0);
}

/* Closes what failed to open, and hands the failure on. */
static PetscErrorCode CloseFailed(PetscErrorCode failed, ScoriaDataset *ds)
{
  PetscFunctionBeginUser;
  if (failed) {
    PetscCall(ScoriaDatasetClose(ds));
    PetscCall(failed);
  }
  PetscFunctionReturn(0);
}

/* Whether this rank may open the file at all: told before the collective open, which does not come back where one rank
 * fails in it alone. */
static void try_open(const char *path, bool writing, ScoriaExit code, ScoriaTrouble *bad)
{
  const int fd = writing ? open(path, O_RDWR | O_CLOEXEC) : open(path, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    trouble_note(bad, code, "cannot be opened by all ranks: %s", strerror(errno));
  else
    close(fd);
}

/* All ranks open a file that rank 0 found good. */
static PetscErrorCode OpenTogether(ScoriaDataset ds, unsigned mode, ScoriaExit code)
{
  ScoriaTrouble bad = {.path = ds->open_path};
  hid_t access;

  PetscFunctionBeginUser;
  size_t row = 1;
  for (int f = 0; f < ds->spec.nfields; f++) row = PetscMax(row, field_row_size(&ds->spec, f));
  ds->slab_rows = PetscMax(SLAB_BYTES / (int64_t)row, 1);
  PetscCall(FileAccess(ds->comm, &access));
  try_open(ds->open_path, mode == H5F_ACC_RDWR, code, &bad);
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscCall(StuckBegin(ds->open_path, "opened", SCORIA_STUCK_BYTES, ds->rank));
  ds->file = H5Fopen(ds->open_path, mode, access);
  PetscCall(StuckEnd());
  if (ds->file < 0) trouble_hdf5(&bad, code, "cannot be opened by all ranks");
  H5Pclose(access);
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscCall(DatasetOpenColumns(ds, &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- writing ---- */

/* Laid out under another name, so that a part file has all its objects, whenever it was that its run was killed. */
static PetscErrorCode LayOut(ScoriaDataset ds, const double x[], const ScoriaProvenance *from, ScoriaTrouble *bad)
{
  char fresh[PETSC_MAX_PATH_LEN + 8];

  PetscFunctionBeginUser;
  snprintf(fresh, sizeof fresh, "%s.new", ds->path);
  PetscCall(FileStripe(fresh));
  PetscCall(FileStart(ds->extends ? ds->part : ds->path, fresh, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  PetscCall(DatasetLayOut(fresh, &ds->spec, x, from, bad));
  PetscCall(DatasetCheckLayOut(fresh, bad));
  PetscCall(FilePublish(fresh, ds->part, bad));
  if (bad->code != SCORIA_EXIT_OK) unlink(fresh); /* nothing is in it yet */
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateFile(ScoriaDataset ds, const double x[], const ScoriaProvenance *from)
{
  ScoriaTrouble bad = {.path = ds->path};

  PetscFunctionBeginUser;
  PetscCall(ReadingForget(ds)); /* of another file of that name */
  if (!ds->rank) PetscCall(LayOut(ds, x, from, &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscCall(OpenTogether(ds, H5F_ACC_RDWR, SCORIA_EXIT_IO));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(MPI_Comm comm, const char *path, bool extends, const ScoriaDatasetSpec *spec,
                             const double x[], const ScoriaProvenance *from, ScoriaDataset *out)
{
  ScoriaDataset ds;

  PetscFunctionBeginUser;
  *out = NULL;
  PetscCheck(spec->rows >= 0 && spec->cells > 0 && spec->nfields >= 0 && spec->nfields <= SCORIA_MAX_FIELDS &&
                 spec->space.n >= 0 && spec->space.n <= SCORIA_MAX_CONDITIONS,
             comm, PETSC_ERR_ARG_OUTOFRANGE, "%lld rows, %d cells, %d fields, %d conditions", (long long)spec->rows,
             spec->cells, spec->nfields, spec->space.n);
  PetscCheck((int64_t)spec->shape[0] * spec->shape[1] * spec->shape[2] == spec->cells, comm, PETSC_ERR_ARG_SIZ,
             "a shape of %d x %d x %d for %d cells", spec->shape[0], spec->shape[1], spec->shape[2], spec->cells);
  PetscCall(DatasetNew(comm, path, &ds));
  ds->writing   = true;
  ds->extends   = extends;
  ds->open_path = ds->part;
  ds->spec      = *spec;
  ds->made      = from->made;
  PetscCall(PetscMalloc1(spec_centres(spec), &ds->x));
  PetscCall(PetscArraycpy(ds->x, x, spec_centres(spec)));
  PetscCall(PetscStrallocpy(from->deck ? from->deck : "", &ds->deck));
  phase_begin(SCORIA_PHASE_WRITE);
  const PetscErrorCode failed = CreateFile(ds, x, from);
  phase_end(SCORIA_PHASE_WRITE, 0);
  PetscCall(CloseFailed(failed, &ds));
  *out = ds;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetCreate(MPI_Comm comm, const char *path, const ScoriaDatasetSpec *spec, const double x[],
                                   const ScoriaProvenance *from, ScoriaDataset *out)
{
  PetscFunctionBeginUser;
  PetscCall(Create(comm, path, false, spec, x, from, out));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetExtend(MPI_Comm comm, const char *path, const ScoriaDatasetSpec *spec, const double x[],
                                   const ScoriaProvenance *from, ScoriaDataset *out)
{
  PetscFunctionBeginUser;
  PetscCall(Create(comm, path, true, spec, x, from, out));
  PetscFunctionReturn(0);
}

/* Closes the file as a writer, so that what the readers see has left HDF5's and MPI's hands. */
static PetscErrorCode FlushAndClose(ScoriaDataset ds)
{
  ScoriaTrouble bad = {.path = ds->part};

  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetSettle(ds));
  PetscCall(DatasetFlush(ds, &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line)); /* closed after that, it would be written again by some */
  PetscCall(CloseFile(ds, &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

static PetscErrorCode FinishFile(ScoriaDataset ds)
{
  ScoriaTrouble bad = {.path = ds->path};
  ScoriaFileSum sum;
  ScoriaDataset again;

  PetscFunctionBeginUser;
  PetscCall(DatasetDescribeGrid(ds));
  PetscCall(FlushAndClose(ds));
  PetscCall(DatasetOpenFile(ds->comm, ds->path, ds->part, SCORIA_EXIT_IO, &again));
  const PetscErrorCode failed = DatasetVerify(ds, again, &sum);
  PetscCall(ScoriaDatasetClose(&again));
  PetscCall(failed);
  if (!ds->rank) {
    PetscCall(FilePublish(ds->part, ds->path, &bad));
    files_published_sum(ds->path, &sum);
  }
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetFinish(ScoriaDataset *ds)
{
  PetscFunctionBeginUser;
  PetscCheck((*ds)->writing, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONGSTATE, "%s was opened for reading", (*ds)->path);
  phase_begin(SCORIA_PHASE_WRITE);
  const PetscErrorCode failed = FinishFile(*ds);
  phase_end(SCORIA_PHASE_WRITE, 0);
  PetscCall(CloseFailed(failed, ds));
  PetscCall(ScoriaDatasetClose(ds));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- reading ---- */

/* Rank 0's verdict on a file, with all that is not a row. */
static PetscErrorCode Examine(ScoriaDataset ds, ScoriaTrouble *bad)
{
  static const char expected[] = "a scoria dataset";
  char format[SCORIA_NAME_SIZE], kind[SCORIA_NAME_SIZE];
  int64_t size;
  hid_t file;

  PetscFunctionBeginUser;
  PetscCall(OpenOurs(ds->open_path, expected, &size, &file, format, kind, bad));
  if (bad->code == SCORIA_EXIT_OK && strcmp(format, SCORIA_DATASET_FORMAT))
    trouble_note(bad, SCORIA_EXIT_INPUT, "a scoria file of kind '%s', expected %s", kind, expected);
  if (bad->code == SCORIA_EXIT_OK) PetscCall(DatasetExamine(file, size, &ds->spec, &ds->x, &ds->deck, bad));
  if (bad->code == SCORIA_EXIT_OK) PetscCall(GetMadeFrom(file, &ds->made, bad));
  if (file >= 0) H5Fclose(file);
  PetscFunctionReturn(0);
}

/* Hands rank 0's findings to all. */
static PetscErrorCode Share(ScoriaDataset ds)
{
  int length;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(&ds->spec, (int)sizeof ds->spec, MPI_BYTE, 0, ds->comm));
  PetscCallMPI(MPI_Bcast(&ds->made, (int)sizeof ds->made, MPI_BYTE, 0, ds->comm));
  length = ds->rank ? 0 : (int)strlen(ds->deck) + 1;
  PetscCallMPI(MPI_Bcast(&length, 1, MPI_INT, 0, ds->comm));
  if (ds->rank) {
    PetscCall(PetscMalloc1(spec_centres(&ds->spec), &ds->x));
    PetscCall(PetscMalloc1(length, &ds->deck));
  }
  PetscCallMPI(MPI_Bcast(ds->x, spec_centres(&ds->spec), MPI_DOUBLE, 0, ds->comm));
  PetscCallMPI(MPI_Bcast(ds->deck, length, MPI_CHAR, 0, ds->comm));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenFile(ScoriaDataset ds)
{
  ScoriaTrouble bad = {.path = ds->open_path};

  PetscFunctionBeginUser;
  if (!ds->rank) PetscCall(Examine(ds, &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code ? ds->code : SCORIA_EXIT_OK, bad.line));
  PetscCall(Share(ds));
  PetscCall(OpenTogether(ds, H5F_ACC_RDONLY, ds->code));
  PetscFunctionReturn(0);
}

PetscErrorCode DatasetOpenFile(MPI_Comm comm, const char *path, const char *which, ScoriaExit code, ScoriaDataset *out)
{
  ScoriaDataset ds;

  PetscFunctionBeginUser;
  *out = NULL;
  PetscCall(DatasetNew(comm, path, &ds));
  ds->code = code;
  if (strcmp(which, path)) ds->open_path = ds->part;
  PetscCall(CloseFailed(OpenFile(ds), &ds));
  *out = ds;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ resuming ---- */

static PetscErrorCode LookForPart(ScoriaDataset ds, bool *found)
{
  ScoriaTrouble bad = {.path = ds->path};
  int there         = 0;

  PetscFunctionBeginUser;
  if (!ds->rank) {
    if (!ds->extends) PetscCall(FileRefuse(ds->path, &bad));
    there = access(ds->part, F_OK) == 0;
  }
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscCallMPI(MPI_Bcast(&there, 1, MPI_INT, 0, ds->comm));
  *found = there;
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenPart(ScoriaDataset ds)
{
  ScoriaTrouble bad = {.path = ds->open_path};

  PetscFunctionBeginUser;
  if (!ds->rank) PetscCall(Examine(ds, &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscCall(Share(ds));
  PetscCall(OpenTogether(ds, H5F_ACC_RDWR, SCORIA_EXIT_IO));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetResume(MPI_Comm comm, const char *path, bool extends, ScoriaDataset *out)
{
  ScoriaDataset ds;
  bool found = false;

  PetscFunctionBeginUser;
  *out = NULL;
  PetscCall(DatasetNew(comm, path, &ds));
  ds->writing   = true;
  ds->tolerant  = true;
  ds->extends   = extends;
  ds->open_path = ds->part;
  PetscCall(CloseFailed(LookForPart(ds, &found), &ds));
  if (!found) {
    PetscCall(ScoriaDatasetClose(&ds));
    PetscFunctionReturn(0);
  }
  PetscCall(CloseFailed(OpenPart(ds), &ds));
  *out = ds;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetOpen(MPI_Comm comm, const char *path, ScoriaDataset *ds)
{
  PetscFunctionBeginUser;
  PetscCall(DatasetOpenFile(comm, path, path, SCORIA_EXIT_INPUT, ds));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDatasetOpenProfiles(MPI_Comm comm, const char *path, ScoriaDataset *ds)
{
  char cells[64];

  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetOpen(comm, path, ds));
  if (!spec_is_whole(&(*ds)->spec)) PetscFunctionReturn(0);
  spec_cells_text(&(*ds)->spec, sizeof cells, cells);
  PetscCall(ScoriaDatasetClose(ds));
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found whole fields (%s), expected profiles along x", path, cells);
}

PetscErrorCode ScoriaDatasetWatch(ScoriaDataset ds, ScoriaRun run)
{
  PetscFunctionBeginUser;
  ds->run = run;
  PetscFunctionReturn(0);
}

int64_t dataset_rows(ScoriaDataset ds)
{
  return ds->spec.rows;
}

PetscErrorCode ScoriaDatasetInfo(ScoriaDataset ds, const ScoriaDatasetSpec **spec, const double **x, const char **deck)
{
  PetscFunctionBeginUser;
  if (spec) *spec = &ds->spec;
  if (x) *x = ds->x;
  if (deck) *deck = ds->deck;
  PetscFunctionReturn(0);
}
