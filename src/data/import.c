/* import: rows of a file that no PDE of ours made, as a dataset: train, sample, uq and report continue from there.
 *
 * The file is read in a child process first, and is then read by every rank for itself, as it writes its rows: those
 * behind each other in the dataset that it has been left with when their conditions were sorted. */
#include "import_suspect.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define BATCH_BYTES (32LL << 20) /* of every rank, at a time */

typedef struct {
  int64_t failed, made;
  int64_t not_finite[SCORIA_MAX_FIELDS];                       /* rows with a value of the field that is no number */
  int64_t outside[SCORIA_MAX_FIELDS];                          /* rows with a value outside its bounds, */
  double away[SCORIA_MAX_FIELDS], farthest[SCORIA_MAX_FIELDS]; /* the farthest such value, and how far */
  ImportSuspects suspects;
} Tally;

static void tally_rows(void *ctx, int64_t first, const ScoriaRows *rows)
{
  (void)first;
  Tally *tally = ctx;
  for (int64_t i = 0; i < rows->rows; i++) tally->failed += rows->done[i] == SCORIA_ROW_FAILED;
}

/* Removes what has been written of a dataset that no dataset can be made of. */
static PetscErrorCode Abandon(const Import *im, Partial *out)
{
  char path[PETSC_MAX_PATH_LEN], part[PETSC_MAX_PATH_LEN + 8];
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(im->run, "dataset.h5", sizeof path, path));
  PetscCall(ScoriaDatasetClose(&out->ds));
  PetscCall(ScoriaIntervalsDestroy(&out->there));
  snprintf(part, sizeof part, "%s.part", path);
  PetscCall(ScoriaFileRemove(im->comm, part));
  PetscFunctionReturn(0);
}

static double value_at(const ScoriaDatasetSpec *spec, const void *stored, int64_t k)
{
  return spec->float64 ? ((const double *)stored)[k] : (double)((const float *)stored)[k];
}

/* Counts this batch's rows with values outside a field's bounds, beyond the rounding of single precision, and notes how
 * far these go; outside: whether any rank has found any, now or before. */
static PetscErrorCode CountOutside(const Import *im, const ScoriaRows *rows, Tally *tally, bool *outside)
{
  int64_t any = *outside;
  PetscFunctionBeginUser;
  for (int f = 0; f < im->spec.nfields; f++) {
    const int cells = field_cells(&im->spec.field[f], im->spec.cells);
    const double lo = im->bounds[f][0], hi = im->bounds[f][1], low = isfinite(lo) ? lo - ldexp(fabs(lo), -23) : lo,
                 high = isfinite(hi) ? hi + ldexp(fabs(hi), -23) : hi;
    for (int64_t i = 0; i < rows->rows && im->bounded[f]; i++) {
      bool out = false;
      if (rows->reason[i] == SCORIA_ROW_LACKING) continue;
      for (int64_t k = i * cells; k < (i + 1) * cells; k++) {
        const double v = value_at(&im->spec, rows->stored[f], k), away = v < low ? low - v : v > high ? v - high : 0;
        out = out || away > 0; /* NaN is not counted */
        if (away > tally->away[f]) {
          tally->away[f]     = away;
          tally->farthest[f] = v;
        }
      }
      tally->outside[f] += out;
      any = any || out;
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &any, 1, MPI_INT64_T, MPI_MAX, im->comm));
  *outside = any;
  PetscFunctionReturn(0);
}

/* Where rows lie outside of bounds nothing of the file is kept: of the first such field how many do, and how far. */
static PetscErrorCode RefuseOutside(const Import *im, Tally *tally, Partial *out)
{
  struct {
    double away;
    int rank;
  } most = {0, 0};
  int f  = 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(im->comm, &most.rank));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, tally->outside, im->spec.nfields, MPI_INT64_T, MPI_SUM, im->comm));
  while (!tally->outside[f]) f++;
  most.away = tally->away[f];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE_INT, MPI_MAXLOC, im->comm));
  PetscCallMPI(MPI_Bcast(&tally->farthest[f], 1, MPI_DOUBLE, most.rank, im->comm));
  PetscCall(Abandon(im, out));
  SCORIA_FAIL(SCORIA_EXIT_INPUT,
              "%s: %s: found %lld of %lld rows with values outside its bounds [%g, %g], as far as %.7g; expected none: "
              "take these rows out, or give other bounds",
              im->path, im->spec.field[f].name, (long long)tally->outside[f], (long long)im->found, im->bounds[f][0],
              im->bounds[f][1], tally->farthest[f]);
}

/* Every rank reads and writes its rows of the dataset, a batch at a time, until no rank has any that are not there.
 * From the first row outside of bounds on they are counted alone. */
static PetscErrorCode CopyRows(ScoriaRun run, const Import *im, Partial *out, Tally *tally)
{
  const ScoriaDatasetSpec *spec = &im->spec;
  const int64_t width           = 8LL * spec->cells * (spec->nfields + 1);
  const int64_t most            = PetscMax(1, PetscMin(BATCH_BYTES / width, im->end - im->begin));
  int64_t first                 = im->begin, number, batch;
  ScoriaRows rows;
  ImportRoom room;
  ScoriaProgress bar;
  bool stop = false, outside = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRowsCreateStored(spec, most, &rows));
  PetscCall(ImportRoomCreate(spec, most, &room));
  PetscCall(ScoriaProgressCreate(run, "import", "rows", (double)spec->rows, &bar));
  PetscCall(ImportSuspectsCreate(im->end - im->begin, &tally->suspects));
  tally->made = partial_has(out, 0, spec->rows);
  PetscCall(ScoriaProgressFrom(bar, (double)tally->made));
  while (tally->made < spec->rows && !stop) {
    partial_next(out, im->end, most, &first, &number);
    PetscCall(ImportRead(im, first, number, &room, &rows, tally->not_finite));
    PetscCall(ScoriaForeignAgree(im->file));
    PetscCall(CountOutside(im, &rows, tally, &outside));
    if (!outside) PetscCall(ScoriaDatasetWrite(out->ds, first, &rows));
    if (!outside) import_suspect_rows(spec, first, &rows, &tally->suspects);
    for (int64_t i = 0; i < number; i++) tally->failed += rows.done[i] == SCORIA_ROW_FAILED;
    first += number;
    batch = number;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &batch, 1, MPI_INT64_T, MPI_SUM, im->comm));
    tally->made += batch;
    PetscCall(ScoriaProgressUpdate(bar, (double)tally->made, NULL));
    PetscCall(ScoriaStopAsked(run, &stop));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscCall(ImportRoomDestroy(&room));
  if (outside) PetscCall(RefuseOutside(im, tally, out));
  if (tally->made < spec->rows) PetscCall(PartialStop(run, out, tally->made));
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

/* The file as it is now, read through where its date is another. */
static PetscErrorCode Identify(ScoriaRun run, ScoriaDeck deck, const char *file, const ScoriaDatasetSpec *spec,
                               char now[SCORIA_SOURCE_SIZE])
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceNow(ScoriaRunComm(run), file, spec->source, spec->source_modified, now));
  if (*now && source_has_others(spec->source)) PetscCall(IdentifyWhole(run, deck, now));
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
  PetscCall(ScoriaStopAtOnce(run, "dataset.h5 is complete"));
  const PetscErrorCode failed = Identify(run, deck, file, spec, now);
  stop_in_order();
  PetscCall(failed);
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
static PetscErrorCode CheckUsable(const Import *im, Partial *out, Tally *tally)
{
  char counts[SCORIA_MAX_FIELDS * 100] = "";
  PetscFunctionBeginUser;
  if (tally->failed < im->spec.rows) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, tally->not_finite, im->spec.nfields, MPI_INT64_T, MPI_SUM, im->comm));
  for (int f = 0; f < im->spec.nfields; f++)
    snprintf(counts + strlen(counts), sizeof counts - strlen(counts), "%s%lld in %s", f ? ", " : "",
             (long long)tally->not_finite[f], im->spec.field[f].name);
  PetscCall(Abandon(im, out));
  SCORIA_FAIL(SCORIA_EXIT_INPUT,
              "%s: no usable row: each of its %lld rows holds a value that is not finite (rows by field: %s)", im->path,
              (long long)im->found, counts);
}

/* Rows are of the file that was read through at first: of one that a program has written to meanwhile nothing is kept.
 */
static PetscErrorCode CheckUnchanged(const Import *im, Partial *out)
{
  char now[SCORIA_SOURCE_SIZE];
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceNow(im->comm, im->path, im->spec.source, im->spec.source_modified, now));
  if (!strncmp(im->spec.source, now, strlen(now))) PetscFunctionReturn(0); /* other files may follow; or it is gone */
  PetscCall(Abandon(im, out));
  SCORIA_FAIL(SCORIA_EXIT_INPUT,
              "%s: it has changed while it was read: found %s, then %s; import it when nothing "
              "writes to it",
              im->path, im->spec.source, now);
}

/* The file is read through, by a child process of rank 0, and its rows are sorted. */
static PetscErrorCode Look(ScoriaRun run, ScoriaDeck deck, Import *im)
{
  PetscFunctionBeginUser;
  PetscCall(ImportMap(run, deck, im));
  PetscCall(ImportReadConditions(im));
  PetscCall(ImportGroup(im));
  PetscCall(ImportPrecision(im));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaImport(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made)
{
  Import im;
  ScoriaProvenance from;
  Partial out;
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
  PetscCall(ScoriaStopAtOnce(run, "what is imported already is kept"));
  const PetscErrorCode failed = Look(run, deck, &im);
  stop_in_order();
  PetscCall(failed);
  PetscCall(ScoriaProvenanceOfRun(run, deck, "dataset", 1, &from));
  PetscCall(PartialBegin(run, deck, made->path, false, &im.spec, im.centres, &from, SCORIA_OF_IMPORTED, tally_rows,
                         &tally, &out));
  PetscCall(CopyRows(run, &im, &out, &tally));
  PetscCall(CheckUsable(&im, &out, &tally));
  PetscCall(CheckUnchanged(&im, &out));
  PetscCall(ImportWarn(&im, &tally.suspects));
  PetscCall(ImportSuspectsDestroy(&tally.suspects));
  PetscCall(PartialFinish(&out));
  made->spec    = im.spec;
  made->failed  = tally.failed;
  made->lacking = im.lacking;
  PetscCall(ImportDestroy(&im));
  PetscFunctionReturn(0);
}
