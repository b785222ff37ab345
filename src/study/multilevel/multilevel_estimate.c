/* uq of several fidelities: estimates from the sums of the groups, with weights that the pilot has chosen. */
#include "multilevel.h"
#include <math.h>

#define SQUARE(x) ((x) * (x))
#define EXPECTED_EVENTS 4 /* differences of indicators; of fewer, counts say little */
#define ROUNDING 1e-8     /* what solves of one number differ by, that converge to this or better */

int levels_members(const Levels *l, int j, int member[])
{
  int n = 0;
  for (int a = 0; a < l->K; a++)
    if (l->groups.plan.members[j] >> a & 1) member[n++] = a;
  return n;
}

/* The numbers of draws are those that did not fail: the weights are exact for any. */
static void drawn_plan(const Levels *l, ScoriaPlan *plan)
{
  *plan = l->groups.plan;
  for (int j = 0; j < plan->groups; j++) plan->draws[j] = (double)coupled_count(l->groups.sums[j]);
}

void levels_weights(const Levels *l, const double C[], ScoriaPlan *plan, double w[])
{
  drawn_plan(l, plan);
  l->o.estimator->weights(plan, l->K, C, w);
}

/* Variance of the mean of a group's draws from the covariance of its n members, as the draws have it in S.
 *
 * Indicators that seldom differ may agree on all draws of a group: S then has no variance, and the estimate the error
 * of having missed what is rare.  So S is joined with what the pilot expects, `expected`, as if that came from as many
 * draws as it takes to see EXPECTED_EVENTS differences, and counts where it is smaller. */
static double group_variance(const Levels *l, int n, const int of[], const double v[], const double S[],
                             const double expected[], double draws)
{
  double seen = 0, known = 0, largest = 0;
  for (int a = 0; a < n; a++) {
    largest = PetscMax(largest, SQUARE(v[of[a]]));
    for (int b = 0; b < n; b++) {
      const double w = v[of[a]] * v[of[b]];
      seen += w * S[a * n + b];
      if (expected) known += w * expected[of[a] * l->K + of[b]];
    }
  }
  if (known > 0) {
    const double more = EXPECTED_EVENTS * largest / known;
    seen              = PetscMax(seen, (draws * seen + more * known) / (draws + more));
  }
  return PetscMax(seen, 0) / draws;
}

void levels_estimate(const Levels *l, const double C[], const double expected[], LevelsTake take, const void *ctx,
                     double *value, double *se)
{
  ScoriaPlan plan;
  double w[PLAN_GROUPS * LEVELS_MODELS], mean[2 * LEVELS_MODELS], S[4 * LEVELS_MODELS * LEVELS_MODELS], sum = 0;
  int of[LEVELS_MODELS];
  levels_weights(l, C, &plan, w);
  *value = 0;
  for (int j = 0; j < plan.groups; j++) {
    const int n     = levels_members(l, j, of);
    const double *v = w + j * l->K;
    take(ctx, l->groups.sums[j], mean, S);
    for (int a = 0; a < n; a++) *value += v[of[a]] * mean[a];
    sum += group_variance(l, n, of, v, S, expected, plan.draws[j]);
  }
  *se = sqrt(sum);
}

const double *levels_covariance(const Levels *l, int column)
{
  return l->C + (size_t)column * (size_t)(l->K * l->K);
}

/* Means of z and of z^2, each with its own weights, and the variance of the mean and of the influence of the variance,
 * z^2 - 2 m z. */
static void raw_moments(const Levels *l, int column, double m[2], double variance[2])
{
  ScoriaPlan plan;
  double w[2][PLAN_GROUPS * LEVELS_MODELS], squares[LEVELS_MODELS * LEVELS_MODELS];
  double mean[PLAN_GROUPS][2 * LEVELS_MODELS], S[4 * LEVELS_MODELS * LEVELS_MODELS];
  int of[LEVELS_MODELS];
  covariance_of_squares(l->K, levels_covariance(l, column), squares);
  levels_weights(l, levels_covariance(l, column), &plan, w[0]);
  levels_weights(l, squares, &plan, w[1]);
  m[0] = m[1] = variance[0] = variance[1] = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int j = 0; j < plan.groups; j++) {
      const int n = levels_members(l, j, of);
      coupled_moments(l->groups.sums[j], column, mean[j], S);
      for (int a = 0; a < n && pass == 0; a++) {
        m[0] += w[0][j * l->K + of[a]] * mean[j][a];
        m[1] += w[1][j * l->K + of[a]] * mean[j][n + a];
      }
      for (int a = 0; a < 2 * n && pass == 1; a++)
        for (int b = 0; b < 2 * n; b++) {
          const double v0 = w[0][j * l->K + of[a % n]] * w[0][j * l->K + of[b % n]];
          const double va = a < n ? -2 * m[0] * w[0][j * l->K + of[a]] : w[1][j * l->K + of[a - n]];
          const double vb = b < n ? -2 * m[0] * w[0][j * l->K + of[b]] : w[1][j * l->K + of[b - n]];
          if (a < n && b < n) variance[0] += v0 * S[a * 2 * n + b] / plan.draws[j];
          variance[1] += va * vb * S[a * 2 * n + b] / plan.draws[j];
        }
    }
}

void levels_mean(const Levels *l, int column, double *mean, double *se)
{
  double m[2], variance[2];
  raw_moments(l, column, m, variance);
  *mean = l->centre[column] + l->scale[column] * m[0];
  *se   = l->scale[column] * sqrt(PetscMax(variance[0], 0));
}

/* E m^2 exceeds the squared mean by the variance of m. */
void levels_sd(const Levels *l, int column, double *sd, double *se)
{
  double m[2], variance[2];
  raw_moments(l, column, m, variance);
  const double v = PetscMax(m[1] - m[0] * m[0] + variance[0], 0), error = sqrt(PetscMax(variance[1], 0));
  *sd = l->scale[column] * sqrt(v);
  *se = error > 0 ? l->scale[column] * error / (2 * sqrt(PetscMax(v, error / 4))) : 0; /* v within it: sqrt */
}

double levels_range(const Levels *l, int column, int j)
{
  double least, largest;
  coupled_extremes(l->groups.sums[j], column, &least, &largest);
  if (l->groups.plan.members[j] & 1) {
    least   = PetscMin(least, l->centre[column]);
    largest = PetscMax(largest, l->centre[column]);
  }
  const double range = largest - least;
  return range > ROUNDING * PetscMax(fabs(least), fabs(largest)) ? range : 0;
}

bool levels_awake(const Levels *l, int column)
{
  for (int j = 0; j < l->groups.plan.groups && !l->varies[column]; j++)
    if (coupled_count(l->groups.sums[j]) > 0 && levels_range(l, column, j) > 0) return true;
  return false;
}
