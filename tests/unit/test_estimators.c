/* Estimators that combine models, on laws with closed forms: weights, allocation and variance; probabilities of two
 * normal numbers. */
#include "scoria/estimators.h"
#include "scoria/linalg.h"
#include "testing.h"
#include "stats/plans.h"
#include <math.h>

static const ScoriaEstimator *find(const char *name)
{
  const ScoriaEstimator *e = scoria_estimators;
  while (strcmp(e->name, name)) e++;
  return e;
}

/* Models of variance 1 that are correlated with the first by rho, and with each other by the product. */
static void correlated(int K, const double rho[], double C[])
{
  for (int a = 0; a < K; a++)
    for (int b = 0; b < K; b++) C[a * K + b] = a == b ? 1 : rho[a] * rho[b];
}

/* With two models the least cost of variance 1 is (sqrt(c_1 (1 - rho^2)) + rho sqrt(c_2))^2, where the draw is part of
 * the cheap one's cost. */
static void two_models(void **state)
{
  const double rho[2] = {1, 0.99}, fine = 10, cheap = 0.1, draw = 0.05;
  double C[4];
  (void)state;
  correlated(2, rho, C);
  const ScoriaPlanning p = {.models = 2, .draw = draw, .solve = {fine, cheap}, .targets = 1, .covariance = C};
  const double least     = pow(sqrt(fine * (1 - 0.99 * 0.99)) + 0.99 * sqrt(cheap + draw), 2);
  ScoriaPlan plan;
  find("mfmc")->plan(&p, &plan);
  assert_int_equal(plan.groups, 2);
  assert_true(fabs(plan_cost(&p, &plan) / least - 1) < 1e-12);
  assert_true(fabs(plan_variance(find("mfmc"), &plan, 2, C) - 1) < 1e-12);
  const double ratio = (plan.draws[0] + plan.draws[1]) / plan.draws[0];
  assert_true(fabs(ratio / sqrt(fine * 0.99 * 0.99 / ((cheap + draw) * (1 - 0.99 * 0.99))) - 1) < 1e-12);
  /* the best of all weights cannot be worse at the same draws, and here is the same; its search ends within a per cent
   * of the least cost, and groups have their least number of draws */
  assert_true(fabs(plan_variance(find("mlblue"), &plan, 2, C) - 1) < 1e-8);
  const double many[4]      = {1e6, 1e6 * C[1], 1e6 * C[2], 1e6}; /* far from the least numbers */
  const ScoriaPlanning dear = {.models = 2, .draw = draw, .solve = {fine, cheap}, .targets = 1, .covariance = many};
  find("mlblue")->plan(&dear, &plan);
  assert_true(plan_cost(&dear, &plan) < 1.01 * 1e6 * least && plan_cost(&dear, &plan) > 0.999999 * 1e6 * least);
  assert_true(plan_worst(find("mlblue"), &dear, &plan) < 1 + 1e-9);
}

/* A search whose shares vanish must not be taken for one of variance 0, which costs nothing. */
static void groups_without_draws_tell_nothing(void **state)
{
  const double rho[2] = {1, 0.99};
  double C[4];
  (void)state;
  correlated(2, rho, C);
  const ScoriaPlanning p = {.models = 2, .solve = {1, 1}, .targets = 1, .covariance = C};
  const ScoriaPlan plan  = {
       .models = 2, .order = {0, 1}, .groups = 2, .members = {1, 2}, .draws = {100, 0}}; /* of the fine one alone */
  assert_true(fabs(plan_worst(find("mlblue"), &p, &plan) * 100 - 1) < 1e-8);
}

/* A chain of grids: variance of a difference falls 16-fold, cost 8-fold from one to the next: cost
 * (sum_l sqrt(V_l C_l))^2. */
static void chain_of_grids(void **state)
{
  const double s[3] = {1, 1 + 1.0 / 16, 1 + 1.0 / 16 + 1.0}; /* f_l = sum of independent parts */
  double C[9], sum = 0;
  ScoriaPlan plan;
  (void)state;
  for (int a = 0; a < 3; a++) /* model 2 is part of 1, which is part of 0 */
    for (int b = 0; b < 3; b++)
      C[a * 3 + b] = 1e6 * (s[2] - (PetscMax(a, b) == 0 ? 0 : (PetscMax(a, b) == 1 ? 0.01 : 0.17)));
  const ScoriaPlanning p = {.models = 3, .solve = {64, 8, 1}, .targets = 1, .covariance = C};
  find("mlmc")->plan(&p, &plan);
  assert_int_equal(plan.groups, 3);
  const double V[3] = {C[0] - C[4], C[4] - C[8], C[8]}, cost[3] = {72, 9, 1};
  for (int l = 0; l < 3; l++) sum += sqrt(V[l] * cost[l]);
  assert_true(fabs(plan_cost(&p, &plan) / (sum * sum) - 1) < 1e-12);
  assert_true(fabs(plan_variance(find("mlmc"), &plan, 3, C) - 1) < 1e-12);
  for (int l = 0; l < 3; l++) assert_true(fabs(plan.draws[l] / (sqrt(V[l] / cost[l]) * sum) - 1) < 1e-12);
  const double chain = plan_cost(&p, &plan);
  find("mlblue")->plan(&p, &plan);
  assert_true(plan_cost(&p, &plan) < chain); /* its weights are better than 1 and -1 */
}

/* Whatever the plan, an estimate is of the first model's mean alone: its weights add up to 1, those of others to 0. */
static void weights_are_unbiased(void **state)
{
  const double rho[4] = {1, 0.95, 0.9, 0.7};
  double C[16], two[32], w[PLAN_GROUPS * 4];
  (void)state;
  correlated(4, rho, C);
  for (int i = 0; i < 16; i++) {
    two[i]      = 1000 * C[i];
    two[16 + i] = 500 * C[i] * C[i]; /* a second target */
  }
  const ScoriaPlanning p = {.models = 4, .draw = 0.1, .solve = {50, 5, 1, 0.1}, .targets = 2, .covariance = two};
  for (const ScoriaEstimator *e = scoria_estimators; e->name; e++) {
    ScoriaPlan plan;
    estimator_plan(e, &p, 0, &plan);
    assert_true(plan_worst(e, &p, &plan) < 1.0001);
    assert_true(plan_cost(&p, &plan) < 1000 * 50.1); /* less than the first model alone */
    e->weights(&plan, 4, C, w);
    for (int k = 0; k < 4; k++) {
      double sum = 0;
      for (int j = 0; j < plan.groups; j++) sum += w[j * 4 + k];
      assert_true(fabs(sum - (k == 0)) < 1e-9);
    }
    estimator_plan(e, &p, 20000, &plan); /* a budget is kept, and met to a per cent */
    assert_true(plan_cost(&p, &plan) <= 20000 && plan_cost(&p, &plan) > 0.98 * 20000);
  }
}

/* A model of the first one's law, at the opposite place of every draw: of equal cost and correlation r their mean has
 * the variance (1 + r) / 2, and the weights of both together add up to 1 although their variances are not known alike.
 */
static void shared_law(void **state)
{
  const double C[4] = {1e6, -0.8e6, -0.8e6, 1e6}, estimated[4] = {1e6, -0.7e6, -0.7e6, 1.3e6};
  const ScoriaPlanning p   = {.models = 2, .same = {0, 1}, .solve = {1, 1}, .targets = 1, .covariance = C};
  const ScoriaEstimator *e = find("mlblue");
  double w[PLAN_GROUPS * 2], sum = 0;
  ScoriaPlan plan;
  (void)state;
  e->plan(&p, &plan);
  assert_true(fabs(plan_cost(&p, &plan) / (2 * 0.1e6) - 1) < 0.01); /* of the search */
  e->weights(&plan, 2, estimated, w);
  for (int i = 0; i < 2 * plan.groups; i++) sum += w[i];
  assert_true(fabs(sum - 1) < 1e-9);
}

/* A model that tells nothing, and one that does not vary, are left out: no more than plain Monte Carlo. */
static void useless_models(void **state)
{
  const double C[9]      = {400, 0, 0, 0, 400, 0, 0, 0, 0};
  const ScoriaPlanning p = {.models = 3, .solve = {1, 0.5, 0.5}, .targets = 1, .covariance = C};
  (void)state;
  for (const ScoriaEstimator *e = scoria_estimators; e->name; e++) {
    ScoriaPlan plan;
    estimator_plan(e, &p, 0, &plan);
    assert_true(plan_cost(&p, &plan) <= 404 && plan_worst(e, &p, &plan) <= 1 + 1e-9);
  }
}

static double below(double x)
{
  return 0.5 * erfc(-x / sqrt(2));
}

/* By Simpson's rule over the first number, with steps below a tenth of what the second is known to, given the first. */
static double both_below(double x, double y, double r)
{
  const double from = -8, s = sqrt(1 - r * r);
  const int n = 2 * (int)ceil((x - from) / PetscMin(0.1 * s, 0.05));
  double sum  = 0;
  for (int i = 0; i <= n; i++) {
    const double t = from + (x - from) * i / n;
    sum += (i == 0 || i == n ? 1 : (i % 2 ? 4 : 2)) * normal_density(t) * below((y - r * t) / s);
  }
  return sum * (x - from) / n / 3;
}

static void two_normal_numbers(void **state)
{
  static const double r[] = {-1 + 1e-6, -0.998, -0.98, -0.5, 0, 0.3, 0.9, 0.98, 0.995, 0.9998};
  (void)state;
  for (size_t i = 0; i < sizeof r / sizeof *r; i++) {
    assert_true(fabs(bivariate_below(0, 0, r[i]) - (0.25 + asin(r[i]) / (2 * PETSC_PI))) < 1e-9);
    for (double x = -2.5; x < 3; x += 0.5)
      for (double h = -0.19; h < 0.2; h += 0.095)
        assert_true(fabs(bivariate_below(x, x + h, r[i]) - both_below(x, x + h, r[i])) < 1e-6); /* 16 points */
  }
  for (double x = -2; x < 3; x++) {
    const double p = below(x);
    assert_true(fabs(bivariate_below(x, x, 0) - p * p) < 1e-15);
    assert_float_equal(bivariate_below(x, x + 0.1, 1), p, 1e-15);
    assert_float_equal(bivariate_below(x, 1 - x, -1), p + below(1 - x) - 1, 1e-15);
    assert_true(fabs(normal_place(p) - x) < 1e-9);
  }
}

/* Of indicators that are averaged over places .2 SD wide: a covariance, whose differences are those of members that lie
 * as far apart as normal numbers of their correlation do, to the curvature of the law there. */
static void smoothed_indicators(void **state)
{
  enum { K = 4, PLACES = 3, POINTS = 2000 };
  static const double r = 0.998, step = 1.0 / 32,
                      C[K * K] = {1, r, 0.9, -0.9, r, 1, 0.9, -0.9, 0.9, 0.9, 1, -1, -0.9, -0.9, -1, 1};
  (void)state;
  for (double p = 0.01; p < 1; p += 0.245) {
    const double density = normal_density(normal_place(p));
    double raw[K * K], smooth[K * K], factor[K * K], taken = 0;
    covariance_of_indicators(K, C, p, raw);
    covariance_of_smoothed(K, C, p, PLACES, step, smooth);
    for (int i = 0; i < K * K; i++) factor[i] = smooth[i] + (i % (K + 1) == 0 ? 1e-9 : 0);
    assert_true(la_cholesky(K, factor));
    for (int i = 0; i < POINTS; i++)
      taken += smoothing_takes(sqrt(2 - 2 * r) * normal_place((i + 0.5) / POINTS), PLACES, step) / POINTS;
    const double own     = smoothing_takes(0, PLACES, step);
    const double without = 2 * (raw[0] - raw[1]), with = 2 * (smooth[0] - smooth[1]);
    assert_true(with < 0.4 * without);
    assert_float_equal(without - with, 2 * density * (own - taken), 0.02 * without);
  }
}

/* Fourth powers of what a pilot takes for 8000 SDs are summed, but not of many, nor of more. */
static void sums_tell_what_overflows(void **state)
{
  enum { TILE = 250 };
  static const double one[2] = {0, 1}, unit[2] = {1, 1};
  const double *const centre[1] = {one}, *const scale[1] = {unit}, z[3] = {8000, 1e5, INFINITY};
  double rows[2 * TILE], mean[2], S[4];
  const double *const of[1] = {rows};
  (void)state;
  for (int k = 0; k < 3; k++) {
    const ScoriaCoupledSpec spec = {.models = 1, .columns = 2, .centre = centre, .scale = scale};
    ScoriaCoupled c;
    CHECK(ScoriaCoupledCreate(&spec, &c));
    for (int i = 0; i < TILE; i++) {
      rows[2 * i]     = k == 0 || i == 7 ? PetscMin(z[k], 1e300) : 0;
      rows[2 * i + 1] = i % 7; /* a common law beside it */
    }
    for (int tile = 0; tile < 6; tile++) { /* z^4 of 1126 such draws is 2^62 */
      coupled_add(c, TILE, of, NULL, NULL);
      if (tile % 2) CHECK(ScoriaCoupledReduce(c, PETSC_COMM_SELF));
      if (tile % 2 == 0) continue;
      assert_true(coupled_overflows(c, 0) == (k > 0 || tile > 3));
      assert_false(coupled_overflows(c, 1));
      coupled_moments(c, 0, mean, S);
      if (!coupled_overflows(c, 0)) assert_true(mean[0] == 8000 && mean[1] == 6.4e7 && S[0] == 0 && S[3] == 0);
      coupled_moments(c, 1, mean, S);
      assert_true(fabs(mean[0] - 1.98) < 0.02); /* of 0 .. 6 less 1, 250 being 35 times 7 and 5 */
    }
    CHECK(ScoriaCoupledDestroy(&c));
  }
}

/* Mean and covariance (2, 2) of n pairs. */
static void plain_moments(int n, const double pair[][2], double mean[2], double C[4])
{
  for (int i = 0; i < 4; i++) C[i] = mean[i / 2] = 0;
  for (int i = 0; i < n; i++)
    for (int a = 0; a < 2; a++) mean[a] += pair[i][a] / n;
  for (int i = 0; i < n; i++)
    for (int a = 0; a < 4; a++) C[a] += (pair[i][a / 2] - mean[a / 2]) * (pair[i][a % 2] - mean[a % 2]) / (n - 1);
}

/* Sums of a model of which some draws have a row in place, that counts 1, 4 or 16 times, beside a plain model: of
 * powers, of whether an edge is above and of whether a threshold is exceeded, as by adding up what each draw counts. */
static void sampled_draws(void **state)
{
  enum { N = 240 };
  static const double none[1] = {0}, unit[1] = {1}, limit[3] = {0.4, 0.4, 0.4};
  static const int counts[4]    = {0, 1, 4, 16};
  const double *const centre[2] = {none, none}, *const scale[2] = {unit, unit}, *const limits[2] = {limit, limit};
  const ScoriaThreshold threshold = {0, 1, 0.4, false};
  const ScoriaCoupledSpec spec    = {.models      = 2,
                                     .columns     = 1,
                                     .centre      = centre,
                                     .scale       = scale,
                                     .nthresholds = 1,
                                     .threshold   = &threshold,
                                     .limit       = limits,
                                     .sampled     = 2};
  double z[3 * N], mean[4], S[16], expected[2], C[4], shares[(COUPLED_BINS + 1) * 2], pair[4][N][2];
  int times[N];
  ScoriaCoupled c;
  (void)state;
  rng_normal(5, SCORIA_STREAM_SAMPLE, 0, 0, 3 * N, z);
  const double *const rows[2] = {z, z + N}, *in = z + 2 * N;
  const int edge = COUPLED_BINS / 2 + 20; /* .625 */
  for (int i = 0; i < N; i++) {
    const double plain = z[i], own = z[N + i], place = in[i], w = times[i] = counts[i % 4];
    const double of[4][3] = {{plain, own, place},
                             {plain * plain, own * own, place * place},
                             {plain < 0.625, own < 0.625, place < 0.625},
                             {plain > 0.4, own > 0.4, place > 0.4}};
    for (int f = 0; f < 4; f++) {
      pair[f][i][0] = of[f][0];
      pair[f][i][1] = (1 - w) * of[f][1] + w * of[f][2];
    }
  }
  CHECK(ScoriaCoupledCreate(&spec, &c));
  coupled_add(c, N, rows, in, times);
  CHECK(ScoriaCoupledReduce(c, PETSC_COMM_SELF));
  coupled_moments(c, 0, mean, S); /* of z, z, z^2, z^2 */
  for (int f = 0; f < 2; f++) {
    plain_moments(N, pair[f], expected, C);
    for (int a = 0; a < 2; a++) assert_float_equal(mean[2 * f + a], expected[a], 1e-9);
    for (int a = 0; a < 4; a++) assert_float_equal(S[(2 * f + a / 2) * 4 + 2 * f + a % 2], C[a], 1e-7);
  }
  coupled_shares(c, 0, shares);
  for (int f = 2; f < 4; f++) {
    plain_moments(N, pair[f], expected, C);
    if (f == 2)
      coupled_below(c, 0, edge, mean, S);
    else
      coupled_exceedance(c, 0, 0, mean, S);
    for (int a = 0; a < 2; a++) assert_float_equal(mean[a], expected[a], 1e-12);
    for (int a = 0; a < 2 && f == 2; a++) assert_float_equal(shares[edge * 2 + a], expected[a], 1e-12);
    for (int a = 0; a < 4; a++) assert_float_equal(S[a], C[a], 1e-10);
  }
  CHECK(ScoriaCoupledDestroy(&c));
}

/* Solves that a group has anyway are paid for once. */
static void shared_solves(void **state)
{
  const ScoriaPlanning p = {
      .models = 3, .draw = 0.5, .solve = {10, 1, 1 + 0.1 * 10.5}, .screened = 2, .base = 1, .near = 0.1};
  const ScoriaPlan plan = {.groups = 4, .members = {4, 5, 6, 7}, .draws = {1, 1, 1, 1}};
  ScoriaPlan one        = {.groups = 1, .draws = {1}};
  const double cost[]   = {0.5 + 1 + 0.1 * 10.5, 0.5 + 10 + 1, 0.5 + 1 + 0.1 * 10.5, 0.5 + 10 + 1};
  double all            = 0;
  (void)state;
  for (int j = 0; j < plan.groups; all += cost[j++]) {
    one.members[0] = plan.members[j];
    assert_float_equal(plan_cost(&p, &one), cost[j], 1e-12);
  }
  assert_float_equal(plan_cost(&p, &plan), all, 1e-12);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_models),         cmocka_unit_test(groups_without_draws_tell_nothing),
      cmocka_unit_test(chain_of_grids),     cmocka_unit_test(weights_are_unbiased),
      cmocka_unit_test(shared_law),         cmocka_unit_test(useless_models),
      cmocka_unit_test(two_normal_numbers), cmocka_unit_test(sums_tell_what_overflows),
      cmocka_unit_test(shared_solves),      cmocka_unit_test(smoothed_indicators),
      cmocka_unit_test(sampled_draws),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
