/* Rows of an ensemble: for each (theta, realisation) a porosity draw and a solve, by one rank group. */
#include "ensemble.h"
#include "scoria/phases.h"
#include <math.h>

PetscErrorCode ScoriaEnsembleField(ScoriaEnsemble e, int f, double all[])
{
  const bool alone = e->groups.group_size == 1;
  double *own      = alone ? all : e->own;
  PetscFunctionBeginUser;
  if (f < e->outputs)
    PetscCall(ScoriaSolverField(e->solver, f, own));
  else
    PetscCall(PetscArraycpy(own, e->eps, solver_own_cells(e->solver)));
  if (!alone) PetscCall(ScoriaGatherCells(&e->groups, &e->grid, own, all));
  PetscFunctionReturn(0);
}

/* A profile along x in this rank's own cells. */
static void spread_profile(ScoriaEnsemble e, const double profile[])
{
  const int n = e->grid.n[0], cells = solver_own_cells(e->solver);
  int first, number;
  grid_slab(&e->grid, e->groups.group_rank, e->groups.group_size, &first, &number);
  for (int i = 0; i < cells; i++) e->eps[i] = profile[e->grid.dim == 1 ? first + i : i % n];
}

/* Row i of rows from one solve at e->eps. */
static PetscErrorCode ComputeRow(ScoriaEnsemble e, const double theta[], int64_t i, ScoriaRows *rows)
{
  const size_t at = (size_t)i * (size_t)e->spec.cells;
  ScoriaSolveStatus status;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSolverSolve(e->solver, theta, e->eps, &status));
  for (int f = 0; f <= e->outputs; f++) {
    double *sd = e->lateral_sd ? rows->field[e->outputs + 1 + f] + at : NULL;
    if (e->whole)
      PetscCall(ScoriaEnsembleField(e, f, rows->field[f] + at));
    else if (f < e->outputs)
      PetscCall(ScoriaSolverProfile(e->solver, f, rows->field[f] + at, sd));
    else
      PetscCall(ScoriaSolverAverage(e->solver, e->eps, rows->field[f] + at, sd));
  }
  for (int k = 0; k < e->spec.space.n; k++) rows->condition[k][i] = theta[k];
  rows->done[i]     = status.reason > 0 ? SCORIA_ROW_DONE : SCORIA_ROW_FAILED;
  rows->reason[i]   = status.reason;
  rows->newton[i]   = status.newton;
  rows->attempts[i] = (uint8_t)PetscMin(status.attempts, UINT8_MAX);
  rows->residual[i] = status.residual;
  PetscFunctionReturn(0);
}

/* A row, timed and counted.  Beyond one dimension the matrices do not stay in cache: an operation on a sparse matrix of
 * blocks of m x m reals moves a block and its column index for the 2 m^2 flops of its product. */
static PetscErrorCode TimeRow(ScoriaEnsemble e, const double theta[], int64_t i, ScoriaRows *rows)
{
  const double block = (double)e->shape.unknowns * e->shape.unknowns;
  PetscLogDouble before, after;
  PetscFunctionBeginUser;
  phase_begin(SCORIA_PHASE_SOLVE);
  PetscCall(PetscGetFlops(&before));
  PetscCall(ComputeRow(e, theta, i, rows));
  PetscCall(PetscGetFlops(&after));
  if (e->grid.dim > 1) phase_bytes((after - before) * (sizeof(PetscScalar) * block + sizeof(PetscInt)) / (2 * block));
  phase_end(SCORIA_PHASE_SOLVE, e->groups.group_rank == 0); /* once for a group */
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleDraw(ScoriaEnsemble e, const double theta[], uint64_t id, double eps[])
{
  PetscFunctionBeginUser;
  if (porosity_set(e->porosity, &e->spec.space, theta))
    PetscCall(ScoriaPorosityDraw(e->porosity, theta[e->ell], id, eps));
  else
    for (int i = 0; i < solver_own_cells(e->solver); i++) eps[i] = NAN;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleCompute(ScoriaEnsemble e, int64_t number, const double theta[], const uint64_t ids[],
                                     const double eps[], ScoriaRows *rows)
{
  const int n = e->spec.space.n;
  PetscFunctionBeginUser;
  PetscCheck(number <= rows->capacity, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "%lld rows, room for %lld",
             (long long)number, (long long)rows->capacity);
  for (int64_t i = 0; i < number; i++) {
    if (eps)
      spread_profile(e, eps + i * e->grid.n[0]);
    else {
      phase_begin(SCORIA_PHASE_DRAW);
      PetscCall(ScoriaEnsembleDraw(e, theta + i * n, ids[i], e->eps));
      phase_end(SCORIA_PHASE_DRAW, e->groups.group_rank == 0);
    }
    PetscCall(TimeRow(e, theta + i * n, i, rows));
  }
  rows->rows = number;
  PetscFunctionReturn(0);
}

bool ensemble_normals(void *ctx, const double theta[], int64_t cells, const double eps[], double g[])
{
  const ScoriaEnsemble e = ctx;
  return porosity_set(e->porosity, &e->spec.space, theta) && porosity_normals(e->porosity, cells, eps, g);
}

/* The homogeneous porosity that stands for those at theta. */
static PetscErrorCode TwinPorosity(ScoriaEnsemble e, const double theta[])
{
  PetscFunctionBeginUser;
  e->problem->at(e->parameters, theta);
  if (!porosity_set(e->porosity, &e->spec.space, theta))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "no porosity between porosity_min and porosity_max has this mean and SD");
  PetscCall(ScoriaPorosityEffective(e->porosity, problem_mean_exponent(e->problem, e->parameters), &e->twin_eps));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleTwinPorosity(ScoriaEnsemble e, const double theta[], double *eps)
{
  PetscFunctionBeginUser;
  if (e->law_varies) PetscCall(TwinPorosity(e, theta));
  *eps = e->twin_eps;
  PetscFunctionReturn(0);
}

/* fields (outputs, nx) of a homogeneous porosity. */
static PetscErrorCode SolveHomogeneous(ScoriaEnsemble e, const double theta[], double eps, double fields[],
                                       ScoriaSolveStatus *status)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < e->grid.n[0]; i++) e->profile[i] = eps;
  PetscCall(ScoriaSolverSolve(e->twin, theta, e->profile, status));
  for (int f = 0; f < e->outputs; f++)
    PetscCall(ScoriaSolverProfile(e->twin, f, fields + (size_t)f * (size_t)e->grid.n[0], NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleTwin(void *ctx, const double theta[], double fields[])
{
  ScoriaEnsemble e = ctx;
  ScoriaSolveStatus status;
  char at[256];
  double eps = NAN;
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleTwinPorosity(e, theta, &eps));
  PetscCall(SolveHomogeneous(e, theta, eps, fields, &status));
  space_describe(&e->spec.space, theta, sizeof at, at);
  if (status.reason < 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "the homogeneous %s (eps = %.4f) has no solution at %s (reason %d)",
                e->problem->name, e->twin_eps, at, status.reason);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleEnds(void *ctx, const double theta[], double near[], double far[])
{
  ScoriaEnsemble e   = ctx;
  const double least = porosity_least(e->porosity);
  const int nx       = e->grid.n[0];
  double rest[MAX_STATE];
  bool limited = false;
  ScoriaSolveStatus status;
  ScoriaShape shape;
  PetscFunctionBeginUser;
  e->problem->at(e->parameters, theta);
  e->problem->shape(e->parameters, &shape);
  e->problem->start(e->parameters, rest);
  for (int f = 0; f < e->outputs; f++) {
    const int u = f < shape.unknowns ? shape.output[f] : -1;
    near[f]     = u < 0 ? 0 : shape.scale[u] * rest[u];
    limited     = limited || (u >= 0 && shape.limited[f]);
  }
  if (limited && least > 0) PetscCall(SolveHomogeneous(e, theta, least, far, &status));
  const bool found = limited && least > 0 && status.reason > 0;
  for (int f = 0; f < e->outputs; f++)
    for (int i = 0; i < nx && !(found && f < shape.unknowns && shape.limited[f]); i++) far[f * nx + i] = NAN;
  PetscFunctionReturn(0);
}
