/* solve: the PDE for given porosity profiles (porosity_file: rows of /fields/eps, with /conditions/<name> where the
 * file has them), or for a few drawn ones, at the samples' condition or the deck's fixed one.
 *
 * Every rank reads the profiles that its group solves next, and no others. */
#include "cmd.h"
#include "scoria/foreign_files.h"
#include "scoria/run_files.h"
#include <limits.h>
#include <math.h>
#include <string.h>

#define PROFILES_ARRAY 0         /* of the file: /fields/eps; the conditions that it has come next */
#define CHECKED_VALUES (1 << 16) /* read at a time to check them */

typedef struct {
  int64_t rows;
  int cells;                        /* nx; 0: the deck's */
  ScoriaSpace space;                /* the conditions; lo = hi: their values where nothing else gives them */
  ScoriaForeign file;               /* owned; NULL: porosities are drawn */
  int array[SCORIA_MAX_CONDITIONS]; /* of the file, of each condition; -1: it has none */
} Problem;

/* Room for what some rows are computed from. */
typedef struct {
  double *eps, *theta, *column; /* owned: (most, cells), (most, space.n), (most) */
  uint64_t *ids;                /* owned: (most) */
} Given;

static PetscErrorCode GivenCreate(const Problem *p, int64_t most, Given *given)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc4(p->file ? most * p->cells : 0, &given->eps, most * p->space.n, &given->theta, most,
                         &given->column, most, &given->ids));
  PetscFunctionReturn(0);
}

static PetscErrorCode GivenDestroy(Given *given)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree4(given->eps, given->theta, given->column, given->ids));
  PetscFunctionReturn(0);
}

/* Rows [first, first + n), of this rank alone; trouble is told by ScoriaForeignAgree. */
static PetscErrorCode GivenRead(const Problem *p, int64_t first, int64_t n, Given *given)
{
  const int64_t start[2] = {first, 0}, count[2] = {n, p->cells};
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) given->ids[i] = draw_number(SCORIA_DRAWS_ROWS, 0, first + i);
  if (p->file && n) PetscCall(ScoriaForeignRead(p->file, PROFILES_ARRAY, start, count, given->eps));
  for (int c = 0; c < p->space.n; c++) {
    const bool varies = p->file && p->array[c] >= 0;
    if (varies && n) PetscCall(ScoriaForeignRead(p->file, p->array[c], start, count, given->column));
    for (int64_t i = 0; i < n; i++) given->theta[i * p->space.n + c] = varies ? given->column[i] : p->space.c[c].lo;
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

/* The profiles and the conditions that the file has: its arrays, and the number of rows and cells. */
static PetscErrorCode OpenFile(MPI_Comm comm, const char *path, Problem *p)
{
  char condition[SCORIA_MAX_CONDITIONS][SCORIA_NAME_SIZE + 16];
  const char *name[1 + SCORIA_MAX_CONDITIONS] = {[PROFILES_ARRAY] = "/fields/eps"};
  int rank, arrays = PROFILES_ARRAY + 1;
  int64_t dims[2], n;
  PetscFunctionBeginUser;
  const PetscErrorCode unread = ScoriaArrayShape(comm, path, name[PROFILES_ARRAY], 2, &rank, dims);
  if (unread && strstr(ScoriaFailureLine(), "not an HDF5 file")) {
    char line[512];
    PetscCall(PetscStrncpy(line, ScoriaFailureLine(), sizeof line));
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: profiles are rows of its array /fields/eps (rows, cells); of a measured structure, which may be a "
                "TIFF, .npy or .csv, crops are solved with -solve_profiles drawn",
                line);
  }
  PetscCall(unread);
  if (rank != 2)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found no two-dimensional /fields/eps, expected porosity rows (N, cells)", path);
  if (dims[0] < 1 || dims[1] < 1 || dims[1] > INT_MAX)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: /fields/eps has the shape (%lld, %lld), expected rows of 1 to %d cells", path,
                (long long)dims[0], (long long)dims[1], INT_MAX);
  p->rows  = dims[0];
  p->cells = (int)dims[1];
  for (int c = 0; c < p->space.n; c++) {
    p->array[c] = -1;
    file_condition_path(p->space.c[c].name, sizeof condition[c], condition[c]);
    PetscCall(ScoriaArrayShape(comm, path, condition[c], 1, &rank, &n));
    if (rank < 0) continue;
    if (rank != 1 || n != p->rows)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found %lld values, expected one for each of %lld rows", path,
                  condition[c], (long long)n, (long long)p->rows);
    p->array[c]    = arrays;
    name[arrays++] = condition[c];
  }
  PetscCall(ScoriaForeignOpen(comm, path, arrays, name, &p->file));
  PetscFunctionReturn(0);
}

/* This rank's part: profiles are porosities.  Adds the conditions of the rows to the range of each. */
static PetscErrorCode CheckRows(const Problem *p, const char *path, int64_t first, int64_t n, const Given *given,
                                double range[][2])
{
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n * p->cells; i++)
    if (!(given->eps[i] > 0 && given->eps[i] < 1))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: /fields/eps row %lld cell %lld: found %g, expected a porosity between 0 and 1", path,
                  (long long)(first + i / p->cells), (long long)(i % p->cells), given->eps[i]);
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < p->space.n; c++) {
      range[c][0] = fmin(range[c][0], given->theta[i * p->space.n + c]);
      range[c][1] = fmin(range[c][1], -given->theta[i * p->space.n + c]);
    }
  PetscFunctionReturn(0);
}

/* All rows once, a block of them by each rank, before any is solved; the range of a condition is that of its rows. */
static PetscErrorCode CheckFile(ScoriaRun run, const char *path, Problem *p)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  const int64_t most  = PetscMax(1, CHECKED_VALUES / p->cells);
  double range[SCORIA_MAX_CONDITIONS][2];
  int rank, size;
  Given given;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  for (int c = 0; c < p->space.n; c++) range[c][0] = range[c][1] = INFINITY;
  PetscCall(GivenCreate(p, most, &given));
  for (int64_t base = 0; base < p->rows; base += most * size) {
    ScoriaPace pace = {.run = run, .step = 1, .most = 1};
    int64_t first, n;
    PetscCall(ScoriaPaceMeet(&pace, "nothing is solved yet"));
    deal_block(PetscMin(most * size, p->rows - base), rank, size, &first, &n);
    PetscCall(GivenRead(p, base + first, n, &given));
    PetscCall(ScoriaForeignAgree(p->file));
    PetscCall(ScoriaAgreeFailed(comm, CheckRows(p, path, base + first, n, &given, range)));
  }
  PetscCall(GivenDestroy(&given));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, range, 2 * p->space.n, MPI_DOUBLE, MPI_MIN, comm));
  for (int c = 0; c < p->space.n; c++) {
    p->space.c[c].lo = range[c][0];
    p->space.c[c].hi = -range[c][1];
  }
  PetscFunctionReturn(0);
}

/* What a row is computed from, for its whole fields.  Collective. */
static PetscErrorCode GiveRow(void *ctx, int64_t row, double theta[], double eps[])
{
  const Problem *p = ctx;
  Given given;
  PetscFunctionBeginUser;
  PetscCall(GivenCreate(p, 1, &given));
  PetscCall(GivenRead(p, row, 1, &given));
  if (p->file) PetscCall(ScoriaForeignAgree(p->file));
  PetscCall(PetscArraycpy(theta, given.theta, p->space.n));
  if (eps) PetscCall(PetscArraycpy(eps, given.eps, p->cells));
  PetscCall(GivenDestroy(&given));
  PetscFunctionReturn(0);
}

#define ROUND_ROWS 256 /* of a group, at most, before it reads more */

/* This group's block of the rows: all groups look between rows whether to stop. */
static PetscErrorCode SolveRows(ScoriaRun run, ScoriaEnsemble ens, const ScoriaDatasetSpec *spec, const Problem *p,
                                int64_t first, int64_t number, ScoriaRows *rows)
{
  const int groups    = ScoriaEnsembleGroups(ens)->count;
  const int64_t share = (p->rows + groups - 1) / groups;
  ScoriaPace pace     = {.run = run, .step = 1, .most = PetscMin(share, ROUND_ROWS)};
  Given given;
  PetscFunctionBeginUser;
  PetscCall(GivenCreate(p, pace.most, &given));
  for (int64_t done = 0, step; done < share; done += step) {
    PetscCall(ScoriaPaceMeet(&pace, "the solves are not kept and restart from the beginning"));
    step             = pace.step;
    const int64_t at = PetscMin(done, number), several = PetscMin(step, number - at);
    ScoriaRows some = rows_from(spec, rows, at);
    PetscCall(GivenRead(p, first + at, several, &given));
    if (p->file) PetscCall(ScoriaForeignAgree(p->file));
    PetscCall(ScoriaEnsembleCompute(ens, several, given.theta, given.ids, p->file ? given.eps : NULL, &some));
  }
  PetscCall(GivenDestroy(&given));
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
  PetscCall(PetscStrncpy(from.made.library, ensemble_library(ens), sizeof from.made.library));
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
  PetscCall(ScoriaWholeFieldsWrite(run, deck, ens, p->rows, GiveRow, p, p->file != NULL, "solve_fields.h5"));
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
  bool listed;
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
  PetscCall(ScoriaDeckIs(deck, "solve_profiles", "listed", &listed));
  if (listed) PetscCall(ScoriaDeckString(deck, "porosity_file", &file));
  PetscCall(ScoriaDeckInt(deck, "solve_count", &count));
  if (file) {
    PetscCall(ScoriaStopAtOnce(run, "nothing is solved yet"));
    const PetscErrorCode bad = OpenFile(ScoriaRunComm(run), file, &p); /* a child process reads all of it */
    stop_in_order();
    PetscCall(bad);
    PetscCall(CheckFile(run, file, &p));
    PetscCall(ScoriaSay(run, "  %lld profiles of %d cells from %s", (long long)p.rows, p.cells, file));
  } else
    p.rows = count;
  PetscCall(ScoriaRunPath(run, "solve.h5", sizeof path, path));
  PetscCall(SolveAndWrite(run, deck, &p, path, &failed));
  PetscCall(ScoriaDeckReal(deck, "ensemble_max_failed_fraction", &allowed));
  PetscCall(ScoriaSay(run, "  %lld rows, %lld failed", (long long)p.rows, (long long)failed));
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  if ((double)failed > allowed * (double)p.rows)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES, "%s: %lld of %lld solves failed, ensemble: max_failed_fraction allows %g", path,
                (long long)failed, (long long)p.rows, allowed);
  PetscCall(ScoriaForeignClose(&p.file));
  PetscFunctionReturn(0);
}
