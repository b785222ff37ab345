/* ranks: 2 3
 * likelihood of rows whose law and densities are known. */
#include "unit/known_source.h"
#include "unit/small_run.h"
#include "study/likelihood/likelihood.h"
#include "testing.h"
#include <math.h>

enum { CONDITIONS = 40, REALISATIONS = 60, EACH = 50 };

typedef struct {
  SmallRun r;
  KnownLaw law;
  KnownRows rows;
  ScoriaSource source, given;
  LikelihoodList list;
  LikelihoodAnswer a;
  int rank;
} Study;

/* The first EACH rows of every other condition of a source of 2 CONDITIONS. */
static void run_study(Study *s, int64_t fail_every, int tile)
{
  const ScoriaLikelihoodOptions opt = {.steps = 1};
  memset(s, 0, sizeof *s);
  small_run_open(&s->r);
  known_source(PETSC_COMM_WORLD, 3, &s->law, &s->source);
  known_rows_source(PETSC_COMM_WORLD, &s->law, REALISATIONS, EACH, &s->rows, &s->given);
  s->law.fail_every = fail_every;
  s->list           = (LikelihoodList){.conditions   = CONDITIONS,
                                       .each         = EACH,
                                       .realisations = REALISATIONS,
                                       .asked        = 2 * CONDITIONS,
                                       .condition    = {0, 1},
                                       .tile         = tile};
  MPI_Comm_rank(PETSC_COMM_WORLD, &s->rank);
  CHECK(LikelihoodAnswerCreate(PETSC_COMM_WORLD, &s->list, 2, true, &s->a));
  CHECK(LikelihoodEvaluate(s->r.run, NULL, s->source, &opt, s->given, &s->list, &s->a));
}

static void close_study(Study *s)
{
  CHECK(LikelihoodAnswerDestroy(&s->a));
  CHECK(ScoriaSourceDestroy(&s->given));
  CHECK(ScoriaSourceDestroy(&s->source));
  small_run_close(&s->r);
}

/* Rank 0 has the row, condition and density of all of the list. */
static void rows_are_those_of_the_list(void **state)
{
  Study s;
  (void)state;
  run_study(&s, 0, LIKELIHOOD_TILE);
  assert_int_equal(s.a.rows, CONDITIONS * EACH);
  for (int64_t i = 0; i < s.a.rows && !s.rank; i++) {
    const int64_t condition = 2 * (i / EACH), row = condition * REALISATIONS + i % EACH;
    double theta[2], z[2];
    known_theta(condition, theta);
    assert_true(s.a.column[LIKELIHOOD_ROW][i] == (double)row);
    assert_memory_equal(s.a.theta + 2 * i, theta, sizeof theta);
    rng_normal(3, SCORIA_STREAM_SAMPLE, (uint64_t)row, 0, 2, z);
    /* the latents are found again to the rounding of fields of ten: 1e-15 of z, squared */
    const double expected = -0.5 * (z[0] * z[0] + z[1] * z[1]) - log(2 * PETSC_PI);
    assert_true(fabs(s.a.column[LIKELIHOOD_LOG_DENSITY][i] - expected) < 1e-12);
  }
  close_study(&s);
}

/* Under N(0, I) in two dimensions the mean log density is -ln(2 pi) - 1, the variance of a row's is 1; N(0, 4 I) loses
 * 2 (ln 2 + 1/8 - 1/2) nats, and the difference, 3/8 |z|^2 less a number, has the variance 9/16. */
static void means_are_those_of_the_law(void **state)
{
  const double n = CONDITIONS * EACH;
  Study s;
  (void)state;
  run_study(&s, 0, 1);
  if (s.rank) {
    close_study(&s);
    return;
  }
  const double *model = s.a.column[LIKELIHOOD_LOG_DENSITY], *gaussian = s.a.column[LIKELIHOOD_GAUSSIAN];
  const LikelihoodMean one = likelihood_mean(&s.a, model, NULL), gain = likelihood_mean(&s.a, model, gaussian);
  assert_int_equal(one.good, CONDITIONS * EACH);
  assert_true(fabs(one.mean - (-log(2 * PETSC_PI) - 1)) < 4 * sqrt(1 / n));
  assert_true(fabs(gain.mean - 2 * (log(2) - 0.375)) < 4 * sqrt(0.5625 / n));
  /* The standard error, from the spread of CONDITIONS independent parts, is known to 1 / sqrt(2 CONDITIONS) = 11 %. */
  assert_true(fabs(one.error / sqrt(1 / n) - 1) < 0.45 && fabs(gain.error / sqrt(0.5625 / n) - 1) < 0.45);
  close_study(&s);
}

static void failed_rows_have_no_density(void **state)
{
  int64_t failed = 0;
  Study s;
  (void)state;
  run_study(&s, 3, 7);
  if (s.rank) {
    close_study(&s);
    return;
  }
  for (int64_t i = 0; i < s.a.rows; i++) {
    const bool bad = (int64_t)s.a.column[LIKELIHOOD_ROW][i] % 3 == 0;
    assert_true(s.a.column[LIKELIHOOD_FAILED][i] == bad);
    for (int c = LIKELIHOOD_LOG_DENSITY; c <= LIKELIHOOD_LOG_VOLUME; c++) assert_true(isnan(s.a.column[c][i]) == bad);
    failed += bad;
  }
  const LikelihoodMean one = likelihood_mean(&s.a, s.a.column[LIKELIHOOD_LOG_DENSITY], NULL);
  assert_int_equal(one.good, s.a.rows - failed);
  assert_true(isfinite(one.mean) && isfinite(one.error));
  close_study(&s);
}

/* The walk over conditions that training has left out meets those of a list of all of them, also back again; and no
 * rank but the first has room for all rows. */
static void conditions_are_told_by_their_places(void **state)
{
  enum { ALL = 3000, LEFT_OUT = 700, TAKEN = 300 };
  ScoriaSplit split   = {.places = LEFT_OUT, .left_out = LEFT_OUT};
  LikelihoodList list = {.conditions = TAKEN, .each = EACH, .asked = LEFT_OUT, .split = &split};
  int64_t asked[LEFT_OUT], n = 0;
  LikelihoodAnswer a;
  int rank;
  (void)state;
  rng_shuffle(3, SCORIA_STREAM_VALIDATION, 1, ALL, &split.shuffle);
  for (int64_t k = 0; k < ALL; k++)
    if (split_leaves_out(&split, k)) asked[n++] = k;
  assert_int_equal(n, LEFT_OUT);
  for (int64_t i = 0; i < TAKEN; i++) assert_int_equal(likelihood_condition(&list, i), asked[i * LEFT_OUT / TAKEN]);
  assert_int_equal(likelihood_condition(&list, 7), asked[7 * LEFT_OUT / TAKEN]);
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  CHECK(LikelihoodAnswerCreate(PETSC_COMM_WORLD, &list, 2, false, &a));
  assert_int_equal(a.rows, TAKEN * EACH);
  assert_true((a.theta != NULL) == (rank == 0) && (a.column[LIKELIHOOD_ROW] != NULL) == (rank == 0));
  CHECK(LikelihoodAnswerDestroy(&a));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_those_of_the_list), cmocka_unit_test(means_are_those_of_the_law),
      cmocka_unit_test(failed_rows_have_no_density), cmocka_unit_test(conditions_are_told_by_their_places)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
