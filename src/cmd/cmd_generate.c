/* generate: the PDE ensemble, as a dataset. */
#include "generate.h"
#include <sys/resource.h>

static void tally_found(void *tally, const ScoriaRows *rows)
{
  generate_tally(rows, tally);
}

/* theta (conditions, space.n) of the whole design. */
static PetscErrorCode DesignAll(ScoriaDeck deck, const ScoriaSpace *space, int64_t conditions, double **theta)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(conditions * space->n, theta));
  for (int64_t k = 0; k < conditions; k++)
    PetscCall(ScoriaDesignTheta(deck, space, false, k, conditions, *theta + k * space->n));
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

/* The most that the ranks of a group have held together, of all groups, and the most of any rank [MB]. */
static PetscErrorCode PeakMemory(const ScoriaGroups *groups, double *rank, double *group)
{
  struct rusage usage;
  PetscFunctionBeginUser;
  getrusage(RUSAGE_SELF, &usage);
  const double mine = 1.024e-3 * (double)usage.ru_maxrss; /* kB of 1024 bytes, on Linux */
  double most[2]    = {mine, 0};
  PetscCallMPI(MPI_Allreduce(&mine, &most[1], 1, MPI_DOUBLE, MPI_SUM, groups->group));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPI_DOUBLE, MPI_MAX, groups->comm));
  *rank  = most[0];
  *group = most[1];
  PetscFunctionReturn(0);
}

static PetscErrorCode ReportTally(ScoriaRun run, ScoriaDeck deck, const ScoriaDatasetSpec *spec, const char *path,
                                  const GenerateTally *tally, const GenerateShares *shares)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(
      run, "  %lld conditions x %lld realisations; %.2f Newton iterations a solve; %lld by continuation; %lld failed",
      (long long)(spec->rows / spec->realisations), (long long)spec->realisations,
      (double)tally->newton / (double)spec->rows, (long long)tally->retried, (long long)tally->failed));
  PetscCall(ScoriaSay(
      run,
      "  groups idle %.1f %% of the time, the last one %.1f %%; writing %.1f %%; memory %.0f MB a rank, "
      "%.0f MB a group",
      100 * shares->idle, 100 * shares->idle_most, 100 * shares->io, shares->rank_memory, shares->group_memory));
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  PetscCall(ScoriaLog(run, "generate",
                      "\"rows\":%lld,\"failed\":%lld,\"retried\":%lld,\"newton\":%lld,\"idle\":%.4f,"
                      "\"idle_most\":%.4f,\"io\":%.4f,\"memory_rank\":%.1f,\"memory_group\":%.1f",
                      (long long)spec->rows, (long long)tally->failed, (long long)tally->retried,
                      (long long)tally->newton, shares->idle, shares->idle_most, shares->io, shares->rank_memory,
                      shares->group_memory));
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
  GenerateTally tally = {0};
  GenerateShares shares;
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
  PetscCall(CmdCheckFields(deck, spec.rows));
  PetscCall(DesignAll(deck, &spec.space, spec.rows / spec.realisations, &design));
  PetscCall(CmdProvenance(run, deck, "dataset", ScoriaEnsembleGroups(ens)->group_size, &from));
  PetscCall(CmdDatasetBegin(run, deck, path, &spec, x, &from, cmd_dataset_sections, tally_found, &tally, &out));
  PetscCall(GenerateRows(run, ens, &spec, design, &out, &tally, &shares));
  PetscCall(PeakMemory(ScoriaEnsembleGroups(ens), &shares.rank_memory, &shares.group_memory));
  /* before it is finished: a complete dataset ends the command */
  PetscCall(CmdWriteFields(run, deck, ens, spec.rows, spec.realisations, design, NULL, "fields.h5"));
  PetscCall(CmdDatasetFinish(&out));
  PetscCall(PetscFree(design));
  PetscCall(ScoriaEnsembleDestroy(&ens));
  PetscCall(ReportTally(run, deck, &spec, path, &tally, &shares));
  PetscFunctionReturn(0);
}
