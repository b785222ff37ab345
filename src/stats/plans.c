/* Cost and variance of a plan, whatever estimator it is of. */
#include "plans.h"
#include <math.h>

static double shared_cost(const ScoriaPlanning *p, unsigned members)
{
  if (!p->screened || !(members >> p->screened & 1)) return 0;
  return (members >> p->base & 1 ? p->solve[p->base] : 0) + (members & 1 ? p->near * (p->solve[0] + p->draw) : 0);
}

double plan_group_cost(const ScoriaPlanning *p, unsigned members)
{
  double cost = p->draw;
  for (int k = 0; k < p->models; k++) cost += members >> k & 1 ? p->solve[k] : 0;
  return cost - shared_cost(p, members);
}

double plan_cost(const ScoriaPlanning *p, const ScoriaPlan *plan)
{
  double cost = 0;
  for (int j = 0; j < plan->groups; j++) cost += plan->draws[j] * plan_group_cost(p, plan->members[j]);
  return cost;
}

/* w_j^T C w_j / n of group j, C (models, models) being that of its members at least. */
static double group_variance(const ScoriaPlan *plan, int j, int models, const double w[], const double C[])
{
  double sum = 0;
  for (int a = 0; a < models; a++)
    for (int b = 0; b < models; b++)
      if (plan->members[j] >> a & plan->members[j] >> b & 1)
        sum += w[j * models + a] * w[j * models + b] * C[a * models + b];
  return plan->draws[j] > 0 ? sum / plan->draws[j] : 0; /* without draws it has no weight */
}

double plan_variance(const ScoriaEstimator *e, const ScoriaPlan *plan, int models, const double C[])
{
  double w[PLAN_GROUPS * PLAN_MODELS], sum = 0;
  e->weights(plan, models, C, w);
  for (int j = 0; j < plan->groups; j++) sum += group_variance(plan, j, models, w, C);
  return sum;
}

double plan_worst(const ScoriaEstimator *e, const ScoriaPlanning *p, const ScoriaPlan *plan)
{
  double worst = 0;
  for (int t = 0; t < p->targets; t++) {
    const double v = plan_variance(e, plan, p->models, p->covariance + t * p->models * p->models);
    if (!(v <= worst)) worst = isnan(v) ? INFINITY : v;
  }
  return worst;
}
