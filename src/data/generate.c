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

/* Which of the datasets of a deck, and what decides it. */
typedef struct {
  const char *name, *fidelity; /* in the run directory; the key that names what solves it */
  unsigned results, growing;
  bool shard, cheap;
} Kind;

static const Kind kind_whole = {"dataset.h5", "ensemble_fidelity", SCORIA_OF_DATASET, SCORIA_OF_GROWING, false, false};
static const Kind kind_shard = {SHARD_FILE, "ensemble_fidelity", SCORIA_OF_DATASET, SCORIA_OF_GROWING, true, false};
static const Kind kind_cheap = {
    "cheap.h5", "ensemble_cheap_fidelity", SCORIA_OF_CHEAP, SCORIA_OF_GROWING | SCORIA_DECIDES_CHEAP, false, true};

/* What is to be made: a shard or the whole, anew, of a smaller one, or nothing as it is complete. */
static PetscErrorCode FindBegun(ScoriaRun run, ScoriaDeck deck, const Kind *kind, ScoriaMade *made,
                                ScoriaDataset *smaller)
{
  PetscFunctionBeginUser;
  *smaller = NULL;
  PetscCall(ScoriaRunPath(run, kind->name, sizeof made->path, made->path));
  if (!kind->shard) PetscCall(GenerateFindSmaller(run, deck, made->path, kind->growing, smaller));
  if (!*smaller) PetscCall(ScoriaCompleteDataset(run, deck, kind->name, kind->results, NULL, &made->complete));
  if (made->complete) PetscCall(ScoriaGeneratedCheck(run, deck, made->path));
  PetscFunctionReturn(0);
}

/* What solves. */
typedef struct {
  ScoriaEnsemble ens;        /* owned */
  ScoriaFidelities relative; /* owned; NULL: the ensemble itself */
} Solver;

/* The ensemble, and the rows of it that are to be made. */
static PetscErrorCode OpenEnsemble(ScoriaRun run, ScoriaDeck deck, const Kind *kind, ScoriaMade *made, Solver *solver,
                                   const double **x, GenerateDesign *design)
{
  ScoriaDatasetSpec *spec = &made->spec;
  char dir[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  PetscCall(ScoriaStopAtOnce(run, "nothing is lost"));
  const PetscErrorCode failed =
      ScoriaEnsembleCreate(ScoriaRunComm(run), deck, &solver->ens); /* reads files that the deck names */
  stop_in_order();
  PetscCall(failed);
  PetscCall(ScoriaEnsembleSayLibrary(run, solver->ens));
  PetscCall(ScoriaEnsembleSpec(solver->ens, spec, x));
  const int64_t shared = spec->realisations;
  if (!kind->cheap) PetscCall(GenerateCheapCheck(deck, solver->ens, spec));
  if (!kind->cheap) PetscCall(WholeFieldsCheck(deck, spec->rows));
  if (kind->cheap) PetscCall(GenerateCheapSpec(deck, spec));
  PetscCall(GenerateRelative(deck, solver->ens, kind->fidelity, spec, &solver->relative));
  PetscCall(WholeFieldsWarn(run, deck, solver->ens));
  PetscCall(ScoriaRunPath(run, "", sizeof dir, dir));
  if (!kind->shard) PetscCall(ScoriaDatasetCheckRoom(ScoriaRunComm(run), dir, spec));
  PetscCall(GenerateDesignOpen(ScoriaEnsembleDesign(solver->ens), spec, design));
  design->shared = shared;
  if (kind->shard) PetscCall(CutShard(deck, spec));
  PetscFunctionReturn(0);
}

/* The file, with what an interrupted run or a smaller dataset has of it. */
static PetscErrorCode BeginFile(ScoriaRun run, ScoriaDeck deck, const Kind *kind, const ScoriaMade *made,
                                ScoriaEnsemble ens, const double *x, ScoriaDataset *smaller, Found *found, Partial *out)
{
  const ScoriaDatasetSpec *spec = &made->spec;
  ScoriaProvenance from;
  PetscFunctionBeginUser;
  PetscCall(
      ScoriaProvenanceOfRun(run, deck, spec->whole ? "shard" : "dataset", ScoriaEnsembleGroups(ens)->full_size, &from));
  PetscCall(PetscStrncpy(from.made.library, ensemble_library(ens), sizeof from.made.library));
  PetscCall(
      PartialBegin(run, deck, made->path, *smaller != NULL, spec, x, &from, kind->results, note_found, found, out));
  PetscCall(CheckConditions(run, made->path, ".part", found->elsewhere));
  if (*smaller) PetscCall(GenerateCopy(run, *smaller, found->design, out, &found->tally));
  PetscCall(ScoriaDatasetClose(smaller));
  PetscFunctionReturn(0);
}

static PetscErrorCode Make(ScoriaRun run, ScoriaDeck deck, const Kind *kind, ScoriaMade *made)
{
  Solver solver;
  Partial out;
  ScoriaCost cost;
  const double *x;
  GenerateDesign design;
  ScoriaDataset smaller;
  PetscFunctionBeginUser;
  *made = (ScoriaMade){.complete = false};
  PetscCall(FindBegun(run, deck, kind, made, &smaller));
  if (made->complete) PetscFunctionReturn(0);
  PetscCall(OpenEnsemble(run, deck, kind, made, &solver, &x, &design));
  Found found = {.first = made->spec.first, .design = &design};
  PetscCall(BeginFile(run, deck, kind, made, solver.ens, x, &smaller, &found, &out));
  PetscCall(ScoriaCostBegin(run, kind->cheap ? "cheap.h5" : "dataset.h5", out.there.n > 0, &cost));
  PetscCall(
      GenerateRows(run, solver.ens, solver.relative, &made->spec, &design, 0, &out, cost, &found.tally, &made->shares));
  PetscCall(PeakMemory(ScoriaEnsembleGroups(solver.ens), &made->shares.rank_memory, &made->shares.group_memory));
  PetscCall(ScoriaDatasetSettle(out.ds)); /* no row is lost where the run ends in what follows */
  /* before it is finished: a complete dataset ends the command; whole fields of shards are the merging's */
  if (!kind->shard && !kind->cheap)
    PetscCall(
        ScoriaWholeFieldsWrite(run, deck, solver.ens, made->spec.rows, GenerateGive, &design, false, "fields.h5"));
  PetscCall(PartialFinish(&out));
  PetscCall(ScoriaCostEnd(&cost));
  PetscCall(ScoriaFidelitiesDestroy(&solver.relative));
  PetscCall(ScoriaEnsembleDestroy(&solver.ens));
  made->tally = found.tally;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaGenerate(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made)
{
  bool shard;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, "run_shard", &shard));
  PetscCall(Make(run, deck, shard ? &kind_shard : &kind_whole, made));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaGenerateCheap(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made)
{
  PetscFunctionBeginUser;
  PetscCall(Make(run, deck, &kind_cheap, made));
  PetscFunctionReturn(0);
}
