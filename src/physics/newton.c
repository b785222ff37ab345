/* Newton's iteration: PETSc SNES with an analytic block-tridiagonal Jacobian, every object made once.
 *
 * Linear systems: 2 x 2 block LU in natural ordering, which for a block-tridiagonal matrix is the block Thomas
 * algorithm without fill.  A group of ranks shares the unknowns by contiguous blocks and solves by a redundant copy of
 * the same LU.
 *
 * Convergence: a full Newton step's root mean square below STEP_TOLERANCE.  In the scaled unknowns the second
 * derivatives are of order one, so the error after a step d is of order d^2: 1e-14, the rounding of the unknowns
 * themselves; asking more would buy one more step for nothing, and a tight bound on the residual would have to know its
 * rounding, which grows with cells and |u|.  The residual is only asked to be small beside the current: a singular
 * Jacobian also makes small steps.
 *
 * Step control: a step is shortened where a concentration would lose more than nine tenths or, for exponential
 * kinetics, a potential would move more than MAX_MOVE. */
#include "solver.h"
#include <math.h>
#include <string.h>

#define STEP_TOLERANCE 1e-7
#define RESIDUAL_TOLERANCE 1e-7 /* of the current, or of i_scale where that is larger */
#define MAX_NEWTON 25
#define MAX_MOVE 8.0 /* RT / F: the rate changes by up to e^4 */

/* ---------------------------------------------------------------------------------------------- callbacks ---- */

/* The state of this rank's cells and of one neighbour on each side. */
static PetscErrorCode StateFromVec(ScoriaSolver s, Vec x)
{
  Balance *b  = s->mine;
  const int n = b->n;
  const PetscScalar *a;
  PetscFunctionBeginUser;
  PetscCall(VecGetArrayRead(x, &a));
  for (int k = 0; k < n; k++) {
    b->u[k + 1] = a[2 * k];
    b->w[k + 1] = a[2 * k + 1];
  }
  PetscCall(VecRestoreArrayRead(x, &a));
  if (s->size == 1) PetscFunctionReturn(0);
  const int before = s->rank > 0 ? s->rank - 1 : MPI_PROC_NULL,
            after  = s->rank + 1 < s->size ? s->rank + 1 : MPI_PROC_NULL;
  double head[2] = {b->u[1], b->w[1]}, tail[2] = {b->u[n], b->w[n]}, from_left[2] = {0, 1}, from_right[2] = {0, 1};
  PetscCallMPI(
      MPI_Sendrecv(head, 2, MPI_DOUBLE, before, 0, from_right, 2, MPI_DOUBLE, after, 0, s->group, MPI_STATUS_IGNORE));
  PetscCallMPI(
      MPI_Sendrecv(tail, 2, MPI_DOUBLE, after, 1, from_left, 2, MPI_DOUBLE, before, 1, s->group, MPI_STATUS_IGNORE));
  b->u[0]     = from_left[0];
  b->w[0]     = from_left[1];
  b->u[n + 1] = from_right[0];
  b->w[n + 1] = from_right[1];
  PetscFunctionReturn(0);
}

static PetscErrorCode Residual(SNES snes, Vec x, Vec r, void *ctx)
{
  ScoriaSolver s = ctx;
  PetscScalar *a;
  PetscFunctionBeginUser;
  PetscCall(StateFromVec(s, x));
  bool good = balance_evaluate(s->mine);
  if (s->size > 1) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &good, 1, MPI_C_BOOL, MPI_LAND, s->group));
  if (!good) {
    PetscCall(SNESSetFunctionDomainError(snes));
    PetscCall(VecSet(r, 0));
    PetscFunctionReturn(0);
  }
  PetscCall(VecGetArrayWrite(r, &a));
  balance_residual(s->mine, a);
  PetscCall(VecRestoreArrayWrite(r, &a));
  PetscFunctionReturn(0);
}

/* Whether the balance still holds the evaluation at x: Newton asks for the Jacobian where it last asked for the
 * residual. */
static PetscErrorCode SameState(ScoriaSolver s, Vec x, bool *same)
{
  const Balance *b = s->mine;
  const PetscScalar *a;
  PetscFunctionBeginUser;
  PetscCall(VecGetArrayRead(x, &a));
  *same = true;
  for (int k = 0; k < b->n; k++) *same = *same && b->u[k + 1] == a[2 * k] && b->w[k + 1] == a[2 * k + 1];
  PetscCall(VecRestoreArrayRead(x, &a));
  if (s->size > 1) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, same, 1, MPI_C_BOOL, MPI_LAND, s->group));
  PetscFunctionReturn(0);
}

/* The block rows through MatSetValuesBlocked: any matrix type, any number of ranks. */
static PetscErrorCode SetBlocks(ScoriaSolver s, Mat P, const double blocks[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < s->n; k++) {
    const PetscInt row = s->first + k;
    for (PetscInt side = -1; side <= 1; side++) {
      const PetscInt column = row + side;
      if (column < 0 || column >= s->cells) continue;
      const double *block         = blocks + jacobian_block(s->mine, k, (int)side);
      const PetscScalar by_row[4] = {block[0], block[2], block[1], block[3]};
      PetscCall(MatSetValuesBlocked(P, 1, &row, 1, &column, by_row, INSERT_VALUES));
    }
  }
  PetscCall(MatAssemblyBegin(P, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(P, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

static PetscErrorCode Jacobian(SNES snes, Vec x, Mat A, Mat P, void *ctx)
{
  ScoriaSolver s = ctx;
  bool same;
  PetscFunctionBeginUser;
  PetscCall(SameState(s, x, &same));
  if (!same) {
    PetscCall(StateFromVec(s, x));
    if (!balance_evaluate(s->mine)) PetscCall(SNESSetJacobianDomainError(snes));
  }
  if (s->fast) { /* a sequential block matrix stores its values in just that order */
    PetscScalar *a;
    PetscCall(MatSeqBAIJGetArray(P, &a));
    balance_jacobian(s->mine, a);
    PetscCall(MatSeqBAIJRestoreArray(P, &a));
    PetscCall(MatAssemblyBegin(P, MAT_FINAL_ASSEMBLY)); /* tells the preconditioner that the values are new */
    PetscCall(MatAssemblyEnd(P, MAT_FINAL_ASSEMBLY));
  } else {
    balance_jacobian(s->mine, s->blocks);
    PetscCall(SetBlocks(s, P, s->blocks));
  }
  if (A != P) { /* matrix-free by option */
    PetscCall(MatAssemblyBegin(A, MAT_FINAL_ASSEMBLY));
    PetscCall(MatAssemblyEnd(A, MAT_FINAL_ASSEMBLY));
  }
  PetscFunctionReturn(0);
}

/* Newton's step is x -= y. */
static PetscErrorCode LimitStep(SNESLineSearch search, Vec x, Vec y, PetscBool *changed, void *ctx)
{
  ScoriaSolver s         = ctx;
  const Balance *b       = s->mine;
  const bool exponential = b->problem->positive;
  double share           = 1.0;
  const PetscScalar *state, *step;
  (void)search;
  PetscFunctionBeginUser;
  *changed   = PETSC_FALSE;
  s->limited = false;
  if (!b->positive) PetscFunctionReturn(0);
  PetscCall(VecGetArrayRead(x, &state));
  PetscCall(VecGetArrayRead(y, &step));
  for (int k = 0; k < b->n; k++) {
    const double du = fabs(step[2 * k]), dw = step[2 * k + 1], w = state[2 * k + 1];
    if (exponential && du * share > MAX_MOVE) share = MAX_MOVE / du;
    if (dw * share > 0.9 * w) share = 0.9 * w / dw;
  }
  PetscCall(VecRestoreArrayRead(x, &state));
  PetscCall(VecRestoreArrayRead(y, &step));
  if (s->size > 1) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &share, 1, MPI_DOUBLE, MPI_MIN, s->group));
  if (share < 1.0) {
    PetscCall(VecScale(y, share));
    s->limited = true;
    *changed   = PETSC_TRUE;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Converged(SNES snes, PetscInt it, PetscReal xnorm, PetscReal snorm, PetscReal fnorm,
                                SNESConvergedReason *reason, void *ctx)
{
  ScoriaSolver s         = ctx;
  const double tolerance = RESIDUAL_TOLERANCE * fmax(1.0, fabs(s->mine->drive));
  (void)snes;
  (void)xnorm;
  PetscFunctionBeginUser;
  *reason = SNES_CONVERGED_ITERATING;
  if (!isfinite(fnorm))
    *reason = SNES_DIVERGED_FNORM_NAN;
  else if (it > 0 && !s->limited && fnorm <= tolerance && snorm <= STEP_TOLERANCE * sqrt(2.0 * s->cells))
    *reason = SNES_CONVERGED_SNORM_RELATIVE;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- create ---- */

static PetscErrorCode CreateMatrix(ScoriaSolver s)
{
  const PetscInt rows = 2 * s->n, all = 2 * s->cells;
  PetscFunctionBeginUser;
  PetscCall(MatCreateBAIJ(s->group, 2, rows, rows, all, all, 3, NULL, 2, NULL, &s->J));
  PetscCall(SetBlocks(s, s->J, s->blocks)); /* zeros: the pattern */
  PetscCall(MatSetOption(s->J, MAT_NEW_NONZERO_LOCATION_ERR, PETSC_TRUE));
  PetscCall(MatCreateVecs(s->J, &s->x, &s->r));
  PetscFunctionReturn(0);
}

static PetscErrorCode UseNaturalLU(PC pc)
{
  PetscFunctionBeginUser;
  PetscCall(PCSetType(pc, PCLU));
  PetscCall(PCFactorSetMatOrderingType(pc, MATORDERINGNATURAL));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateNonlinear(ScoriaSolver s)
{
  KSP ksp, inner;
  PC pc;
  SNESLineSearch search;
  PetscFunctionBeginUser;
  PetscCall(SNESCreate(s->group, &s->snes));
  PetscCall(SNESSetFunction(s->snes, s->r, Residual, s));
  PetscCall(SNESSetJacobian(s->snes, s->J, s->J, Jacobian, s));
  PetscCall(SNESSetConvergenceTest(s->snes, Converged, s, NULL));
  PetscCall(SNESSetTolerances(s->snes, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT, MAX_NEWTON, PETSC_DEFAULT));
  PetscCall(SNESGetLineSearch(s->snes, &search));
  PetscCall(SNESLineSearchSetType(search, SNESLINESEARCHBASIC));
  PetscCall(SNESLineSearchSetPreCheck(search, LimitStep, s));
  PetscCall(SNESGetKSP(s->snes, &ksp));
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
  PetscCall(SNESSetFromOptions(s->snes));
  PetscFunctionReturn(0);
}

PetscErrorCode NewtonCreate(ScoriaSolver s)
{
  PetscFunctionBeginUser;
  PetscCall(CreateMatrix(s));
  PetscCall(CreateNonlinear(s));
  s->fast = s->size == 1;
  PetscFunctionReturn(0);
}

PetscErrorCode NewtonDestroy(ScoriaSolver s)
{
  PetscFunctionBeginUser;
  PetscCall(SNESDestroy(&s->snes));
  PetscCall(MatDestroy(&s->J));
  PetscCall(VecDestroy(&s->x));
  PetscCall(VecDestroy(&s->r));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- solve ---- */

PetscErrorCode NewtonSolve(ScoriaSolver s, ScoriaSolveStatus *status)
{
  PetscScalar *a;
  const PetscScalar *solution;
  SNESConvergedReason reason;
  PetscInt iterations;
  PetscFunctionBeginUser;
  PetscCall(VecGetArrayWrite(s->x, &a));
  memcpy(a, s->state + s->starts[s->rank], (size_t)s->counts[s->rank] * sizeof *a);
  PetscCall(VecRestoreArrayWrite(s->x, &a));
  PetscCall(SNESSolve(s->snes, NULL, s->x));
  PetscCall(SNESGetConvergedReason(s->snes, &reason));
  PetscCall(SNESGetIterationNumber(s->snes, &iterations));
  PetscCall(SNESGetFunctionNorm(s->snes, &status->residual));
  status->reason = reason;
  status->newton += (int)iterations;
  status->attempts++;
  if (reason < 0) PetscFunctionReturn(0);
  PetscCall(VecGetArrayRead(s->x, &solution));
  PetscCallMPI(
      MPI_Allgatherv(solution, s->counts[s->rank], MPI_DOUBLE, s->state, s->counts, s->starts, MPI_DOUBLE, s->group));
  PetscCall(VecRestoreArrayRead(s->x, &solution));
  PetscFunctionReturn(0);
}
