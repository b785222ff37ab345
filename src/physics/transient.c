/* States at a time: PETSc TS on the balances as a differential-algebraic system (potentials have no capacity), by
 * backward differentiation of second order with adaptive steps.  The state at rest is first made consistent: one
 * implicit step so short that what has a capacity stays where it is. */
#include "solver.h"
#include <math.h>

#define CONSISTENT 1e-8 /* of the response time: what has a capacity moves as little */
#define FIRST 1e-5      /* length of the first step, in response times: the adaptive control takes over from there */
#define MAX_STEPS 100000
#define NEWTON_SHARE 1e-3 /* of a step's tolerance that Newton may add: it leaves the square of its last step */

static PetscErrorCode RateResidual(TS ts, PetscReal t, Vec x, Vec rate, Vec r, void *ctx)
{
  ScoriaSolver s = ctx;
  const PetscScalar *v;
  PetscScalar *a;
  SNES snes;
  bool good;
  PetscFunctionBeginUser;
  (void)t;
  PetscCall(NewtonLoad(s, x, &good));
  if (!good) {
    PetscCall(TSGetSNES(ts, &snes));
    PetscCall(SNESSetFunctionDomainError(snes));
    PetscCall(VecSet(r, 0));
    PetscFunctionReturn(0);
  }
  PetscCall(VecGetArrayRead(rate, &v));
  PetscCall(PetscArraycpy(s->rate, v, s->d->cells * s->m)); /* kept for the balances of the last step */
  PetscCall(VecRestoreArrayRead(rate, &v));
  PetscCall(VecGetArrayWrite(r, &a));
  discrete_residual(s->d, s->rate, a);
  PetscCall(VecRestoreArrayWrite(r, &a));
  PetscFunctionReturn(0);
}

static PetscErrorCode RateJacobian(TS ts, PetscReal t, Vec x, Vec rate, PetscReal shift, Mat A, Mat P, void *ctx)
{
  ScoriaSolver s = ctx;
  bool good;
  PetscFunctionBeginUser;
  (void)ts;
  (void)t;
  (void)rate;
  (void)A;
  (void)P;
  PetscCall(NewtonLoad(s, x, &good));
  if (!good) PetscFunctionReturn(0); /* the residual there has said so */
  s->d->shift = shift;
  PetscCall(NewtonFill(s));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeOptions(void *ts)
{
  PetscFunctionBeginUser;
  PetscCall(TSSetFromOptions(ts));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateIntegrator(ScoriaSolver s, double time)
{
  SNES snes;
  TSAdapt adapt;
  PetscFunctionBeginUser;
  PetscCall(TSCreate(s->group, &s->ts));
  PetscCall(TSSetProblemType(s->ts, TS_NONLINEAR));
  PetscCall(TSSetEquationType(s->ts, TS_EQ_DAE_IMPLICIT_INDEX1));
  PetscCall(TSSetType(s->ts, TSBDF));
  PetscCall(TSBDFSetOrder(s->ts, 2));
  PetscCall(TSSetIFunction(s->ts, NULL, RateResidual, s));
  PetscCall(TSSetIJacobian(s->ts, s->J.J, s->J.J, RateJacobian, s));
  PetscCall(TSSetExactFinalTime(s->ts, TS_EXACTFINALTIME_MATCHSTEP));
  PetscCall(TSSetTolerances(s->ts, s->rtol, NULL, s->rtol, NULL)); /* scaled unknowns are of order one */
  PetscCall(TSSetMaxSteps(s->ts, MAX_STEPS));
  PetscCall(TSSetMaxTime(s->ts, time));
  PetscCall(TSSetTimeStep(s->ts, FIRST * fmin(s->d->shape.tau, time)));
  PetscCall(TSSetMaxSNESFailures(s->ts, -1));
  PetscCall(TSSetErrorIfStepFails(s->ts, PETSC_FALSE));
  PetscCall(TSGetAdapt(s->ts, &adapt));
  PetscCall(TSAdaptSetType(adapt, TSADAPTBASIC));
  PetscCall(TSGetSNES(s->ts, &snes));
  PetscCall(NewtonConfigure(s, snes));
  if (s->inner) PetscFunctionReturn(0);
  PetscCall(ScoriaTakeOptions(TakeOptions, s->ts));
  /* Not to be chosen by options: */
  PetscCall(SNESSetConvergenceTest(snes, NewtonConverged, s, NULL));
  PetscCall(TSSetExactFinalTime(s->ts, TS_EXACTFINALTIME_MATCHSTEP));
  PetscCall(TSSetTime(s->ts, 0));
  PetscCall(TSSetMaxTime(s->ts, time));
  PetscFunctionReturn(0);
}

PetscErrorCode ImplicitStep(ScoriaSolver s, double dt, ScoriaSolveStatus *status)
{
  PetscFunctionBeginUser;
  s->stepping = true;
  s->shift    = 1.0 / dt;
  PetscCall(NewtonSolve(s, status));
  s->stepping = false;
  PetscFunctionReturn(0);
}

static PetscErrorCode SetAtRest(ScoriaSolver s, Vec x)
{
  double rest[MAX_STATE];
  PetscScalar *a;
  PetscFunctionBeginUser;
  s->problem->start(s->p, rest);
  PetscCall(VecGetArrayWrite(x, &a));
  for (int i = 0; i < s->d->cells * s->m; i++) a[i] = rest[i % s->m];
  PetscCall(VecRestoreArrayWrite(x, &a));
  PetscFunctionReturn(0);
}

/* What has no capacity made as consistent as at the start: the steps leave its balances to their own tolerance, which
 * is less than the derived fields that these balances hold for are known to.  Where the step fails, the state stays. */
static PetscErrorCode Polish(ScoriaSolver s, ScoriaSolveStatus *status)
{
  ScoriaSolveStatus last = {0};
  PetscFunctionBeginUser;
  newton_forget(s);
  PetscCall(VecCopy(s->x, s->kept));
  PetscCall(ImplicitStep(s, CONSISTENT * s->d->shape.tau, &last));
  if (last.reason < 0) PetscCall(VecCopy(s->kept, s->x));
  status->newton += last.newton;
  status->linear += last.linear;
  PetscFunctionReturn(0);
}

#define END 1e-9 /* of the time: its rounding over all steps */

/* Whether the integration has come to its end, by steps that all converged: PETSc calls it converged too where the
 * steps that are allowed were not enough, or where a method was chosen that does not ask whether its equations are
 * solved. */
static PetscErrorCode Arrived(ScoriaSolver s, double time, int64_t accepted, bool *arrived)
{
  TSConvergedReason reason;
  PetscReal reached;
  PetscInt steps;
  PetscFunctionBeginUser;
  PetscCall(TSGetConvergedReason(s->ts, &reason));
  PetscCall(TSGetSolveTime(s->ts, &reached));
  PetscCall(TSGetStepNumber(s->ts, &steps));
  *arrived = reason > 0 && fabs(reached - time) <= END * time && accepted >= steps;
  PetscFunctionReturn(0);
}

PetscErrorCode TransientSolve(ScoriaSolver s, double time, ScoriaSolveStatus *status)
{
  const double tau = s->d->shape.tau;
  PetscInt newton, linear;
  bool arrived = false;
  PetscFunctionBeginUser;
  PetscCall(SetAtRest(s, s->kept));
  PetscCall(VecCopy(s->kept, s->x));
  PetscCall(ImplicitStep(s, CONSISTENT * tau, status));
  if (status->reason < 0 || time <= 0) PetscFunctionReturn(0);
  /* TS carries its history of steps and step lengths over: a realisation must not depend on the one before. */
  PetscCall(TSDestroy(&s->ts));
  PetscCall(CreateIntegrator(s, time));
  newton_forget(s);
  s->step_tolerance      = sqrt(NEWTON_SHARE * s->rtol);
  const int64_t accepted = s->accepted;
  PetscCall(TSSolve(s->ts, s->x));
  s->step_tolerance = STEP_TOLERANCE;
  PetscCall(Arrived(s, time, s->accepted - accepted, &arrived));
  PetscCall(TSGetSNESIterations(s->ts, &newton));
  PetscCall(TSGetKSPIterations(s->ts, &linear));
  status->newton += (int)newton;
  status->linear += (int)linear;
  status->reason = arrived ? SNES_CONVERGED_ITS : SNES_DIVERGED_INNER;
  if (arrived && s->nderived) PetscCall(Polish(s, status));
  PetscFunctionReturn(0);
}
