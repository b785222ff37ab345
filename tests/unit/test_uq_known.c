/* ranks: 2 3
 * uq of a source whose law is known: moments, quantiles, exceedances, covariance, and Sobol indices. */
#include "unit/known_source.h"
#include "unit/small_run.h"
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
  UqAnswer a;
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
                      .threshold      = {{0, KNOWN_CELLS, 12}},
                      .conditions     = 2,
                      .theta          = s->theta,
                      .seed           = 5,
                      .inputs         = 3,
                      .input          = {0, 1, UQ_UNSEEN}};
  uq_take_shape(&s->q, source_shape(s->source));
}

static void run_study(Study *s)
{
  CHECK(UqAnswerCreate(&s->q, &s->a));
  CHECK(UqRun(s->r.run, s->r.deck, s->source, &s->q, &s->a));
}

static void close_study(Study *s)
{
  CHECK(UqAnswerDestroy(&s->a));
  CHECK(ScoriaSourceDestroy(&s->source));
  small_run_close(&s->r);
}

static double moment(const Study *s, int k, int what, int column)
{
  return s->a.value[k * s->a.size + s->a.moments + (size_t)(what * s->a.columns + column)];
}

static double upper_tail(double x)
{
  return 0.5 * erfc(x / sqrt(2));
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
    assert_true(s.a.value[k * s.a.size + UQ_SAMPLES] == n && s.a.value[k * s.a.size + UQ_FAILED] == 0);
    for (int column = 0; column < s.a.columns; column++) {
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
    const double *theta = s.theta + 2 * k, *at = s.a.value + k * s.a.size;
    const double mean = known_mean[0] + theta[0], sd = known_sd(&s.law, theta, 0, 0);
    for (int i = 0; i < 2; i++) {
      const double *value = at + s.a.quantiles + i * 2 * s.a.columns + s.q.m, se = value[s.a.columns];
      assert_true(fabs(*value - (mean + (i ? 1.96 : -1.96) * sd)) < 4 * se && se < 0.1 * sd);
    }
    /* sd of a share p: sqrt(p (1 - p) / n) */
    const double *probability = at + s.a.exceedances;
    for (int j = 0; j < KNOWN_CELLS; j++) {
      const double p = upper_tail((12 - mean) / known_sd(&s.law, theta, 0, j));
      assert_true(fabs(probability[j] - p) < 4 * sqrt(p * (1 - p) / COUNT));
      assert_true(probability[KNOWN_CELLS] >= probability[j]); /* in any cell */
    }
    const double *share = at + s.a.histograms + 2;
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
  assert_true(s.a.joint);
  const double *C = s.a.value + s.a.size + s.a.covariance, *theta = s.theta + 2; /* of the second condition */
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
  assert_int_equal(s.a.sobol.blocks, BLOCKS);
  assert_int_equal(s.a.sobol.failed, 0);
  assert_true(fabs(s.a.sobol.mean[0] - (known_mean[0] + 2)) < 4 * sqrt(p / BLOCKS)); /* p of a block is one number */
  for (int i = 0; i < 3; i++) {
    const ScoriaSobolIndex *index = &s.a.sobol.index[0][i];
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
    assert_true(s.a.value[k * s.a.size + UQ_FAILED] == COUNT / 4);
    assert_true(s.a.value[k * s.a.size + UQ_SAMPLES] == COUNT - COUNT / 4);
    assert_true(fabs(moment(&s, k, UQ_MEAN, 0) - known_mean[0] - s.theta[2 * k]) < 4 * moment(&s, k, UQ_MEAN_SE, 0));
  }
  close_study(&s);
}

/* The largest standard error of the quantity at a condition, in SD. */
static double largest_error(const Study *s, int k)
{
  const double *quantile = s->a.value + k * s->a.size + s->a.quantiles + s->q.m;
  double largest         = PetscMax(moment(s, k, UQ_MEAN_SE, s->q.m), moment(s, k, UQ_SD_SE, s->q.m));
  for (int i = 0; i < 2; i++) largest = PetscMax(largest, quantile[(2 * i + 1) * s->a.columns]);
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
    const int64_t tiles = (int64_t)s.a.value[k * s.a.size + UQ_SAMPLES] / UQ_TILE;
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
  expect_same_on_ranks(s.a.value, 2 * s.a.size * sizeof(double));
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
    expect_same_on_ranks(s.a.value, (size_t)s.q.conditions * s.a.size * sizeof(double));
    if (size > 1 && before) assert_int_equal(collectives - before, 2 * CALLS);
    before = collectives;
    close_study(&s);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moments_of_a_condition),    cmocka_unit_test(quantiles_and_exceedances),
      cmocka_unit_test(covariance_of_the_fields),  cmocka_unit_test(sobol_indices),
      cmocka_unit_test(failed_draws_are_counted),  cmocka_unit_test(tolerance_ends_the_draws),
      cmocka_unit_test(all_ranks_have_the_answer), cmocka_unit_test(dealt_conditions_go_at_once)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
