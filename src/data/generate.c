/* generate: the PDE ensemble, as a dataset, or a shard of it. */
#include "generate.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

PetscErrorCode GenerateDesignOpen(ScoriaDeck deck, const ScoriaDatasetSpec *spec, GenerateDesign *design)
{
  double theta[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  *design = (GenerateDesign){.deck         = deck,
                             .space        = spec->space,
                             .conditions   = spec->rows / spec->realisations,
                             .realisations = spec->realisations,
                             .at           = -1};
  PetscCall(GenerateTheta(design, 0, theta)); /* the same of every row: whether a file has enough of them */
  PetscFunctionReturn(0);
}

PetscErrorCode GenerateTheta(void *ctx, int64_t row, double theta[])
{
  GenerateDesign *design  = ctx;
  const int64_t condition = row / design->realisations;
  PetscFunctionBeginUser;
  if (condition != design->at)
    PetscCall(ScoriaDesignTheta(design->deck, &design->space, false, condition, design->conditions, design->theta));
  design->at = condition;
  PetscCall(PetscArraycpy(theta, design->theta, design->space.n));
  PetscFunctionReturn(0);
}

/* Rows that an interrupted run has left. */
typedef struct {
  int64_t first; /* row of the whole dataset that the file begins with */
  GenerateDesign *design;
  GenerateTally tally;
  bool elsewhere; /* some are at other conditions than the design's: its file must have changed since */
} Found;

static void note_found(void *ctx, int64_t first, const ScoriaRows *rows)
{
  Found *found = ctx;
  generate_tally(rows, &found->tally);
  if (!generate_at_design(found->design, rows, found->first + first)) found->elsewhere = true;
}

bool generate_at_design(GenerateDesign *design, const ScoriaRows *rows, int64_t first)
{
  double theta[SCORIA_MAX_CONDITIONS];
  for (int64_t i = 0; i < rows->rows; i++) {
    if (!rows->done[i]) continue;
    if (GenerateTheta(design, first + i, theta)) return false;
    for (int c = 0; c < design->space.n; c++) {
      const ScoriaCondition *range = &design->space.c[c];
      const double near = 1e-12 * fmax(fabs(range->lo), fabs(range->hi)); /* libraries differ in last digits */
      if (!(fabs(rows->condition[c][i] - theta[c]) <= near)) return false;
    }
  }
  return true;
}

/* `line` names the file, where this rank has met rows that are `elsewhere`.  Collective. */
static PetscErrorCode CheckConditions(ScoriaRun run, const char *path, const char *kind, bool elsewhere)
{
  char line[PETSC_MAX_PATH_LEN + 240] = "";
  PetscFunctionBeginUser;
  if (elsewhere)
    snprintf(
        line, sizeof line,
        "%s%s: its rows are at other conditions than the deck's design has now (does conditions: file list others?); "
        "nothing is overwritten: choose another -run_dir or move the file away",
        path, kind);
  PetscCall(ScoriaAgree(ScoriaRunComm(run), elsewhere ? SCORIA_EXIT_INPUT : SCORIA_EXIT_OK, line));
  PetscFunctionReturn(0);
}

/* Of a finished dataset: only a file of conditions can have changed behind the deck's back. */
static PetscErrorCode CheckListed(ScoriaRun run, ScoriaDeck deck, const char *path, ScoriaDataset ds)
{
  const char *design = "";
  const ScoriaDatasetSpec *spec;
  GenerateDesign listed;
  uint8_t *done;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "conditions_design", &design));
  if (strcmp(design, "file")) PetscFunctionReturn(0);
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  ScoriaDatasetSpec all = *spec;
  if (spec->whole) all.rows = spec->whole;
  PetscCall(GenerateDesignOpen(deck, &all, &listed));
  PetscCall(PetscMalloc1(spec->rows, &done));
  Found found = {.first = spec->first, .design = &listed};
  PetscCall(ScoriaDatasetSurvey(ds, done, note_found, &found));
  PetscCall(CheckConditions(run, path, "", found.elsewhere));
  PetscCall(PetscFree(done));
  PetscFunctionReturn(0);
}

/* Too many failed solves fail the command, also when it finds them in a file that is complete: what follows it in a run
 * or a pipeline must not start on them.  Not of a shard: it is the whole that is judged. */
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

PetscErrorCode GenerateCheckComplete(ScoriaRun run, ScoriaDeck deck, const char *path)
{
  const ScoriaDatasetSpec *spec;
  ScoriaDataset ds;
  int64_t failed, rows;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetOpen(ScoriaRunComm(run), path, &ds));
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  rows             = spec->rows;
  const bool shard = spec->whole > 0;
  PetscCall(ScoriaDatasetCountFailed(ds, &failed));
  PetscCall(CheckListed(run, deck, path, ds));
  PetscCall(ScoriaDatasetClose(&ds));
  if (!shard) PetscCall(CheckFailed(deck, path, failed, rows));
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

/* What was generated: "512 conditions x 128 realisations", "shard: rows 0 to 99 of 300". */
static void describe_rows(const ScoriaDatasetSpec *spec, size_t size, char text[])
{
  if (spec->whole)
    snprintf(text, size, "shard: rows %lld to %lld of %lld", (long long)spec->first,
             (long long)(spec->first + spec->rows - 1), (long long)spec->whole);
  else
    snprintf(text, size, "%lld conditions x %lld realisations", (long long)(spec->rows / spec->realisations),
             (long long)spec->realisations);
}

static PetscErrorCode ReportTally(ScoriaRun run, ScoriaDeck deck, const ScoriaDatasetSpec *spec, const char *path,
                                  const GenerateTally *tally, const GenerateShares *shares)
{
  char what[128];
  PetscFunctionBeginUser;
  describe_rows(spec, sizeof what, what);
  PetscCall(ScoriaSay(run, "  %s; %.2f Newton iterations a solve; %lld by continuation; %lld failed", what,
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
  if (!spec->whole) PetscCall(CheckFailed(deck, path, tally->failed, spec->rows));
  PetscFunctionReturn(0);
}

/* The rows of a shard in place of all. */
static PetscErrorCode CutShard(ScoriaDeck deck, ScoriaDatasetSpec *spec)
{
  PetscInt shard[2];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckShard(deck, shard));
  if (shard[1] > spec->rows)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "run_shard: found %d shards, expected at most %lld, a row each", (int)shard[1],
                (long long)spec->rows);
  spec->whole = spec->rows;
  deal_block(spec->whole, (int)shard[0] - 1, (int)shard[1], &spec->first, &spec->rows);
  PetscFunctionReturn(0);
}

PetscErrorCode CommandGenerate(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN], dir[PETSC_MAX_PATH_LEN];
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  ScoriaProvenance from;
  CmdDataset out;
  ScoriaCost cost;
  const double *x;
  GenerateDesign design;
  Found found;
  GenerateShares shares;
  ScoriaDataset smaller = NULL;
  bool complete         = false, shard;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "generate"));
  PetscCall(CmdNeedEquations(deck, "generate", "import makes dataset.h5 of them"));
  PetscCall(ScoriaDeckHas(deck, "run_shard", &shard));
  const char *name = shard ? GENERATE_SHARD_FILE : "dataset.h5";
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  if (!shard) PetscCall(GenerateFindSmaller(run, deck, path, &smaller));
  if (!smaller) PetscCall(CmdDatasetComplete(run, deck, name, cmd_dataset_sections, &complete));
  if (complete) {
    PetscCall(GenerateCheckComplete(run, deck, path));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaEnsembleCreate(ScoriaRunComm(run), deck, &ens));
  PetscCall(ScoriaEnsembleSpec(ens, &spec, &x));
  PetscCall(CmdCheckFields(deck, spec.rows));
  PetscCall(ScoriaRunPath(run, "", sizeof dir, dir));
  if (!shard) PetscCall(ScoriaDatasetCheckRoom(ScoriaRunComm(run), dir, &spec));
  PetscCall(GenerateDesignOpen(deck, &spec, &design));
  if (shard) PetscCall(CutShard(deck, &spec));
  PetscCall(CmdProvenance(run, deck, shard ? "shard" : "dataset", ScoriaEnsembleGroups(ens)->full_size, &from));
  found = (Found){.first = spec.first, .design = &design};
  PetscCall(CmdDatasetBegin(run, deck, path, smaller != NULL, &spec, x, &from, cmd_dataset_sections, note_found, &found,
                            &out));
  PetscCall(CheckConditions(run, path, ".part", found.elsewhere));
  if (smaller) PetscCall(GenerateCopy(run, smaller, &design, &out, &found.tally));
  PetscCall(ScoriaDatasetClose(&smaller));
  PetscCall(ScoriaCostBegin(run, "dataset.h5", out.there > 0, &cost));
  PetscCall(GenerateRows(run, ens, &spec, &design, &out, cost, &found.tally, &shares));
  PetscCall(PeakMemory(ScoriaEnsembleGroups(ens), &shares.rank_memory, &shares.group_memory));
  /* before it is finished: a complete dataset ends the command; whole fields of shards are the merging's */
  if (!shard) PetscCall(CmdWriteFields(run, deck, ens, spec.rows, GenerateTheta, &design, NULL, "fields.h5"));
  PetscCall(CmdDatasetFinish(&out));
  PetscCall(ScoriaCostEnd(&cost));
  PetscCall(ScoriaEnsembleDestroy(&ens));
  PetscCall(ReportTally(run, deck, &spec, path, &found.tally, &shares));
  PetscFunctionReturn(0);
}
