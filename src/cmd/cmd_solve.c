/* solve: the PDE for given porosity profiles (porosity_file: rows of /fields/eps, with /conditions/<name> where the
 * file has them), or for a few drawn ones, at the deck's fixed conditions. */
#include "cmd.h"
#include <math.h>
#include <string.h>

typedef struct {
  int64_t rows;
  int cells;
  double *eps;   /* owned; (rows, cells) */
  double *theta; /* owned; (rows, SCORIA_NTHETA) */
} Problem;

static const struct {
  const char *name, *unit, *key, *range;
  bool log;
} conditions[SCORIA_NTHETA] = {{"U0", "V", "electrode_U0", "conditions_U0", false},
                               {"F_right", "A m^-2", "electrode_F_right", "conditions_F_right", false},
                               {"ell", "m", "porosity_ell", "conditions_ell", true}};

/* The fixed value of each condition; where only a range is given, its middle (the geometric one of a logarithmic
 * range). */
static PetscErrorCode FixedTheta(ScoriaDeck deck, double theta[])
{
  PetscFunctionBeginUser;
  for (int i = 0; i < SCORIA_NTHETA; i++) {
    double range[2];
    bool fixed, ranged;
    theta[i] = 0;
    PetscCall(ScoriaDeckHas(deck, conditions[i].key, &fixed));
    PetscCall(ScoriaDeckHas(deck, conditions[i].range, &ranged));
    if (ranged) {
      PetscCall(ScoriaDeckRange(deck, conditions[i].range, range));
      theta[i] = conditions[i].log ? sqrt(range[0] * range[1]) : 0.5 * (range[0] + range[1]);
    } else if (fixed)
      PetscCall(ScoriaDeckReal(deck, conditions[i].key, &theta[i]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AllocateProblem(int64_t rows, int cells, Problem *p)
{
  PetscFunctionBeginUser;
  p->rows  = rows;
  p->cells = cells;
  PetscCall(PetscMalloc2((size_t)rows * (size_t)cells, &p->eps, (size_t)rows * SCORIA_NTHETA, &p->theta));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadProblem(MPI_Comm comm, const char *path, const double fixed[], Problem *p)
{
  int rank;
  int64_t dims[2], n;
  double *column;
  PetscFunctionBeginUser;
  PetscCall(ScoriaArrayShape(comm, path, "/fields/eps", 2, &rank, dims));
  if (rank != 2)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found no two-dimensional /fields/eps, expected porosity rows (N, cells)", path);
  PetscCall(AllocateProblem(dims[0], (int)dims[1], p));
  PetscCall(ScoriaArrayRead(comm, path, "/fields/eps", dims[0] * dims[1], p->eps));
  for (int64_t i = 0; i < dims[0] * dims[1]; i++)
    if (!(p->eps[i] > 0 && p->eps[i] < 1))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: /fields/eps row %lld cell %lld: found %g, expected a porosity between 0 and 1", path,
                  (long long)(i / dims[1]), (long long)(i % dims[1]), p->eps[i]);
  PetscCall(PetscMalloc1(p->rows, &column));
  for (int c = 0; c < SCORIA_NTHETA; c++) {
    char name[SCORIA_NAME_SIZE];
    PetscCall(PetscSNPrintf(name, sizeof name, "/conditions/%s", conditions[c].name));
    PetscCall(ScoriaArrayShape(comm, path, name, 1, &rank, &n));
    if (rank >= 0 && (rank != 1 || n != p->rows))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found %lld values, expected one for each of %lld rows", path, name,
                  (long long)n, (long long)p->rows);
    if (rank == 1) PetscCall(ScoriaArrayRead(comm, path, name, n, column));
    for (int64_t i = 0; i < p->rows; i++) p->theta[i * SCORIA_NTHETA + c] = rank == 1 ? column[i] : fixed[c];
  }
  PetscCall(PetscFree(column));
  PetscFunctionReturn(0);
}

static PetscErrorCode DrawProblem(ScoriaDeck deck, const ScoriaElectrode *el, const double fixed[], Problem *p)
{
  PetscInt count = 0, ncells = 0, cells[3];
  ScoriaPorosity porosity;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "solve_count", &count));
  PetscCall(ScoriaDeckInts(deck, "ensemble_cells", 3, &ncells, cells));
  PetscCall(AllocateProblem(count, (int)cells[0], p));
  const ScoriaGrid grid = {1, {p->cells, 1, 1}, {el->L, 0, 0}};
  PetscCall(ScoriaPorosityCreate(deck, PETSC_COMM_SELF, &grid, &porosity));
  for (int64_t i = 0; i < p->rows; i++) {
    PetscCall(ScoriaPorosityDraw(porosity, fixed[SCORIA_ELL], (uint64_t)i, p->eps + i * p->cells));
    memcpy(p->theta + i * SCORIA_NTHETA, fixed, SCORIA_NTHETA * sizeof(double));
  }
  PetscCall(ScoriaPorosityDestroy(&porosity));
  PetscFunctionReturn(0);
}

/* A condition's range in the file is that of its rows. */
static void describe_rows(const Problem *p, ScoriaDatasetSpec *spec)
{
  static const ScoriaField fields[] = {
      {"c", "mol m^-3", "electrolyte concentration"}, {"phi", "V", "electrolyte potential"}, {"eps", "1", "porosity"}};
  memset(spec, 0, sizeof *spec);
  spec->rows         = p->rows;
  spec->cells        = p->cells;
  spec->realisations = p->rows; /* of one condition, unless one varies */
  spec->float64      = true;
  spec->nfields      = 3;
  memcpy(spec->field, fields, sizeof fields);
  spec->space.n = SCORIA_NTHETA;
  for (int c = 0; c < SCORIA_NTHETA; c++) {
    ScoriaCondition *to = &spec->space.c[c];
    snprintf(to->name, sizeof to->name, "%s", conditions[c].name);
    snprintf(to->unit, sizeof to->unit, "%s", conditions[c].unit);
    to->lo = to->hi = p->theta[c];
    for (int64_t i = 0; i < p->rows; i++) {
      to->lo = fmin(to->lo, p->theta[i * SCORIA_NTHETA + c]);
      to->hi = fmax(to->hi, p->theta[i * SCORIA_NTHETA + c]);
    }
    to->log = conditions[c].log && to->lo > 0 && to->lo < to->hi;
    if (to->lo < to->hi) spec->realisations = 1;
  }
}

static PetscErrorCode SolveRows(const Problem *p, ScoriaSolver solver, int64_t first, int64_t number, ScoriaRows *rows)
{
  const int64_t L = p->cells;
  PetscFunctionBeginUser;
  rows->rows = number;
  for (int64_t i = 0; i < number; i++) {
    const double *theta = p->theta + (first + i) * SCORIA_NTHETA, *eps = p->eps + (first + i) * L;
    ScoriaSolveStatus status;
    PetscCall(ScoriaSolverSolve(solver, theta, eps, rows->field[0] + i * L, rows->field[1] + i * L, &status));
    memcpy(rows->field[2] + i * L, eps, (size_t)L * sizeof(double));
    for (int c = 0; c < SCORIA_NTHETA; c++) rows->condition[c][i] = theta[c];
    rows->done[i]     = status.reason > 0 ? SCORIA_ROW_DONE : SCORIA_ROW_FAILED;
    rows->reason[i]   = status.reason;
    rows->newton[i]   = status.newton;
    rows->attempts[i] = (uint8_t)status.attempts;
    rows->residual[i] = status.residual;
  }
  PetscFunctionReturn(0);
}

/* Solves, writes, and counts what failed. */
static PetscErrorCode SolveAndWrite(ScoriaRun run, ScoriaDeck deck, const ScoriaElectrode *el, const Problem *p,
                                    const char *path, int64_t *failed)
{
  PetscInt group_size = 1;
  int64_t first, number;
  double *x;
  ScoriaGroups groups;
  ScoriaSolver solver;
  ScoriaDatasetSpec spec;
  ScoriaProvenance from;
  ScoriaDataset ds;
  ScoriaRows rows;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "ensemble_group_size", &group_size));
  PetscCall(ScoriaGroupsCreate(ScoriaRunComm(run), group_size, &groups));
  PetscCall(ScoriaSolverCreate(groups.group, el, p->cells, &solver));
  describe_rows(p, &spec);
  PetscCall(PetscMalloc1(p->cells, &x));
  for (int i = 0; i < p->cells; i++) x[i] = (i + 0.5) * el->L / p->cells;
  PetscCall(CmdProvenance(run, deck, "solve", groups.group_size, &from));
  PetscCall(ScoriaDatasetCreate(ScoriaRunComm(run), path, &spec, x, &from, &ds));
  deal_block(p->rows, groups.index, groups.count, &first, &number);
  PetscCall(ScoriaRowsCreate(&spec, number, &rows));
  PetscCall(SolveRows(p, solver, first, number, &rows));
  if (groups.group_rank) rows.rows = 0;
  *failed = 0;
  for (int64_t i = 0; i < rows.rows; i++) *failed += rows.done[i] == SCORIA_ROW_FAILED;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, failed, 1, MPI_INT64_T, MPI_SUM, ScoriaRunComm(run)));
  PetscCall(ScoriaDatasetWrite(ds, first, &rows));
  PetscCall(ScoriaDatasetFinish(&ds));
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscCall(PetscFree(x));
  PetscCall(ScoriaSolverDestroy(&solver));
  PetscCall(ScoriaGroupsDestroy(&groups));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandSolve(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN];
  const char *file = NULL;
  double fixed[SCORIA_NTHETA], allowed = 0;
  int64_t failed;
  ScoriaElectrode el;
  Problem p;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "solve"));
  PetscCall(ScoriaElectrodeFromDeck(deck, &el));
  PetscCall(FixedTheta(deck, fixed));
  PetscCall(ScoriaDeckString(deck, "porosity_file", &file));
  if (file)
    PetscCall(ReadProblem(ScoriaRunComm(run), file, fixed, &p));
  else
    PetscCall(DrawProblem(deck, &el, fixed, &p));
  PetscCall(ScoriaRunPath(run, "solve.h5", sizeof path, path));
  PetscCall(SolveAndWrite(run, deck, &el, &p, path, &failed));
  PetscCall(ScoriaDeckReal(deck, "ensemble_max_failed_fraction", &allowed));
  PetscCall(ScoriaSay(run, "  %lld rows of %d cells, %lld failed", (long long)p.rows, p.cells, (long long)failed));
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  if ((double)failed > allowed * (double)p.rows)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES, "%s: %lld of %lld solves failed, ensemble: max_failed_fraction allows %g", path,
                (long long)failed, (long long)p.rows, allowed);
  PetscCall(PetscFree2(p.eps, p.theta));
  PetscFunctionReturn(0);
}
