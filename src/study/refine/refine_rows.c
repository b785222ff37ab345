/* refine: for fields that no solver made, the porosity profiles whose solutions are nearest: how near says how far the
 * fields are from being solutions of the PDE, and the profiles are what may be behind them.
 *
 * The rows are the same number from every condition of the file; each is one group's work.  Every value is one rank's
 * and zero elsewhere, so that their sums are exact. */
#include "refine.h"
#include "scoria/phases.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SD_ROWS 1024  /* of a condition, at most, that its standard deviation is taken from */
#define ROUND_ROWS 32 /* of a group, at most, before it looks whether to stop */
#define LEAST_ROWS 8  /* good ones, for the same */
#define SD_FLOOR 0.05 /* of a field's largest: c hardly varies beside the separator, where it is given */

typedef struct {
  ScoriaRun run; /* borrowed */
  MPI_Comm comm;
  char path[PETSC_MAX_PATH_LEN];
  bool own; /* the samples of the run directory, not a file that was named */
  ScoriaMadeFrom made;
  ScoriaDataset ds; /* owned, as are ens and por */
  const ScoriaDatasetSpec *given;
  ScoriaEnsemble ens;
  ScoriaPorosity por;
  ScoriaDatasetSpec spec; /* of refined.h5 */
  const double *x;
  const ScoriaGroups *groups;
  RefineOptions opt;
  int channels, m;
  int field[SCORIA_MAX_FIELDS], condition[SCORIA_MAX_CONDITIONS]; /* where the PDE's stand in the file; -1: fixed */
  int64_t conditions, each;                                       /* rows = conditions * each */
  double *theta, *sd, *fields, *column; /* owned (conditions, space.n), (conditions, m), (own rows, m), (REFINE_COLUMNS,
                                           rows) */
} Refine;

/* --------------------------------------------------------------------------------------------------- the file ---- */

static PetscErrorCode NameGiven(ScoriaDeck deck, Refine *f)
{
  const char *name = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "refine_sample", &name));
  f->own = !name;
  if (name)
    PetscCall(PetscStrncpy(f->path, name, sizeof f->path));
  else {
    PetscCall(ScoriaDeckString(deck, "sample_file", &name));
    PetscCall(ScoriaRunPath(f->run, name, sizeof f->path, f->path));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenGiven(ScoriaDeck deck, Refine *f)
{
  const char *stored;
  char difference[512];
  PetscFunctionBeginUser;
  PetscCall(ScoriaFileTrial(f->comm, f->path));
  PetscCall(ScoriaDatasetOpen(f->comm, f->path, &f->ds));
  PetscCall(ScoriaDatasetInfo(f->ds, &f->given, NULL, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, SCORIA_OF_LAW, sizeof difference, difference));
  if (*difference)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: made for another problem (%s): its fields are solutions of other equations",
                f->path, difference);
  if (f->own) {
    PetscCall(ScoriaChainCheck(f->run, f->path, dataset_made_from(f->ds)));
    f->made = *dataset_made_from(f->ds);
  }
  PetscCall(ScoriaDatasetIdentity(f->ds, f->given->rows, f->made.file));
  PetscFunctionReturn(0);
}

/* The PDE on the file's cells, at its conditions. */
static PetscErrorCode OpenPhysics(ScoriaDeck deck, Refine *f)
{
  const ScoriaProblem *problem;
  void *parameters;
  ScoriaSpace space;
  ScoriaGrid grid;
  PetscFunctionBeginUser;
  PetscCall(ScoriaProblemFromDeck(deck, &problem, &parameters));
  PetscCall(PetscFree(parameters));
  PetscCall(ScoriaSpaceFixed(deck, problem, &space));
  for (int k = 0; k < space.n; k++) {
    f->condition[k] = space_find(&f->given->space, space.c[k].name);
    if (f->condition[k] >= 0) space.c[k] = f->given->space.c[f->condition[k]];
  }
  PetscCall(ScoriaEnsembleCreateAt(f->comm, deck, &space, f->given->cells, &f->ens));
  PetscCall(ScoriaEnsembleSpec(f->ens, &f->spec, &f->x));
  ensemble_grid(f->ens, &grid);
  if (grid.dim > 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "refine: ensemble_cells has %d axes, expected one: a profile does not determine a "
                "porosity of two or three dimensions",
                grid.dim);
  f->groups = ScoriaEnsembleGroups(f->ens);
  PetscCall(ScoriaPorosityCreate(deck, f->groups->group, &grid, &f->por));
  PetscFunctionReturn(0);
}

static PetscErrorCode MatchFields(Refine *f)
{
  const double *x;
  PetscFunctionBeginUser;
  for (; f->channels < f->spec.nfields && field_is_state(&f->spec.field[f->channels]); f->channels++) {
    const ScoriaField *field = &f->spec.field[f->channels];
    const int i              = field_find(f->given->nfields, f->given->field, field->name);
    if (i < 0 || strcmp(f->given->field[i].unit, field->unit))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found no field %s [%s], which the PDE has", f->path, field->name,
                  field->unit);
    f->field[f->channels] = i;
  }
  PetscCall(ScoriaDatasetInfo(f->ds, NULL, &x, NULL));
  for (int j = 0; j < f->spec.cells; j++)
    if (fabs(x[j] - f->x[j]) > 1e-9 * f->x[f->spec.cells - 1])
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: cell %d lies at %g m, expected %g m", f->path, j, x[j], f->x[j]);
  f->m = f->channels * f->spec.cells;
  PetscFunctionReturn(0);
}

/* Conditions evenly spaced among those of the file, and the first rows of each. */
static PetscErrorCode ChooseRows(ScoriaDeck deck, Refine *f)
{
  const int64_t all = f->given->rows / f->given->realisations;
  PetscInt count    = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "refine_count", &count));
  f->conditions        = PetscMin(all, count);
  f->each              = PetscMin(f->given->realisations, count / f->conditions);
  f->spec.rows         = f->conditions * f->each;
  f->spec.realisations = f->each;
  f->spec.float64      = true;
  PetscFunctionReturn(0);
}

static int64_t first_row(const Refine *f, int64_t condition)
{
  const int64_t all = f->given->rows / f->given->realisations;
  return condition * all / f->conditions * f->given->realisations;
}

/* ------------------------------------------------------------------------------------------------- its numbers ---- */

static void take_fields(const Refine *f, const ScoriaRows *rows, int64_t i, double fields[])
{
  rows_pack(rows, i, 1, f->channels, f->field, f->spec.cells, fields);
}

/* Two passes over the good rows; no cell's is less than a share of its field's largest.  Returns how many were good. */
static int64_t find_sd(const Refine *f, const ScoriaRows *rows, double mean[], double fields[], double sd[])
{
  const int L  = f->spec.cells;
  int64_t good = 0;
  memset(mean, 0, (size_t)f->m * sizeof *mean);
  memset(sd, 0, (size_t)f->m * sizeof *sd);
  for (int64_t i = 0; i < rows->rows; i++) {
    if (rows->done[i] != SCORIA_ROW_DONE) continue;
    take_fields(f, rows, i, fields);
    for (int j = 0; j < f->m; j++) mean[j] += fields[j];
    good++;
  }
  for (int j = 0; j < f->m; j++) mean[j] /= PetscMax(good, 1);
  for (int64_t i = 0; i < rows->rows; i++) {
    if (rows->done[i] != SCORIA_ROW_DONE) continue;
    take_fields(f, rows, i, fields);
    for (int j = 0; j < f->m; j++) sd[j] += pow(fields[j] - mean[j], 2);
  }
  for (int c = 0; c < f->channels; c++) {
    double most = 0;
    for (int j = c * L; j < (c + 1) * L; j++) {
      sd[j] = sqrt(sd[j] / PetscMax(good - 1, 1));
      most  = PetscMax(most, sd[j]);
    }
    for (int j = c * L; j < (c + 1) * L; j++) sd[j] = PetscMax(sd[j], SD_FLOOR * most);
  }
  return good;
}

/* theta and SD of every condition: every rank reads the same rows and computes the same. */
static PetscErrorCode ReadConditions(Refine *f)
{
  const int n = f->spec.space.n;
  double *mean, *fields;
  ScoriaRows rows;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(f->conditions * n, &f->theta, f->conditions * f->m, &f->sd));
  PetscCall(PetscMalloc2(f->m, &mean, f->m, &fields));
  PetscCall(ScoriaRowsCreate(f->given, PetscMin(f->given->realisations, SD_ROWS), &rows));
  for (int64_t k = 0; k < f->conditions; k++) {
    PetscCall(ScoriaDatasetRead(f->ds, first_row(f, k), rows.capacity, &rows));
    for (int i = 0; i < n; i++)
      f->theta[k * n + i] = f->condition[i] < 0 ? f->spec.space.c[i].lo : rows.condition[f->condition[i]][0];
    const int64_t good = find_sd(f, &rows, mean, fields, f->sd + k * f->m);
    if (good < LEAST_ROWS || !(f->sd[k * f->m] > 0))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: %lld good rows at condition %lld, expected at least %d that differ: misfits are in units of "
                  "their standard deviation",
                  f->path, (long long)good, (long long)k, LEAST_ROWS);
  }
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscCall(PetscFree2(mean, fields));
  PetscFunctionReturn(0);
}

/* The fields of this group's rows [first, first + number) of the list, NaN where one is not good.  Collective. */
static PetscErrorCode ReadFields(Refine *f, int64_t first, int64_t number)
{
  const int64_t most = (f->spec.rows + f->groups->count - 1) / f->groups->count;
  ScoriaSource source;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(number * f->m + 1), &f->fields));
  PetscCall(ScoriaSourceOfFile(f->comm, f->ds, f->channels, f->field, 1, &source));
  for (int64_t i = 0; i < most; i++) {
    const bool mine   = i < number;
    const int64_t row = mine ? first_row(f, (first + i) / f->each) + (first + i) % f->each : 0;
    PetscCall(ScoriaSourceDraw(source, NULL, (uint64_t)row, mine, f->fields + (mine ? i * f->m : 0)));
    if (mine && f->groups->group_rank == 0) f->column[REFINE_ROW * f->spec.rows + first + i] = (double)row;
  }
  PetscCall(ScoriaSourceDestroy(&source));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- refining ----
 */

static PetscErrorCode Profile(void *ctx, const double theta[], const double z[], double eps[])
{
  const Refine *f = ctx;
  PetscFunctionBeginUser;
  PetscCall(ScoriaPorosityFrom(f->por, theta[space_find(&f->spec.space, "ell")], z, eps));
  PetscFunctionReturn(0);
}

static PetscErrorCode Solve(void *ctx, int64_t n, const double theta[], const double eps[], ScoriaRows *rows)
{
  const Refine *f = ctx;
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleCompute(f->ens, n, theta, NULL, eps, rows));
  PetscFunctionReturn(0);
}

/* By the PDE. */
static PetscErrorCode CreateRefiner(Refine *f, Refiner *refiner)
{
  RefineForward forward = {.ctx = f, .profile = Profile, .solve = Solve};
  const double *x;
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleSpec(f->ens, &forward.spec, &x));
  PetscCall(RefinerCreate(&forward, &f->opt, refiner));
  PetscFunctionReturn(0);
}

/* Row i of this group's, which is row first + i of the list; *at is the condition that the refiner is set to. */
static PetscErrorCode RefineOne(Refine *f, Refiner refiner, int64_t first, int64_t i, int64_t *at, ScoriaRows *rows)
{
  const int64_t N = f->spec.rows, condition = (first + i) / f->each;
  double column[REFINE_COLUMNS];
  PetscFunctionBeginUser;
  if (condition != *at) PetscCall(RefinerAt(refiner, f->theta + condition * f->spec.space.n));
  *at = condition;
  phase_begin(SCORIA_PHASE_REFINE);
  PetscCall(RefinerRun(refiner, f->fields + i * f->m, f->sd + condition * f->m, i, rows, column));
  phase_end(SCORIA_PHASE_REFINE, f->groups->group_rank == 0);
  if (column[REFINE_STATUS] == REFINE_FAILED) rows->done[i] = SCORIA_ROW_FAILED;
  for (int c = 0; c < REFINE_ROW && f->groups->group_rank == 0; c++) f->column[c * N + first + i] = column[c];
  PetscFunctionReturn(0);
}

/* Round by round, so that a stop that is asked for is met soon. */
static PetscErrorCode RefineOwn(Refine *f, int64_t first, int64_t number, ScoriaRows *rows)
{
  const int64_t N = f->spec.rows, most = (N + f->groups->count - 1) / f->groups->count;
  int64_t at            = -1;
  PetscErrorCode failed = 0;
  Refiner refiner;
  ScoriaProgress bar;
  ScoriaPace pace = {.run = f->run, .step = 1, .most = ROUND_ROWS};
  PetscFunctionBeginUser;
  PetscCall(CreateRefiner(f, &refiner));
  PetscCall(ScoriaProgressCreate(f->run, "refine", "fields", (double)N, &bar));
  for (int64_t base = 0, step; base < most; base += step) {
    PetscCall(ScoriaPaceMeet(&pace, "the refinement restarts from the beginning"));
    step = pace.step;
    for (int64_t i = base; i < PetscMin(base + step, number) && !failed; i++)
      failed = RefineOne(f, refiner, first, i, &at, rows);
    PetscCall(ScoriaAgreeFailed(f->comm, failed));
    PetscCall(ScoriaProgressUpdate(bar, (double)PetscMin(N, (base + step) * f->groups->count), NULL));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(RefinerDestroy(&refiner));
  rows->rows = f->groups->group_rank ? 0 : number;
  PetscFunctionReturn(0);
}

static PetscErrorCode RefineAll(ScoriaDeck deck, Refine *f)
{
  char path[PETSC_MAX_PATH_LEN];
  ScoriaProvenance from;
  ScoriaDataset out;
  ScoriaRows rows;
  int64_t first, number;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(f->run, "refined.h5", sizeof path, path));
  PetscCall(ScoriaProvenanceOfRun(f->run, deck, "refined", f->groups->full_size, &from));
  from.made = f->made;
  PetscCall(ScoriaDatasetCreate(f->comm, path, &f->spec, f->x, &from, &out));
  PetscCall(ScoriaDatasetWatch(out, f->run));
  PetscCall(ScoriaWarnOfRest(f->run, f->groups));
  deal_block(f->spec.rows, f->groups->index, f->groups->count, &first, &number);
  PetscCall(PetscCalloc1(REFINE_COLUMNS * f->spec.rows, &f->column));
  PetscCall(ReadFields(f, first, number));
  PetscCall(ScoriaRowsCreate(&f->spec, PetscMax(number, 1), &rows));
  PetscCall(RefineOwn(f, first, number, &rows));
  PetscCall(ScoriaReduceMany(f->comm, MPI_SUM, REFINE_COLUMNS * f->spec.rows, MPI_DOUBLE, f->column));
  PetscCall(ScoriaDatasetWrite(out, first, &rows));
  PetscCall(RefineSay(f->run, f->spec.rows, f->conditions, f->column));
  PetscCall(RefineWrite(f->run, deck, f->path, &f->made, f->spec.rows,
                        f->column)); /* refined.h5 comes last: it marks the refinement as complete */
  PetscCall(ScoriaDatasetFinish(&out));
  PetscCall(ScoriaSay(f->run, "  wrote %s", path));
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaRefine(ScoriaRun run, ScoriaDeck deck)
{
  Refine f = {.run = run, .comm = ScoriaRunComm(run)};
  PetscInt directions, iterations;
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(NameGiven(deck, &f));
  PetscCall(ScoriaCompleteDataset(run, deck, "refined.h5", SCORIA_OF_REFINED, f.path, &complete));
  if (complete) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckInt(deck, "refine_directions", &directions));
  PetscCall(ScoriaDeckInt(deck, "refine_iterations", &iterations));
  f.opt = (RefineOptions){.directions = (int)directions, .iterations = (int)iterations};
  PetscCall(ScoriaDeckReal(deck, "refine_tolerance", &f.opt.tolerance));
  PetscCall(ScoriaDeckReal(deck, "refine_sigma", &f.opt.sigma));
  PetscCall(OpenGiven(deck, &f));
  PetscCall(OpenPhysics(deck, &f));
  PetscCall(MatchFields(&f));
  PetscCall(ChooseRows(deck, &f));
  PetscCall(ReadConditions(&f));
  PetscCall(RefineAll(deck, &f));
  PetscCall(PetscFree2(f.theta, f.sd));
  PetscCall(PetscFree(f.fields));
  PetscCall(PetscFree(f.column));
  PetscCall(ScoriaPorosityDestroy(&f.por));
  PetscCall(ScoriaEnsembleDestroy(&f.ens));
  PetscCall(ScoriaDatasetClose(&f.ds));
  PetscFunctionReturn(0);
}
