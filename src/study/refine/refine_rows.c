/* refine: for fields that no solver made, the porosity profiles whose solutions are nearest: how near says how far the
 * fields are from being solutions of the PDE, and the profiles are what may be behind them.
 *
 * The rows are the same number from every condition of the file; each is one group's work.  Every value is one rank's
 * and zero elsewhere, so that their sums are exact. */
#include "refine.h"
#include "scoria/phases.h"

#define ROUND_ROWS 32 /* of a group, at most, before it looks whether to stop */

/* The rows of this rank's group: [first, first + number) of the N that are refined. */
typedef struct {
  const ScoriaGroups *groups; /* borrowed, as is the next */
  const RefineChosen *chosen;
  int64_t N, first, number, most; /* most: number of any group */
  double *fields;                 /* owned (number, m) */
  double *column;                 /* owned (REFINE_COLUMNS, N): of this rank's rows, zero elsewhere */
} Share;

static PetscErrorCode CreateShare(const RefineGiven *given, const RefineChosen *chosen, const ScoriaGroups *groups,
                                  Share *share)
{
  double *row;
  PetscFunctionBeginUser;
  *share      = (Share){.groups = groups, .chosen = chosen, .N = chosen->conditions * chosen->each};
  share->most = (share->N + groups->count - 1) / groups->count;
  deal_block(share->N, groups->index, groups->count, &share->first, &share->number);
  PetscCall(PetscMalloc1(share->number * chosen->m + 1, &share->fields));
  PetscCall(PetscCalloc1(REFINE_COLUMNS * share->N, &share->column));
  row = share->column + REFINE_ROW * share->N + share->first;
  PetscCall(RefineChosenFields(given, chosen, share->most, share->first, share->number, share->fields, row));
  if (groups->group_rank) PetscCall(PetscArrayzero(row, share->number));
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyShare(Share *share)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(share->fields));
  PetscCall(PetscFree(share->column));
  PetscFunctionReturn(0);
}

/* Row i of the share; *at is the condition that the refiner is set to. */
static PetscErrorCode RefineOne(Refiner refiner, const Share *share, int64_t i, int64_t *at, ScoriaRows *rows)
{
  const RefineChosen *chosen = share->chosen;
  const int64_t condition    = (share->first + i) / chosen->each;
  double column[REFINE_COLUMNS];
  PetscFunctionBeginUser;
  if (condition != *at) PetscCall(RefinerAt(refiner, chosen->theta + condition * chosen->space.n));
  *at = condition;
  phase_begin(SCORIA_PHASE_REFINE);
  PetscCall(RefinerRun(refiner, share->fields + i * chosen->m, chosen->sd + condition * chosen->m, i, rows, column));
  phase_end(SCORIA_PHASE_REFINE, share->groups->group_rank == 0);
  if (column[REFINE_STATUS] == REFINE_FAILED) rows->done[i] = SCORIA_ROW_FAILED;
  for (int c = 0; c < REFINE_ROW && share->groups->group_rank == 0; c++)
    share->column[c * share->N + share->first + i] = column[c];
  PetscFunctionReturn(0);
}

/* Round by round, so that a stop that is asked for is met soon. */
static PetscErrorCode RefineShare(ScoriaRun run, Refiner refiner, const Share *share, ScoriaRows *rows)
{
  int64_t at            = -1;
  PetscErrorCode failed = 0;
  ScoriaProgress bar;
  ScoriaPace pace = {.run = run, .step = 1, .most = ROUND_ROWS};
  PetscFunctionBeginUser;
  PetscCall(ScoriaProgressCreate(run, "refine", "fields", (double)share->N, &bar));
  for (int64_t base = 0, step; base < share->most; base += step) {
    PetscCall(ScoriaPaceMeet(&pace, "the refinement restarts from the beginning"));
    step = pace.step;
    for (int64_t i = base; i < PetscMin(base + step, share->number) && !failed; i++)
      failed = RefineOne(refiner, share, i, &at, rows);
    PetscCall(ScoriaAgreeFailed(ScoriaRunComm(run), failed));
    PetscCall(ScoriaProgressUpdate(bar, (double)PetscMin(share->N, (base + step) * share->groups->count), NULL));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  rows->rows = share->groups->group_rank ? 0 : share->number;
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

static PetscErrorCode RefineAll(ScoriaRun run, ScoriaDeck deck, const RefineGiven *given, const RefinePde *pde,
                                const RefineChosen *chosen)
{
  ScoriaDatasetSpec spec = pde->forward.spec;
  char path[PETSC_MAX_PATH_LEN];
  RefineOptions opt;
  ScoriaDataset out;
  ScoriaRows rows;
  Refiner refiner;
  Share share;
  PetscFunctionBeginUser;
  spec.rows         = chosen->conditions * chosen->each;
  spec.realisations = chosen->each;
  spec.float64      = true;
  PetscCall(ReadOptions(deck, &opt));
  PetscCall(ScoriaRunPath(run, "refined.h5", sizeof path, path));
  PetscCall(CreateRefined(run, deck, path, &given->made, pde, &spec, &out));
  PetscCall(CreateShare(given, chosen, ScoriaEnsembleGroups(pde->ens), &share));
  PetscCall(ScoriaRowsCreate(&spec, PetscMax(share.number, 1), &rows));
  PetscCall(RefinerCreate(&pde->forward, &opt, &refiner));
  PetscCall(RefineShare(run, refiner, &share, &rows));
  PetscCall(RefinerDestroy(&refiner));
  PetscCall(ScoriaReduceMany(given->comm, MPI_SUM, REFINE_COLUMNS * spec.rows, MPI_DOUBLE, share.column));
  PetscCall(ScoriaDatasetWrite(out, share.first, &rows));
  PetscCall(RefineSay(run, spec.rows, chosen->conditions, share.column));
  PetscCall(RefineWrite(run, deck, given->path, &given->made, spec.rows, share.column));
  PetscCall(ScoriaDatasetFinish(&out)); /* last: it marks the refinement as complete */
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscCall(DestroyShare(&share));
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
  if (complete) PetscFunctionReturn(0);
  PetscCall(RefineGivenOpen(run, deck, &given));
  PetscCall(RefinePdeOpen(run, deck, given.spec, &pde));
  PetscCall(RefineChosenRead(deck, &given, &pde, &chosen));
  PetscCall(RefineAll(run, deck, &given, &pde, &chosen));
  PetscCall(RefineChosenDestroy(&chosen));
  PetscCall(RefinePdeClose(&pde));
  PetscCall(RefineGivenClose(&given));
  PetscFunctionReturn(0);
}
