/* The best linear unbiased estimate from groups of draws (Schaden and Ullmann 2020): with R_j, which takes the models
 * of group j from all, and Psi = sum_j n_j R_j^T C_j^-1 R_j,
 *
 *   w_j = n_j C_j^-1 R_j Psi^-1 e_0,   variance e_0^T Psi^-1 e_0.
 *
 * The allocation minimises the largest of the targets' variances at a given cost.  That of a sum of them is convex in
 * the shares u_j of the cost, and u_j <- u_j sqrt(g_j), g_j being minus its derivative, falls steadily to its minimum
 * (Yu 2010); the sum's weights move to the largest meanwhile. */
#include "scoria/linalg.h"
#include "plans.h"
#include <math.h>
#include <string.h>

#define JITTER 1e-10 /* of a correlation matrix: models may agree to rounding */
#define STEPS 300    /* of the allocation: a per cent of the cost */
#define ACTIVE 8     /* targets that decide */
#define SHARE 0.01   /* groups of a smaller share of the cost are left out */
#define SLACK 1.02   /* targets that exceed the others by this are taken in */

typedef struct {
  int K;
  double scale[PLAN_MODELS];           /* standard deviations, 1 where there is none; of models of one law one */
  double C[PLAN_MODELS * PLAN_MODELS]; /* over the scales */
} Correlations;

static int mean_of(const int same[], int k)
{
  return same[k] ? same[k] - 1 : k;
}

/* Models of one law have one scale: that of their mean. */
static void correlations(int K, const int same[], const double C[], Correlations *to)
{
  to->K = K;
  for (int a = 0; a < K; a++) {
    const int of = mean_of(same, a);
    to->scale[a] = C[of * K + of] > 0 ? sqrt(C[of * K + of]) : 1;
  }
  for (int a = 0; a < K; a++)
    for (int b = 0; b < K; b++) to->C[a * K + b] = C[a * K + b] / (to->scale[a] * to->scale[b]) + (a == b ? JITTER : 0);
  for (int a = 0; a < K; a++)
    if (!(C[a * K + a] > 0)) to->C[a * K + a] = 1;
}

/* P (K, K) = R^T C_S^-1 R of a set; false where it is singular. */
static bool information(const Correlations *c, unsigned set, double P[])
{
  const int K = c->K;
  int n       = 0, of[PLAN_MODELS];
  double A[PLAN_MODELS * PLAN_MODELS], B[PLAN_MODELS * PLAN_MODELS] = {0};
  for (int k = 0; k < K; k++)
    if (set >> k & 1) of[n++] = k;
  for (int a = 0; a < n; a++) {
    for (int b = 0; b < n; b++) A[a * n + b] = c->C[of[a] * K + of[b]];
    B[a * n + a] = 1;
  }
  memset(P, 0, (size_t)(K * K) * sizeof *P);
  if (!la_cholesky(n, A)) return false;
  la_cholesky_solve(n, A, n, B);
  for (int a = 0; a < n; a++)
    for (int b = 0; b < n; b++) P[of[a] * K + of[b]] = B[a * n + b];
  return true;
}

/* Psi += n P, by means: models of one law have one. */
static void add_information(int K, const int same[], double n, const double P[], double Psi[])
{
  for (int a = 0; a < K; a++)
    for (int b = 0; b < K; b++) Psi[mean_of(same, a) * K + mean_of(same, b)] += n * P[a * K + b];
}

/* x = Psi^-1 e_0, over the means that any group has, for every model that of its mean; false where Psi is singular. */
static bool solve_first(int K, const int same[], const double Psi[], double x[])
{
  int n = 0, of[PLAN_MODELS];
  double A[PLAN_MODELS * PLAN_MODELS], b[PLAN_MODELS] = {1};
  for (int k = 0; k < K; k++)
    if (Psi[k * K + k] > 0) of[n++] = k;
  memset(x, 0, (size_t)K * sizeof *x);
  if (n == 0 || of[0] != 0) return false;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) A[i * n + j] = Psi[of[i] * K + of[j]];
  if (!la_cholesky(n, A)) return false;
  la_cholesky_solve(n, A, 1, b);
  for (int i = 0; i < n; i++) x[of[i]] = b[i];
  for (int k = 0; k < K; k++) x[k] = x[mean_of(same, k)];
  return true;
}

/* The mean of all draws of model 0. */
static void plain_weights(const ScoriaPlan *plan, int models, double w[])
{
  double all = 0;
  memset(w, 0, (size_t)(plan->groups * models) * sizeof *w);
  for (int j = 0; j < plan->groups; j++) all += plan->members[j] & 1 ? plan->draws[j] : 0;
  for (int j = 0; j < plan->groups; j++)
    if (plan->members[j] & 1) w[j * models] = plan->draws[j] / all;
}

void mlblue_weights(const ScoriaPlan *plan, int models, const double C[], double w[])
{
  const int K = models;
  double P[PLAN_MODELS * PLAN_MODELS], Psi[PLAN_MODELS * PLAN_MODELS] = {0}, x[PLAN_MODELS];
  Correlations c;
  bool regular = C[0] > 0;
  correlations(K, plan->same, C, &c);
  for (int j = 0; j < plan->groups; j++) {
    regular = information(&c, plan->members[j], P) && regular;
    add_information(K, plan->same, plan->draws[j], P, Psi);
  }
  if (!regular || !solve_first(K, plan->same, Psi, x)) {
    plain_weights(plan, models, w);
    return;
  }
  for (int j = 0; j < plan->groups; j++) {
    (void)information(&c, plan->members[j], P);
    for (int a = 0; a < K; a++) {
      double sum = 0;
      for (int b = 0; b < K; b++) sum += P[a * K + b] * x[b];
      w[j * K + a] = plan->draws[j] * sum * c.scale[0] / c.scale[a];
    }
  }
}

/* ---------------------------------------------------------------------------------------------- allocation ---- */

/* The targets that decide, and what the groups tell of each. */
typedef struct {
  const ScoriaPlanning *p;
  int groups;
  unsigned members[PLAN_GROUPS];
  double cost[PLAN_GROUPS], share[PLAN_GROUPS];
  int n, target[ACTIVE];
  double variance[ACTIVE], lambda[ACTIVE];
  double P[ACTIVE][PLAN_GROUPS][PLAN_MODELS * PLAN_MODELS];
} Allocation;

static void take_information(Allocation *a)
{
  const int K = a->p->models;
  for (int t = 0; t < a->n; t++) {
    Correlations c;
    correlations(K, a->p->same, a->p->covariance + a->target[t] * K * K, &c);
    a->variance[t] = a->p->covariance[a->target[t] * K * K];
    for (int j = 0; j < a->groups; j++) (void)information(&c, a->members[j], a->P[t][j]);
  }
}

/* Variance of target t per cost 1, and minus its derivatives g by the shares. */
static double derivatives(const Allocation *a, int t, double g[])
{
  const int K                           = a->p->models;
  double Psi[PLAN_MODELS * PLAN_MODELS] = {0}, x[PLAN_MODELS];
  for (int j = 0; j < a->groups; j++) add_information(K, a->p->same, a->share[j] / a->cost[j], a->P[t][j], Psi);
  if (!solve_first(K, a->p->same, Psi, x)) return INFINITY;
  for (int j = 0; j < a->groups; j++) {
    double sum = 0;
    for (int c = 0; c < K; c++)
      for (int d = 0; d < K; d++) sum += x[c] * a->P[t][j][c * K + d] * x[d];
    g[j] = a->variance[t] * sum / a->cost[j];
  }
  return a->variance[t] * x[0];
}

static void step(Allocation *a)
{
  double sum[PLAN_GROUPS] = {0}, g[PLAN_GROUPS], value[ACTIVE], worst = 0, all = 0;
  for (int t = 0; t < a->n; t++) {
    value[t] = derivatives(a, t, g);
    if (!isfinite(value[t])) return; /* as good as it gets */
    worst = PetscMax(worst, value[t]);
    for (int j = 0; j < a->groups; j++) sum[j] += a->lambda[t] * g[j];
  }
  for (int j = 0; j < a->groups; j++) all += a->share[j] *= sqrt(sum[j]);
  for (int j = 0; j < a->groups; j++) a->share[j] /= all;
  all = 0;
  for (int t = 0; t < a->n; t++) all += a->lambda[t] *= sqrt(value[t] / worst);
  for (int t = 0; t < a->n; t++) a->lambda[t] /= all;
}

static void optimise(Allocation *a)
{
  for (int t = 0; t < a->n; t++) a->lambda[t] = 1.0 / a->n;
  take_information(a);
  for (int i = 0; i < STEPS; i++) step(a);
}

static void remove_group(Allocation *a, int j)
{
  a->groups--;
  for (; j < a->groups; j++) {
    a->members[j] = a->members[j + 1];
    a->cost[j]    = a->cost[j + 1];
    a->share[j]   = a->share[j + 1];
  }
}

/* Numbers at which no target's variance exceeds 1. */
static void to_plan(const Allocation *a, ScoriaPlan *plan)
{
  static const ScoriaEstimator mlblue = {.weights = mlblue_weights};
  unsigned set                        = 0;
  *plan                               = (ScoriaPlan){.groups = a->groups};
  for (int j = 0; j < a->groups; j++) {
    plan->members[j] = a->members[j];
    plan->draws[j]   = a->share[j] / a->cost[j];
    set |= a->members[j];
  }
  for (int k = 0; k < a->p->models; k++) plan->same[k] = a->p->same[k];
  for (int k = 0; k < a->p->models; k++)
    if (set >> k & 1) plan->order[plan->models++] = k;
  const double worst = plan_worst(&mlblue, a->p, plan);
  for (int j = 0; j < plan->groups; j++) plan->draws[j] *= worst;
}

static double rounded_cost(const Allocation *a, ScoriaPlan *plan)
{
  double cost = 0;
  to_plan(a, plan);
  for (int j = 0; j < plan->groups; j++) cost += PetscMax(plan->draws[j], PLAN_LEAST) * a->cost[j];
  return isfinite(cost) ? cost : INFINITY;
}

/* Groups whose least numbers cost more than they save are left out, one after the other. */
static void thin_out(Allocation *a, ScoriaPlan *plan)
{
  ScoriaPlan tried;
  double best = rounded_cost(a, plan);
  for (int j = 0; j < a->groups && a->groups > 1;) {
    const Allocation kept = *a;
    bool fine             = false;
    remove_group(a, j);
    for (int i = 0; i < a->groups; i++) fine = fine || a->members[i] & 1;
    if (fine) {
      take_information(a);
      for (int i = 0; i < STEPS / 3; i++) step(a);
    }
    const double cost = fine ? rounded_cost(a, &tried) : INFINITY;
    if (cost < best) {
      best = cost;
      j    = 0;
    } else {
      *a = kept;
      j++;
    }
  }
}

static void start(Allocation *a, const ScoriaPlanning *p)
{
  a->p      = p;
  a->groups = 0;
  for (unsigned set = 1; set < 1u << p->models; set++) {
    a->members[a->groups] = set;
    a->cost[a->groups++]  = plan_group_cost(p, set);
  }
  for (int j = 0; j < a->groups; j++) a->share[j] = 1.0 / a->groups;
}

static int worst_target(const ScoriaPlanning *p, const ScoriaPlan *plan, double *largest)
{
  static const ScoriaEstimator mlblue = {.weights = mlblue_weights};
  int worst                           = 0;
  *largest                            = -1;
  for (int t = 0; t < p->targets; t++) {
    const double *C = p->covariance + t * p->models * p->models,
                 v  = plan ? plan_variance(&mlblue, plan, p->models, C) : C[0];
    if (v > *largest) {
      *largest = v;
      worst    = t;
    }
  }
  return worst;
}

void mlblue_plan(const ScoriaPlanning *p, ScoriaPlan *plan)
{
  Allocation a = {.n = 1}; /* some 180 kB */
  double largest;
  a.target[0] = worst_target(p, NULL, &largest);
  for (bool more = true; more;) {
    start(&a, p);
    optimise(&a);
    to_plan(&a, plan);
    double among = 0;
    for (int t = 0; t < a.n; t++)
      among = PetscMax(among, plan_variance(&(const ScoriaEstimator){.weights = mlblue_weights}, plan, p->models,
                                            p->covariance + a.target[t] * p->models * p->models));
    const int worst = worst_target(p, plan, &largest);
    more            = a.n < ACTIVE && largest > SLACK * among;
    if (more) a.target[a.n++] = worst;
  }
  for (int j = a.groups - 1; j >= 0; j--)
    if (a.share[j] < SHARE) remove_group(&a, j);
  bool fine = false;
  for (int j = 0; j < a.groups; j++) fine = fine || a.members[j] & 1;
  if (!fine) { /* it costs less than a share of anything */
    a.members[a.groups] = (1u << p->models) - 1;
    a.cost[a.groups]    = plan_group_cost(p, a.members[a.groups]);
    a.share[a.groups++] = SHARE;
  }
  optimise(&a);
  thin_out(&a, plan);
  to_plan(&a, plan);
}
