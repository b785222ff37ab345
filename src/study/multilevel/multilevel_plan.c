/* uq of several fidelities: how many draws of which groups.
 *
 * The promise is a variance for each functional of each quantity (mean, SD, quantiles); the estimator
 * (stats/estimators.c) finds the groups and numbers of draws of least work that keep them all, with covariances from
 * the pilot.  Where sums show later that the pilot had them too small, the plan is lengthened. */
#include "multilevel.h"
#include <math.h>

#define SQUARE(x) ((x) * (x))
#define TOP_UP_MOST 4.0 /* by what a plan is lengthened at most */
#define HALVINGS 8      /* of what it is lengthened by, until the budget has it */
#define LEFT 0.05       /* of what is allowed, at least, beside what a screen may miss, */
#define PARTS 32        /* or 2^-1, 2^-2, .. of it */
#define MAX_TARGETS (UQ_MAX_QUANTITIES * (2 + UQ_MAX_QUANTILES))

/* Covariance (K, K) over members of what a functional averages, in units of the squared SD of the first member: the
 * mean, the SD, or quantile f - 2, all as of normal numbers. */
static void functional(const Levels *l, int column, int f, double to[])
{
  const int K     = l->K;
  const double *C = l->C + (size_t)column * (size_t)(K * K);
  double scale    = 1;
  if (f == 0)
    for (int i = 0; i < K * K; i++) to[i] = C[i];
  else if (f == 1) {
    levels_squares(l, column, to);
    scale = 0.25; /* of the variance, SD 1 */
  } else {
    const double p = l->q->probability[f - 2];
    levels_indicators(l, column, p, levels_place(l, column, p), levels_smoothing(l, column, p), to);
    scale = 1 / SQUARE(normal_density(normal_place(p)));
  }
  for (int i = 0; i < K * K; i++) to[i] *= scale;
}

static int functionals(const Levels *l)
{
  return l->o.means ? 1 : 2 + l->q->nprobabilities;
}

/* Of the variance of functional f, in the same units, what a screen may miss at most. */
static double missed(const Levels *l, int column, int f)
{
  if (f < 2) return 0;
  const double p = l->q->probability[f - 2];
  return SQUARE(levels_missed(l, column, levels_place(l, column, p), p, 0) / normal_density(normal_place(p)));
}

/* All targets in units of what is allowed, by uq_count too if `counted`, and left by a part of what a screen may miss;
 * returns how many.  none: it leaves next to nothing. */
static int make_targets(const Levels *l, bool counted, double part, double *to, bool *none)
{
  const int K = l->K;
  int n       = 0;
  for (int i = 0; i < l->q->nquantities; i++) {
    const int column = l->q->m + i;
    if (!l->varies[column] || l->o.aside[i]) continue;
    for (int f = 0; f < functionals(l); f++, n++) {
      double *C = to + n * K * K;
      functional(l, column, f, C);
      const double tolerance = levels_tolerance(l, i);
      const double all       = counted ? levels_allowed(l, tolerance, C[0]) : SQUARE(tolerance);
      const double most      = all - part * missed(l, column, f);
      if (most < LEFT * all) *none = true;
      for (int j = 0; j < K * K; j++) C[j] /= most;
    }
  }
  return n;
}

static double pilot_cost(const Levels *l, const double cost[])
{
  double sum = 0;
  for (int a = 0; a <= l->K; a++) sum += levels_screens(l, a) ? 0 : cost[a];
  return sum * (double)l->o.pilot + (double)l->to_place * (cost[l->o.screen] + cost[l->K]);
}

/* What the budget leaves for each condition besides its pilot. */
static PetscErrorCode Budget(const Levels *l, const double cost[], double *left)
{
  const double share = l->o.budget / l->q->conditions, pilot = pilot_cost(l, cost);
  PetscFunctionBeginUser;
  *left = 0;
  if (!(l->o.budget > 0)) PetscFunctionReturn(0);
  *left = share - pilot;
  if (*left <= 0)
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "uq: budget: found %g core s for %d conditions, but the pilot of one alone takes %.3g; expected more, or "
        "a smaller uq_pilot",
        l->o.budget, l->q->conditions, pilot);
  PetscFunctionReturn(0);
}

/* As many draws of the first member, beside those that are sampled anywhere, as show what a screen misses to a part of
 * what that may be. */
static void lengthen_fine(const Levels *l, double part, ScoriaPlan *plan)
{
  double fine = 0, sampled = 0, tail = 0.5;
  for (int t = 0; t < l->q->nprobabilities; t++) {
    const double of = PetscMin(l->q->probability[t], 1 - l->q->probability[t]);
    if (levels_is_outer(of)) tail = PetscMin(tail, of);
  }
  for (int j = 0; j < plan->groups; j++)
    if (plan->members[j] & 1)
      fine += plan->draws[j];
    else if (plan->members[j] >> (l->K - 1) & 1)
      sampled += levels_sampled_anywhere(l, plan->draws[j]);
  const double by = PetscMax(1, (levels_missed_draws(tail, part) - sampled) / fine);
  for (int j = 0; j < plan->groups; j++)
    if (plan->members[j] & 1) plan->draws[j] = ceil(by * plan->draws[j]);
}

/* The plan of least work that keeps all targets.  With a screen these are reached beside all that it may miss, or, with
 * more draws of the first member, beside a part of it. */
static void plan_promised(const Levels *l, const ScoriaPlanning *p, double *work, ScoriaPlan *plan)
{
  ScoriaPlanning with = *p;
  double least        = INFINITY;
  if (!l->o.screen) {
    estimator_plan(l->o.estimator, p, 0, plan);
    return;
  }
  with.covariance = work;
  for (int halved = 0; halved < PARTS; halved++) {
    const double part = ldexp(1, -halved);
    ScoriaPlan tried;
    bool none    = false;
    with.targets = make_targets(l, true, part, work, &none);
    if (none) continue;
    estimator_plan(l->o.estimator, &with, 0, &tried);
    if (halved > 0) lengthen_fine(l, part, &tried);
    const double cost = plan_cost(p, &tried);
    if (cost < least) *plan = tried;
    if (cost > least) return;
    least = cost;
  }
}

/* Says what the tolerance by itself takes, whatever uq_count allows, and what the budget reaches of it. */
static PetscErrorCode Refuse(const Levels *l, const ScoriaPlanning *p, double *work, double budget)
{
  ScoriaPlanning alone = *p;
  ScoriaPlan plan;
  bool none;
  PetscFunctionBeginUser;
  alone.targets    = make_targets(l, false, 0, work, &none);
  alone.covariance = work;
  estimator_plan(l->o.estimator, &alone, 0, &plan);
  const double cost = plan_cost(p, &plan);
  estimator_plan(l->o.estimator, &alone, budget, &plan);
  PetscCall(LevelsRefuseTolerance(l, cost, budget, sqrt(plan_worst(l->o.estimator, &alone, &plan))));
  PetscFunctionReturn(0);
}

/* A tolerance that the budget does not reach is a user error. */
static PetscErrorCode Decide(Levels *l, const ScoriaPlanning *p, double *work, double budget)
{
  ScoriaPlan *plan = &l->groups.plan;
  PetscFunctionBeginUser;
  plan_promised(l, p, work, plan);
  if (!(budget > 0)) PetscFunctionReturn(0);
  if (plan_cost(p, plan) > budget && levels_has_tolerance(l)) PetscCall(Refuse(l, p, work, budget));
  if (!levels_has_tolerance(l)) estimator_plan(l->o.estimator, p, budget, plan);
  PetscFunctionReturn(0);
}

/* Draws of the first member alone, within the budget; it counts in place of uq_count where there is no tolerance. */
static double plain_draws(const Levels *l, const ScoriaPlanning *p, double budget)
{
  const double most = budget > 0 ? floor(budget / (p->solve[0] + p->draw)) : INFINITY;
  const double n    = budget > 0 && !levels_has_tolerance(l) ? most : PetscMin(most, ceil(levels_plain_draws(l)));
  return PetscMax(PLAN_LEAST, n);
}

static void take_planning(const Levels *l, ScoriaPlanning *p)
{
  const double *cost = l->known->at[l->k].cost;
  *p                 = (ScoriaPlanning){.models = l->K, .draw = cost[l->K], .base = l->o.screen, .near = l->near};
  if (l->o.screen > 0) p->screened = l->K - 1;
  for (int a = 0; a < l->K; a++) {
    p->solve[a] = cost[a];
    p->same[a]  = levels_same(l, a);
  }
}

PetscErrorCode LevelsPlan(Levels *l)
{
  struct LevelsAnswer_ *to = &l->known->at[l->k];
  ScoriaPlanning p;
  double *targets, *work, budget;
  bool none;
  PetscFunctionBeginUser;
  PetscCall(LevelsCheckTolerance(l));
  levels_costs(l, to->cost);
  take_planning(l, &p);
  PetscCall(PetscMalloc2(MAX_TARGETS * l->K * l->K, &targets, MAX_TARGETS * l->K * l->K, &work));
  p.targets    = make_targets(l, true, 0, targets, &none);
  p.covariance = targets;
  PetscCall(Budget(l, to->cost, &budget));
  if (p.targets > 0)
    PetscCall(Decide(l, &p, work, budget));
  else /* nothing tells what the others are good for */
    l->groups.plan = (ScoriaPlan){.models = 1, .groups = 1, .members = {1}, .draws = {plain_draws(l, &p, budget)}};
  PetscCall(PetscFree2(targets, work));
  for (int j = 0; j < l->groups.plan.groups; j++) { /* whole tiles */
    double *draws     = &l->groups.plan.draws[j];
    l->groups.tile[j] = PetscMax(1, PetscMin(l->most, (int64_t)*draws / LEVELS_TILES));
    *draws            = ceil(*draws / (double)l->groups.tile[j]) * (double)l->groups.tile[j];
  }
  PetscFunctionReturn(0);
}

/* Of one functional of a quantity: its variance over what is allowed, both in units of the SD as it is known by now.
 * What uq_count solves by themselves reach is known of means alone: of SDs and quantiles it depends on the law, so that
 * these are held to a tolerance only. */
static double excess_of(const Levels *l, int i, int f)
{
  const int column = l->q->m + i;
  double C[LEVELS_MODELS * LEVELS_MODELS], value, se, sd, sd_se;
  functional(l, column, f, C);
  const double tolerance = levels_tolerance_by_now(l, i), allowed = levels_allowed(l, tolerance, C[0]);
  if (f > 0 && SQUARE(tolerance) <= C[0] / (double)l->q->count) return 0;
  levels_sd(l, column, &sd, &sd_se);
  if (f == 0)
    levels_mean(l, column, &value, &se);
  else if (f == 1)
    se = sd_se;
  else
    (void)levels_quantile(l, column, l->q->probability[f - 2], &value, &se);
  return sd > 0 ? SQUARE(se / sd) / allowed : 0;
}

/* Of a quantity that was constant in the pilot: nothing is known of the other members, so that as many solves of the
 * first are needed as by themselves have the error.  While it is constant in all draws, nothing is missing, but where
 * the first member alone draws. */
static double excess_of_unseen(const Levels *l, int i)
{
  const ScoriaPlan *plan = &l->groups.plan;
  const int column       = l->q->m + i;
  double n               = 0;
  if (!levels_awake(l, column) && !(plan->groups == 1 && plan->members[0] == 1)) return 0;
  for (int j = 0; j < plan->groups; j++)
    if (plan->members[j] & 1) n += (double)coupled_count(l->groups.sums[j]);
  return 1 / levels_allowed(l, levels_tolerance_by_now(l, i), 1) / PetscMax(n, 1);
}

LevelsExcess levels_excess(const Levels *l)
{
  LevelsExcess to = {.quantity = 0};
  double worst    = 0;
  for (int i = 0; i < l->q->nquantities; i++) {
    const int column = l->q->m + i;
    if (l->o.aside[i] || !levels_summed(l, column)) continue;
    double seen = 0, unseen = l->varies[column] ? 0 : excess_of_unseen(l, i);
    for (int f = 0; f < functionals(l) && (l->varies[column] || unseen > 0); f++)
      seen = PetscMax(seen, excess_of(l, i, f));
    to.seen   = PetscMax(to.seen, seen);
    to.unseen = PetscMax(to.unseen, unseen);
    if (PetscMax(seen, unseen) > worst) {
      worst       = PetscMax(seen, unseen);
      to.quantity = i;
    }
  }
  return to;
}

/* In whole tiles: all groups, and those of the first member by no less than `fine`. */
static void lengthened(const Levels *l, double all, double fine, ScoriaPlan *to)
{
  const LevelsGroups *g = &l->groups;
  *to                   = g->plan;
  for (int j = 0; j < to->groups; j++) {
    const double tile = (double)g->tile[j], by = to->members[j] & 1 ? PetscMax(all, fine) : all;
    to->draws[j] = ceil(to->draws[j] * by / tile) * tile;
  }
}

bool levels_lengthen(Levels *l, const LevelsExcess *excess)
{
  double all = excess->seen > 1 ? PetscMin(1.05 * excess->seen, TOP_UP_MOST) : 1, fine = PetscMax(excess->unseen, 1);
  const double *cost = l->known->at[l->k].cost;
  double left        = INFINITY;
  ScoriaPlanning p;
  ScoriaPlan plan;
  take_planning(l, &p);
  if (l->o.budget > 0) left = l->o.budget / l->q->conditions - pilot_cost(l, cost);
  lengthened(l, all, fine, &plan);
  for (int tried = 0; tried < HALVINGS && plan_cost(&p, &plan) > left; tried++) {
    all  = (1 + all) / 2;
    fine = (1 + fine) / 2;
    lengthened(l, all, fine, &plan);
  }
  if (plan_cost(&p, &plan) > left || !(plan_cost(&p, &plan) > plan_cost(&p, &l->groups.plan))) return false;
  l->groups.plan = plan;
  return true;
}

/* ---------------------------------------------------------------------------------------------- forecasts ---- */

#define MANY 1e8 /* draws: of these the least draws of a group are nothing */

double levels_solve_cost(const Levels *l)
{
  const double *cost = l->known->at[l->k].cost;
  return cost[0] + cost[l->K];
}

double levels_pilot_cost(const Levels *l)
{
  return pilot_cost(l, l->known->at[l->k].cost);
}

double levels_plan_cost(const Levels *l)
{
  ScoriaPlanning p;
  take_planning(l, &p);
  return plan_cost(&p, &l->groups.plan);
}

double levels_draws_alone(const Levels *l)
{
  double C[LEVELS_MODELS * LEVELS_MODELS], most = 0;
  for (int i = 0; i < l->q->nquantities; i++) {
    if (l->o.aside[i]) continue;
    for (int f = 0; f < functionals(l); f++) {
      functional(l, l->q->m + i, f, C);
      most = PetscMax(most, C[0] / levels_allowed(l, levels_tolerance(l, i), C[0]));
    }
  }
  return PetscMax(PLAN_LEAST, ceil(most));
}

double levels_gain(const Levels *l, int i, int f)
{
  double C[LEVELS_MODELS * LEVELS_MODELS];
  ScoriaPlanning p;
  ScoriaPlan plan;
  if (!l->varies[l->q->m + i]) return NAN;
  take_planning(l, &p);
  functional(l, l->q->m + i, f, C);
  const double one = C[0];
  for (int j = 0; j < l->K * l->K; j++) C[j] *= MANY / one;
  p.targets    = 1;
  p.covariance = C;
  estimator_plan(l->o.estimator, &p, 0, &plan);
  return MANY * levels_solve_cost(l) / plan_cost(&p, &plan);
}
