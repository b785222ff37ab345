/* import: rows of a file that no PDE of ours made, as a dataset: train, sample, uq and report continue from there.
 *
 * The file is read in a child process first, and is then read by every rank for itself, as it writes its rows. */
#include "import.h"
#include <stdio.h>
#include <string.h>

#define BATCH_BYTES (32LL << 20) /* of every rank, at a time */

typedef struct {
  int64_t failed, made;
  int64_t not_finite[SCORIA_MAX_FIELDS]; /* rows with a value of the field that is no number */
} Tally;

static void tally_rows(void *ctx, int64_t first, const ScoriaRows *rows)
{
  (void)first;
  Tally *tally = ctx;
  for (int64_t i = 0; i < rows->rows; i++) tally->failed += rows->done[i] == SCORIA_ROW_FAILED;
}

/* Every rank reads and writes a block of every batch. */
static PetscErrorCode CopyRows(ScoriaRun run, const Import *im, ScoriaPartial *out, Tally *tally)
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
  PetscCall(ScoriaProgressFrom(bar, (double)partial_has(out, 0, spec->rows)));
  for (int64_t base = 0; base < spec->rows && !stop; base += most * size) {
    const int64_t batch = PetscMin(most * size, spec->rows - base);
    tally->made         = base + batch;
    if (partial_has(out, base, batch) == batch) continue;
    deal_block(batch, rank, size, &first, &number);
    PetscCall(ImportRead(im, base + first, number, &rows, tally->not_finite));
    PetscCall(ScoriaForeignAgree(im->file));
    PetscCall(ScoriaDatasetWrite(out->ds, base + first, &rows));
    for (int64_t i = 0; i < number; i++)
      tally->failed += !partial_has(out, base + first + i, 1) && rows.done[i] == SCORIA_ROW_FAILED;
    PetscCall(ScoriaProgressUpdate(bar, (double)tally->made, NULL));
    PetscCall(ScoriaStopAsked(run, &stop));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(ScoriaRowsDestroy(&rows));
  if (tally->made < spec->rows) PetscCall(ScoriaPartialStop(run, out, tally->made));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &tally->failed, 1, MPI_INT64_T, MPI_SUM, im->comm));
  PetscFunctionReturn(0);
}

/* A file that refers to others is identified by them too: they are found anew. */
static PetscErrorCode IdentifyWhole(ScoriaRun run, ScoriaDeck deck, char now[SCORIA_SOURCE_SIZE])
{
  Import im;
  PetscFunctionBeginUser;
  PetscCall(ImportMap(run, deck, &im));
  PetscCall(PetscStrncpy(now, im.spec.source, SCORIA_SOURCE_SIZE));
  PetscCall(ImportDestroy(&im));
  PetscFunctionReturn(0);
}

/* A finished import is that of the file as it is now; one that is gone cannot be asked. */
static PetscErrorCode CheckSource(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN], now[SCORIA_SOURCE_SIZE], difference[512];
  const ScoriaDatasetSpec *spec;
  const char *stored, *file = NULL;
  ScoriaDataset ds;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof path, path));
  PetscCall(ScoriaDeckString(deck, "import_file", &file));
  PetscCall(ScoriaDatasetOpen(ScoriaRunComm(run), path, &ds));
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, SCORIA_OF_IMPORTED, sizeof difference, difference));
  if (*difference) { /* which the check of the deck will tell */
    PetscCall(ScoriaDatasetClose(&ds));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaSourceNow(ScoriaRunComm(run), file, spec->source, spec->source_modified, now));
  if (*now && source_has_others(spec->source)) PetscCall(IdentifyWhole(run, deck, now));
  if (!*now)
    PetscCall(ScoriaSay(run, "  %s cannot be read now: whether it has changed is not known", file));
  else if (strcmp(now, spec->source))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: imported from %s; the file is %s now; nothing is overwritten: move dataset.h5 (and what was made "
                "from it) away, or choose another -run_dir",
                path, spec->source, now);
  PetscCall(ScoriaDatasetClose(&ds));
  PetscFunctionReturn(0);
}

/* Nothing can be learned from a file without a usable row: what has been written of it is removed. */
static PetscErrorCode CheckUsable(const Import *im, ScoriaPartial *out, const char *path, Tally *tally)
{
  char part[PETSC_MAX_PATH_LEN + 8], counts[SCORIA_MAX_FIELDS * 100] = "";
  PetscFunctionBeginUser;
  if (tally->failed < im->spec.rows) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, tally->not_finite, im->spec.nfields, MPI_INT64_T, MPI_SUM, im->comm));
  for (int f = 0; f < im->spec.nfields; f++)
    snprintf(counts + strlen(counts), sizeof counts - strlen(counts), "%s%lld in %s", f ? ", " : "",
             (long long)tally->not_finite[f], im->spec.field[f].name);
  PetscCall(ScoriaDatasetClose(&out->ds));
  PetscCall(ScoriaIntervalsDestroy(&out->there));
  snprintf(part, sizeof part, "%s.part", path);
  PetscCall(ScoriaFileRemove(im->comm, part));
  SCORIA_FAIL(SCORIA_EXIT_INPUT,
              "%s: no usable row: each of its %lld rows holds a value that is not finite (rows by field: %s)", im->path,
              (long long)im->found, counts);
}

PetscErrorCode ScoriaImport(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made)
{
  Import im;
  ScoriaProvenance from;
  ScoriaPartial out;
  Tally tally = {0};
  bool file, mapped, there;
  PetscFunctionBeginUser;
  *made = (ScoriaMade){.complete = false};
  PetscCall(ScoriaImported(deck, &file));
  PetscCall(ImportHasMapping(deck, &mapped));
  if (file && !mapped) {
    made->listed = true;
    PetscCall(ImportList(run, deck));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof made->path, made->path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), made->path, &there));
  if (there) PetscCall(CheckSource(run, deck)); /* before it is said to be complete */
  PetscCall(ScoriaCompleteDataset(run, deck, "dataset.h5", SCORIA_OF_IMPORTED, NULL, &made->complete));
  if (made->complete) PetscFunctionReturn(0);
  PetscCall(ImportMap(run, deck, &im));
  PetscCall(ImportGroup(&im));
  PetscCall(ImportPrecision(&im));
  PetscCall(ScoriaProvenanceOfRun(run, deck, "dataset", 1, &from));
  PetscCall(ScoriaPartialBegin(run, deck, made->path, false, &im.spec, im.centres, &from, SCORIA_OF_IMPORTED,
                               tally_rows, &tally, &out));
  PetscCall(CopyRows(run, &im, &out, &tally));
  PetscCall(CheckUsable(&im, &out, made->path, &tally));
  PetscCall(ScoriaPartialFinish(&out));
  made->spec    = im.spec;
  made->failed  = tally.failed;
  made->lacking = im.lacking;
  PetscCall(ImportDestroy(&im));
  PetscFunctionReturn(0);
}
