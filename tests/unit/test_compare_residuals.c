/* ranks: 2
 * compare of rows at many conditions, few at each: their tails, of laws that are known. */
#include "unit/known_source.h"
#include "unit/small_run.h"
#include "study/compare/compare.h"

enum { CONDITIONS = 250, EACH = 4, ROWS = CONDITIONS * EACH, LAWS = 5 };

static const double farthest = 16.0 / ROWS; /* ranks are powers of two, and 8 draws are too few */

/* The known law, of normals that are changed. */
static PetscErrorCode DrawChanged(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[],
                                  double (*change)(const double theta[], double z))
{
  const KnownLaw *law = ctx;
  double z[2];
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    rng_normal(law->seed, SCORIA_STREAM_SAMPLE, first + (uint64_t)i, 0, 2, z);
    z[0] = change(theta, z[0]);
    known_fields(law, theta, z, fields + i * KNOWN_WIDTH);
  }
  PetscFunctionReturn(0);
}

/* The first one, beyond 1, comes half as far beyond: P(z > 2) = .0013 instead of .0228. */
static double lighten(const double theta[], double z)
{
  (void)theta;
  return z > 1 ? 1 + 0.5 * (z - 1) : z;
}

static PetscErrorCode LightDraw(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  PetscFunctionBeginUser;
  PetscCall(DrawChanged(ctx, theta, first, n, fields, lighten));
  PetscFunctionReturn(0);
}

static const ScoriaSourceKind light       = {.name = "light", .draw = LightDraw, .destroy = KnownDestroy};

/* Value a in the first cell, whose mean and SD differ from condition to condition; and a, which is twice that. */
static const CompareQuantities quantities = {.n        = 2,
                                             .tails    = 2,
                                             .quantity = {{.name = "a(0)", .kind = SCORIA_QUANTITY_AT, .factor = 1},
                                                          {.name = "2 a(0)", .kind = SCORIA_QUANTITY_AT, .factor = 2}},
                                             .offset   = {-1, 0}};

/* The known law, wrong in its mean by a part of its SD that changes its sign from condition to condition and is SHIFT
 * on average, and too narrow. */
#define SHIFT 0.1
#define SWING 0.3
#define NARROW 0.8
static double distort(const double theta[], double z)
{
  return SHIFT + (theta[1] < 0.5 ? SWING : -SWING) + NARROW * z;
}

static PetscErrorCode WrongDraw(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  PetscFunctionBeginUser;
  PetscCall(DrawChanged(ctx, theta, first, n, fields, distort));
  PetscFunctionReturn(0);
}

static const ScoriaSourceKind wrong = {.name = "wrong", .draw = WrongDraw, .destroy = KnownDestroy};

/* Rows of the known law, `each` of a condition, of which some have failed, against a model of another kind (NULL: of
 * the same). */
static void measure_each(uint64_t seed, int each, const ScoriaSourceKind *kind, Comparison *c, CompareBiases *biases)
{
  double theta[2 * CONDITIONS];
  KnownLaw law[SCORIA_NFROM];
  ScoriaSource source[SCORIA_NFROM];
  SmallRun r;
  small_run_open(&r);
  for (int i = 0; i < SCORIA_NFROM; i++) known_source(PETSC_COMM_WORLD, seed, &law[i], &source[i]);
  law[SCORIA_FROM_PDE].fail_every = 97;
  if (kind) {
    const ScoriaFieldShape shape = *source_shape(source[SCORIA_FROM_MODEL]);
    ScoriaSource known           = source[SCORIA_FROM_MODEL];
    CHECK(ScoriaSourceCreate(kind, &law[SCORIA_FROM_MODEL], &shape, source_workers(known), &source[SCORIA_FROM_MODEL]));
    CHECK(ScoriaSourceDestroy(&known));
  }
  for (int k = 0; k < CONDITIONS; k++) {
    theta[2 * k]     = 4.0 * k / CONDITIONS;
    theta[2 * k + 1] = (k * 7 % CONDITIONS) / (double)CONDITIONS;
  }
  const ComparePooled asked = {
      .conditions = CONDITIONS, .each = each, .theta = theta, .seed = 1, .directions = 4, .quantities = &quantities};
  CHECK(CompareMeasurePooled(r.run, source, &asked, c, biases));
  for (int i = 0; i < SCORIA_NFROM; i++) CHECK(ScoriaSourceDestroy(&source[i]));
  small_run_close(&r);
}

static void measure(uint64_t seed, bool right, Comparison *c)
{
  CompareBiases biases;
  measure_each(seed, EACH, right ? NULL : &light, c, &biases);
}

static void pool(const Comparison *c, int number, ScoriaTail tail[SCORIA_TAILS])
{
  for (int side = 0; side < SCORIA_TAILS; side++) tails_pool(1, &c->tail[number], side, &tail[side]);
}

/* Down to the smallest rank, but for chance: at each of 5 ranks, which share their draws, intervals of equal laws miss
 * each other with a probability below 1 %, so that of 10 sides 2 may fall short. */
static void the_right_law_agrees_as_far_as_there_are_rows(void **state)
{
  ScoriaTail tail[SCORIA_TAILS], twice[SCORIA_TAILS];
  int short_of = 0;
  (void)state;
  for (uint64_t i = 0; i < LAWS; i++) {
    Comparison c = {.theta = {0}};
    measure(20 + i, true, &c);
    pool(&c, 0, tail);
    pool(&c, 1, twice);
    for (int side = 0; side < SCORIA_TAILS; side++) {
      const int64_t rows = c.tail[0].reference;
      assert_true(rows == c.good[SCORIA_FROM_PDE] && rows > 0.97 * ROWS && rows < ROWS);
      assert_int_equal(tail[side].n, 5); /* ranks 256, 128 ... 16 */
      assert_true(fabs(tail[side].rank[4].reference.value * (double)rows - 16) < 1e-9);
      short_of += tail[side].checked > 1.1 * farthest;
      /* Factor and offset change no residual, but for the last bits, which may be those of a threshold. */
      for (int k = 0; k < 5; k++)
        assert_true(fabs(tail[side].rank[k].sample.value - twice[side].rank[k].sample.value) < 2.5 / (double)rows);
    }
    expect_same_on_ranks(&c, sizeof c);
  }
  assert_true(short_of <= 2);
}

/* Of 1000 rows 16 lie beyond 2.14 SDs, P = .016, of the model 1000 P(z > 3.29) = .5; at .128, where z = 1.14, the model
 * has P(z > 1.27) = .10 still, within the factor that counts as agreement, at .064, z = 1.52, P(z > 2.04) = .021. */
static void a_lighter_tail_is_found(void **state)
{
  ScoriaTail tail[SCORIA_TAILS];
  (void)state;
  for (uint64_t i = 0; i < LAWS; i++) {
    Comparison c = {.theta = {0}};
    measure(40 + i, false, &c);
    pool(&c, 0, tail);
    const ScoriaTail *high = &tail[SCORIA_TAIL_HIGH];
    assert_true(high->checked > 0.06 && high->checked < 0.3); /* chance may take it a rank farther */
    assert_true(high->differs < 0.2 && high->ratio < 0.8);
    assert_false(high->rank[high->n - 1].agrees);
    assert_true(tail[SCORIA_TAIL_LOW].checked < 0.1); /* the other side is the same law */
  }
}

/* Biases are minus residuals, in the rows' SDs: the mean, what does not change its sign; its rms over the conditions;
 * the SD.  Of the model's Gaussian, which is right, none. */
static void biases_of_few_rows_at_a_condition(void **state)
{
  const double rms = hypot(SHIFT, SWING), error = sqrt((1.0 / EACH + SWING * SWING) / CONDITIONS);
  static CompareBiases biases;
  Comparison c = {.theta = {0}};
  int rank;
  (void)state;
  CHECK(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  for (uint64_t seed = 60; seed < 60 + LAWS; seed++) {
    measure_each(seed, EACH, &wrong, &c, &biases);
    for (int j = 0; j < 2 && !rank; j++) {
      const CompareBias *mean = &biases.of[j][SCORIA_ESTIMATE_MEAN], *sd = &biases.of[j][SCORIA_ESTIMATE_SD];
      /* four standard errors each; of the mean square of gaps .1 with rows' .25 it is sqrt(2 / 250) (.1 + .25) */
      assert_true(mean->varies && fabs(mean->model.bias - SHIFT) < 4 * error);
      assert_true(fabs(mean->model.se / error - 1) < 0.2);
      assert_true(fabs(mean->model.floor * mean->model.floor - rms * rms) < 4 * sqrt(2.0 / CONDITIONS) * 0.35);
      /* two of its standard errors, which are .03 to .04 by the same figures */
      const double more = mean->model.upper * mean->model.upper - mean->model.floor * mean->model.floor;
      assert_true(more > 2 * 0.025 && more < 2 * 0.05);
      assert_true(fabs(sd->model.bias - (NARROW - 1)) < 4 / sqrt(2.0 * CONDITIONS * (EACH - 1)));
      assert_true(isnan(sd->model.upper) && isnan(biases.of[j][SCORIA_ESTIMATE_Q975].model.bias));
      assert_true(fabs(mean->gaussian.bias) < 4 * error);
      assert_true(mean->gaussian.floor * mean->gaussian.floor < 4 * sqrt(2.0 / CONDITIONS) / EACH);
      assert_true(fabs(sd->gaussian.bias) < 4 / sqrt(2.0 * CONDITIONS * (EACH - 1)));
    }
  }
}

/* One row a condition: the mean alone, in SDs of the model. */
static void biases_of_single_rows(void **state)
{
  static CompareBiases biases;
  Comparison c = {.theta = {0}};
  int rank;
  (void)state;
  CHECK(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  measure_each(70, 1, &wrong, &c, &biases);
  if (rank) return;
  const ScoriaBias *mean = &biases.of[0][SCORIA_ESTIMATE_MEAN].model;
  const double error     = sqrt((1 + SWING * SWING) / CONDITIONS) / NARROW;
  assert_true(fabs(mean->bias - SHIFT / NARROW) < 4 * error && fabs(mean->se / error - 1) < 0.2);
  assert_true(isnan(mean->floor) && isnan(mean->upper) && isnan(biases.of[0][SCORIA_ESTIMATE_SD].model.bias));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_right_law_agrees_as_far_as_there_are_rows), cmocka_unit_test(a_lighter_tail_is_found),
      cmocka_unit_test(biases_of_few_rows_at_a_condition), cmocka_unit_test(biases_of_single_rows)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
