/* ranks: 2 3
 * Streamed statistics: against sorting and direct formulas, with calibrated errors, and the same bits however tiles are
 * dealt. */
#include "scoria/stats.h"
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(call) assert_int_equal((call), 0)
#define TILE 1024
#define M 5

/* Columns: normal; exponential-like (skewed); constant; 1e6 + small normal; a mixture of the first two. */
static void make_rows(uint64_t seed, int64_t first, int64_t n, double rows[])
{
  for (int64_t i = 0; i < n; i++) {
    double g[2], u[2], *x = rows + i * M;
    rng_normal(seed, SCORIA_STREAM_SAMPLE, (uint64_t)(first + i), 0, 2, g);
    rng_uniform(seed, SCORIA_STREAM_SAMPLE, (uint64_t)(first + i), 7, 2, u);
    x[0] = 3 + 2 * g[0];
    x[1] = -log(u[0]);
    x[2] = 7;
    x[3] = 1e6 + 1e-3 * g[1];
    x[4] = 0.6 * g[0] + 0.8 * g[1];
  }
}

static ScoriaSummary begin(uint64_t seed)
{
  static const ScoriaThreshold limit[] = {{0, 1, 5, false}, {0, 2, 4, false}, {1, 1, 0.5, true}};
  static double pilot[4 * TILE * M];
  ScoriaSummary s;
  make_rows(seed, 0, 4 * TILE, pilot);
  CHECK(ScoriaSummaryCreate(&(ScoriaSummarySpec){.columns = M, .joint = M, .nthresholds = 3, .threshold = limit},
                            4 * TILE, pilot, &s));
  return s;
}

/* Tile t, in two parts of any size. */
static void add_tile(ScoriaSummary s, int t, const double rows[])
{
  const int part = (37 * t) % TILE;
  summary_add(s, part, rows);
  summary_add(s, TILE - part, rows + part * M);
  summary_end_tile(s);
}

/* tiles [0, tiles), each added by the rank that `deal` gives it to; reduced after every `every` tiles. */
static ScoriaSummary summarise(uint64_t seed, int tiles, int deal, int every)
{
  static double rows[TILE * M];
  int rank, size;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  ScoriaSummary s = begin(seed);
  for (int t = 0; t < tiles; t++) {
    if ((t * deal) % size == rank) {
      make_rows(seed, (int64_t)t * TILE, TILE, rows);
      add_tile(s, t, rows);
    }
    if ((t + 1) % every == 0) CHECK(ScoriaSummaryReduce(s, PETSC_COMM_WORLD));
  }
  CHECK(ScoriaSummaryReduce(s, PETSC_COMM_WORLD));
  return s;
}

/* A million rows: quantiles of a histogram against those of the sorted values. */
static void against_sorting(void **state)
{
  enum { N = 1024 * TILE };
  static const double p[] = {0.001, 0.025, 0.25, 0.5, 0.9, 0.975, 0.999};
  double *rows = malloc(sizeof(double) * N * M), *column = malloc(sizeof(double) * N);
  double mean[M], sd[M], C[M * M];
  (void)state;
  make_rows(5, 0, N, rows);
  stats_moments(N, M, rows, mean, sd);
  ScoriaSummary s = summarise(5, N / TILE, 1, 1 << 20);
  assert_int_equal(summary_count(s), N);
  for (int j = 0; j < M; j++) {
    ScoriaMoments at;
    summary_moments(s, j, &at);
    /* Fixed point costs 2^-41 SD per tile; the direct sum of 10^6 values is itself good to about 1e-13 of the mean. */
    assert_true(fabs(at.mean - mean[j]) <= 1e-10 * sd[j] + 1e-12 * fabs(mean[j]));
    assert_true(fabs(at.sd - sd[j]) <= 1e-8 * sd[j]);
    for (int64_t i = 0; i < N; i++) column[i] = rows[i * M + j];
    stats_sort(N, column);
    assert_true(at.min == column[0] && at.max == column[N - 1]);
    for (size_t k = 0; k < sizeof p / sizeof p[0]; k++) {
      double quantile, se;
      assert_true(summary_quantile(s, j, p[k], &quantile, &se));
      /* Inside a bin of probability b the empirical law strays from a line by sqrt(b N) / 2 rows, where the quantile's
       * own error is sqrt(p (1 - p) N): b is .005 at most here, so .25 of it from p = .025 on, 1.1 at p = .001; thrice
       * that. */
      const double allowed = PetscMin(p[k], 1 - p[k]) >= 0.025 ? 0.7 : 3.3;
      if (j != 2) assert_true(fabs(quantile - stats_quantile(N, column, p[k])) < allowed * se + 1e-15);
      if (j == 2) assert_true(fabs(quantile - 7) < 1e-8);
    }
  }
  summary_covariance(s, C);
  double direct = 0;
  for (int64_t i = 0; i < N; i++) direct += (rows[i * M] - mean[0]) * (rows[i * M + 4] - mean[4]);
  /* tiles are summed in single precision: 1024 additions, each rounding to 2^-24, of random sign */
  assert_true(fabs(C[4] - direct / (N - 1)) < 32 * 0x1p-24 * sqrt(C[0] * C[4 * M + 4]) && C[4] == C[4 * M]);
  int64_t above = 0, any = 0, both = 0, below = 0;
  for (int64_t i = 0; i < N; i++) {
    above += rows[i * M] > 5;
    any += rows[i * M] > 4 || rows[i * M + 1] > 4;
    both += rows[i * M] > 4 && rows[i * M + 1] > 4;
    below += rows[i * M + 1] < 0.5;
  }
  ScoriaShare of = summary_exceedance(s, 0, 0);
  assert_true(of.value == (double)above / N);
  of = summary_exceedance(s, 1, SUMMARY_ANY);
  assert_true(of.value == (double)any / N && fabs(of.se - sqrt(of.value * (1 - of.value) / N)) < 1e-12);
  assert_true(summary_exceedance(s, 1, SUMMARY_ALL).value == (double)both / N);
  assert_true(summary_exceedance(s, 2, 0).value == (double)below / N);
  double share[20], lo, hi, sum = 0;
  summary_histogram(s, 1, 20, &lo, &hi, share);
  for (int k = 0; k < 20; k++) sum += share[k];
  assert_true(fabs(sum - 1) < 1e-3 && lo <= 1e-2 && share[0] > share[10]);
  CHECK(ScoriaSummaryDestroy(&s));
  free(rows);
  free(column);
}

/* Of an indicator quantiles are one of its two values, not something within a bin beside them; of values that all lie
 * in one bin they are between the extremes still. */
static void an_indicator_has_two_values(void **state)
{
  static const double p[] = {0.025, 0.5, 0.89, 0.91, 0.975}, expected[] = {0, 0, 0, 1, 1};
  static double rows[2 * TILE];
  double value, se;
  ScoriaSummary s;
  (void)state;
  for (int i = 0; i < TILE; i++) rows[2 * i] = i % 10 == 9, rows[2 * i + 1] = i == 0 ? 1e4 : 1e-3 * i / TILE;
  CHECK(ScoriaSummaryCreate(&(ScoriaSummarySpec){.columns = 2, .joint = 1}, TILE, rows, &s));
  for (int i = 0; i < TILE; i++) rows[2 * i + 1] = 1e-3 * i / TILE; /* far narrower than the pilot, and its bins */
  summary_add(s, TILE, rows);
  summary_end_tile(s);
  CHECK(ScoriaSummaryReduce(s, PETSC_COMM_SELF));
  for (size_t k = 0; k < sizeof p / sizeof *p; k++) {
    assert_true(summary_quantile(s, 0, p[k], &value, &se));
    assert_true(value == expected[k]);
    summary_quantile(s, 1, p[k], &value, &se);
    assert_true(fabs(value - 1e-3 * p[k]) < 1e-5);
  }
  CHECK(ScoriaSummaryDestroy(&s));
}

/* The interval at known places, and how often it holds the probability: over 2000 counts of n = 1000 draws, for
 * probabilities down to .05 events on average, where most counts are zero.  Binomial tails are lumpy there: exact sums
 * are .927 at least, .9504, .9635, .9475, .9856, .9862 and .9512 here (of Wilson's own interval .839 at .18 events);
 * 2000 counts know them to .005. */
static void shares_have_intervals(void **state)
{
  enum { REPEATS = 2000, N = 1000 };
  static const double p[] = {0.5, 0.05, 0.01, 0.002, 0.0005, 0.000176, 0.00005};
  (void)state;
  const ScoriaShare none = stats_share(0, 100), all = stats_share(100, 100), some = stats_share(10, 100);
  assert_true(none.value == 0 && none.low == 0 && fabs(none.high - 0.0369935) < 1e-6);
  assert_true(all.value == 1 && all.high == 1 && fabs(all.low - (1 - 0.0369935)) < 1e-6);
  assert_true(fabs(some.low - 0.0552291) < 1e-6 && fabs(some.high - 0.1743657) < 1e-6);
  const ScoriaShare one = stats_share(1, 100), not_two = stats_share(98, 100);
  assert_true(fabs(one.low - 5.1293294e-4) < 1e-10 && fabs(one.high - 0.0544862) < 1e-6);
  assert_true(fabs(not_two.high - (1 - 3.5536151e-3)) < 1e-9);
  for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
    int holds = 0, zeros = 0;
    for (int r = 0; r < REPEATS; r++) {
      double u[N];
      int64_t count = 0;
      rng_uniform(7, SCORIA_STREAM_SAMPLE, (uint64_t)r, 0, N, u);
      for (int j = 0; j < N; j++) count += u[j] < p[i];
      const ScoriaShare share = stats_share(count, N);
      holds += share.low <= p[i] && p[i] <= share.high;
      zeros += count == 0;
    }
    if (holds < 0.93 * REPEATS || holds > 0.995 * REPEATS)
      fail_msg("p %g: the interval holds it %d times of %d", p[i], holds, REPEATS);
    printf("# p %g: the interval holds it %d times of %d, %d of them of zero counts\n", p[i], holds, REPEATS, zeros);
  }
}

/* Over independent repetitions, (estimate - truth) / standard error has mean 0 and variance 1. */
static void errors_are_calibrated(void **state)
{
  enum { REPEATS = 150, KINDS = 4, TILES = 8 };
  static const double truth[2][KINDS] = {{3, 2, 0, 3 + 2 * 1.6448536269514722}, {1, 1, 2, 2.995732273553991}};
  double sum[2][KINDS] = {{0}}, square[2][KINDS] = {{0}};
  (void)state;
  for (int r = 0; r < REPEATS; r++) {
    ScoriaSummary s = summarise(1000 + (uint64_t)r, TILES, 1, 1 << 20);
    for (int j = 0; j < 2; j++) {
      ScoriaMoments at;
      double q, q_se;
      summary_moments(s, j, &at);
      summary_quantile(s, j, 0.95, &q, &q_se);
      const double z[KINDS] = {(at.mean - truth[j][0]) / at.mean_se, (at.sd - truth[j][1]) / at.sd_se,
                               (at.skewness - truth[j][2]) / at.skewness_se, (q - truth[j][3]) / q_se};
      for (int k = 0; k < KINDS; k++) {
        sum[j][k] += z[k] / REPEATS;
        square[j][k] += z[k] * z[k] / REPEATS;
      }
    }
    CHECK(ScoriaSummaryDestroy(&s));
  }
  for (int j = 0; j < 2; j++)
    for (int k = 0; k < KINDS; k++) {
      /* Four standard deviations of a mean of 150 standard normals; the skewness of an exponential law at 8192 rows has
       * a bias of its own of order 1/n and a heavy-tailed error, for which .7 to 1.4 in SD is allowed. */
      assert_true(fabs(sum[j][k]) < 4 / sqrt(REPEATS) + (j == 1 && k == 2 ? 0.4 : 0));
      assert_true(square[j][k] > 0.5 && square[j][k] < 2);
    }
}

/* Any dealing of the tiles, any number of reductions: the same integers. */
static void dealing_is_irrelevant(void **state)
{
  int64_t n[2], ne[2], *sums[2];
  double *extremes[2];
  (void)state;
  ScoriaSummary a = summarise(9, 23, 1, 1 << 20), b = summarise(9, 23, 5, 3), alone = begin(9);
  static double rows[TILE * M];
  for (int t = 22; t >= 0; t--) { /* backwards, on every rank by itself */
    make_rows(9, (int64_t)t * TILE, TILE, rows);
    add_tile(alone, t, rows);
  }
  CHECK(ScoriaSummaryReduce(alone, PETSC_COMM_SELF));
  summary_state(a, &n[0], &sums[0], &ne[0], &extremes[0]);
  for (int k = 0; k < 2; k++) {
    summary_state(k ? alone : b, &n[1], &sums[1], &ne[1], &extremes[1]);
    assert_true(n[0] == n[1] && ne[0] == ne[1]);
    assert_memory_equal(sums[0], sums[1], (size_t)n[0] * sizeof(int64_t));
    assert_memory_equal(extremes[0], extremes[1], (size_t)ne[0] * sizeof(double));
  }
  CHECK(ScoriaSummaryDestroy(&a));
  CHECK(ScoriaSummaryDestroy(&b));
  CHECK(ScoriaSummaryDestroy(&alone));
}

/* A pilot that saw only part of the law: what lies outside is still bracketed, and told. */
static void outside_the_pilot(void **state)
{
  double pilot[] = {0, 1, 0.5}, rows[100], q, se;
  ScoriaSummary s;
  (void)state;
  CHECK(ScoriaSummaryCreate(&(ScoriaSummarySpec){.columns = 1}, 3, pilot, &s));
  for (int i = 0; i < 100; i++) rows[i] = i;
  summary_add(s, 100, rows);
  summary_end_tile(s);
  CHECK(ScoriaSummaryReduce(s, PETSC_COMM_SELF));
  assert_false(summary_quantile(s, 0, 0.9, &q, &se));
  assert_true(q > 1 && q <= 99);
  assert_true(summary_quantile(s, 0, 0.005, &q, &se));
  CHECK(ScoriaSummaryDestroy(&s));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(against_sorting),
                                     cmocka_unit_test(errors_are_calibrated),
                                     cmocka_unit_test(an_indicator_has_two_values),
                                     cmocka_unit_test(shares_have_intervals),
                                     cmocka_unit_test(dealing_is_irrelevant),
                                     cmocka_unit_test(outside_the_pilot)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
