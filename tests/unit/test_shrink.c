/* Shrunk coefficients of a mean, against what theory says of them.
 * Functions f of two conditions are drawn as the prior has it, the coefficient of sqrt(2 i + 1) P_i(u_1) sqrt(2 j + 1)
 * P_j(u_2) normal of variance (tau rho_1^i rho_2^j)^2, and N rows of f + e / sqrt(w), e standard normal. */
#include "score/normaliser_fit.h"
#include "scoria/linalg.h"
#include "scoria/base.h"
#include "testing.h"
#include <math.h>
#include <string.h>

enum { D = 2, N = 150, TESTS = 100, DATASETS = 64, MOST = 64 };

static const double tau = 2, rho[D] = {0.6, 0.3};

/* The rows, places where the function is asked for, and a trend behind the powers where there is one. */
typedef struct {
  NormPoly poly;
  NormDesign design;
  NormTrends trends;
  int64_t start[2];
  int used[1];
  double u[N + TESTS][D], w[N], X[N * MOST], at[TESTS * MOST];
} Problem;

static void create(Problem *p)
{
  const int powers[D] = {NORM_MAX_DEGREE + 1, NORM_MAX_DEGREE + 1};
  memset(p, 0, sizeof *p);
  CHECK(NormPolyCreate(D, NORM_MAX_DEGREE, powers, &p->poly));
  const int terms = p->poly.terms;
  assert_true(terms < MOST);
  for (int i = 0; i < N + TESTS; i++) {
    rng_uniform(3, SCORIA_STREAM_CONDITION, (uint64_t)i, 0, D, p->u[i]);
    for (int j = 0; j < D; j++) p->u[i][j] = 2 * p->u[i][j] - 1;
    norm_poly_values(&p->poly, p->u[i], i < N ? p->X + (size_t)i * terms : p->at + (size_t)(i - N) * terms);
    if (i < N) p->w[i] = exp(p->u[i][0]);
  }
  p->start[1] = p->used[0] = N;
  p->design                = (NormDesign){{PETSC_COMM_SELF, 1, p->start, p->used}, terms, 1, p->X, p->w, NULL};
  CHECK(NormTrendsCreate(N, terms, &p->trends));
}

static void destroy(Problem *p)
{
  CHECK(NormTrendsDestroy(&p->trends));
  CHECK(NormPolyDestroy(&p->poly));
}

static double deviation_of(const Problem *p, int term)
{
  double sd = tau;
  for (int j = 0; j < D; j++) sd *= pow(rho[j], p->poly.power[term * D + j]);
  return sd;
}

/* y (N) and the true coefficients of a dataset. */
static void draw(const Problem *p, int dataset, double truth[], double y[])
{
  double e[N];
  rng_normal(5, SCORIA_STREAM_POROSITY, (uint64_t)dataset, 0, p->poly.terms, truth);
  rng_normal(6, SCORIA_STREAM_POROSITY, (uint64_t)dataset, 0, N, e);
  for (int k = 0; k < p->poly.terms; k++) truth[k] *= deviation_of(p, k);
  for (int i = 0; i < N; i++) {
    y[i] = e[i] / sqrt(p->w[i]);
    for (int k = 0; k < p->poly.terms; k++) y[i] += truth[k] * p->X[i * p->poly.terms + k];
  }
}

/* Mean square over the places of what coefficients miss there. */
static double missed(const Problem *p, const double coef[], const double truth[])
{
  double sum = 0;
  for (int i = 0; i < TESTS; i++) {
    double off = 0;
    for (int k = 0; k < p->poly.terms; k++) off += (coef[k] - truth[k]) * p->at[i * p->poly.terms + k];
    sum += off * off / TESTS;
  }
  return sum;
}

static double kernel(const Problem *p, const double a[], const double b[])
{
  double sum = 0;
  for (int k = 0; k < p->poly.terms; k++) sum += pow(k ? deviation_of(p, k) : 1e3, 2) * a[k] * b[k];
  return sum;
}

/* Mean over the places of the posterior variance, from the N x N covariance of the rows: what the best estimator misses
 * that knows tau, rho and sigma, the constant alone being free, as NormShrink has it. */
static double least_missed(const Problem *p)
{
  static double C[N * N], k[N], solved[N];
  const int terms = p->poly.terms;
  double sum      = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      C[i * N + j] = kernel(p, p->X + i * terms, p->X + j * terms) + (i == j ? 1 / p->w[i] : 0);
  assert_true(la_cholesky(N, C));
  for (int t = 0; t < TESTS; t++) {
    const double *at = p->at + t * terms;
    for (int i = 0; i < N; i++) k[i] = solved[i] = kernel(p, p->X + i * terms, at);
    la_cholesky_solve(N, C, 1, solved);
    double variance = kernel(p, at, at);
    for (int i = 0; i < N; i++) variance -= k[i] * solved[i];
    sum += variance / TESTS;
  }
  return sum;
}

typedef struct {
  double mean, error;
} Average;

static void add(Average *a, double x)
{
  a->mean += x / DATASETS;
  a->error += x * x / DATASETS;
}

static void finish(Average *a)
{
  a->error = sqrt((a->error - a->mean * a->mean) / (DATASETS - 1));
}

/* No estimator misses less than the posterior's variance on average. tau, rho and sigma have to be found from 150 rows,
 * and few coefficients are preferred, which costs a third here; half is allowed.  Least squares pay for all 45 terms.
 * Squares of residuals over 1 - w h have the mean sigma^2 = 1, but for the .03 that shrinking too much adds. */
static void as_good_as_the_prior_allows(void **state)
{
  static Problem p;
  double truth[MOST], coef[MOST], y[N], h[N];
  Average shrunk = {0}, least = {0}, noise = {0};
  (void)state;
  if (!on_one_rank()) return;
  create(&p);
  const double bound = least_missed(&p);
  for (int s = 0; s < DATASETS; s++) {
    double squares = 0;
    draw(&p, s, truth, y);
    CHECK(NormShrink(&p.design, &p.poly, &p.trends, N, y, coef, h));
    add(&shrunk, missed(&p, coef, truth));
    for (int i = 0; i < N; i++) {
      double left = y[i];
      for (int k = 0; k < p.poly.terms; k++) left -= coef[k] * p.X[i * p.poly.terms + k];
      squares += p.w[i] * left * left / (1 - p.w[i] * h[i]) / N;
    }
    add(&noise, squares);
    CHECK(NormLeastSquares(&p.design, y, coef));
    add(&least, missed(&p, coef, truth));
  }
  finish(&shrunk);
  finish(&least);
  finish(&noise);
  printf("# mean square missed: least %.4f, shrunk %.4f +- %.4f, least squares %.4f +- %.4f; noise %.4f +- %.4f\n",
         bound, shrunk.mean, shrunk.error, least.mean, least.error, noise.mean, noise.error);
  assert_true(shrunk.mean > bound - 3 * shrunk.error);
  assert_true(shrunk.mean < 1.5 * bound);
  assert_true(least.mean > 4 * shrunk.mean);
  assert_true(fabs(noise.mean - 1) < 0.03 + 3 * noise.error);
  destroy(&p);
}

/* What is proportional to a trend that is offered costs a constant and an amplitude: 2 / N in units of the noise, where
 * powers cost more. */
static void a_trend_pays_for_its_amplitude(void **state)
{
  static Problem p;
  double truth[MOST] = {0}, drawn[MOST], coef[MOST], y[N], e[N], h[N], powers = 0, trends = 0, size = 0;
  (void)state;
  if (!on_one_rank()) return;
  create(&p);
  draw(&p, 1000, drawn, y);
  for (int k = 1; k < p.poly.terms; k++) size += drawn[k] * drawn[k];
  for (int i = 0; i < N; i++) p.w[i] = 1;
  for (int s = 0; s < DATASETS; s++) {
    NormDesign design = p.design;
    for (int k = 1; k < p.poly.terms; k++) truth[k] = drawn[k] / sqrt(size);
    rng_normal(7, SCORIA_STREAM_POROSITY, (uint64_t)s, 0, N, e);
    for (int i = 0; i < N; i++) {
      y[i] = e[i];
      for (int k = 0; k < p.poly.terms; k++) y[i] += truth[k] * p.X[i * p.poly.terms + k];
    }
    p.trends.r = 0;
    CHECK(NormShrink(&design, &p.poly, &p.trends, N, y, coef, h));
    powers += missed(&p, coef, truth) / DATASETS;
    p.trends.r        = 1;
    p.trends.share[0] = 1;
    for (int k = 0; k < p.poly.terms; k++) p.trends.V[k * NORM_TRENDS] = truth[k];
    norm_trends_design(&p.trends, &design);
    CHECK(NormShrink(&design, &p.poly, &p.trends, N, y, coef, h));
    norm_trends_resolve(&p.trends, p.poly.terms, coef);
    trends += missed(&p, coef, truth) / DATASETS;
  }
  printf("# mean square missed: %.4f with a trend, %.4f with powers; 2 / N = %.4f\n", trends, powers, 2.0 / N);
  /* Of 64 means of two squares the standard error is an eighth. */
  assert_true(trends < 2.0 / N * (1 + 3.0 / 8));
  assert_true(powers > 1.5 * trends);
  destroy(&p);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(as_good_as_the_prior_allows),
      cmocka_unit_test(a_trend_pays_for_its_amplitude),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
