/* One solve: a guess, Newton (newton.c), and what is tried when Newton fails.
 *
 * Failures: continuation from the load that solves itself (equilibrium) to the full one, halving the increment at most
 * MAX_HALVINGS times, in MAX_INCREMENTS of them; then implicit time steps of growing length from the state at rest
 * until Newton converges from there; then the solve is recorded as failed.  In two and three dimensions the guess is
 * the solution in one, at the lateral mean of the porosity; where that has none, after its whole ladder, the field has
 * little hope, and less is tried. */
#include "solver.h"
#include <math.h>
#include <string.h>

#define MAX_HALVINGS 10
#define FEW_HALVINGS 2
#define MAX_INCREMENTS 40
#define MAX_PSEUDO_STEPS 60
#define PSEUDO_FIRST 1e-3 /* of the response time */
#define PSEUDO_STEADY 1e3 /* from here on Newton is tried */
#define PSEUDO_LEAST 1e-7 /* a step as short that fails: the state runs against a wall */
#define PSEUDO_GROWTH 3.0
#define PSEUDO_BOUND                                                                                                   \
  30.0 /* unknowns are of order one: a positive one beyond this runs away, where D falls as c rises */

/* ---------------------------------------------------------------------------------------------- life time ---- */

/* inner: for the line of another solver, for which the user's options are not meant. */
static PetscErrorCode Create(MPI_Comm group, const ScoriaProblem *problem, const void *parameters,
                             const ScoriaGrid *grid, bool inner, ScoriaSolver *solver)
{
  ScoriaSolver s;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&s));
  PetscCallMPI(MPI_Comm_dup(group, &s->group));
  PetscCallMPI(MPI_Comm_rank(s->group, &s->rank));
  PetscCallMPI(MPI_Comm_size(s->group, &s->size));
  s->problem    = problem;
  s->grid       = *grid;
  s->inner      = inner;
  s->time_index = -1;
  PetscCall(PetscMalloc1(problem->size, (char **)&s->p));
  memcpy(s->p, parameters, problem->size);
  PetscCall(DiscreteCreate(s->group, problem, s->p, grid, &s->d));
  s->m = s->d->shape.unknowns;
  PetscCall(PetscMalloc2(grid->n[0], &s->profile, s->d->cells * s->m, &s->rate));
  PetscCall(NewtonCreate(s));
  *solver = s;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverCreate(MPI_Comm group, const ScoriaProblem *problem, const void *parameters,
                                  const ScoriaGrid *grid, ScoriaSolver *solver)
{
  ScoriaGrid line = *grid;
  PetscFunctionBeginUser;
  PetscCall(Create(group, problem, parameters, grid, false, solver));
  line.dim  = 1;
  line.n[1] = line.n[2] = 1;
  if ((*solver)->size > 1 || grid->dim > 1)
    PetscCall(Create(PETSC_COMM_SELF, problem, parameters, &line, true, &(*solver)->line));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverDestroy(ScoriaSolver *solver)
{
  ScoriaSolver s = *solver;
  PetscFunctionBeginUser;
  if (!s) PetscFunctionReturn(0);
  PetscCall(ScoriaSolverDestroy(&s->line));
  PetscCall(TSDestroy(&s->ts));
  PetscCall(NewtonDestroy(s));
  PetscCall(DiscreteDestroy(&s->d));
  PetscCall(PetscFree2(s->profile, s->rate));
  PetscCall(PetscFree(s->p));
  PetscCallMPI(MPI_Comm_free(&s->group));
  PetscCall(PetscFree(*solver));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverSetTime(ScoriaSolver s, int index, double rtol)
{
  PetscFunctionBeginUser;
  s->time_index = index;
  s->rtol       = rtol;
  PetscFunctionReturn(0);
}

void solver_set_derived(ScoriaSolver s, int n, const int which[])
{
  s->nderived = n;
  for (int i = 0; i < n; i++) s->derived[i] = which[i];
}

int solver_own_cells(ScoriaSolver s)
{
  return s->d->cells;
}

/* ---------------------------------------------------------------------------------------------------- guess ---- */

static PetscErrorCode SetTimed(ScoriaSolver s, bool timed)
{
  PetscFunctionBeginUser;
  newton_forget(s);
  s->d->timed = timed;
  PetscCall(DiscreteSet(s->d));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetLoad(ScoriaSolver s, double share)
{
  PetscFunctionBeginUser;
  newton_forget(s);
  s->problem->load(s->p, share);
  s->problem->shape(s->p, &s->d->shape);
  if (s->line) PetscCall(SetLoad(s->line, share));
  PetscFunctionReturn(0);
}

/* The state in d->s of a solver in one dimension to its vector. */
static PetscErrorCode StateFromDiscrete(ScoriaSolver s)
{
  PetscScalar *a;
  PetscFunctionBeginUser;
  PetscCall(VecGetArrayWrite(s->x, &a));
  for (int i = 0; i < s->d->cells; i++)
    for (int c = 0; c < s->m; c++) a[i * s->m + c] = s->d->s[c][i + 1];
  PetscCall(VecRestoreArrayWrite(s->x, &a));
  PetscFunctionReturn(0);
}

static PetscErrorCode GuessAlone(ScoriaSolver s)
{
  double rest[MAX_STATE];
  PetscFunctionBeginUser;
  newton_forget(s);
  s->problem->start(s->p, rest);
  for (int c = 0; c < s->m; c++)
    for (int i = 0; i < s->d->box_cells; i++) s->d->s[c][i] = rest[c];
  if (s->problem->guess) s->problem->guess(s->p, s->d);
  PetscCall(StateFromDiscrete(s));
  PetscFunctionReturn(0);
}

/* The state of the line into every pencil of this rank. */
static PetscErrorCode SpreadLine(ScoriaSolver s)
{
  const PetscScalar *from;
  PetscScalar *to;
  const int nx = s->d->own[0] * s->m, first = s->grid.dim == 1 ? s->d->first * s->m : 0;
  PetscFunctionBeginUser;
  PetscCall(VecGetArrayRead(s->line->x, &from));
  PetscCall(VecGetArrayWrite(s->x, &to));
  for (int at = 0; at < s->d->cells * s->m; at += nx) memcpy(to + at, from + first, (size_t)nx * sizeof *to);
  PetscCall(VecRestoreArrayWrite(s->x, &to));
  PetscCall(VecRestoreArrayRead(s->line->x, &from));
  PetscFunctionReturn(0);
}

static PetscErrorCode Steady(ScoriaSolver s, ScoriaSolveStatus *status);

/* A first state, a function of parameters, load and porosity alone; hopeless where the line has no solution. */
static PetscErrorCode Guess(ScoriaSolver s, bool *hopeless)
{
  ScoriaSolveStatus status = {0};
  PetscFunctionBeginUser;
  *hopeless = false;
  if (!s->line) {
    PetscCall(GuessAlone(s));
    PetscFunctionReturn(0);
  }
  if (s->grid.dim > 1) {
    PetscCall(Steady(s->line, &status));
    *hopeless = status.reason < 0;
  }
  if (s->grid.dim == 1 || *hopeless) PetscCall(GuessAlone(s->line));
  PetscCall(SpreadLine(s));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- ladder ---- */

/* To the full load in increments that are halved on failure, each from the last solution. */
static PetscErrorCode Continuation(ScoriaSolver s, int most, ScoriaSolveStatus *status)
{
  double done = 0, increment = 0.5;
  bool hopeless;
  PetscFunctionBeginUser;
  status->rung = SCORIA_BY_CONTINUATION;
  PetscCall(SetLoad(s, 0.0));
  PetscCall(Guess(s, &hopeless));
  PetscCall(VecCopy(s->x, s->kept));
  for (int halvings = 1, tried = 0; halvings <= most && tried < MAX_INCREMENTS && done < 1.0; tried++) {
    const double next = done + increment; /* increments are powers of 1/2: 1 is reached exactly */
    PetscCall(SetLoad(s, next));
    PetscCall(VecCopy(s->kept, s->x));
    PetscCall(NewtonSolve(s, status));
    if (status->reason > 0) {
      done = next;
      PetscCall(VecCopy(s->x, s->kept));
    } else {
      increment *= 0.5;
      halvings++;
    }
  }
  if (done < 1.0 && status->reason > 0) status->reason = SNES_DIVERGED_MAX_IT;
  PetscCall(SetLoad(s, 1.0));
  PetscFunctionReturn(0);
}

/* Whether an unknown that must stay positive has left every measured range. */
static PetscErrorCode RunsAway(ScoriaSolver s, bool *away)
{
  const PetscScalar *a;
  PetscFunctionBeginUser;
  *away = false;
  PetscCall(VecGetArrayRead(s->x, &a));
  for (int i = 0; i < s->d->cells * s->m; i++) *away = *away || (s->d->shape.positive[i % s->m] && a[i] > PSEUDO_BOUND);
  PetscCall(VecRestoreArrayRead(s->x, &a));
  if (s->size > 1) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, away, 1, MPI_C_BOOL, MPI_LOR, s->group));
  PetscFunctionReturn(0);
}

/* Implicit steps from the state at rest; a step that fails is tried again at a quarter of its length. */
PetscErrorCode PseudoTransient(ScoriaSolver s, ScoriaSolveStatus *status)
{
  const double tau = s->d->shape.tau;
  double dt        = PSEUDO_FIRST * tau;
  bool away = false, steady = false;
  PetscFunctionBeginUser;
  status->rung = SCORIA_BY_TIME_STEPS;
  PetscCall(SetTimed(s, true));
  PetscCall(SetLoad(s, 0.0));
  PetscCall(GuessAlone(s->line ? s->line : s));
  if (s->line) PetscCall(SpreadLine(s));
  PetscCall(SetLoad(s, 1.0));
  PetscCall(VecCopy(s->x, s->kept));
  for (int step = 0; step < MAX_PSEUDO_STEPS && !away && !steady; step++) {
    PetscCall(VecCopy(s->kept, s->x));
    PetscCall(ImplicitStep(s, dt, status));
    if (status->reason > 0) {
      PetscCall(VecCopy(s->x, s->kept));
      PetscCall(RunsAway(s, &away));
      dt *= PSEUDO_GROWTH;
    } else {
      dt *= 0.25;
      if (dt < PSEUDO_LEAST * tau) break;
    }
    if (dt < PSEUDO_STEADY * tau || status->reason < 0 || away) continue;
    PetscCall(NewtonSolve(s, status));
    PetscCall(RunsAway(s, &away));
    steady = status->reason > 0 && !away;
  }
  if (!steady && status->reason > 0) status->reason = away ? SNES_DIVERGED_DTOL : SNES_DIVERGED_MAX_IT;
  PetscCall(SetTimed(s, false));
  PetscFunctionReturn(0);
}

static PetscErrorCode Steady(ScoriaSolver s, ScoriaSolveStatus *status)
{
  bool hopeless;
  PetscFunctionBeginUser;
  PetscCall(Guess(s, &hopeless));
  PetscCall(NewtonSolve(s, status));
  if (status->reason < 0) PetscCall(Continuation(s, hopeless ? FEW_HALVINGS : MAX_HALVINGS, status));
  if (status->reason < 0 && !hopeless) PetscCall(PseudoTransient(s, status));
  PetscFunctionReturn(0);
}

/* Parameters and porosity of a solver at theta; possible: whether theta has a meaning. */
static PetscErrorCode SetProblem(ScoriaSolver s, const double theta[], const double eps[], bool *possible)
{
  PetscScalar *a;
  PetscFunctionBeginUser;
  *possible = s->problem->at(s->p, theta);
  if (!*possible) PetscFunctionReturn(0);
  PetscCall(VecGetArrayWrite(s->d->eps, &a));
  memcpy(a, eps, (size_t)s->d->cells * sizeof *a);
  PetscCall(VecRestoreArrayWrite(s->d->eps, &a));
  PetscCall(SetTimed(s, s->time_index >= 0));
  if (s->line && s->time_index < 0) {
    PetscCall(ScoriaSolverAverage(s, eps, s->profile, NULL));
    PetscCall(SetProblem(s->line, theta, s->profile, possible));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverSolve(ScoriaSolver s, const double theta[], const double eps[], ScoriaSolveStatus *status)
{
  bool possible;
  PetscFunctionBeginUser;
  *status   = (ScoriaSolveStatus){.reason = SNES_DIVERGED_FUNCTION_DOMAIN, .attempts = 1, .residual = NAN};
  s->solved = s->linearised = false;
  PetscCall(SetProblem(s, theta, eps, &possible));
  if (!possible) PetscFunctionReturn(0); /* no state of charge has this potential */
  status->attempts = 0;
  if (s->time_index >= 0)
    PetscCall(TransientSolve(s, theta[s->time_index], status));
  else
    PetscCall(Steady(s, status));
  s->solved = status->reason > 0;
  PetscFunctionReturn(0);
}
