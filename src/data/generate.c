/* generate: the PDE ensemble, as a dataset, or a shard of it. */
#include "generate.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Rows that an interrupted run has left. */
typedef struct {
  int64_t first; /* row of the whole dataset that the file begins with */
  GenerateDesign *design;
  ScoriaSolveTally tally;
  bool elsewhere; /* some are at other conditions than the design's: its file must have changed since */
} Found;

static void note_found(void *ctx, int64_t first, const ScoriaRows *rows)
{
  Found *found = ctx;
  generate_tally(rows, &found->tally);
  if (!generate_at_design(found->design, rows, found->first + first)) found->elsewhere = true;
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

/* Of a finished dataset: only a file of conditions can have changed without a change of the deck. */
static PetscErrorCode CheckListed(ScoriaRun run, ScoriaDeck deck, const char *path, ScoriaDataset ds)
{
  const char *design = "";
  const ScoriaDatasetSpec *spec;
  GenerateDesign listed;
  ScoriaDesign of;
  const ScoriaProblem *problem;
  void *parameters;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "conditions_design", &design));
  if (strcmp(design, "file")) PetscFunctionReturn(0);
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  ScoriaDatasetSpec all = *spec;
  if (spec->whole) all.rows = spec->whole;
  PetscCall(ScoriaProblemFromDeck(deck, &problem, &parameters));
  PetscCall(ScoriaDesignCreate(deck, problem, parameters, &of));
  PetscCall(GenerateDesignOpen(of, &all, &listed));
  Found found = {.first = spec->first, .design = &listed};
  PetscCall(ScoriaDatasetWatch(ds, run));
  PetscCall(ScoriaDatasetVisit(ds, note_found, &found));
  PetscCall(CheckConditions(run, path, "", found.elsewhere));
  PetscCall(ScoriaDesignDestroy(&of));
  PetscCall(PetscFree(parameters));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFailedCheck(ScoriaDeck deck, const char *path, int64_t failed, int64_t rows)
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

PetscErrorCode ScoriaGeneratedCheck(ScoriaRun run, ScoriaDeck deck, const char *path)
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
  if (!shard) PetscCall(ScoriaFailedCheck(deck, path, failed, rows));
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

/* What is to be made: a shard or the whole, anew, of a smaller one, or nothing as it is complete. */
static PetscErrorCode FindBegun(ScoriaRun run, ScoriaDeck deck, bool shard, ScoriaMade *made, ScoriaDataset *smaller)
{
  const char *name = shard ? SHARD_FILE : "dataset.h5";
  PetscFunctionBeginUser;
  *smaller = NULL;
  PetscCall(ScoriaRunPath(run, name, sizeof made->path, made->path));
  if (!shard) PetscCall(GenerateFindSmaller(run, deck, made->path, smaller));
  if (!*smaller) PetscCall(ScoriaCompleteDataset(run, deck, name, SCORIA_OF_DATASET, NULL, &made->complete));
  if (made->complete) PetscCall(ScoriaGeneratedCheck(run, deck, made->path));
  PetscFunctionReturn(0);
}

/* The ensemble, and the rows of it that are to be made. */
static PetscErrorCode OpenEnsemble(ScoriaRun run, ScoriaDeck deck, bool shard, ScoriaMade *made, ScoriaEnsemble *ens,
                                   const double **x, GenerateDesign *design)
{
  char dir[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  PetscCall(ScoriaStopAtOnce(run, "nothing is lost"));
  const PetscErrorCode failed =
      ScoriaEnsembleCreate(ScoriaRunComm(run), deck, ens); /* reads files that the deck names */
  stop_in_order();
  PetscCall(failed);
  PetscCall(ScoriaEnsembleSayLibrary(run, *ens));
  PetscCall(ScoriaEnsembleSpec(*ens, &made->spec, x));
  PetscCall(WholeFieldsCheck(deck, made->spec.rows));
  PetscCall(WholeFieldsWarn(run, deck, *ens));
  PetscCall(ScoriaRunPath(run, "", sizeof dir, dir));
  if (!shard) PetscCall(ScoriaDatasetCheckRoom(ScoriaRunComm(run), dir, &made->spec));
  PetscCall(GenerateDesignOpen(ScoriaEnsembleDesign(*ens), &made->spec, design));
  if (shard) PetscCall(CutShard(deck, &made->spec));
  PetscFunctionReturn(0);
}

/* The file, with what an interrupted run or a smaller dataset has of it. */
static PetscErrorCode BeginFile(ScoriaRun run, ScoriaDeck deck, const ScoriaMade *made, ScoriaEnsemble ens,
                                const double *x, ScoriaDataset *smaller, Found *found, Partial *out)
{
  const ScoriaDatasetSpec *spec = &made->spec;
  ScoriaProvenance from;
  PetscFunctionBeginUser;
  PetscCall(
      ScoriaProvenanceOfRun(run, deck, spec->whole ? "shard" : "dataset", ScoriaEnsembleGroups(ens)->full_size, &from));
  PetscCall(PetscStrncpy(from.made.library, ensemble_library(ens), sizeof from.made.library));
  PetscCall(
      PartialBegin(run, deck, made->path, *smaller != NULL, spec, x, &from, SCORIA_OF_DATASET, note_found, found, out));
  PetscCall(CheckConditions(run, made->path, ".part", found->elsewhere));
  if (*smaller) PetscCall(GenerateCopy(run, *smaller, found->design, out, &found->tally));
  PetscCall(ScoriaDatasetClose(smaller));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaGenerate(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made)
{
  ScoriaEnsemble ens;
  Partial out;
  ScoriaCost cost;
  const double *x;
  GenerateDesign design;
  ScoriaDataset smaller;
  bool shard;
  PetscFunctionBeginUser;
  *made = (ScoriaMade){.complete = false};
  PetscCall(ScoriaDeckHas(deck, "run_shard", &shard));
  PetscCall(FindBegun(run, deck, shard, made, &smaller));
  if (made->complete) PetscFunctionReturn(0);
  PetscCall(OpenEnsemble(run, deck, shard, made, &ens, &x, &design));
  Found found = {.first = made->spec.first, .design = &design};
  PetscCall(BeginFile(run, deck, made, ens, x, &smaller, &found, &out));
  PetscCall(ScoriaCostBegin(run, "dataset.h5", out.there.n > 0, &cost));
  PetscCall(GenerateRows(run, ens, &made->spec, &design, 0, &out, cost, &found.tally, &made->shares));
  PetscCall(PeakMemory(ScoriaEnsembleGroups(ens), &made->shares.rank_memory, &made->shares.group_memory));
  PetscCall(ScoriaDatasetSettle(out.ds)); /* no row is lost where the run ends in what follows */
  /* before it is finished: a complete dataset ends the command; whole fields of shards are the merging's */
  if (!shard)
    PetscCall(ScoriaWholeFieldsWrite(run, deck, ens, made->spec.rows, GenerateGive, &design, false, "fields.h5"));
  PetscCall(PartialFinish(&out));
  PetscCall(ScoriaCostEnd(&cost));
  PetscCall(ScoriaEnsembleDestroy(&ens));
  made->tally = found.tally;
  PetscFunctionReturn(0);
}
