/* uq of several fidelities: the errors that are promised. */
#include "multilevel.h"
#include <math.h>

#define SQUARE(x) ((x) * (x))

bool levels_has_tolerance(const Levels *l)
{
  bool has = l->q->tolerance > 0;
  for (int i = 0; i < l->q->nquantities; i++) has = has || l->o.own[i] != 0;
  return has;
}

static double in_sds(const Levels *l, int i, double mean, double sd)
{
  const double own = l->o.own[i];
  if (own == 0) return l->q->tolerance;
  return sd > 0 ? (own > 0 ? own : -own * fabs(mean)) / sd : INFINITY;
}

double levels_tolerance(const Levels *l, int i)
{
  return in_sds(l, i, l->centre[l->q->m + i], l->scale[l->q->m + i]);
}

double levels_tolerance_by_now(const Levels *l, int i)
{
  double mean, sd, se;
  levels_mean(l, l->q->m + i, &mean, &se);
  levels_sd(l, l->q->m + i, &sd, &se);
  return in_sds(l, i, mean, sd);
}

double levels_allowed(const Levels *l, double tolerance, double one)
{
  return PetscMax(SQUARE(tolerance), one / (double)l->q->count);
}

/* Of what does not vary in the pilot, nothing tells how far a tolerance of its own is in SDs. */
double levels_plain_draws(const Levels *l)
{
  double most = 1 / levels_allowed(l, l->q->tolerance, 1);
  bool found  = false;
  for (int i = 0; i < l->q->nquantities; i++) {
    if (l->o.aside[i] || (l->o.own[i] != 0 && !l->varies[l->q->m + i])) continue;
    const double n = 1 / levels_allowed(l, levels_tolerance(l, i), 1);
    most           = found ? PetscMax(most, n) : n;
    found          = true;
  }
  return most;
}

/* A mean has no more digits than a double. */
PetscErrorCode LevelsCheckTolerance(const Levels *l)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < l->q->nquantities && levels_has_tolerance(l); i++) {
    const int column   = l->q->m + i;
    const double least = PETSC_MACHINE_EPSILON * fabs(l->centre[column]) / l->scale[column],
                 found = levels_tolerance(l, i);
    if (!l->varies[column] || l->o.aside[i] || found >= least) continue;
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "uq: tolerance: found %g, which at condition %d is below the rounding of %s, %.6g with SD %.2g; expected "
        "at least %.2g",
        found, l->k, l->q->quantity[i].name, l->centre[column], l->scale[column], least);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsRefuseTolerance(const Levels *l, double cost, double budget, double reached)
{
  bool own = false;
  PetscFunctionBeginUser;
  for (int i = 0; i < l->q->nquantities; i++) own = own || l->o.own[i] != 0;
  if (own)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "uq: tolerance_for takes some %.3g core s at condition %d, the budget leaves %.3g, which reaches %.2g "
                "of each",
                cost, l->k, budget, reached);
  SCORIA_FAIL(SCORIA_EXIT_INPUT,
              "uq: tolerance: %g takes some %.3g core s at condition %d, the budget leaves %.3g, which reaches %.2g",
              l->q->tolerance, cost, l->k, budget, l->q->tolerance * reached);
}

PetscErrorCode LevelsWarnOfErrors(const Levels *l, const LevelsExcess *excess)
{
  const double worst = sqrt(PetscMax(excess->seen, excess->unseen));
  const char *name   = l->q->quantity[excess->quantity].name;
  const char *beyond = l->o.budget > 0 ? "; the budget has no more" : "";
  PetscFunctionBeginUser;
  if (!(worst > 1)) PetscFunctionReturn(0);
  if (l->o.own[excess->quantity] != 0)
    PetscCall(ScoriaSay(l->run,
                        "  WARNING: condition %d: the largest error, of %s, is %.3g times what "
                        "uq_tolerance_for allows%s",
                        l->k, name, worst, beyond));
  else
    PetscCall(ScoriaSay(l->run, "  WARNING: condition %d: the largest error, of %s, is %.3g times what %s %g allows%s",
                        l->k, name, worst, l->q->tolerance > 0 ? "uq_tolerance" : "uq_count",
                        l->q->tolerance > 0 ? l->q->tolerance : (double)l->q->count, beyond));
  PetscFunctionReturn(0);
}
