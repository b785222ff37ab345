/* solve: the PDE for given porosity profiles (porosity_file: rows of /fields/eps, with /conditions/<name> where the
 * file has them), or for a few drawn ones, at the samples' condition or the deck's fixed one. */
#include "cmd.h"
#include <limits.h>
#include <math.h>
#include <string.h>

#define MOST_VALUES (INT64_C(1) << 33) /* of a porosity file: every rank has all of them in memory, 64 GiB */

typedef struct {
  int64_t rows;
  int cells;         /* nx; 0: the deck's */
  ScoriaSpace space; /* the conditions; lo = hi: their values where nothing else gives them */
  double *eps;       /* owned; (rows, cells); NULL: porosities are drawn */
  double *theta;     /* owned; (rows, space.n) */
  uint64_t *ids;     /* owned; (rows) */
} Problem;

static PetscErrorCode AllocateProblem(int64_t rows, Problem *p)
{
  PetscFunctionBeginUser;
  p->rows = rows;
  PetscCall(PetscMalloc2((size_t)rows * (size_t)p->space.n, &p->theta, rows, &p->ids));
  for (int64_t i = 0; i < rows; i++) {
    p->ids[i] = (uint64_t)i;
    for (int c = 0; c < p->space.n; c++) p->theta[i * p->space.n + c] = p->space.c[c].lo;
  }
  PetscFunctionReturn(0);
}

/* The condition of the samples, where the deck gives it, so that `solve` and `sample` are of one law. */
static PetscErrorCode TakeSampleCondition(ScoriaDeck deck, ScoriaSpace *space)
{
  double theta[SCORIA_MAX_CONDITIONS];
  bool asked;
  PetscFunctionBeginUser;
  PetscCall(ScoriaConditionOfSamples(deck, space, theta, &asked));
  for (int i = 0; i < space->n; i++) space->c[i].lo = space->c[i].hi = theta[i];
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyProblem(Problem *p)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(p->eps));
  PetscCall(PetscFree2(p->theta, p->ids));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadPorosity(MPI_Comm comm, const char *path, Problem *p)
{
  int rank;
  int64_t dims[2];
  PetscFunctionBeginUser;
  PetscCall(ScoriaArrayShape(comm, path, "/fields/eps", 2, &rank, dims));
  if (rank != 2)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found no two-dimensional /fields/eps, expected porosity rows (N, cells)", path);
  if (dims[0] < 1 || dims[1] < 1 || dims[1] > INT_MAX || dims[0] > MOST_VALUES / dims[1])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: /fields/eps has the shape (%lld, %lld), expected 1 to %lld values", path,
                (long long)dims[0], (long long)dims[1], (long long)MOST_VALUES);
  PetscCall(AllocateProblem(dims[0], p));
  p->cells = (int)dims[1];
  PetscCall(PetscMalloc1(dims[0] * dims[1], &p->eps));
  PetscCall(ScoriaArrayRead(comm, path, "/fields/eps", dims[0] * dims[1], p->eps));
  for (int64_t i = 0; i < dims[0] * dims[1]; i++)
    if (!(p->eps[i] > 0 && p->eps[i] < 1))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: /fields/eps row %lld cell %lld: found %g, expected a porosity between 0 and 1", path,
                  (long long)(i / dims[1]), (long long)(i % dims[1]), p->eps[i]);
  PetscFunctionReturn(0);
}

/* The conditions that the file has; a condition's range is that of its rows. */
static PetscErrorCode ReadConditions(MPI_Comm comm, const char *path, Problem *p)
{
  double *column;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(p->rows, &column));
  for (int c = 0; c < p->space.n; c++) {
    ScoriaCondition *to = &p->space.c[c];
    char name[SCORIA_NAME_SIZE + 16];
    int rank;
    int64_t n;
    PetscCall(PetscSNPrintf(name, sizeof name, "/conditions/%s", to->name));
    PetscCall(ScoriaArrayShape(comm, path, name, 1, &rank, &n));
    if (rank < 0) continue;
    if (rank != 1 || n != p->rows)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found %lld values, expected one for each of %lld rows", path, name,
                  (long long)n, (long long)p->rows);
    PetscCall(ScoriaArrayRead(comm, path, name, n, column));
    to->lo = to->hi = column[0];
    for (int64_t i = 0; i < p->rows; i++) {
      p->theta[i * p->space.n + c] = column[i];
      to->lo                       = fmin(to->lo, column[i]);
      to->hi                       = fmax(to->hi, column[i]);
    }
  }
  PetscCall(PetscFree(column));
  PetscFunctionReturn(0);
}

static PetscErrorCode ThetaOfProfile(void *ctx, int64_t row, double theta[])
{
  const Problem *p = ctx;
  const int n      = p->space.n;
  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(theta, p->theta + row * n, n));
  PetscFunctionReturn(0);
}

/* This group's block of the rows: all groups look between rows whether to stop. */
static PetscErrorCode SolveRows(ScoriaRun run, ScoriaEnsemble ens, const ScoriaDatasetSpec *spec, const Problem *p,
                                int64_t first, int64_t number, ScoriaRows *rows)
{
  const int groups    = ScoriaEnsembleGroups(ens)->count;
  const int64_t share = (p->rows + groups - 1) / groups;
  ScoriaPace pace     = {.run = run, .step = 1, .most = share};
  PetscFunctionBeginUser;
  for (int64_t done = 0, step; done < share; done += step) {
    PetscCall(ScoriaPaceMeet(&pace, "the solves are not kept and restart from the beginning"));
    step             = pace.step;
    const int64_t at = PetscMin(done, number), row = first + at;
    ScoriaRows some       = rows_from(spec, rows, at);
    const int64_t several = PetscMin(step, number - at);
    PetscCall(ScoriaEnsembleCompute(ens, several, p->theta + row * spec->space.n, p->ids + row,
                                    p->eps ? p->eps + row * spec->cells : NULL, &some));
  }
  rows->rows = number;
  PetscFunctionReturn(0);
}

/* Solves, writes, and counts what failed. */
static PetscErrorCode SolveAndWrite(ScoriaRun run, ScoriaDeck deck, Problem *p, const char *path, int64_t *failed)
{
  int64_t first, number;
  const double *x;
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  ScoriaProvenance from;
  ScoriaDataset ds;
  ScoriaRows rows;
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleCreateAt(ScoriaRunComm(run), deck, &p->space, p->cells, &ens));
  PetscCall(ScoriaEnsembleSpec(ens, &spec, &x));
  const ScoriaGroups *groups = ScoriaEnsembleGroups(ens);
  spec.rows = spec.realisations = p->rows; /* of one condition, unless one varies */
  spec.float64                  = true;
  for (int c = 0; c < spec.space.n; c++)
    if (spec.space.c[c].lo < spec.space.c[c].hi) spec.realisations = 1;
  PetscCall(ScoriaProvenanceOfRun(run, deck, "solve", groups->full_size, &from));
  PetscCall(ScoriaDatasetCreate(ScoriaRunComm(run), path, &spec, x, &from, &ds));
  PetscCall(ScoriaDatasetWatch(ds, run));
  PetscCall(ScoriaWarnOfRest(run, groups));
  deal_block(p->rows, groups->index, groups->count, &first, &number);
  PetscCall(ScoriaRowsCreate(&spec, number, &rows));
  PetscCall(SolveRows(run, ens, &spec, p, first, number, &rows));
  if (groups->group_rank) rows.rows = 0;
  *failed = 0;
  for (int64_t i = 0; i < rows.rows; i++) *failed += rows.done[i] == SCORIA_ROW_FAILED;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, failed, 1, MPI_INT64_T, MPI_SUM, ScoriaRunComm(run)));
  PetscCall(ScoriaDatasetWrite(ds, first, &rows));
  /* before the dataset gets its name, with which another start is refused: this may be stopped */
  PetscCall(ScoriaWholeFieldsWrite(run, deck, ens, p->rows, ThetaOfProfile, p, p->eps, "solve_fields.h5"));
  PetscCall(ScoriaDatasetFinish(&ds));
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscCall(ScoriaEnsembleDestroy(&ens));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandSolve(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN];
  const char *file = NULL;
  double allowed   = 0;
  int64_t failed;
  PetscInt count = 0;
  const ScoriaProblem *problem;
  void *parameters;
  Problem p = {0};
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "solve"));
  PetscCall(ScoriaNeedEquations(deck, "solve", "there is nothing to solve"));
  PetscCall(ScoriaProblemFromDeck(deck, &problem, &parameters));
  PetscCall(PetscFree(parameters));
  PetscCall(ScoriaSpaceFixed(deck, problem, &p.space));
  PetscCall(TakeSampleCondition(deck, &p.space));
  PetscCall(ScoriaDeckString(deck, "porosity_file", &file));
  PetscCall(ScoriaDeckInt(deck, "solve_count", &count));
  if (file) {
    PetscCall(ReadPorosity(ScoriaRunComm(run), file, &p));
    PetscCall(ReadConditions(ScoriaRunComm(run), file, &p));
    PetscCall(ScoriaSay(run, "  %lld profiles of %d cells from %s", (long long)p.rows, p.cells, file));
  } else
    PetscCall(AllocateProblem(count, &p));
  PetscCall(ScoriaRunPath(run, "solve.h5", sizeof path, path));
  PetscCall(SolveAndWrite(run, deck, &p, path, &failed));
  PetscCall(ScoriaDeckReal(deck, "ensemble_max_failed_fraction", &allowed));
  PetscCall(ScoriaSay(run, "  %lld rows, %lld failed", (long long)p.rows, (long long)failed));
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  if ((double)failed > allowed * (double)p.rows)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES, "%s: %lld of %lld solves failed, ensemble: max_failed_fraction allows %g", path,
                (long long)failed, (long long)p.rows, allowed);
  PetscCall(DestroyProblem(&p));
  PetscFunctionReturn(0);
}
