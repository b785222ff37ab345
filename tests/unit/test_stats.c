/* Statistics: moments and quantiles against known cases; distances against exact Gaussians and brute force. */
#include "scoria/stats.h"
#include "testing.h"
#include "stats/distances.h"
#include <math.h>

static void moments_of_a_small_table(void **state)
{
  const double x[3 * 2] = {1, 1e9 + 1, 2, 1e9 + 2, 6, 1e9 + 6}; /* the second column: the same spread on a large mean */
  double mean[2], sd[2];
  (void)state;
  stats_moments(3, 2, x, mean, sd);
  assert_true(fabs(mean[0] - 3) < 1e-15 && fabs(mean[1] - (1e9 + 3)) < 1e-6);
  assert_true(fabs(sd[0] - sqrt(7)) < 1e-14 && fabs(sd[1] - sqrt(7)) < 1e-6); /* (4 + 1 + 9) / 2 */
  stats_moments(1, 2, x, mean, sd);
  assert_true(sd[0] == 0 && mean[0] == 1);
}

static void quantiles_are_type_seven(void **state)
{
  const double x[4] = {1, 2, 4, 8};
  (void)state;
  assert_true(stats_quantile(4, x, 0) == 1 && stats_quantile(4, x, 1) == 8);
  assert_true(fabs(stats_quantile(4, x, 0.5) - 3) < 1e-15);
  assert_true(fabs(stats_quantile(4, x, 0.1) - 1.3) < 1e-15); /* place 0.3 */
  assert_true(stats_quantile(1, x, 0.7) == 1);
}

/* n x m independent normals, mean + sd z. */
static void normals(uint64_t id, int n, int m, double mean, double sd, double x[])
{
  rng_normal(11, SCORIA_STREAM_VALIDATION, id, 0, n * m, x);
  for (int i = 0; i < n * m; i++) x[i] = mean + sd * x[i];
}

static void shifted_and_scaled_gaussians(void **state)
{
  enum { N = 20000, M = 20 };
  static double a[N * M], b[N * M];
  const double shift = 0.5, scale = 1.2;
  ScoriaDistance d;
  (void)state;
  normals(1, N, M, 3 + shift, 1, a);
  normals(2, N, M, 3, 1, b);
  CHECK(ScoriaDistanceCompute(N, a, N, b, M, 1, 64, &d));
  /* Every tolerance is five standard errors of a mean over 20 columns of 20000 rows or above: 5 sqrt(2 / N / M). */
  const double tol = 5 * sqrt(2.0 / N / M);
  assert_true(fabs(d.mean_error - shift) < tol && fabs(d.w1 - shift) < tol);
  assert_true(d.sd_error < 0.02 && fabs(d.sd_bias) < tol);
  assert_true(fabs(d.coverage95 - 0.9209) < 0.004); /* Phi(1.96 + .5) - Phi(-1.96 + .5) = .99305 - .07215 = .9209 */
  /* 2 Phi(shift / 2) - 1, and what the worst of 20 columns adds: sqrt(2 / N) times at most 1.5 */
  assert_true(d.ks > 0.1974 - 0.015 && d.ks < 0.1974 + 0.015);
  assert_true(fabs(d.roughness - 1) < 0.02); /* of independent columns: their SDs */
  normals(1, N, M, 30, 10 * scale, a);
  normals(2, N, M, 30, 10, b);
  CHECK(ScoriaDistanceCompute(N, a, N, b, M, 1, 64, &d));
  assert_true(fabs(d.sd_bias - (scale - 1)) < scale * tol && fabs(d.sd_error - (scale - 1)) < 0.01);
  assert_true(fabs(d.w1 - (scale - 1) * sqrt(2 / PETSC_PI)) < 0.01); /* E |(scale - 1) z| */
  assert_true(fabs(d.sliced_w - (scale - 1) * sqrt(2 / PETSC_PI)) < 0.01);
  assert_true(fabs(d.band_error - (scale - 1)) < 0.03);
  assert_true(fabs(d.roughness - scale) < 0.02);
  /* C_a - C_b = (scale^2 - 1) I plus sampling noise of |dC|^2 = M^2 (1 + scale^4) / N beside M (scale^2 - 1)^2 */
  assert_true(fabs(d.covariance_error - (scale * scale - 1)) < 0.02);
}

/* A random walk whose steps grow along x, plus white noise of the size q of the first step: the difference of
 * neighbours has the variance d_j^2 + 2 q^2 instead of d_j^2. */
static void roughness_of_noise(void **state)
{
  enum { N = 20000, M = 21 };
  static double a[N * M], b[N * M];
  ScoriaDistance d;
  (void)state;
  normals(21, N, M, 0, 1, a);
  normals(22, N, M, 0, 1, b);
  const double q = 0.5;
  for (int i = 0; i < N; i++)
    for (int j = 1; j < M; j++) {
      a[i * M + j] = a[i * M + j - 1] + (1 + 0.1 * j) * a[i * M + j];
      b[i * M + j] = b[i * M + j - 1] + (1 + 0.1 * j) * b[i * M + j];
    }
  static double noise[N * M];
  normals(23, N, M, 0, q, noise);
  for (int i = 0; i < N * M; i++) a[i] += noise[i];
  CHECK(ScoriaDistanceCompute(N, a, N, b, M, 1, 16, &d));
  const double middle = 1 + 0.1 * 10.5; /* the median of the twenty steps lies between the tenth and the eleventh */
  /* two standard deviations of 20000 rows each: sqrt(1 / N), five times */
  assert_true(fabs(d.roughness - sqrt(1 + 2 * q * q / (middle * middle))) < 5 * sqrt(1.0 / N));
}

static void floor_of_two_equal_laws(void **state)
{
  enum { N = 4000, M = 10 };
  static double a[N * M], b[N * M];
  ScoriaDistance d;
  (void)state;
  normals(3, N, M, 0, 2, a);
  normals(4, N, M, 0, 2, b);
  CHECK(ScoriaDistanceCompute(N, a, N, b, M, 5, 64, &d));
  /* sqrt(N/2) W1 tends to the integral of |Brownian bridge(Phi(x))| dx, mean sqrt(2/pi) int sqrt(Phi (1 - Phi)) = 1.30
   * * 0.80 */
  double integral = 0;
  for (int i = 0; i < 2000; i++) {
    const double p = 0.5 * erfc(-(-10 + 0.01 * i) / sqrt(2));
    integral += 0.01 * sqrt(p * (1 - p));
  }
  const double expected = sqrt(2 / PETSC_PI) * integral * sqrt(2.0 / N);
  assert_true(fabs(d.sliced_w / expected - 1) < 0.25 && fabs(d.w1 / expected - 1) < 0.35);
  const double frobenius = sqrt(2.0 * (M * M + M) / N / M); /* E |C_a - C_b|^2 = 2 (m^2 + m) / N, |I|^2 = m */
  assert_true(fabs(d.covariance_error / frobenius - 1) < 0.25);
  CHECK(ScoriaDistanceCompute(N, a, N, a, M, 5, 64, &d));
  assert_true(d.w1 == 0 && d.sliced_w == 0 && d.covariance_error == 0 && d.mean_error == 0 && d.band_error == 0);
  assert_true(d.ks == 0 && d.roughness == 1);
  assert_true(fabs(d.coverage95 - 0.95) < 0.001);
}

/* The same by definition, one column at a time: the integral over p of |Fa^-1 - Fb^-1| on a fine common grid of na nb
 * cells. */
static double brute_wasserstein(int na, double a[], int nb, double b[])
{
  double sum = 0;
  for (int s = 0; s < 2; s++) {
    double *x   = s ? b : a;
    const int n = s ? nb : na;
    for (int i = 0; i < n; i++)
      for (int j = i + 1; j < n; j++)
        if (x[j] < x[i]) {
          const double kept = x[i];
          x[i]              = x[j];
          x[j]              = kept;
        }
  }
  for (int k = 0; k < na * nb; k++) sum += fabs(a[k / nb] - b[k / na]);
  return sum / (na * nb);
}

static void unequal_counts_against_brute_force(void **state)
{
  enum { NA = 77, NB = 130, M = 3 };
  double a[NA * M], b[NB * M], mean[M], sd[M], w1 = 0;
  ScoriaDistance d;
  (void)state;
  normals(6, NA, M, -4, 1, a);
  normals(7, NB, M, 0.3, 3, b);
  a[5] = b[7] = -0.0;
  stats_moments(NB, M, b, mean, sd);
  CHECK(ScoriaDistanceCompute(NA, a, NB, b, M, 2, 16, &d));
  for (int j = 0; j < M; j++) {
    double ca[NA], cb[NB];
    for (int i = 0; i < NA; i++) ca[i] = a[i * M + j];
    for (int i = 0; i < NB; i++) cb[i] = b[i * M + j];
    w1 += brute_wasserstein(NA, ca, NB, cb) / sd[j] / M;
  }
  assert_true(fabs(d.w1 - w1) < 1e-12);
}

/* In one dimension every unit vector is +-1: the sliced distance is W1 / SD, and a constant column beside it changes
 * nothing. */
static void constant_columns_are_left_out(void **state)
{
  enum { N = 500 };
  static double a[N * 2], b[N * 2], one_a[N], one_b[N];
  ScoriaDistance d, one;
  (void)state;
  normals(8, N, 1, 0, 1, one_a);
  normals(9, N, 1, 0.4, 1, one_b);
  for (int i = 0; i < N; i++) {
    a[2 * i] = one_a[i], a[2 * i + 1] = 1000 * (1 + 1e-13 * one_a[i]);
    b[2 * i] = one_b[i], b[2 * i + 1] = 1000 * (1 + 1e-13 * one_b[i]);
  }
  CHECK(ScoriaDistanceCompute(N, one_a, N, one_b, 1, 1, 8, &one));
  CHECK(ScoriaDistanceCompute(N, a, N, b, 2, 1, 8, &d));
  assert_true(fabs(one.sliced_w - one.w1) < 1e-12);
  assert_true(d.w1 == one.w1 && d.sliced_w == one.sliced_w && d.sd_bias == one.sd_bias);
}

static void what_cannot_be_compared_is_refused(void **state)
{
  const double flat[4] = {1, 1, 1, 1}, x[4] = {1, 2, 3, 4};
  ScoriaDistance d;
  (void)state;
  ScoriaFailureReset();
  assert_int_not_equal(ScoriaDistanceCompute(4, x, 4, flat, 1, 1, 4, &d), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  ScoriaFailureReset();
  assert_int_not_equal(ScoriaDistanceCompute(1, x, 4, x, 1, 1, 4, &d), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
}

/* Under the null the p value is uniform: over 80 repetitions the mean lies within four SDs, and 5 % rejects no more
 * than ten times (probability 1e-3).  A shift of one SD in one column, and a scale of 2, are found. */
static void energy_test_size_and_power(void **state)
{
  enum { N = 60, M = 4, REPEATS = 80 };
  static const double scale[M] = {1, 1, 1, 0};
  double a[N * M], b[N * M], distance, p, mean = 0;
  int rejected = 0, found[2] = {0, 0};
  (void)state;
  for (int r = 0; r < REPEATS; r++) {
    rng_normal(11, SCORIA_STREAM_SAMPLE, (uint64_t)r, 0, N * M, a);
    rng_normal(12, SCORIA_STREAM_SAMPLE, (uint64_t)r, 0, N * M, b);
    CHECK(ScoriaEnergyTest(N, a, b, M, scale, (uint64_t)r, &distance, &p));
    assert_true(p >= 1.0 / 200 && p <= 1);
    mean += p / REPEATS;
    rejected += p <= 0.05;
    for (int kind = 0; kind < 2; kind++) {
      for (int i = 0; i < N; i++) {
        if (kind == 0) a[i * M] += 1;
        if (kind == 1) a[i * M] -= 1;
        for (int j = 0; kind == 1 && j < M; j++) a[i * M + j] *= 2;
      }
      CHECK(ScoriaEnergyTest(N, a, b, M, scale, (uint64_t)r, &distance, &p));
      found[kind] += p <= 0.05;
    }
  }
  assert_true(fabs(mean - 0.5) < 4 * 0.2887 / sqrt(REPEATS));
  assert_true(rejected <= 10);
  assert_true(found[0] > 0.9 * REPEATS && found[1] > 0.9 * REPEATS);
  /* Two points each, by hand: a at 0 and 1, b at 0 and 3. */
  const double x[] = {0, 1}, y[] = {0, 3}, one[] = {1};
  CHECK(ScoriaEnergyTest(2, x, y, 1, one, 1, &distance, &p));
  assert_true(fabs(distance - (2 * (0 + 3 + 1 + 2) / 4.0 - 2 * 1 / 4.0 - 2 * 3 / 4.0)) < 1e-12);
}

/* The value at an end, from a field that is linear in x, is that of the line there: for cells of a grid that begins at
 * 0 or elsewhere, a graded one, nodes, and one cell. */
static void ends_are_those_of_the_data(void **state)
{
  static const struct {
    int cells;
    double x[4], end[2];
  } grids[] = {{4, {0.5, 1.5, 2.5, 3.5}, {0, 4}},
               {4, {10.5, 11.5, 12.5, 13.5}, {10, 14}},
               {3, {1, 4, 6}, {-0.5, 7}},
               {3, {0, 1, 3}, {0, 3}},
               {1, {0.5}, {0, 1}}};
  (void)state;
  for (size_t i = 0; i < sizeof grids / sizeof grids[0]; i++) {
    const int cells = grids[i].cells;
    double end[2], field[4], value;
    cells_ends(cells, grids[i].x, end);
    for (int j = 0; j < cells; j++) field[j] = 3 - 2 * grids[i].x[j];
    for (int side = 0; side < 2; side++) {
      ScoriaQuantity q = {.factor = 1};
      assert_true(fabs(end[side] - grids[i].end[side]) < 1e-14); /* a few roundings of numbers near 10 */
      quantity_place(&q, cells, grids[i].x, end[side]);
      quantities_take(1, &q, cells, field, &value);
      assert_true(cells == 1 || fabs(value - (3 - 2 * end[side])) < 1e-13);
    }
  }
}

/* Values in any order have the quantiles of the sorted ones, to the last bit: few and many of them, normals, such of
 * which many are equal, and a wave that repeats along the row, rising and falling; and their extremes are the first. */
static void values_in_any_order(void **state)
{
  enum { LARGEST = 10007 };
  static const int sizes[]     = {1, 2, 15, 16, 17, 4096, 4097, LARGEST};
  static const double shares[] = {0, 0.001, 0.01, 0.3, 0.5, 0.77, 0.99, 1};
  static double x[LARGEST], sorted[LARGEST], work[LARGEST];
  (void)state;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int law = 0; law < 4; law++) {
      const int n = sizes[s];
      normals(71, n, 1, 0, 1, x);
      for (int i = 0; i < n && law; i++) x[i] = law == 1 ? floor(2 * x[i]) : law == 2 ? sin(i % 32) : fabs(i - n / 3.0);
      memcpy(sorted, x, sizeof x);
      stats_sort(n, sorted);
      ScoriaExtremes e = stats_extremes(n, x);
      assert_true(e.finite && x[e.least] == sorted[0] && x[e.most] == sorted[n - 1]);
      for (int64_t i = 0; i < PetscMax(e.least, e.most); i++)
        assert_true((i >= e.least || x[i] > x[e.least]) && (i >= e.most || x[i] < x[e.most]));
      for (size_t k = 0; k < sizeof shares / sizeof *shares; k++)
        assert_true(stats_quantile_select(n, x, shares[k], work) == stats_quantile(n, sorted, shares[k]));
      x[n / 2] = law % 2 ? NAN : -INFINITY;
      assert_false(stats_extremes(n, x).finite);
    }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ends_are_those_of_the_data),    cmocka_unit_test(energy_test_size_and_power),
      cmocka_unit_test(moments_of_a_small_table),      cmocka_unit_test(quantiles_are_type_seven),
      cmocka_unit_test(shifted_and_scaled_gaussians),  cmocka_unit_test(roughness_of_noise),
      cmocka_unit_test(floor_of_two_equal_laws),       cmocka_unit_test(unequal_counts_against_brute_force),
      cmocka_unit_test(constant_columns_are_left_out), cmocka_unit_test(what_cannot_be_compared_is_refused),
      cmocka_unit_test(values_in_any_order),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
