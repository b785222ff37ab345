/* import: rows of a file that no PDE of ours made, as a dataset: train, sample, uq and report go on from there.
 *
 * The file is read in a child process first, and is then read by every rank for itself, as it writes its rows. */
#include "import.h"

static const char *const sections[] = {"import", "ensemble_float64", NULL};

#define BATCH_BYTES (32LL << 20) /* of every rank, at a time */

typedef struct {
  int64_t failed, made;
} Tally;

static void tally_rows(void *ctx, int64_t first, const ScoriaRows *rows)
{
  (void)first;
  Tally *tally = ctx;
  for (int64_t i = 0; i < rows->rows; i++) tally->failed += rows->done[i] == SCORIA_ROW_FAILED;
}

/* Every rank reads and writes a block of every batch. */
static PetscErrorCode CopyRows(ScoriaRun run, const Import *im, CmdDataset *out, Tally *tally)
{
  const ScoriaDatasetSpec *spec = &im->spec;
  const int64_t width           = 8LL * spec->cells * (spec->nfields + 1);
  const int64_t most            = PetscMax(1, PetscMin(BATCH_BYTES / width, spec->rows));
  int64_t first, number;
  int rank, size;
  ScoriaRows rows;
  ScoriaProgress bar;
  bool stop = false;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(im->comm, &rank));
  PetscCallMPI(MPI_Comm_size(im->comm, &size));
  PetscCall(ScoriaRowsCreate(spec, most, &rows));
  PetscCall(ScoriaProgressCreate(run, "import", "rows", (double)spec->rows, &bar));
  PetscCall(ScoriaProgressFrom(bar, (double)out->there));
  for (int64_t base = 0; base < spec->rows && !stop; base += most * size) {
    const int64_t batch = PetscMin(most * size, spec->rows - base);
    tally->made         = base + batch;
    if (cmd_dataset_has(out, base, batch)) continue;
    deal_block(batch, rank, size, &first, &number);
    PetscCall(ImportRead(im, base + first, number, &rows));
    PetscCall(ScoriaForeignAgree(im->file));
    PetscCall(ScoriaDatasetWrite(out->ds, base + first, &rows));
    for (int64_t i = 0; i < number; i++)
      tally->failed += !out->done[base + first + i] && rows.done[i] == SCORIA_ROW_FAILED;
    PetscCall(ScoriaProgressUpdate(bar, (double)tally->made, NULL));
    PetscCall(ScoriaStopAsked(run, &stop));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(ScoriaRowsDestroy(&rows));
  if (tally->made < spec->rows) PetscCall(CmdDatasetStop(run, out, tally->made));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &tally->failed, 1, MPI_INT64_T, MPI_SUM, im->comm));
  PetscFunctionReturn(0);
}

static PetscErrorCode Report(ScoriaRun run, const Import *im, const Tally *tally, const char *path)
{
  const ScoriaDatasetSpec *spec = &im->spec;
  const long long conditions = spec->rows / spec->realisations, unusable = tally->failed - im->lacking;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "  %s", spec->source));
  PetscCall(ScoriaSay(run,
                      "  %lld conditions x %lld rows of %d cells; %lld marked as failed: %lld not finite, %lld "
                      "not in the file, where a condition has fewer rows than another",
                      conditions, (long long)spec->realisations, spec->cells, (long long)tally->failed, unusable,
                      (long long)im->lacking));
  if (spec->realisations < 2)
    PetscCall(ScoriaSay(run, "  WARNING: every condition has one row: train needs two, to see a spread"));
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  PetscCall(ScoriaLog(run, "import", "\"rows\":%lld,\"conditions\":%lld,\"not_finite\":%lld,\"lacking\":%lld",
                      (long long)spec->rows, conditions, unusable, (long long)im->lacking));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandImport(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN];
  Import im;
  ScoriaProvenance from;
  CmdDataset out;
  Tally tally = {0};
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "import"));
  PetscCall(CmdDatasetComplete(run, deck, "dataset.h5", sections, &complete));
  if (complete) PetscFunctionReturn(0);
  PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof path, path));
  PetscCall(ImportMap(run, deck, &im));
  PetscCall(ImportGroup(&im));
  PetscCall(CmdProvenance(run, deck, "dataset", 1, &from));
  PetscCall(CmdDatasetBegin(run, deck, path, false, &im.spec, im.centres, &from, sections, tally_rows, &tally, &out));
  PetscCall(CopyRows(run, &im, &out, &tally));
  PetscCall(CmdDatasetFinish(&out));
  PetscCall(Report(run, &im, &tally, path));
  PetscCall(ImportDestroy(&im));
  PetscFunctionReturn(0);
}
