/* generate: the PDE ensemble, realisations dealt to rank groups in batches, rows written collectively. */
#include "cmd.h"
#include <math.h>
#include <string.h>

/* Rows that a group computes between two collective writes: long enough to hide the write, short enough for progress.
 */
#define BATCH_ROWS 512

typedef struct {
  int64_t failed, newton, retried;
} Tally;

/* Counts rows that are done; those in `before` (NULL: none) were counted when they were found in the file. */
static void tally_rows(const ScoriaRows *rows, const uint8_t before[], Tally *tally)
{
  for (int64_t i = 0; i < rows->rows; i++) {
    if (!rows->done[i] || (before && before[i])) continue;
    tally->failed += rows->done[i] == SCORIA_ROW_FAILED;
    tally->retried += rows->done[i] == SCORIA_ROW_DONE && rows->attempts[i] > 1;
    tally->newton += rows->newton[i];
  }
}

static void tally_found(void *tally, const ScoriaRows *rows)
{
  tally_rows(rows, NULL, tally);
}

/* theta (conditions, space->n) of the whole design. */
static PetscErrorCode DesignAll(ScoriaDeck deck, const ScoriaSpace *space, int64_t conditions, double **theta)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)conditions * (size_t)space->n, theta));
  for (int64_t k = 0; k < conditions; k++)
    PetscCall(ScoriaDesignTheta(deck, space, false, k, conditions, *theta + k * space->n));
  PetscFunctionReturn(0);
}

/* Computes this group's share of the batch of rows [base, base + number). */
static PetscErrorCode ComputeShare(ScoriaEnsemble ens, const ScoriaDatasetSpec *spec, const double design[],
                                   int64_t base, int64_t number, int64_t *first, ScoriaRows *rows)
{
  const int width = spec->space.n;
  double theta[BATCH_ROWS * SCORIA_MAX_CONDITIONS];
  uint64_t id[BATCH_ROWS];
  const ScoriaGroups *groups = ScoriaEnsembleGroups(ens);
  int64_t share;
  PetscFunctionBeginUser;
  deal_block(number, groups->index, groups->count, first, &share);
  *first += base;
  for (int64_t i = 0; i < share; i++) {
    const int64_t row = *first + i;
    id[i]             = (uint64_t)row;
    memcpy(theta + i * width, design + row / spec->realisations * width, sizeof(double) * (size_t)width);
  }
  PetscCall(ScoriaEnsembleCompute(ens, share, theta, id, NULL, rows));
  PetscFunctionReturn(0);
}

/* Batch by batch, without those that an earlier start has done; a batch that is there in part is computed again. */
static PetscErrorCode GenerateRows(ScoriaRun run, ScoriaEnsemble ens, const ScoriaDatasetSpec *spec,
                                   const double design[], CmdDataset *out, Tally *tally)
{
  const int64_t batch = (int64_t)BATCH_ROWS * ScoriaEnsembleGroups(ens)->count;
  ScoriaProgress bar;
  ScoriaRows rows;
  bool stop    = false;
  int64_t made = out->there, base;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRowsCreate(spec, BATCH_ROWS, &rows));
  PetscCall(ScoriaProgressCreate(run, "generate", "solves", (double)spec->rows, &bar));
  PetscCall(ScoriaProgressFrom(bar, (double)made));
  for (base = 0; base < spec->rows && !stop; base += batch) {
    const int64_t number = PetscMin(batch, spec->rows - base);
    int64_t first;
    if (cmd_dataset_has(out, base, number)) continue;
    PetscCall(ComputeShare(ens, spec, design, base, number, &first, &rows));
    if (ScoriaEnsembleGroups(ens)->group_rank) rows.rows = 0; /* the leader writes for its group */
    tally_rows(&rows, out->done + first, tally);
    PetscCall(ScoriaDatasetWrite(out->ds, first, &rows));
    for (int64_t i = base; i < base + number; i++) made += !out->done[i];
    PetscCall(ScoriaProgressUpdate(bar, (double)made, NULL));
    PetscCall(ScoriaStopAsked(run, &stop));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(ScoriaRowsDestroy(&rows));
  if (stop && made < spec->rows) PetscCall(CmdDatasetStop(run, out, made));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, tally, 3, MPI_INT64_T, MPI_SUM, ScoriaRunComm(run)));
  PetscFunctionReturn(0);
}

/* Too many failed solves fail the command, also when it finds them in a file that is complete: what follows it in a run
 * or a pipeline must not start on them. */
static PetscErrorCode CheckFailed(ScoriaDeck deck, const char *path, int64_t failed, int64_t rows)
{
  double allowed = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(deck, "ensemble_max_failed_fraction", &allowed));
  if ((double)failed > allowed * (double)rows)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES,
                "%s: %lld of %lld solves failed, ensemble: max_failed_fraction allows %g; the rows and their reasons "
                "are in the file",
                path, (long long)failed, (long long)rows, allowed);
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckComplete(ScoriaRun run, ScoriaDeck deck, const char *path)
{
  const ScoriaDatasetSpec *spec;
  ScoriaDataset ds;
  int64_t failed, rows;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetOpen(ScoriaRunComm(run), path, &ds));
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  rows = spec->rows;
  PetscCall(ScoriaDatasetCountFailed(ds, &failed));
  PetscCall(ScoriaDatasetClose(&ds));
  PetscCall(CheckFailed(deck, path, failed, rows));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReportTally(ScoriaRun run, ScoriaDeck deck, const ScoriaDatasetSpec *spec, const char *path,
                                  const Tally *tally)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(
      run, "  %lld conditions x %lld realisations; %.2f Newton iterations a solve; %lld by continuation; %lld failed",
      (long long)(spec->rows / spec->realisations), (long long)spec->realisations,
      (double)tally->newton / (double)spec->rows, (long long)tally->retried, (long long)tally->failed));
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  PetscCall(ScoriaLog(run, "generate", "\"rows\":%lld,\"failed\":%lld,\"retried\":%lld,\"newton\":%lld",
                      (long long)spec->rows, (long long)tally->failed, (long long)tally->retried,
                      (long long)tally->newton));
  PetscCall(CheckFailed(deck, path, tally->failed, spec->rows));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandGenerate(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN];
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  ScoriaProvenance from;
  CmdDataset out;
  const double *x;
  double *design;
  Tally tally = {0};
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "generate"));
  PetscCall(CmdDatasetComplete(run, deck, "dataset.h5", cmd_dataset_sections, &complete));
  PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof path, path));
  if (complete) {
    PetscCall(CheckComplete(run, deck, path));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaEnsembleCreate(ScoriaRunComm(run), deck, &ens));
  PetscCall(ScoriaEnsembleSpec(ens, &spec, &x));
  PetscCall(DesignAll(deck, &spec.space, spec.rows / spec.realisations, &design));
  PetscCall(CmdProvenance(run, deck, "dataset", ScoriaEnsembleGroups(ens)->group_size, &from));
  PetscCall(CmdDatasetBegin(run, deck, path, &spec, x, &from, cmd_dataset_sections, tally_found, &tally, &out));
  PetscCall(GenerateRows(run, ens, &spec, design, &out, &tally));
  PetscCall(CmdDatasetFinish(&out));
  PetscCall(PetscFree(design));
  PetscCall(ScoriaEnsembleDestroy(&ens));
  PetscCall(ReportTally(run, deck, &spec, path, &tally));
  PetscFunctionReturn(0);
}
