/* Groups, weights and allocation of estimators that combine models. */
#include "plans.h"
#include <math.h>
#include <string.h>

const ScoriaEstimator scoria_estimators[] = {
    {"mlblue", "best linear unbiased estimate of any sets of fidelities", mlblue_plan, mlblue_weights, true},
    {"mfmc", "nested control variates", mfmc_plan, mfmc_weights, true},
    {"mlmc", "sum of differences between neighbouring fidelities", mlmc_plan, mlmc_weights, false},
    {NULL, NULL, NULL, NULL, false}};

static void scale_draws(ScoriaPlan *plan, double by)
{
  for (int j = 0; j < plan->groups; j++) plan->draws[j] *= by;
}

static void round_draws(ScoriaPlan *plan)
{
  for (int j = 0; j < plan->groups; j++) plan->draws[j] = PetscMax(PLAN_LEAST, ceil(plan->draws[j] - 1e-9));
}

/* Numbers are scaled to the tolerance as they are, or down to the budget; the least numbers are part of what is scaled
 * once they are met. */
void estimator_plan(const ScoriaEstimator *e, const ScoriaPlanning *p, double budget, ScoriaPlan *plan)
{
  e->plan(p, plan);
  if (budget > 0) scale_draws(plan, budget / plan_cost(p, plan));
  round_draws(plan);
  if (!(budget > 0)) return;
  for (int tried = 0; tried < 30 && plan_cost(p, plan) > budget; tried++) {
    double fixed = 0, free = 0;
    for (int j = 0; j < plan->groups; j++) {
      const double cost = plan->draws[j] * plan_group_cost(p, plan->members[j]);
      *(plan->draws[j] > PLAN_LEAST ? &free : &fixed) += cost;
    }
    if (free <= 0) return;
    const double by = PetscMax(0.1, (budget - fixed) / free);
    for (int j = 0; j < plan->groups; j++)
      if (plan->draws[j] > PLAN_LEAST) plan->draws[j] = PetscMax(PLAN_LEAST, floor(plan->draws[j] * by));
  }
}

/* ------------------------------------------------------------------------------------------------- chains ---- */

/* The models of a set that holds model 0, in an order by falling keys. */
static void order_models(int models, unsigned set, const double key[], ScoriaPlan *plan)
{
  plan->models   = 1;
  plan->order[0] = 0;
  for (int k = 1; k < models; k++) {
    if (!(set >> k & 1)) continue;
    int at = plan->models++;
    for (; at > 1 && key[plan->order[at - 1]] < key[k]; at--) plan->order[at] = plan->order[at - 1];
    plan->order[at] = k;
  }
}

/* Tries every set of models that holds model 0, and keeps the cheapest plan. */
typedef void (*ChainPlan)(const ScoriaPlanning *p, ScoriaPlan *plan);

static void best_chain(const ScoriaPlanning *p, const double key[], ChainPlan make, ScoriaPlan *best)
{
  double least = INFINITY;
  for (unsigned set = 1; set < 1u << p->models; set += 2) {
    ScoriaPlan plan = {.groups = 0};
    bool shares     = false; /* which these estimators make no use of */
    for (int k = 1; k < p->models; k++) shares = shares || (set >> k & 1 && p->same[k]);
    if (shares) continue;
    order_models(p->models, set, key, &plan);
    make(p, &plan);
    const double cost = plan_cost(p, &plan);
    if (cost < least || set == 1) {
      least = cost;
      *best = plan;
    }
  }
}

/* Variance of f_a - f_b; of f_a where b < 0. */
static double difference(const ScoriaPlanning *p, int t, int a, int b)
{
  const int K     = p->models;
  const double *C = p->covariance + t * K * K;
  const double v  = b < 0 ? C[a * K + a] : C[a * K + a] - 2 * C[a * K + b] + C[b * K + b];
  return PetscMax(v, 0);
}

/* N_l = sqrt(V_l / C_l) sum_k sqrt(V_k C_k), the largest over targets. */
static void mlmc_chain(const ScoriaPlanning *p, ScoriaPlan *plan)
{
  plan->groups = plan->models;
  for (int l = 0; l < plan->models; l++) {
    plan->members[l] = 1u << plan->order[l] | (l + 1 < plan->models ? 1u << plan->order[l + 1] : 0);
    plan->draws[l]   = 1e-9; /* of a difference that vanishes */
  }
  for (int t = 0; t < p->targets; t++) {
    double V[PLAN_MODELS], sum = 0;
    for (int l = 0; l < plan->models; l++) {
      V[l] = difference(p, t, plan->order[l], l + 1 < plan->models ? plan->order[l + 1] : -1);
      sum += sqrt(V[l] * plan_group_cost(p, plan->members[l]));
    }
    for (int l = 0; l < plan->models; l++)
      plan->draws[l] = PetscMax(plan->draws[l], sqrt(V[l] / plan_group_cost(p, plan->members[l])) * sum);
  }
}

void mlmc_plan(const ScoriaPlanning *p, ScoriaPlan *plan)
{
  best_chain(p, p->solve, mlmc_chain, plan);
}

void mlmc_weights(const ScoriaPlan *plan, int models, const double C[], double w[])
{
  (void)C;
  memset(w, 0, (size_t)(plan->groups * models) * sizeof *w);
  for (int j = 0; j < plan->groups; j++) {
    w[j * models + plan->order[j]] = 1;
    if (j + 1 < plan->groups) w[j * models + plan->order[j + 1]] = -1;
  }
}

/* Squared correlation of model k with model 0. */
static double correlation2(int K, const double C[], int k)
{
  const double scale = C[0] * C[k * K + k];
  return scale > 0 ? PetscMin(1, C[k] * C[k] / scale) : 0;
}

/* N_i for i-th models of the order: r_i = sqrt(c_1 (rho_i^2 - rho_{i+1}^2) / (c_i (1 - rho_2^2))), where these rise,
 * and N_1 such that the variance, C_11 / N_1 (1 - sum_i (1 / r_{i-1} - 1 / r_i) rho_i^2), is 1.  The last model's cost
 * includes the draw. */
static void mfmc_target(const ScoriaPlanning *p, const ScoriaPlan *plan, int t, double N[])
{
  const int K = p->models, n = plan->models;
  const double *C              = p->covariance + t * K * K;
  double rho2[PLAN_MODELS + 1] = {1}, r[PLAN_MODELS] = {1}, share = 1;
  for (int i = 1; i < n; i++) rho2[i] = correlation2(K, C, plan->order[i]);
  rho2[n]            = 0;
  const double first = p->solve[0] + (n == 1 ? p->draw : 0), left = PetscMax(1 - rho2[1], 1e-12);
  for (int i = 1; i < n; i++) {
    const double cost = p->solve[plan->order[i]] + (i == n - 1 ? p->draw : 0);
    r[i]              = sqrt(first * PetscMax(rho2[i] - rho2[i + 1], 0) / (cost * left));
    r[i]              = PetscMax(r[i], r[i - 1]);
    share -= (1 / r[i - 1] - 1 / r[i]) * rho2[i];
  }
  for (int i = 0; i < n; i++) N[i] = C[0] * PetscMax(share, 1e-12) * r[i];
}

/* Group i has the models from the i-th of the order on, and the draws that the (i-1)-th model lacks. */
static void mfmc_chain(const ScoriaPlanning *p, ScoriaPlan *plan)
{
  double most[PLAN_MODELS] = {0}, N[PLAN_MODELS], before = 0;
  for (int t = 0; t < p->targets; t++) {
    mfmc_target(p, plan, t, N);
    for (int i = 0; i < plan->models; i++) most[i] = PetscMax(most[i], N[i]);
  }
  unsigned set = 0;
  for (int i = 0; i < plan->models; i++) set |= 1u << plan->order[i];
  plan->groups = 0;
  for (int i = 0; i < plan->models; i++) {
    if (most[i] > before || i == 0) {
      plan->members[plan->groups] = set;
      plan->draws[plan->groups++] = PetscMax(most[i] - before, 1e-9);
      before                      = most[i];
    }
    set &= ~(1u << plan->order[i]);
  }
}

void mfmc_plan(const ScoriaPlanning *p, ScoriaPlan *plan)
{
  double key[PLAN_MODELS] = {0};
  for (int k = 0; k < p->models; k++)
    for (int t = 0; t < p->targets; t++)
      key[k] += correlation2(p->models, p->covariance + t * p->models * p->models, k);
  best_chain(p, key, mfmc_chain, plan);
}

/* f_0 of the first group + sum_k alpha_k (mean of f_k over all its draws - over those that the next better model has
 * too), alpha_k = C_0k / C_kk. */
void mfmc_weights(const ScoriaPlan *plan, int models, const double C[], double w[])
{
  memset(w, 0, (size_t)(plan->groups * models) * sizeof *w);
  w[0] = 1;
  for (int k = 1; k < models; k++) {
    double all = 0, last = 0;
    int groups = 0;
    while (groups < plan->groups && plan->members[groups] >> k & 1) all += last = plan->draws[groups++];
    const double alpha = C[k * models + k] > 0 ? C[k] / C[k * models + k] : 0;
    for (int j = 0; j < groups && groups > 1; j++)
      w[j * models + k] = alpha * (plan->draws[j] / all - (j < groups - 1 ? plan->draws[j] / (all - last) : 0));
  }
}
