/* What compare says beyond distances: biases of estimates, time to break even, laws between conditions, memorisation.
 */
#include "scoria/bias.h"
#include "scoria/stats.h"
#include "testing.h"
#include <math.h>
#include <stdlib.h>

enum { K = 8, N = 4000 };

/* n normals, mean + sd z. */
static void normals(uint64_t id, int n, double mean, double sd, double x[])
{
  rng_normal(5, SCORIA_STREAM_VALIDATION, id, 0, n, x);
  for (int i = 0; i < n; i++) x[i] = mean + sd * x[i];
}

/* K conditions of their own mean and SD; the sample's are off by shift and (scale - 1) of that SD. */
static void take_pairs(double shift, double scale, ScoriaEstimates sample[K], ScoriaEstimates reference[K])
{
  static double x[2 * N];
  for (int k = 0; k < K; k++) {
    const double mean = 100.0 * k - 300, sd = 1 + 5 * k;
    normals(10 + (uint64_t)k, N, mean + shift * sd, scale * sd, x);
    CHECK(ScoriaEstimatesTake(N, x, &sample[k]));
    normals(100 + (uint64_t)k, 2 * N, mean, sd, x);
    CHECK(ScoriaEstimatesTake(2 * N, x, &reference[k]));
  }
}

static void standard_errors_of_a_gaussian(void **state)
{
  static double x[2 * N];
  const double z = 1.959964, density = exp(-z * z / 2) / sqrt(2 * PETSC_PI);
  ScoriaEstimates e;
  (void)state;
  normals(1, 2 * N, -40, 3, x);
  CHECK(ScoriaEstimatesTake(2 * N, x, &e));
  /* relative errors of 8000 draws: SD 0.8 %, its own error 1.5 %, the gap between two quantiles .17 % apart 7 % */
  assert_true(fabs(e.se1[SCORIA_ESTIMATE_MEAN] / 3 - 1) < 0.03);
  assert_true(fabs(e.se1[SCORIA_ESTIMATE_SD] / (3 / sqrt(2)) - 1) < 0.06);
  assert_true(fabs(e.se1[SCORIA_ESTIMATE_Q975] / (3 * sqrt(0.975 * 0.025) / density) - 1) < 0.25);
  assert_true(fabs(e.value[SCORIA_ESTIMATE_Q975] - (-40 + 3 * z)) < 0.4); /* 4 of its standard errors */
}

static void known_biases_are_recovered(void **state)
{
  const double shift = 0.1, scale = 1.08,
               expected[SCORIA_NESTIMATES] = {shift, scale - 1, shift + 1.959964 * (scale - 1)};
  ScoriaEstimates sample[K], reference[K];
  ScoriaBias b;
  (void)state;
  take_pairs(shift, scale, sample, reference);
  for (int e = 0; e < SCORIA_NESTIMATES; e++) {
    assert_true(bias_pool(K, sample, reference, e, &b));
    /* five standard errors of the mean of K gaps, of N draws here and 2 N there */
    const double tol = 5 * scale * b.se1 * sqrt(1.5 / N / K);
    assert_true(fabs(b.bias - expected[e]) < tol && fabs(b.floor - expected[e]) < tol);
    assert_true(b.upper > b.floor && b.upper < expected[e] + 2 * tol);
  }
}

/* Gaps of two samples of one law come from their numbers of draws: little is left after subtracting that. */
static void no_bias_is_found_where_none_is(void **state)
{
  ScoriaEstimates sample[K], reference[K];
  ScoriaBias b;
  (void)state;
  take_pairs(0, 1, sample, reference);
  for (int e = 0; e < SCORIA_NESTIMATES; e++) {
    assert_true(bias_pool(K, sample, reference, e, &b));
    /* of K = 8 squared gaps in units of their variance, less 1, the mean has an SD of .5: three of them, and what upper
     * adds to that */
    const double noise = b.se1 * sqrt(1.5 / N);
    assert_true(b.floor < sqrt(1.5) * noise && b.upper < sqrt(3.5) * noise);
  }
}

static void conditions_without_spread_do_not_count(void **state)
{
  ScoriaEstimates sample[K], reference[K];
  ScoriaBias all, one;
  (void)state;
  take_pairs(0.1, 1, sample, reference);
  for (int k = 1; k < K; k++) reference[k].value[SCORIA_ESTIMATE_SD] = 0;
  assert_true(bias_pool(K, sample, reference, SCORIA_ESTIMATE_MEAN, &all));
  assert_true(bias_pool(1, sample, reference, SCORIA_ESTIMATE_MEAN, &one));
  assert_true(all.bias == one.bias && all.sd == one.sd);
  assert_false(bias_pool(K - 1, sample + 1, reference + 1, SCORIA_ESTIMATE_MEAN, &all));
  assert_true(isnan(all.bias) && isnan(all.floor) && isnan(all.upper)); /* a bias of 0 is one that was found */
}

/* Against the two error curves themselves: at the number returned they touch, and do not cross. */
static void breaking_even_is_where_the_curves_touch(void **state)
{
  const ScoriaBias b = {.se1 = 1.3, .upper = 0.04};
  const double slow = 2e-3, fast = 1e-4, invested = 500;
  (void)state;
  const double conditions = conditions_to_break_even(&b, slow, fast, invested), c = invested / conditions;
  double best = -INFINITY;
  for (int i = 1; i < 100000; i++) {
    const double t = c * (1 + 1e-4 * i);
    best           = fmax(best, b.se1 * b.se1 * slow / t - (b.upper * b.upper + b.se1 * b.se1 * fast / (t - c)));
  }
  assert_true(conditions > 1 &&
              fabs(best) < 1e-6 * b.upper * b.upper); /* the step in t is 1e-4 of c, its effect squared */
  assert_true(isinf(conditions_to_break_even(&b, slow, slow, invested)));
  assert_true(isinf(conditions_to_break_even(&b, fast, slow, invested)));
  assert_true(conditions_to_break_even(&(ScoriaBias){.se1 = 1}, slow, fast, invested) == 1);
}

/* ------------------------------------------------------------------------------------------------------- laws ---- */

enum { ROWS = 50, C = 2, L = 6, M = C * L };

static void a_broken_shift_is_seen(void **state)
{
  const double shift[C] = {0, -0.3};
  double a[ROWS * M], b[ROWS * M], scale[M];
  (void)state;
  normals(3, ROWS * M, 2, 1, a);
  for (int j = 0; j < M; j++) scale[j] = j == 2 ? 0 : 1;
  for (int i = 0; i < ROWS * M; i++)
    b[i] = a[i] + shift[i % M / L] + (i % M == 2 ? 99 : 0); /* the column that does not count */
  assert_true(shift_deviation(ROWS, C, L, a, b, shift, scale) < 1e-14);
  b[M + 4] = NAN; /* a failed row */
  assert_true(shift_deviation(ROWS, C, L, a, b, shift, scale) < 1e-14);
  for (int i = 0; i < ROWS; i++) b[i * M + 7] += 0.11;
  /* one of 11 columns is off by .11 */
  assert_true(fabs(shift_deviation(ROWS, C, L, a, b, shift, scale) - 0.11 / sqrt(11)) < 1e-12);
  for (int j = 0; j < M; j++) scale[j] = 0;
  assert_true(isnan(shift_deviation(ROWS, C, L, a, b, shift, scale)));
}

static void a_bent_mean_is_seen(void **state)
{
  double lo[ROWS * M], middle[ROWS * M], hi[ROWS * M], scale[M];
  (void)state;
  normals(4, ROWS * M, 2, 1, lo);
  normals(5, ROWS * M, -1, 2, hi);
  for (int j = 0; j < M; j++) scale[j] = 0.5;
  for (int i = 0; i < ROWS * M; i++) middle[i] = 0.5 * (lo[i] + hi[i]);
  assert_true(affine_deviation(ROWS, M, lo, middle, hi, scale) < 1e-14);
  for (int i = 0; i < ROWS * M; i++) middle[i] += i / M % 2 ? 0.5 : -0.3; /* rows may miss it; their mean may not */
  assert_true(fabs(affine_deviation(ROWS, M, lo, middle, hi, scale) - 0.2) < 1e-12);
}

/* ----------------------------------------------------------------------------------------------- memorisation ---- */

enum { D = 6, TRAIN = 700, DRAWS = 400 };

static void nearest_rows_by_brute_force(void **state)
{
  static double a[DRAWS * D], t[TRAIN * D], nearest[DRAWS];
  (void)state;
  normals(6, DRAWS * D, 0, 1, a);
  normals(7, TRAIN * D, 0, 1, t);
  memcpy(a, t + 5 * D, D * sizeof *a); /* a copy */
  CHECK(ScoriaNearest(DRAWS, a, TRAIN, t, D, nearest));
  for (int i = 0; i < DRAWS; i++) {
    double least = INFINITY;
    for (int j = 0; j < TRAIN; j++) {
      double sum = 0;
      for (int k = 0; k < D; k++) sum += pow(a[i * D + k] - t[j * D + k], 2);
      least = fmin(least, sqrt(sum));
    }
    assert_true(fabs(nearest[i] - least) < 1e-6); /* the square root of rounding where the distance is 0 */
  }
}

static void measure_memory(double a[DRAWS * D], const double fresh[DRAWS * D], const double t[TRAIN * D],
                           ScoriaMemorisation *found)
{
  static double sample[DRAWS], reference[DRAWS];
  CHECK(ScoriaNearest(DRAWS, a, TRAIN, t, D, sample));
  CHECK(ScoriaNearest(DRAWS, fresh, TRAIN, t, D, reference));
  CHECK(ScoriaMemorisationTake(DRAWS, sample, DRAWS, reference, found));
}

static void copied_rows_are_caught(void **state)
{
  static double a[DRAWS * D], fresh[DRAWS * D], t[TRAIN * D];
  ScoriaMemorisation found;
  (void)state;
  normals(7, TRAIN * D, 0, 1, t);
  normals(8, DRAWS * D, 0, 1, fresh);
  normals(9, DRAWS * D, 0, 1, a);
  measure_memory(a, fresh, t, &found);
  assert_true(fabs(found.median_ratio - 1) < 0.1); /* a median of 400 has an error of 2.5 % */
  assert_true(found.share_nearer <
              0.01 + 5 * sqrt(2 * 0.0099 / DRAWS)); /* binomial, twice, as the limit is drawn too */
  for (int i = 0; i < DRAWS; i++)                   /* every fifth sample is a training row, nearly */
    for (int k = 0; k < D && i % 5 == 0; k++) a[i * D + k] = t[i * D + k] + 0.01 * a[i * D + k];
  measure_memory(a, fresh, t, &found);
  assert_true(found.share_nearer > 0.19 && found.share_nearer < 0.25 && found.median_ratio < 1);
}

/* Samples of the law itself, many times: the share of them below the limit is on average what is said to be expected,
 * of few draws as of many.  Five standard errors of the mean over the rounds. */
static void share_expected_is_met(void **state)
{
  enum { ROUNDS = 4000, MOST = 300 };
  static const int draws[] = {20, 99, MOST};
  (void)state;
  for (int k = 0; k < 3; k++) {
    double sample[MOST], reference[MOST], sum = 0, squares = 0, expected = 0;
    for (int round = 0; round < ROUNDS; round++) {
      ScoriaMemorisation found;
      normals((uint64_t)(100 + 2 * round), draws[k], 0, 1, sample);
      normals((uint64_t)(101 + 2 * round), draws[k], 0, 1, reference);
      CHECK(ScoriaMemorisationTake(draws[k], sample, draws[k], reference, &found));
      sum += found.share_nearer;
      squares += found.share_nearer * found.share_nearer;
      expected = found.share_expected;
    }
    const double mean = sum / ROUNDS, se = sqrt((squares / ROUNDS - mean * mean) / ROUNDS);
    assert_true(fabs(mean - expected) < 5 * se);
    assert_true(fabs(expected - (draws[k] == 20 ? 1.0 / 21 : 0.01)) < 1e-12);
  }
}

/* 100 s of variance 1 are 1e6 s for errors of .01; a bias takes its part of the error, and the pilot its time. */
static void ways_to_an_error(void **state)
{
  const ScoriaWay plain = {.variance_seconds = 100}, several = {.each = 5, .variance_seconds = 1},
                  model = {.once = 3000, .variance_seconds = 0.01, .bias = 0.006}, unknown = {.variance_seconds = NAN};
  (void)state;
  assert_float_equal(way_seconds(&plain, 0.01), 1e6, 1e-3); /* of rounding */
  assert_float_equal(way_seconds(&several, 0.01), 5 + 1e4, 1e-3);
  assert_float_equal(way_seconds(&model, 0.01), 0.01 / (1e-4 - 36e-6), 1e-6);
  assert_true(isinf(way_seconds(&model, 0.006)) && isinf(way_seconds(&model, 0.005)) &&
              isinf(way_seconds(&unknown, 1)));
  /* 3000 s are paid back by 7 s at each of 429 conditions; 428 are not enough */
  assert_true(way_conditions(&several, 10, &model, 3) == 429 && way_conditions(&plain, 3003, &model, 3) == 2);
  assert_true(isinf(way_conditions(&several, 3, &model, 3)) && way_conditions(&model, 4, &plain, 3) == 1);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(standard_errors_of_a_gaussian),
      cmocka_unit_test(known_biases_are_recovered),
      cmocka_unit_test(no_bias_is_found_where_none_is),
      cmocka_unit_test(conditions_without_spread_do_not_count),
      cmocka_unit_test(breaking_even_is_where_the_curves_touch),
      cmocka_unit_test(ways_to_an_error),
      cmocka_unit_test(a_broken_shift_is_seen),
      cmocka_unit_test(a_bent_mean_is_seen),
      cmocka_unit_test(nearest_rows_by_brute_force),
      cmocka_unit_test(copied_rows_are_caught),
      cmocka_unit_test(share_expected_is_met),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
