/* The linear fidelity: one Newton step from the deterministic twin, the solve at a homogeneous porosity, with the
 * twin's Jacobian: a residual and a substitution in place of a solve.  First-order second-moment UQ draws from the same
 * linearisation, of which the mean and the variance alone are known; here every realisation is.  In more than one
 * dimension it is the line's. */
#include "family.h"
#include <math.h>
#include <stdio.h>

#define NS_STEP 100 /* of a cell, as those of fidelities.c */

static bool is_steady(const Family *f, int number, size_t size, char lacks[])
{
  (void)number;
  snprintf(lacks, size, "the problem is transient: it has no twin to be linearised at");
  return f->time < 0;
}

static PetscErrorCode CreateLinear(const Family *f, Member *m)
{
  PetscFunctionBeginUser;
  if (f->grid.dim > 1)
    PetscCall(FidelityCreateLine(f, m));
  else
    PetscCall(FidelitySolver(f, m, f->groups->group, f->rtol));
  PetscCall(PetscMalloc1(SCORIA_MAX_CONDITIONS, &m->at));
  PetscFunctionReturn(0);
}

static PetscErrorCode Linearise(const Family *f, Member *m, const double theta[])
{
  const int n = f->conditions;
  bool same   = m->tried;
  double eps;
  PetscFunctionBeginUser;
  for (int i = 0; i < n && same; i++) same = m->at[i] == theta[i];
  if (same) PetscFunctionReturn(0);
  PetscCall(ScoriaEnsembleTwinPorosity(f->ensemble, theta, &eps));
  PetscCall(ScoriaSolverLinearise(m->solver, theta, eps, &m->status));
  PetscCall(PetscArraycpy(m->at, theta, n));
  m->tried = true;
  m->is_at = m->status.reason > 0;
  PetscFunctionReturn(0);
}

/* Where the twin has no solution, as near a limiting current, it is the solve itself. */
static PetscErrorCode Step(const Family *f, Member *m, const double theta[], const double eps[], bool counts,
                           ScoriaFidelityCost *cost)
{
  PetscFunctionBeginUser;
  PetscCall(Linearise(f, m, theta));
  if (!m->is_at) {
    PetscCall(ScoriaSolverSolve(m->solver, theta, eps, &m->status));
    fidelity_count(cost, &m->grid, &m->status, counts);
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaSolverStep(m->solver, eps, &m->status));
  if (!counts) PetscFunctionReturn(0);
  cost->work += (int64_t)NS_STEP * m->grid.n[0];
  cost->solves++;
  cost->failed += m->status.reason <= 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeLinear(const Family *f, Member *m, const double theta[], int i, const double eps[],
                                 double fields[], ScoriaFidelityCost *cost)
{
  PetscFunctionBeginUser;
  if (f->grid.dim > 1) {
    PetscCall(FidelityTakeLine(f, m, theta, i, eps, fields, cost));
    PetscFunctionReturn(0);
  }
  PetscCall(Step(f, m, theta, eps, groups_leads(f->groups), cost));
  PetscCall(FidelityFields(f, m, fields));
  PetscFunctionReturn(0);
}

static PetscErrorCode EndLinear(const Family *f, Member *m, const double theta[], int n, double fields[],
                                ScoriaFidelityCost *cost)
{
  PetscFunctionBeginUser;
  if (f->grid.dim > 1) PetscCall(FidelityDealLines(f, m, theta, n, Step, fields, cost));
  PetscFunctionReturn(0);
}

const FidelityRow fidelity_linear = {.name   = "linear",
                                     .help   = "line, in one dimension the deck's own solve, by one step from the twin",
                                     .fits   = is_steady,
                                     .create = CreateLinear,
                                     .take   = TakeLinear,
                                     .end    = EndLinear,
                                     .numbers = {1}};
