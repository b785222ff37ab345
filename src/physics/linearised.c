/* The problem linearised in its state at a twin, the solution at one porosity everywhere: the fields of any other
 * porosity by one Newton step from there, for which the Jacobian is factored once.
 *
 * The residual has the porosity at hand, so that what is linearised is the state alone.  An error is of second order in
 * the distance from the twin. */
#include "solver.h"
#include <math.h>

PetscErrorCode ScoriaSolverLinearise(ScoriaSolver s, const double theta[], double eps, ScoriaSolveStatus *status)
{
  double *uniform;
  bool good;
  KSP ksp;
  PetscFunctionBeginUser;
  PetscCheck(s->grid.dim == 1 && s->time_index < 0, s->group, PETSC_ERR_SUP, "of steady problems in one dimension");
  PetscCall(PetscMalloc1(PetscMax(1, s->d->cells), &uniform));
  for (int i = 0; i < s->d->cells; i++) uniform[i] = eps;
  PetscCall(ScoriaSolverSolve(s, theta, uniform, status));
  PetscCall(PetscFree(uniform));
  s->linearised = s->solved;
  if (!s->solved) PetscFunctionReturn(0);
  PetscCall(VecCopy(s->x, s->kept));
  PetscCall(NewtonLoad(s, s->kept, &good));
  s->d->shift = 0;
  PetscCall(NewtonFill(s));
  PetscCall(SNESGetKSP(s->snes, &ksp));
  PetscCall(KSPSetOperators(ksp, s->J.J, s->J.J));
  PetscCall(KSPSetUp(ksp));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverStep(ScoriaSolver s, const double eps[], ScoriaSolveStatus *status)
{
  PetscScalar *a;
  bool good;
  KSP ksp;
  PetscFunctionBeginUser;
  *status   = (ScoriaSolveStatus){.reason = SNES_DIVERGED_FUNCTION_DOMAIN, .attempts = 1, .residual = NAN};
  s->solved = false;
  if (!s->linearised) PetscFunctionReturn(0);
  PetscCall(VecGetArrayWrite(s->d->eps, &a));
  PetscCall(PetscArraycpy(a, eps, s->d->cells));
  PetscCall(VecRestoreArrayWrite(s->d->eps, &a));
  PetscCall(DiscreteSet(s->d));
  s->loaded = NULL;
  PetscCall(NewtonLoad(s, s->kept, &good));
  if (!good) PetscFunctionReturn(0);
  PetscCall(VecGetArrayWrite(s->r, &a));
  discrete_residual(s->d, NULL, a);
  PetscCall(VecRestoreArrayWrite(s->r, &a));
  PetscCall(SNESGetKSP(s->snes, &ksp));
  PetscCall(KSPSolve(ksp, s->r, s->x));
  PetscCall(NewtonLimit(s, s->kept, s->x));
  PetscCall(VecAYPX(s->x, -1, s->kept));
  s->loaded      = NULL;
  s->solved      = true;
  status->reason = SNES_CONVERGED_ITS;
  PetscFunctionReturn(0);
}
