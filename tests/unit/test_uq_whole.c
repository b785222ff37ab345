/* ranks: 2 3
 * uq of whole fields whose law is known: statistics of every cell, and numbers of every field. */
#include "unit/known_whole.h"
#include "unit/small_run.h"
#include "study/question/question.h"
#include "study/uq/uq.h"
#include "testing.h"
#include <math.h>

enum { COUNT = 4500 };

typedef struct {
  SmallRun r;
  WholeLaw law;
  ScoriaSource source;
  UqQuestion q;
  UqResult u;
  double theta[2 * 2];
} Study;

/* One quantity of the deck's kind: the lateral mean of channel 0 at x = .5. */
static void open_study(Study *s)
{
  ScoriaQuantity mean = {.name = "middle", .factor = 1};
  memset(s, 0, sizeof *s);
  small_run_open(&s->r);
  whole_source(PETSC_COMM_WORLD, 3, &s->law, &s->source);
  memcpy(s->theta, (const double[]){1, 0, 2, 0.5}, sizeof s->theta);
  quantity_place(&mean, WHOLE_X, s->law.centres, 0.5);
  s->q = (UqQuestion){.count          = COUNT,
                      .nprobabilities = 2,
                      .probability    = {0.025, 0.975},
                      .nquantities    = 1,
                      .quantity       = {mean},
                      .condition      = {-1},
                      .periodic       = true,
                      .nthresholds    = 1,
                      .threshold      = {{0, WHOLE_CELLS, 12, false}},
                      .conditions     = 2,
                      .theta          = s->theta,
                      .seed           = 5};
  uq_take_shape(&s->q, source_shape(s->source));
  assert_true(s->q.whole);
}

static void close_study(Study *s)
{
  CHECK(UqExpressionsDestroy(&s->q.expressions));
  CHECK(ScoriaSourceDestroy(&s->source));
  small_run_close(&s->r);
}

/* Within 5 of the standard errors that come with them: of 240 values one in 10^4 tests lies outside.  Of a quantile the
 * bins of a cell's histogram leave .02 SD. */
static void statistics_of_every_cell(void **state)
{
  const double n = COUNT;
  Study s;
  (void)state;
  open_study(&s);
  s.law.fail_every = 9; /* numbers of a condition begin at a multiple of 2^40 */
  s.q.tile         = 256;
  s.q.part         = 100;
  CHECK(UqResultCreate(&s.q, &s.u));
  CHECK(UqRun(s.r.run, s.r.deck, s.source, &s.q, &s.u));
  assert_false(s.u.a.joint);
  for (int k = 0; k < 2; k++) {
    const double *at = s.u.a.value + k * s.u.a.size, *moment = at + s.u.a.moments, *theta = s.theta + 2 * k;
    const size_t columns = (size_t)s.u.a.columns;
    assert_true(at[UQ_FAILED] == 500 && at[UQ_SAMPLES] == n - 500);
    for (int j = 0; j < s.q.m; j++) {
      const double mean = whole_mean[j / WHOLE_CELLS] + theta[0],
                   sd   = whole_sd(theta, j / WHOLE_CELLS, j % WHOLE_CELLS);
      assert_true(fabs(moment[UQ_MEAN * columns + j] - mean) < 5 * moment[UQ_MEAN_SE * columns + j]);
      assert_true(fabs(moment[UQ_SD * columns + j] - sd) < 5 * moment[UQ_SD_SE * columns + j]);
      assert_true(fabs(moment[UQ_MEAN_SE * columns + j] / (sd / sqrt(n - 500)) - 1) < 0.07);
      for (int i = 0; i < 2; i++) {
        const double *quantile = at + s.u.a.quantiles + (size_t)i * 2 * columns + j;
        assert_true(fabs(*quantile - (mean + (i ? 1.96 : -1.96) * sd)) < 5 * quantile[columns] + 0.02 * sd);
        assert_true(quantile[columns] < 0.08 * sd); /* sqrt(p (1 - p) / n) over the density: .042 SD */
      }
    }
    const double *share = at + s.u.a.exceedances;
    for (int i = 0; i < WHOLE_CELLS; i++) {
      const double p = upper_tail((12 - whole_mean[0] - theta[0]) / whole_sd(theta, 0, i));
      assert_true(fabs(share[i] - p) < 5 * sqrt(p * (1 - p) / (n - 500)));
      assert_true(share[WHOLE_CELLS] >= share[i] && share[WHOLE_CELLS + 1] <= share[i]);
    }
    /* of the lateral mean z_0 + x z_1 is left */
    const double scale = (1 + theta[1]) * whole_scale[0] * sqrt(1 + 0.25), *middle = moment + s.q.m;
    assert_true(fabs(middle[UQ_MEAN * columns] - whole_mean[0] - theta[0]) < 5 * middle[UQ_MEAN_SE * columns]);
    assert_true(fabs(middle[UQ_SD * columns] - scale) < 5 * middle[UQ_SD_SE * columns]);
  }
  expect_same_on_ranks(s.u.a.value, 2 * s.u.a.size * sizeof(double));
  CHECK(UqResultDestroy(&s.u));
  close_study(&s);
}

/* Numbers of one field by expressions against the same in C. */
static void expressions_of_a_field(void **state)
{
  static const char *const texts[] = {"a[0.375]",
                                      "a[0.375, 0.25, 0.5]",
                                      "a[L, 1, 0.9]",
                                      "hot = max(a)",
                                      "argmax(a)",
                                      "argmax_y(a)",
                                      "argmin_z(a * b)",
                                      "share = mean(a > 10)",
                                      "quantile(a, 0.9)",
                                      "quantile(a - b, 0.01)",
                                      "mean(y * z)",
                                      "integral(a)",
                                      "sd(a)"};
  enum { N = sizeof texts / sizeof *texts };
  static double fields[WHOLE_WIDTH], sorted[WHOLE_CELLS], less[WHOLE_CELLS];
  double means[WHOLE_CHANNELS * WHOLE_X], got[1 + N] = {0}, place[3];
  const double theta[2] = {1, 0.5}, *a = fields, *b = fields + WHOLE_CELLS;
  int index, most = 0, least = 0, above = 0;
  Study s;
  (void)state;
  open_study(&s);
  for (int i = 0; i < N; i++) CHECK(UqExpressionAdd(&s.q, "quantities", texts[i], &index));
  for (int i = 0; i < WHOLE_WIDTH; i++) fields[i] = 9 + 3 * sin(1.0 + i * i % 97);
  lateral_means(WHOLE_CHANNELS, s.q.n, fields, means);
  uq_evaluate(&s.q, theta, fields, means, got);
  double mean = 0, square = 0, row = 0, yz = 0;
  for (int i = 0; i < WHOLE_CELLS; i++) {
    whole_place(i, place);
    sorted[i] = a[i];
    less[i]   = a[i] - b[i];
    if (a[i] > a[most]) most = i;
    if (a[i] * b[i] < a[least] * b[least]) least = i;
    above += a[i] > 10;
    mean += a[i] / WHOLE_CELLS;
    square += a[i] * a[i] / WHOLE_CELLS;
    yz += place[1] * place[2] / WHOLE_CELLS;
    if (i % WHOLE_X == 1) row += a[i] / (WHOLE_Y * WHOLE_Z);
  }
  stats_sort(WHOLE_CELLS, sorted);
  stats_sort(WHOLE_CELLS, less);
#define AT(i, j, k) a[((k)*WHOLE_Y + (j)) * WHOLE_X + (i)]
  /* y = 1 lies between the last and the first cell, z = .9 in the middle of the last */
  const double last = (AT(3, 5, 4) + AT(3, 0, 4)) / 2, before = (AT(2, 5, 4) + AT(2, 0, 4)) / 2;
  double most_at[3], least_at[3];
  whole_place(most, most_at);
  whole_place(least, least_at);
  const double expected[N] = {row,
                              AT(1, 1, 2), /* the middle of a cell */
                              last + (last - before) / 2,
                              a[most],
                              most_at[0],
                              most_at[1],
                              least_at[2],
                              (double)above / WHOLE_CELLS,
                              stats_quantile(WHOLE_CELLS, sorted, 0.9),
                              stats_quantile(WHOLE_CELLS, less, 0.01),
                              yz,
                              mean, /* of a unit length */
                              sqrt(square - mean * mean)};
  for (int i = 0; i < N; i++)
    if (!(fabs(got[1 + i] - expected[i]) < 1e-12 * (1 + fabs(expected[i]))))
      fail_msg("%s: %.15g, expected %.15g", texts[i], got[1 + i], expected[i]);
  assert_string_equal(s.q.quantity[2].unit, "V");
  assert_string_equal(s.q.quantity[9].unit, "V");
  assert_string_equal(s.q.quantity[6].unit, "m");
  close_study(&s);
}

/* The numbers that every whole field is asked for, with their names. */
static void numbers_of_every_field(void **state)
{
  static const char *const names[] = {"middle", "min_b",   "max_b",   "low_a",   "low_b",  "high_a",
                                      "high_b", "x_min_a", "x_min_b", "x_max_a", "x_max_b"};
  enum { N = sizeof names / sizeof *names };
  Study s;
  (void)state;
  open_study(&s);
  CHECK(UqAddWhole(&s.q));
  assert_int_equal(s.q.nquantities, N);
  for (int i = 0; i < N; i++) assert_string_equal(s.q.quantity[i].name, names[i]);
  assert_string_equal(s.q.quantity[3].description, "value that 99 % of the cells exceed: known");
  close_study(&s);
}

static void bad_expressions_are_refused(void **state)
{
  static const char *const texts[][2] = {
      {"a[0.5, 0.5]", "too few places in brackets, expected x (of the lateral mean) or x, y, z"},
      {"a[0.5, 0.5, 0.5, 0.5]", "too many places"},
      {"a[0.5, 2, 0.5]", "found the place \"2\", expected a number from 0 to 1 m along y"},
      {"quantile(a)", "expected quantile(c, 0.99)"},
      {"quantile(a, 1.5)", "a number between 0 and 1"},
      {"y = max(a)", "y is the place of a cell already"}};
  int index;
  Study s;
  (void)state;
  open_study(&s);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    assert_true(UqExpressionAdd(&s.q, "quantities", texts[i][0], &index) != 0);
    assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
    if (!strstr(ScoriaFailureLine(), texts[i][1])) fail_msg("%s: %s", texts[i][0], ScoriaFailureLine());
    ScoriaFailureReset();
  }
  close_study(&s);
}

/* A value that is linear between centres: of a field that is linear, the line, but for a periodic axis across its ends.
 */
static void places_between_centres(void **state)
{
  static const int n[3]           = {4, 3, 2};
  static const double x[]         = {0.5, 1.5, 3, 5, 1, 3, 5, 0.5, 1.5};
  static const double places[][3] = {{1.2, 2.5, 1}, {0, 4.5, 0.75}, {5.8, 1, 1.5}, {2.2, 0.5, 1}, {4, 5.5, 0.1}};
  const double *const centres[3]  = {x, x + 4, x + 7};
  double field[24];
  (void)state;
  for (int i = 0; i < 24; i++) field[i] = 2 - x[i % 4] + 3 * x[4 + i / 4 % 3] - 5 * x[7 + i / 12];
  for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
    const double *at = places[p];
    ScoriaPoint point;
    point_place(&point, n, centres, false, at);
    assert_true(fabs(point_value(&point, field) - (2 - at[0] + 3 * at[1] - 5 * at[2])) < 1e-12);
  }
  ScoriaPoint point;
  point_place(&point, n, centres, true,
              (const double[]){0.5, 5.5, 0.5}); /* from 5 a quarter of the way to 7, which is 1 */
  assert_true(fabs(point_value(&point, field) - (2 - 0.5 + 3 * (5 - 0.25 * 4) - 5 * 0.5)) < 1e-12);
  point_place(&point, n, centres, true, (const double[]){0.5, 0.5, 0.5}); /* and as far on the other side of it */
  assert_true(fabs(point_value(&point, field) - (2 - 0.5 + 3 * (1 + 0.25 * 4) - 5 * 0.5)) < 1e-12);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(places_between_centres), cmocka_unit_test(expressions_of_a_field),
                                     cmocka_unit_test(numbers_of_every_field),
                                     cmocka_unit_test(bad_expressions_are_refused),
                                     cmocka_unit_test(statistics_of_every_cell)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
