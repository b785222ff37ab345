/* refine: for fields that no solver made, the porosity profiles whose solutions are nearest: how near says how far the
 * fields are from being solutions of the PDE, and the profiles are what may be behind them.
 *
 * The rows are the same number from every condition of the file; each is one group's work.  They are done in order, in
 * rounds that are dealt to the groups, between which they can be kept (refine_kept.c). */
#include "refine.h"
#include "scoria/phases.h"

#define ROUND_ROWS 32 /* of a group, at most, before it looks whether to stop */

/* A group at work. */
typedef struct {
  const ScoriaGroups *groups; /* borrowed, as are the next two */
  const RefineGiven *given;
  const RefineChosen *chosen;
  Refiner refiner;    /* owned */
  int64_t condition;  /* that it is set to; -1: none */
  double *fields;     /* owned (ROUND_ROWS, m): given ones */
  double *from;       /* owned (ROUND_ROWS): their rows in the file */
  ScoriaRows refined; /* owned (1) */
} Work;

static PetscErrorCode CreateWork(const RefineGiven *given, const RefinePde *pde, const RefineChosen *chosen,
                                 const RefineOptions *opt, const ScoriaDatasetSpec *spec, Work *work)
{
  PetscFunctionBeginUser;
  *work = (Work){.groups = ScoriaEnsembleGroups(pde->ens), .given = given, .chosen = chosen, .condition = -1};
  PetscCall(PetscMalloc2(ROUND_ROWS * chosen->m, &work->fields, ROUND_ROWS, &work->from));
  PetscCall(ScoriaRowsCreate(spec, 1, &work->refined));
  PetscCall(RefinerCreate(&pde->forward, opt, &work->refiner));
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyWork(Work *work)
{
  PetscFunctionBeginUser;
  PetscCall(RefinerDestroy(&work->refiner));
  PetscCall(ScoriaRowsDestroy(&work->refined));
  PetscCall(PetscFree2(work->fields, work->from));
  PetscFunctionReturn(0);
}

/* Row `at` of the list, row i of the given fields; the group's first rank keeps it. */
static PetscErrorCode RefineOne(Work *work, int64_t at, int64_t i, RefineKept *kept)
{
  const RefineChosen *chosen = work->chosen;
  const int64_t condition    = at / chosen->each;
  double column[REFINE_COLUMNS];
  PetscFunctionBeginUser;
  if (condition != work->condition) PetscCall(RefinerAt(work->refiner, chosen->theta + condition * chosen->space.n));
  work->condition = condition;
  phase_begin(SCORIA_PHASE_REFINE);
  PetscCall(RefinerRun(work->refiner, work->fields + i * chosen->m, chosen->sd + condition * chosen->m, 0,
                       &work->refined, column));
  phase_end(SCORIA_PHASE_REFINE, work->groups->group_rank == 0);
  column[REFINE_ROW] = work->from[i];
  if (column[REFINE_STATUS] == REFINE_FAILED) work->refined.done[0] = SCORIA_ROW_FAILED;
  if (work->groups->group_rank == 0) refine_keep(kept, at, &work->refined, 0, column);
  PetscFunctionReturn(0);
}

/* The next `rows` of the list, dealt to the groups. */
static PetscErrorCode RefineRound(Work *work, int64_t rows, RefineKept *kept)
{
  const int64_t most    = (rows + work->groups->count - 1) / work->groups->count;
  PetscErrorCode failed = 0;
  int64_t first, number;
  PetscFunctionBeginUser;
  deal_block(rows, work->groups->index, work->groups->count, &first, &number);
  first += kept->done;
  PetscCall(RefineChosenFields(work->given, work->chosen, most, first, number, work->fields, work->from));
  for (int64_t i = 0; i < number && !failed; i++) failed = RefineOne(work, first + i, i, kept);
  PetscCall(ScoriaAgreeFailed(work->given->comm, failed));
  kept->done += rows;
  PetscFunctionReturn(0);
}

/* Between two rounds: a checkpoint where it is time, or where the run is to stop. */
static PetscErrorCode Pause(ScoriaPace *pace, RefineKept *kept)
{
  bool due, stop;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointDue(kept->run, kept->deck, kept->saved, &due));
  PetscCall(ScoriaPaceLook(pace, &stop));
  if (due || stop) PetscCall(RefineKeptSave(kept));
  if (stop)
    PetscCall(ScoriaStopped(kept->run, "%lld of %lld refined fields are kept", (long long)kept->done,
                            (long long)kept->spec->rows));
  PetscFunctionReturn(0);
}

/* Round by round, so that a stop that is asked for is met soon; the first is done in any case, so that every start gets
 * on. */
static PetscErrorCode RefineRows(Work *work, RefineKept *kept)
{
  const int64_t N = kept->spec->rows;
  ScoriaPace pace = {.run = kept->run, .step = 1, .most = ROUND_ROWS};
  ScoriaProgress bar;
  PetscFunctionBeginUser;
  PetscCall(ScoriaProgressCreate(kept->run, "refine", "fields", (double)N, &bar));
  PetscCall(ScoriaProgressFrom(bar, (double)kept->done));
  while (kept->done < N) {
    PetscCall(RefineRound(work, PetscMin(pace.step * work->groups->count, N - kept->done), kept));
    PetscCall(ScoriaProgressUpdate(bar, (double)kept->done, NULL));
    if (kept->done < N) PetscCall(Pause(&pace, kept));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateRefined(ScoriaRun run, ScoriaDeck deck, const char *path, const ScoriaMadeFrom *made,
                                    const RefinePde *pde, const ScoriaDatasetSpec *spec, ScoriaDataset *out)
{
  const ScoriaGroups *groups = ScoriaEnsembleGroups(pde->ens);
  ScoriaProvenance from;
  PetscFunctionBeginUser;
  PetscCall(ScoriaProvenanceOfRun(run, deck, "refined", groups->full_size, &from));
  from.made = *made;
  PetscCall(ScoriaDatasetCreate(ScoriaRunComm(run), path, spec, pde->x, &from, out));
  PetscCall(ScoriaDatasetWatch(*out, run));
  PetscCall(ScoriaWarnOfRest(run, groups));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(ScoriaDeck deck, RefineOptions *opt)
{
  PetscInt directions, iterations;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "refine_directions", &directions));
  PetscCall(ScoriaDeckInt(deck, "refine_iterations", &iterations));
  *opt = (RefineOptions){.directions = (int)directions, .iterations = (int)iterations};
  PetscCall(ScoriaDeckReal(deck, "refine_tolerance", &opt->tolerance));
  PetscCall(ScoriaDeckReal(deck, "refine_sigma", &opt->sigma));
  PetscFunctionReturn(0);
}

/* All rows are there: refine.h5, and refined.h5, every rank's part. */
static PetscErrorCode Write(RefineKept *kept, ScoriaDataset *out)
{
  const int64_t N = kept->spec->rows;
  PetscMPIInt rank, size;
  int64_t first, number;
  double *column;
  ScoriaRows rows;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(kept->given->comm, &rank));
  PetscCallMPI(MPI_Comm_size(kept->given->comm, &size));
  deal_block(N, rank, size, &first, &number);
  PetscCall(ScoriaRowsCreate(kept->spec, PetscMax(number, 1), &rows));
  refine_take(kept, first, number, &rows);
  PetscCall(ScoriaDatasetWrite(*out, first, &rows));
  PetscCall(PetscMalloc1(REFINE_COLUMNS * N, &column));
  for (int64_t i = 0; i < N; i++)
    for (int c = 0; c < REFINE_COLUMNS; c++) column[c * N + i] = refine_column(kept, i)[c];
  PetscCall(RefineSay(kept->run, N, N / kept->spec->realisations, column));
  PetscCall(RefineWrite(kept->run, kept->deck, kept->given->path, &kept->given->made, N, column));
  PetscCall(ScoriaDatasetFinish(out)); /* last: it marks the refinement as complete */
  PetscCall(PetscFree(column));
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscFunctionReturn(0);
}

static PetscErrorCode RefineAll(ScoriaRun run, ScoriaDeck deck, const RefineGiven *given, const RefinePde *pde,
                                const RefineChosen *chosen)
{
  ScoriaDatasetSpec spec = pde->forward.spec;
  char path[PETSC_MAX_PATH_LEN];
  RefineOptions opt;
  RefineKept kept;
  ScoriaDataset out;
  Work work;
  PetscFunctionBeginUser;
  spec.rows         = chosen->conditions * chosen->each;
  spec.realisations = chosen->each;
  spec.float64      = true;
  PetscCall(ReadOptions(deck, &opt));
  PetscCall(RefineKeptFind(run, deck, given, &spec, &kept));
  PetscCall(ScoriaRunPath(run, "refined.h5", sizeof path, path));
  PetscCall(CreateRefined(run, deck, path, &given->made, pde, &spec, &out));
  PetscCall(CreateWork(given, pde, chosen, &opt, &spec, &work));
  PetscCall(RefineRows(&work, &kept));
  PetscCall(DestroyWork(&work));
  PetscCall(RefineKeptShare(&kept));
  PetscCall(Write(&kept, &out));
  PetscCall(RefineKeptFinish(&kept));
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaRefine(ScoriaRun run, ScoriaDeck deck)
{
  RefineGiven given = {.comm = ScoriaRunComm(run)};
  RefinePde pde;
  RefineChosen chosen;
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(RefineGivenName(run, deck, &given));
  PetscCall(ScoriaCompleteDataset(run, deck, "refined.h5", SCORIA_OF_REFINED, given.path, &complete));
  if (complete) {
    PetscCall(RefineKeptForget(run, deck));
    PetscFunctionReturn(0);
  }
  PetscCall(RefineGivenOpen(run, deck, &given));
  PetscCall(RefinePdeOpen(run, deck, given.spec, &pde));
  PetscCall(RefineChosenRead(deck, &given, &pde, &chosen));
  PetscCall(RefineAll(run, deck, &given, &pde, &chosen));
  PetscCall(RefineChosenDestroy(&chosen));
  PetscCall(RefinePdeClose(&pde));
  PetscCall(RefineGivenClose(&given));
  PetscFunctionReturn(0);
}
