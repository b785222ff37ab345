/* Newton's iteration: PETSc SNES with an analytic Jacobian, every object made once.
 *
 * Linear systems in one dimension: block LU in natural ordering, which for a block-tridiagonal matrix is the block
 * Thomas algorithm without fill; a group of ranks solves by a redundant copy of it.  In two and three dimensions:
 * GMRES, flexible, preconditioned by multigrid (multigrid.c), each system only as exactly as Newton's progress deserves
 * (Eisenstat and Walker, 1996).  There the last step, a correction, is taken with the Jacobian of the state before (a
 * chord step), and the preconditioner serves all states that are near the one that it was made for.
 *
 * Convergence: a full Newton step's root mean square below STEP_TOLERANCE.  In the scaled unknowns the second
 * derivatives are of order one, so the error after a step d is of order d^2: 1e-14, the rounding of the unknowns
 * themselves (where systems are solved inexactly, of order d times their tolerance); asking more would buy one more
 * step for nothing, and a tight bound on the residual would have to know its rounding, which grows with cells and |u|.
 * The residual is only asked to be small beside the load: a singular Jacobian also makes small steps.
 *
 * Step control: a step is shortened where an unknown that must stay positive would lose more than nine tenths, or one
 * would move more than the problem allows. */
#include "petsc_versions.h"
#include "solver.h"
#include <math.h>
#include <string.h>

#define RESIDUAL_TOLERANCE 1e-7 /* of the load, or of the unit where that is larger */
#define MAX_NEWTON 25
#define LINEAR_LEAST 1e-4
#define CHORD 1e-3 /* a Jacobian serves as far from its state: such a step leaves as large a share of the error */
#define LINEAR_CHORD 1e-2 /* the last correction, below STEP_TOLERANCE, then leaves 1e-9 */
#define MG_STATE 0.05     /* the preconditioner serves this far from its state, */
#define MG_SHIFT 0.2      /* and for time steps whose inverse differs by such a share */

/* ---------------------------------------------------------------------------------------------- callbacks ---- */

/* Newton asks for the Jacobian where it last asked for the residual: the state of a vector tells whether it is the
 * same. */
PetscErrorCode NewtonLoad(ScoriaSolver s, Vec x, bool *good)
{
  PetscObjectState state;
  PetscFunctionBeginUser;
  *good = true;
  PetscCall(PetscObjectStateGet((PetscObject)x, &state));
  if (s->loaded == x && s->state == state) PetscFunctionReturn(0);
  PetscCall(DiscreteLoad(s->d, x, good));
  s->loaded = *good ? x : NULL;
  s->state  = state;
  PetscFunctionReturn(0);
}

/* ds/dt of an implicit step. */
static PetscErrorCode StepRate(ScoriaSolver s, Vec x)
{
  const PetscScalar *now, *before;
  PetscFunctionBeginUser;
  PetscCall(VecGetArrayRead(x, &now));
  PetscCall(VecGetArrayRead(s->kept, &before));
  for (int i = 0; i < s->d->cells * s->m; i++) s->rate[i] = s->shift * (now[i] - before[i]);
  PetscCall(VecRestoreArrayRead(s->kept, &before));
  PetscCall(VecRestoreArrayRead(x, &now));
  PetscFunctionReturn(0);
}

static PetscErrorCode Residual(SNES snes, Vec x, Vec r, void *ctx)
{
  ScoriaSolver s = ctx;
  PetscScalar *a;
  bool good;
  PetscFunctionBeginUser;
  PetscCall(NewtonLoad(s, x, &good));
  if (!good) {
    PetscCall(SNESSetFunctionDomainError(snes));
    PetscCall(VecSet(r, 0));
    PetscFunctionReturn(0);
  }
  if (s->stepping) PetscCall(StepRate(s, x));
  PetscCall(VecGetArrayWrite(r, &a));
  discrete_residual(s->d, s->stepping ? s->rate : NULL, a);
  PetscCall(VecRestoreArrayWrite(r, &a));
  PetscFunctionReturn(0);
}

void newton_forget(ScoriaSolver s)
{
  s->loaded     = NULL;
  s->at_J.shift = s->at_mg.shift = -1;
}

/* The largest change of an unknown. */
static PetscErrorCode Distance(ScoriaSolver s, Vec a, Vec b, double *distance)
{
  const PetscScalar *x, *y;
  PetscFunctionBeginUser;
  *distance = 0;
  PetscCall(VecGetArrayRead(a, &x));
  PetscCall(VecGetArrayRead(b, &y));
  for (int i = 0; i < s->d->cells * s->m; i++) *distance = PetscMax(*distance, fabs(x[i] - y[i]));
  PetscCall(VecRestoreArrayRead(b, &y));
  PetscCall(VecRestoreArrayRead(a, &x));
  if (s->size > 1) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, distance, 1, MPI_DOUBLE, MPI_MAX, s->group));
  PetscFunctionReturn(0);
}

static PetscErrorCode FillJacobian(ScoriaSolver s)
{
  double distance = INFINITY;
  PetscFunctionBeginUser;
  if (s->at_J.shift == s->d->shift) PetscCall(Distance(s, s->loaded, s->at_J.x, &distance));
  s->chord = distance < CHORD;
  if (s->chord) PetscFunctionReturn(0);
  PetscCall(BlocksFill(s->d, &s->J));
  PetscCall(VecCopy(s->loaded, s->at_J.x));
  s->at_J.shift = s->d->shift;
  PetscFunctionReturn(0);
}

static PetscErrorCode FillPreconditioner(ScoriaSolver s)
{
  const double shift = s->d->shift;
  double distance    = INFINITY;
  PetscFunctionBeginUser;
  if (fabs(s->at_mg.shift - shift) <= MG_SHIFT * shift) PetscCall(Distance(s, s->loaded, s->at_mg.x, &distance));
  if (distance < MG_STATE) PetscFunctionReturn(0);
  PetscCall(MultigridFill(s->mg, &s->J));
  PetscCall(VecCopy(s->loaded, s->at_mg.x));
  s->at_mg.shift = shift;
  PetscFunctionReturn(0);
}

PetscErrorCode NewtonFill(ScoriaSolver s)
{
  PetscFunctionBeginUser;
  if (s->mg) {
    PetscCall(FillJacobian(s));
    PetscCall(FillPreconditioner(s));
  } else
    PetscCall(BlocksFill(s->d, &s->J));
  PetscFunctionReturn(0);
}

static PetscErrorCode Jacobian(SNES snes, Vec x, Mat A, Mat P, void *ctx)
{
  ScoriaSolver s = ctx;
  bool good;
  PetscFunctionBeginUser;
  (void)P;
  PetscCall(NewtonLoad(s, x, &good));
  if (!good) {
    PetscCall(SNESSetJacobianDomainError(snes));
    PetscFunctionReturn(0);
  }
  s->d->shift = s->stepping ? s->shift : 0;
  PetscCall(NewtonFill(s));
  if (A != s->J.J) { /* matrix-free by option */
    PetscCall(MatAssemblyBegin(A, MAT_FINAL_ASSEMBLY));
    PetscCall(MatAssemblyEnd(A, MAT_FINAL_ASSEMBLY));
  }
  PetscFunctionReturn(0);
}

/* The share of step y that x - y may take. */
static double allowed_share(const ScoriaSolver s, const PetscScalar x[], const PetscScalar y[])
{
  const ScoriaShape *sh = &s->d->shape;
  double share          = 1.0;
  for (int c = 0; c < s->m; c++) {
    if (sh->max_move[c] > 0)
      for (int i = c; i < s->d->cells * s->m; i += s->m)
        if (fabs(y[i]) * share > sh->max_move[c]) share = sh->max_move[c] / fabs(y[i]);
    if (sh->positive[c])
      for (int i = c; i < s->d->cells * s->m; i += s->m)
        if (y[i] * share > 0.9 * x[i]) share = 0.9 * x[i] / y[i];
  }
  return share;
}

PetscErrorCode NewtonLimit(ScoriaSolver s, Vec x, Vec y)
{
  const PetscScalar *state, *step;
  PetscFunctionBeginUser;
  PetscCall(VecGetArrayRead(x, &state));
  PetscCall(VecGetArrayRead(y, &step));
  double share = allowed_share(s, state, step);
  PetscCall(VecRestoreArrayRead(x, &state));
  PetscCall(VecRestoreArrayRead(y, &step));
  if (s->size > 1) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &share, 1, MPI_DOUBLE, MPI_MIN, s->group));
  s->limited = share < 1.0;
  if (s->limited) PetscCall(VecScale(y, share));
  PetscFunctionReturn(0);
}

static PetscErrorCode LimitStep(SNESLineSearch search, Vec x, Vec y, PetscBool *changed, void *ctx)
{
  ScoriaSolver s = ctx;
  (void)search;
  PetscFunctionBeginUser;
  PetscCall(NewtonLimit(s, x, y));
  *changed = s->limited ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(0);
}

PetscErrorCode NewtonConverged(SNES snes, PetscInt it, PetscReal xnorm, PetscReal snorm, PetscReal fnorm,
                               SNESConvergedReason *reason, void *ctx)
{
  ScoriaSolver s       = ctx;
  const double columns = (double)s->grid.n[1] * s->grid.n[2], unknowns = (double)s->m * s->grid.n[0] * columns;
  const double tolerance = RESIDUAL_TOLERANCE * fmax(1.0, s->d->shape.load) * sqrt(columns);
  (void)snes;
  (void)xnorm;
  PetscFunctionBeginUser;
  *reason = SNES_CONVERGED_ITERATING;
  if (!isfinite(fnorm))
    *reason = SNES_DIVERGED_FUNCTION_NANORINF;
  else if (it > 0 && !s->limited && fnorm <= tolerance && snorm <= s->step_tolerance * sqrt(unknowns)) {
    *reason = SNES_CONVERGED_SNORM_RELATIVE;
    s->accepted++;
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- create ---- */

static PetscErrorCode UseNaturalLU(PC pc)
{
  PetscFunctionBeginUser;
  PetscCall(PCSetType(pc, PCLU));
  PetscCall(PCFactorSetMatOrderingType(pc, MATORDERINGNATURAL));
  PetscFunctionReturn(0);
}

static PetscErrorCode UseDirect(ScoriaSolver s, KSP ksp)
{
  KSP inner;
  PC pc;
  PetscFunctionBeginUser;
  PetscCall(KSPSetType(ksp, KSPPREONLY));
  PetscCall(KSPGetPC(ksp, &pc));
  if (s->size == 1)
    PetscCall(UseNaturalLU(pc));
  else {
    PetscCall(PCSetType(pc, PCREDUNDANT));
    PetscCall(PCRedundantGetKSP(pc, &inner));
    PetscCall(KSPSetType(inner, KSPPREONLY));
    PetscCall(KSPGetPC(inner, &pc));
    PetscCall(UseNaturalLU(pc));
  }
  PetscFunctionReturn(0);
}

/* Relative, at the tolerance that Eisenstat and Walker's rule has set, but never below LINEAR_LEAST: near the end the
 * rule asks for the square of what is left, of which Newton's last step has no use. */
static PetscErrorCode LinearConverged(KSP ksp, PetscInt it, PetscReal norm, KSPConvergedReason *reason, void *ctx)
{
  ScoriaSolver s = ctx;
  double rtol;
  PetscFunctionBeginUser;
  PetscCall(KSPGetTolerances(ksp, &rtol, NULL, NULL, NULL));
  if (it == 0) s->linear_first = norm;
  *reason = KSP_CONVERGED_ITERATING;
  if (!isfinite(norm))
    *reason = KSP_DIVERGED_NANORINF;
  else if (norm <= fmax(rtol, s->chord ? LINEAR_CHORD : LINEAR_LEAST) * s->linear_first || norm == 0)
    *reason = KSP_CONVERGED_RTOL;
  PetscFunctionReturn(0);
}

static PetscErrorCode UseIterative(ScoriaSolver s, SNES snes, KSP ksp)
{
  PC pc;
  PetscFunctionBeginUser;
  PetscCall(KSPSetConvergenceTest(ksp, LinearConverged, s, NULL));
  PetscCall(KSPSetType(ksp, KSPFGMRES));
  PetscCall(KSPSetTolerances(ksp, 1e-5, PETSC_DEFAULT, PETSC_DEFAULT, 200));
  PetscCall(SNESKSPSetUseEW(snes, PETSC_TRUE));
  PetscCall(SNESKSPSetParametersEW(snes, 2, 1e-2, 1e-2, 0.9, 2.0, 1.5, 0.1));
  PetscCall(KSPGetPC(ksp, &pc));
  if (s->mg) PetscCall(MultigridConfigure(s->mg, pc));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeOptions(void *snes)
{
  PetscFunctionBeginUser;
  PetscCall(SNESSetFromOptions(snes));
  PetscFunctionReturn(0);
}

PetscErrorCode NewtonConfigure(ScoriaSolver s, SNES snes)
{
  KSP ksp;
  SNESLineSearch search;
  PetscFunctionBeginUser;
  PetscCall(SNESSetConvergenceTest(snes, NewtonConverged, s, NULL));
  PetscCall(SNESSetTolerances(snes, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT, MAX_NEWTON, PETSC_DEFAULT));
  PetscCall(SNESGetLineSearch(snes, &search));
  PetscCall(SNESLineSearchSetType(search, SNESLINESEARCHNONE));
  PetscCall(SNESLineSearchSetPreCheck(search, LimitStep, s));
  PetscCall(SNESGetKSP(snes, &ksp));
  if (s->grid.dim == 1)
    PetscCall(UseDirect(s, ksp));
  else
    PetscCall(UseIterative(s, snes, ksp));
  if (!s->inner) PetscCall(ScoriaTakeOptions(TakeOptions, snes));
  PetscCall(SNESSetConvergenceTest(snes, NewtonConverged, s, NULL)); /* whatever options say */
  PetscFunctionReturn(0);
}

/* Preconditioners of the user's choice want the common format; ours the one made for blocks. */
static PetscErrorCode CreateMatrix(ScoriaSolver s)
{
  char type[64];
  PetscBool chosen;
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetString(NULL, NULL, "-pc_type", type, sizeof type, &chosen));
  chosen = (PetscBool)(chosen && s->grid.dim > 1 && strcmp(type, PCSHELL));
  if (!chosen && s->grid.dim > 1) PetscCall(MultigridCreate(s->d, &s->mg));
  PetscCall(BlocksCreate(s->d, chosen ? MATAIJ : MATBAIJ, &s->J));
  PetscCall(MatCreateVecs(s->J.J, &s->x, &s->r));
  PetscCall(VecDuplicate(s->x, &s->kept));
  if (s->mg) PetscCall(VecDuplicate(s->x, &s->at_J.x));
  if (s->mg) PetscCall(VecDuplicate(s->x, &s->at_mg.x));
  PetscFunctionReturn(0);
}

PetscErrorCode NewtonCreate(ScoriaSolver s)
{
  PetscFunctionBeginUser;
  s->step_tolerance = STEP_TOLERANCE;
  PetscCall(CreateMatrix(s));
  PetscCall(SNESCreate(s->group, &s->snes));
  PetscCall(SNESSetFunction(s->snes, s->r, Residual, s));
  PetscCall(SNESSetJacobian(s->snes, s->J.J, s->J.J, Jacobian, s));
  PetscCall(NewtonConfigure(s, s->snes));
  PetscFunctionReturn(0);
}

PetscErrorCode NewtonDestroy(ScoriaSolver s)
{
  PetscFunctionBeginUser;
  PetscCall(SNESDestroy(&s->snes));
  PetscCall(MultigridDestroy(&s->mg));
  PetscCall(BlocksDestroy(&s->J));
  PetscCall(VecDestroy(&s->x));
  PetscCall(VecDestroy(&s->r));
  PetscCall(VecDestroy(&s->kept));
  PetscCall(VecDestroy(&s->at_J.x));
  PetscCall(VecDestroy(&s->at_mg.x));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- solve ---- */

PetscErrorCode NewtonSolve(ScoriaSolver s, ScoriaSolveStatus *status)
{
  SNESConvergedReason reason;
  PetscInt iterations, linear;
  const int64_t accepted = s->accepted;
  PetscFunctionBeginUser;
  newton_forget(s); /* porosity or parameters may be new */
  PetscCall(SNESSolve(s->snes, NULL, s->x));
  PetscCall(SNESGetConvergedReason(s->snes, &reason));
  if (reason > 0 && s->accepted == accepted)
    reason = SNES_DIVERGED_MAX_IT; /* a method of the options' that does not ask */
  PetscCall(SNESGetIterationNumber(s->snes, &iterations));
  PetscCall(SNESGetLinearSolveIterations(s->snes, &linear));
  PetscCall(SNESGetFunctionNorm(s->snes, &status->residual));
  status->reason = reason;
  status->newton += (int)iterations;
  status->linear += (int)linear;
  status->attempts++;
  PetscFunctionReturn(0);
}
