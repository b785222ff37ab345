/* The table of measures: every row against two samples of one law and of two, whatever it measures. */
#include "scoria/stats.h"
#include "testing.h"
#include <math.h>

enum { PAIRS = 24, N = 400, M = 8, DOUBLES = sizeof(ScoriaDistance) / sizeof(double) };

static void every_member_has_one_row(void **state)
{
  int rows[DOUBLES] = {0};
  (void)state;
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++) {
    assert_true(m->offset % sizeof(double) == 0 && m->offset < sizeof(ScoriaDistance));
    rows[m->offset / sizeof(double)]++;
    assert_true(*m->name && *m->title && *m->help && m->unit);
    assert_ptr_equal(measure_find(m->name), m);
  }
  for (int i = 0; i < DOUBLES; i++) assert_int_equal(rows[i], 1);
  assert_null(measure_find("mean"));
}

/* n rows of M neighbours that depend on each other: x_j = mean + sd (z_j + z_{j+1}). */
static void draw(uint64_t id, double mean, double sd, double x[N * M])
{
  static double z[N * (M + 1)];
  rng_normal(5, SCORIA_STREAM_VALIDATION, id, 0, N * (M + 1), z);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) x[i * M + j] = mean + sd * (z[i * (M + 1) + j] + z[i * (M + 1) + j + 1]);
}

static void distances(uint64_t first, double mean, double sd, ScoriaDistance d[PAIRS])
{
  static double a[N * M], b[N * M];
  for (int k = 0; k < PAIRS; k++) {
    draw(first + 2 * (uint64_t)k, mean, sd, a);
    draw(first + 2 * (uint64_t)k + 1, 3, 1, b);
    CHECK(ScoriaDistanceCompute(N, a, N, b, M, 1, 16, &d[k]));
  }
}

/* Of one law, a measure is as far from its ideal as sampling makes it: relative errors of N rows are of the order of
 * sqrt(1 / N) = .05, those of a covariance of M columns sqrt(M / N) = .14, and the mean of PAIRS uniform p values has
 * the standard error sqrt(1 / 12 / PAIRS) = .06; .25 is some four of the largest.  Another law is farther from it. */
static void ideals_are_those_of_one_law(void **state)
{
  ScoriaDistance same[PAIRS], other[PAIRS], of_same, of_other;
  (void)state;
  distances(100, 3, 1, same);
  distances(1000, 4, 1.5, other);
  measures_pool(PAIRS, same, &of_same);
  measures_pool(PAIRS, other, &of_other);
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++) {
    const double near = fabs(measure_value(m, &of_same) - m->ideal), far = fabs(measure_value(m, &of_other) - m->ideal);
    if (!(near < 0.25 && far > 2 * near && far > 0.02))
      fail_msg("%s: %g from its ideal for one law, %g for two", m->name, near, far);
  }
}

static void pooled_and_worst_as_the_rows_say(void **state)
{
  ScoriaDistance d[3], pooled;
  double *value[3];
  (void)state;
  for (int k = 0; k < 3; k++) value[k] = (double *)&d[k];
  for (int i = 0; i < DOUBLES; i++) {
    value[0][i] = 0.4;
    value[1][i] = 0.01;
    value[2][i] = 1.3;
  }
  measures_pool(3, d, &pooled);
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++) {
    const double mean = (0.4 + 0.01 + 1.3) / 3, rms = sqrt((0.16 + 1e-4 + 1.69) / 3);
    assert_true(fabs(measure_value(m, &pooled) - (m->pooling == SCORIA_POOL_RMS ? rms : mean)) < 1e-15);
  }
  assert_true(measure_worst(measure_find("mean_error"), 3, d) == 1.3);
  assert_true(measure_worst(measure_find("coverage95"), 3, d) == 0.01);
  assert_true(measure_worst(measure_find("roughness"), 3, d) == 0.01);
  assert_true(measure_worst(measure_find("energy_p"), 3, d) == 0.01); /* 1.3 is no p value, and farther from .5 */
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_member_has_one_row),
      cmocka_unit_test(ideals_are_those_of_one_law),
      cmocka_unit_test(pooled_and_worst_as_the_rows_say),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
