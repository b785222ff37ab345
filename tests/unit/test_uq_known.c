/* ranks: 2 3
 * uq of a source whose law is known: moments, quantiles, exceedances, covariance, and Sobol indices. */
#include "unit/known_source.h"
#include "unit/small_run.h"
#include "study/question/question.h"
#include "study/uq/uq.h"
#include "testing.h"
#include <math.h>

enum { COUNT = 6000, BLOCKS = 1500, DRAWS = 8 };

/* Calls of all ranks since the last reset: MPI's profiling interface lets them be counted. */
static int collectives;

#undef MPI_Allreduce /* a macro of PETSc */

int MPI_Allreduce(const void *in, void *out, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  int size;
  MPI_Comm_size(comm, &size);
  collectives += size > 1;
  return PMPI_Allreduce(in, out, n, type, op, comm);
}

typedef struct {
  SmallRun r;
  KnownLaw law;
  ScoriaSource source;
  UqQuestion q;
  UqResult u;
  double theta[2 * 2];
} Study;

/* Two conditions; one quantity, the value of channel 0 at x = 0: mean + p + (1 + q) scale z_0. */
static void open_study(Study *s)
{
  memset(s, 0, sizeof *s);
  small_run_open(&s->r);
  known_source(PETSC_COMM_WORLD, 3, &s->law, &s->source);
  memcpy(s->theta, (const double[]){1, 0, 2, 0.5}, sizeof s->theta);
  s->q = (UqQuestion){.count          = COUNT,
                      .nprobabilities = 2,
                      .probability    = {0.025, 0.975},
                      .nquantities    = 1,
                      .quantity       = {{.name = "a(0)", .kind = SCORIA_QUANTITY_AT, .factor = 1}},
                      .condition      = {-1},
                      .nthresholds    = 1,
                      .threshold      = {{0, KNOWN_CELLS, 12, false}},
                      .conditions     = 2,
                      .theta          = s->theta,
                      .seed           = 5,
                      .inputs         = 3,
                      .input          = {0, 1, UQ_NO_CONDITION}};
  uq_take_shape(&s->q, source_shape(s->source));
}

static void run_study(Study *s)
{
  CHECK(UqResultCreate(&s->q, &s->u));
  CHECK(UqRun(s->r.run, s->r.deck, s->source, &s->q, &s->u));
}

static void close_study(Study *s)
{
  CHECK(UqResultDestroy(&s->u));
  CHECK(UqExpressionsDestroy(&s->q.expressions));
  CHECK(ScoriaSourceDestroy(&s->source));
  small_run_close(&s->r);
}

static double moment(const Study *s, int k, int what, int column)
{
  return s->u.a.value[k * s->u.a.size + s->u.a.moments + (size_t)(what * s->u.a.columns + column)];
}

/* What is found lies within 4 of the standard errors that come with it, and these are those of a Gaussian: sd / sqrt(n)
 * of a mean, sd / sqrt(2 n) of an SD, to the few per cent that n rows know them. */
static void moments_of_a_condition(void **state)
{
  const double n = COUNT;
  Study s;
  (void)state;
  open_study(&s);
  run_study(&s);
  for (int k = 0; k < 2; k++) {
    const double *theta = s.theta + 2 * k;
    assert_true(s.u.a.value[k * s.u.a.size + UQ_SAMPLES] == n && s.u.a.value[k * s.u.a.size + UQ_FAILED] == 0);
    for (int column = 0; column < s.u.a.columns; column++) {
      const int of = column < s.q.m ? column : 0, c = of / KNOWN_CELLS, j = of % KNOWN_CELLS;
      const double mean = known_mean[c] + theta[0], sd = known_sd(&s.law, theta, c, j);
      assert_true(fabs(moment(&s, k, UQ_MEAN, column) - mean) < 4 * moment(&s, k, UQ_MEAN_SE, column));
      assert_true(fabs(moment(&s, k, UQ_SD, column) - sd) < 4 * moment(&s, k, UQ_SD_SE, column));
      assert_true(fabs(moment(&s, k, UQ_SKEWNESS, column)) < 4 * moment(&s, k, UQ_SKEWNESS_SE, column));
      assert_true(fabs(moment(&s, k, UQ_MEAN_SE, column) / (sd / sqrt(n)) - 1) < 0.05);
      assert_true(fabs(moment(&s, k, UQ_SD_SE, column) / (sd / sqrt(2 * n)) - 1) < 0.15);
    }
  }
  close_study(&s);
}

static void quantiles_and_exceedances(void **state)
{
  Study s;
  (void)state;
  open_study(&s);
  run_study(&s);
  for (int k = 0; k < 2; k++) {
    const double *theta = s.theta + 2 * k, *at = s.u.a.value + k * s.u.a.size;
    const double mean = known_mean[0] + theta[0], sd = known_sd(&s.law, theta, 0, 0);
    for (int i = 0; i < 2; i++) {
      const double *value = at + s.u.a.quantiles + i * 2 * s.u.a.columns + s.q.m, se = value[s.u.a.columns];
      assert_true(fabs(*value - (mean + (i ? 1.96 : -1.96) * sd)) < 4 * se && se < 0.1 * sd);
    }
    /* sd of a share p: sqrt(p (1 - p) / n) */
    const double *probability = at + s.u.a.exceedances;
    for (int j = 0; j < KNOWN_CELLS; j++) {
      const double p = upper_tail((12 - mean) / known_sd(&s.law, theta, 0, j));
      assert_true(fabs(probability[j] - p) < 4 * sqrt(p * (1 - p) / COUNT));
      assert_true(probability[KNOWN_CELLS] >= probability[j]); /* in any cell */
    }
    const double *share = at + s.u.a.histograms + 2;
    double sum          = 0;
    for (int b = 0; b < UQ_BINS; b++) sum += share[b];
    assert_true(sum > 0.9 && sum < 1 + 1e-12); /* the range is of the middle of the law */
  }
  close_study(&s);
}

/* Cov of cells i, j of one channel: ((1 + q) s)^2 (1 + x_i x_j); the relative error of one is sqrt(2 / n) at most. */
static void covariance_of_the_fields(void **state)
{
  Study s;
  (void)state;
  open_study(&s);
  run_study(&s);
  assert_true(s.u.a.joint);
  const double *C = s.u.a.value + s.u.a.size + s.u.a.covariance, *theta = s.theta + 2; /* of the second condition */
  for (int i = 0; i < s.q.m; i++)
    for (int j = 0; j < s.q.m; j++) {
      const double scale    = pow(1 + theta[1], 2) * known_scale[i / KNOWN_CELLS] * known_scale[j / KNOWN_CELLS];
      const double expected = scale * (1 + s.law.x[i % KNOWN_CELLS] * s.law.x[j % KNOWN_CELLS]);
      const double most     = scale * 2; /* x = 1: what the error is in proportion to */
      assert_true(fabs(C[i * s.q.m + j] - expected) < 4 * most * sqrt(2.0 / COUNT));
    }
  close_study(&s);
}

/* y = mean + p + (1 + q) s z with p uniform on [0, 4], q on [0, 1], z N(0, 1): Var y = 4/3 + s^2 E (1 + q)^2, in which
 * E (1 + q)^2 = 7/3.  First order: p 4/3, z s^2 (3/2)^2, q nothing; totals: p 4/3, z s^2 7/3, q s^2 Var (1 + q) =
 * s^2 / 12. */
static void sobol_indices(void **state)
{
  const double s2 = pow(known_scale[0], 2), p = 4.0 / 3, all = p + s2 * 7 / 3;
  const double first[3] = {p / all, 0, 2.25 * s2 / all}, total[3] = {p / all, s2 / 12 / all, 7 * s2 / 3 / all};
  Study s;
  (void)state;
  open_study(&s);
  s.q.conditions = 0;
  s.q.base       = BLOCKS;
  s.q.draws      = DRAWS;
  run_study(&s);
  assert_int_equal(s.u.sobol.blocks, BLOCKS);
  assert_int_equal(s.u.sobol.failed, 0);
  assert_true(fabs(s.u.sobol.mean[0] - (known_mean[0] + 2)) < 4 * sqrt(p / BLOCKS)); /* p of a block is one number */
  for (int i = 0; i < 3; i++) {
    const ScoriaSobolIndex *index = &s.u.sobol.index[0][i];
    assert_true(fabs(index->first - first[i]) < 4 * index->first_se && index->first_se < 0.05);
    assert_true(fabs(index->total - total[i]) < 4 * index->total_se && index->total_se < 0.05);
  }
  close_study(&s);
}

static void failed_draws_are_counted(void **state)
{
  Study s;
  (void)state;
  open_study(&s);
  s.law.fail_every = 4; /* numbers of a condition begin at a multiple of 2^40 */
  run_study(&s);
  for (int k = 0; k < 2; k++) {
    assert_true(s.u.a.value[k * s.u.a.size + UQ_FAILED] == COUNT / 4);
    assert_true(s.u.a.value[k * s.u.a.size + UQ_SAMPLES] == COUNT - COUNT / 4);
    assert_true(fabs(moment(&s, k, UQ_MEAN, 0) - known_mean[0] - s.theta[2 * k]) < 4 * moment(&s, k, UQ_MEAN_SE, 0));
  }
  close_study(&s);
}

/* Quantities of expressions of one row against the same in C; cells are equal, x from 0 to 1 with the ends half a cell
 * outside, or at the cells where the first is 0. */
static void expressions_of_a_row(void **state)
{
  static const char *const texts[] = {"drop [V] = a[0] - b[L]",
                                      "hot = max(a) / mean(a)",
                                      "spread = sd(a - 2*b)",
                                      "where = argmax(b)",
                                      "far = max(abs(a - mean(a)))",
                                      "area = integral(x * a)",
                                      "mixed = p + 10 * q + (hot > 1) + min(a[0.25], 1e3)",
                                      "a[0.25]",
                                      "1e2 + max(3, 4) - 2.5e-1"};
  enum { N = sizeof texts / sizeof *texts };
  double fields[KNOWN_WIDTH], got[1 + N], mean = 0, d_mean = 0, sd = 0, area = 0, far = 0;
  const double theta[2] = {1, 0.5};
  int index;
  Study s;
  (void)state;
  open_study(&s);
  for (int i = 0; i < N; i++) {
    CHECK(UqExpressionAdd(&s.q, "quantities", texts[i], &index));
    assert_int_equal(index, 1 + i);
  }
  for (int i = 0; i < KNOWN_WIDTH; i++) fields[i] = 3 + sin(1.0 + i);
  const double *a = fields, *b = fields + KNOWN_CELLS;
  double width[KNOWN_CELLS], ends[2];
  cells_ends(KNOWN_CELLS, s.law.x, ends);
  for (int i = 0; i < KNOWN_CELLS; i++)
    width[i] = (i + 1 < KNOWN_CELLS ? (s.law.x[i] + s.law.x[i + 1]) / 2 : ends[1]) -
               (i ? (s.law.x[i - 1] + s.law.x[i]) / 2 : ends[0]);
  const double length = ends[1] - ends[0];
  for (int i = 0; i < KNOWN_CELLS; i++) {
    mean += width[i] / length * a[i];
    d_mean += width[i] / length * (a[i] - 2 * b[i]);
    area += width[i] * s.law.x[i] * a[i];
  }
  int most_a = 0, most_b = 0;
  for (int i = 0; i < KNOWN_CELLS; i++) {
    sd += width[i] / length * pow(a[i] - 2 * b[i] - d_mean, 2);
    far = fmax(far, fabs(a[i] - mean));
    if (a[i] > a[most_a]) most_a = i;
    if (b[i] > b[most_b]) most_b = i;
  }
  got[0] = 0;
  uq_evaluate(&s.q, theta, fields, NULL, got);
  double at_0 = 0, at_L = 0, at = 0;
  ScoriaQuantity place = {.factor = 1};
  quantity_place(&place, KNOWN_CELLS, s.law.x, 0);
  quantities_take(1, &place, KNOWN_CELLS, a, &at_0);
  quantity_place(&place, KNOWN_CELLS, s.law.x, 0.25);
  quantities_take(1, &place, KNOWN_CELLS, a, &at);
  quantity_place(&place, KNOWN_CELLS, s.law.x, ends[1]);
  quantities_take(1, &place, KNOWN_CELLS, b, &at_L);
  const double expected[N] = {at_0 - at_L, a[most_a] / mean, sqrt(sd), s.law.x[most_b], far,
                              area,        1 + 5 + 1 + at,   at,       103.75};
  for (int i = 0; i < N; i++)
    if (!(fabs(got[1 + i] - expected[i]) < 1e-12 * (1 + fabs(expected[i]))))
      fail_msg("%s: %.15g, expected %.15g", texts[i], got[1 + i], expected[i]);
  assert_string_equal(s.q.quantity[1].name, "drop");
  assert_string_equal(s.q.quantity[1].unit, "V");
  assert_string_equal(s.q.quantity[8].name, "a[0.25]");
  assert_string_equal(s.q.quantity[8].unit, s.q.field[0].unit); /* one value of a field has its unit */
  assert_string_equal(s.q.quantity[4].unit, "m");
  assert_string_equal(s.q.quantity[2].unit, "");
  CHECK(UqExpressionsDestroy(&s.q.expressions));
  CHECK(ScoriaSourceDestroy(&s.source));
  small_run_close(&s.r);
}

static void bad_expressions_are_refused(void **state)
{
  static const char *const texts[][2] = {
      {"d = a - b[0]", "a is a field"},
      {"d = a[7]", "expected L or a number from"},
      {"d = c[0]", "not understood at \"c\""},
      {"d = a[0] +", "\"d = a[0] +\" is not understood; expected"},
      {"a = b[0]", "a is a field already"},
      {"max = b[0]", "max is a function already"},
      {"d = e = a[0]", "a second \"=\""},
      {"2d = a[0]", "expected \"name = expression\""},
      {"a[0] + 1 - 1 + 1 - 1 + 1 - 1 + 1 - 1 + 1 - 1 + 1 - 1 + 1 - 1 + 1 - 1", "give it a name"}};
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
  CHECK(UqExpressionsDestroy(&s.q.expressions));
  CHECK(ScoriaSourceDestroy(&s.source));
  small_run_close(&s.r);
}

/* What compare has found of the deck's own numbers is known by the whole of their text: two of one name that differ in
 * the last of its characters are two. */
static void own_numbers_are_known_by_their_text(void **state)
{
  static const char text[] = "sum = a[0] + a[0] + a[0] + a[0] + a[0] + a[0] + a[0] + a[0] + a[0] + a[0] + a[0] + a[0] "
                             "+ a[0] + a[0] + a[0] + b[0]";
  char lines[1024], other[sizeof text];
  int index;
  Study s;
  (void)state;
  open_study(&s);
  CHECK(UqExpressionAdd(&s.q, "quantities", text, &index));
  assert_string_equal(s.q.quantity[index].description, text + strlen("sum = "));
  snprintf(other, sizeof other, "%.*sL]", (int)strlen(text) - 2, text);
  snprintf(lines, sizeof lines, "min_a\n%s\n%s\n", other, text);
  assert_int_equal(uq_compared_find(lines, &s.q.quantity[index]), 2);
  snprintf(lines, sizeof lines, "min_a\n%s\n", other);
  assert_int_equal(uq_compared_find(lines, &s.q.quantity[index]), -1);
  CHECK(UqExpressionsDestroy(&s.q.expressions));
  CHECK(ScoriaSourceDestroy(&s.source));
  small_run_close(&s.r);
}

/* Of a(0), normal with known mean and SD, below a threshold: from the quantity, and from an expression that is it. */
static void events_of_a_number(void **state)
{
  Study s;
  int index;
  (void)state;
  open_study(&s);
  CHECK(UqExpressionAdd(&s.q, "quantities", "low = a[0] - 8", &index));
  s.q.nthresholds  = 3;
  s.q.threshold[0] = (ScoriaThreshold){0, KNOWN_CELLS, 8, true};
  s.q.threshold[1] = (ScoriaThreshold){s.q.m, 1, 8, true};
  s.q.threshold[2] = (ScoriaThreshold){s.q.m + index, 1, 0, true};
  run_study(&s);
  for (int k = 0; k < 2; k++) {
    const double *at = s.u.a.value + k * s.u.a.size, *theta = s.theta + 2 * k;
    const double *of_field = at + uq_shares_at(&s.q, &s.u.a, 0), *of_number = at + uq_shares_at(&s.q, &s.u.a, 1),
                 *of_expression = at + uq_shares_at(&s.q, &s.u.a, 2);
    const double sd = (1 + theta[1]) * known_scale[0], p = upper_tail((known_mean[0] + theta[0] - 8) / sd);
    assert_true(of_field[KNOWN_CELLS] >= of_field[0] && of_field[KNOWN_CELLS + 1] <= of_field[0]); /* any, all */
    if (s.law.x[0] == 0) assert_true(of_field[0] == of_number[0]);
    assert_true(fabs(of_number[0] - of_expression[0]) <= 1.0 / COUNT); /* rounding at the threshold */
    /* a(0) is what the quantity takes there, its SD sqrt(1 + x^2) scale at a place x outside of the cells */
    if (s.law.x[0] == 0) assert_true(fabs(of_number[0] - p) < 4 * sqrt(p * (1 - p) / COUNT));
    assert_true(of_number[3 * UQ_SHARE_LOW] < of_number[0] && of_number[0] < of_number[3 * UQ_SHARE_HIGH]);
  }
  close_study(&s);
}

static void undefined_expressions_end_the_run(void **state)
{
  Study s;
  int index;
  (void)state;
  open_study(&s);
  s.law.fail_every = 4; /* draws that failed are no reason */
  CHECK(UqExpressionAdd(&s.q, "quantities", "fine = a[0]", &index));
  run_study(&s);
  assert_true(s.u.a.value[UQ_FAILED] == COUNT / 4);
  CHECK(UqResultDestroy(&s.u));
  CHECK(UqExpressionAdd(&s.q, "quantities", "bad = max(log(a - 12))", &index)); /* no number in some cells */
  CHECK(UqResultCreate(&s.q, &s.u));
  assert_true(UqRun(s.r.run, s.r.deck, s.source, &s.q, &s.u) != 0);
  assert_non_null(strstr(ScoriaFailureLine(), "\"bad\" is infinite or no number"));
  ScoriaFailureReset();
  close_study(&s);
}

/* The largest standard error of the quantity at a condition, in SD. */
static double largest_error(const Study *s, int k)
{
  const double *quantile = s->u.a.value + k * s->u.a.size + s->u.a.quantiles + s->q.m;
  double largest         = PetscMax(moment(s, k, UQ_MEAN_SE, s->q.m), moment(s, k, UQ_SD_SE, s->q.m));
  for (int i = 0; i < 2; i++) largest = PetscMax(largest, quantile[(2 * i + 1) * s->u.a.columns]);
  return largest / moment(s, k, UQ_SD, s->q.m);
}

/* Samples stop at 4, 8, 16 ... tiles, as soon as every statistic is known to the tolerance: half of them had errors
 * sqrt(2) times as large, which are themselves known to some 20 %. */
static void tolerance_ends_the_draws(void **state)
{
  Study s;
  (void)state;
  open_study(&s);
  s.q.count     = 1 << 20;
  s.q.tolerance = 0.03;
  run_study(&s);
  for (int k = 0; k < 2; k++) {
    const int64_t tiles = (int64_t)s.u.a.value[k * s.u.a.size + UQ_SAMPLES] / UQ_TILE;
    assert_true(tiles == 8 || tiles == 16 || tiles == 32);
    assert_true(largest_error(&s, k) <= s.q.tolerance && 1.2 * sqrt(2) * largest_error(&s, k) > s.q.tolerance);
  }
  close_study(&s);
}

static void all_ranks_have_the_answer(void **state)
{
  Study s;
  (void)state;
  open_study(&s);
  run_study(&s);
  expect_same_on_ranks(s.u.a.value, 2 * s.u.a.size * sizeof(double));
  close_study(&s);
}

/* Conditions that are dealt, one to each rank: all meet as often in a round on any number of ranks, and every rank has
 * the same answer. */
static void dealt_conditions_go_at_once(void **state)
{
  enum { MOST = 16, CALLS = 4 }; /* of a round: failures, answers, what was given up, a look whether to stop */
  static double theta[2 * MOST];
  int size, before = 0;
  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (int i = 0; i < 2 * MOST; i++) theta[i] = 0.1 * i;
  for (int rounds = 2; rounds <= 4; rounds += 2) {
    Study s;
    open_study(&s);
    s.q.inputs     = 0;
    s.q.theta      = theta;
    s.q.conditions = 1 + rounds * size; /* the first is shared, and tells how long one takes */
    s.q.count      = 600;
    collectives    = 0;
    run_study(&s);
    expect_same_on_ranks(s.u.a.value, (size_t)s.q.conditions * s.u.a.size * sizeof(double));
    if (size > 1 && before) assert_int_equal(collectives - before, 2 * CALLS);
    before = collectives;
    close_study(&s);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(moments_of_a_condition),
                                     cmocka_unit_test(quantiles_and_exceedances),
                                     cmocka_unit_test(covariance_of_the_fields),
                                     cmocka_unit_test(sobol_indices),
                                     cmocka_unit_test(failed_draws_are_counted),
                                     cmocka_unit_test(tolerance_ends_the_draws),
                                     cmocka_unit_test(expressions_of_a_row),
                                     cmocka_unit_test(bad_expressions_are_refused),
                                     cmocka_unit_test(events_of_a_number),
                                     cmocka_unit_test(undefined_expressions_end_the_run),
                                     cmocka_unit_test(all_ranks_have_the_answer),
                                     cmocka_unit_test(dealt_conditions_go_at_once),
                                     cmocka_unit_test(own_numbers_are_known_by_their_text)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
