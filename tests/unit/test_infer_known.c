/* ranks: 2
 * infer on a source whose posterior is known: readings of a Gaussian law, linear in its latents. */
#include "unit/known_source.h"
#include "unit/small_run.h"
#include "study/infer/infer.h"
#include "testing.h"
#include <math.h>

enum { COUNT = 4000, KEEP = 50 };

typedef struct {
  SmallRun r;
  KnownLaw law;
  ScoriaSource source;
  InferQuestion q;
  InferAnswer a;
} Study;

/* One reading of channel 0 at x = 0, where a draw is mean + theta_0 + (1 + theta_1) scale z_0. */
static void open_study(Study *s, double value, double sd)
{
  memset(s, 0, sizeof *s);
  small_run_open(&s->r);
  known_source(PETSC_COMM_WORLD, 3, &s->law, &s->source);
  s->q         = (InferQuestion){.shape          = *source_shape(s->source),
                                 .theta          = {1, 0.5},
                                 .nprobabilities = 2,
                                 .probability    = {0.025, 0.975},
                                 .count          = COUNT,
                                 .keep           = KEEP,
                                 .moves          = 8,
                                 .seed           = 7};
  s->q.sensors = (InferSensors){.n = 1, .places = 1, .s = {{.field = "a", .places = 1, .value = value, .sd = sd}}};
  CHECK(InferSensorsPlace(&s->q.sensors, &s->q.shape));
}

static void run_study(Study *s)
{
  CHECK(InferAnswerCreate(&s->q, &s->a));
  CHECK(InferRun(s->r.run, NULL, s->source, &s->q, &s->a));
}

static void close_study(Study *s)
{
  CHECK(InferAnswerDestroy(&s->a));
  CHECK(ScoriaSourceDestroy(&s->source));
  small_run_close(&s->r);
}

static double found(const Study *s, int side, int what, int column)
{
  return s->a.statistics[side][what * s->a.columns + column];
}

/* With v = ((1 + theta_1) scale)^2 the prior variance at the sensor, e^2 that of the noise and y the reading, the
 * posterior of the field there is N(m + v (y - m) / (v + e^2), v e^2 / (v + e^2)), and y itself is N(m, v + e^2).
 * COUNT particles that the moves have made independent know a mean to sd / sqrt(COUNT) = .016 sd, and an SD to .011 of
 * it; some hang together after resampling, so that .1 is three of these with a third of the particles. */
static void gaussian_posterior(void **state)
{
  const double m = known_mean[0] + 1, prior = 1.5 * known_scale[0], e = 1, y = 14.5, v = prior * prior;
  const double mean = m + v * (y - m) / (v + e * e), sd = sqrt(v * e * e / (v + e * e));
  Study s;
  (void)state;
  open_study(&s, y, e);
  run_study(&s);
  for (int column = 0; column <= s.a.at_sensors; column += s.a.at_sensors) { /* the first cell, and the sensor in it */
    assert_true(fabs(found(&s, SCORIA_PRIOR, INFER_MEAN, column) - m) < 0.1 * prior);
    assert_true(fabs(found(&s, SCORIA_PRIOR, INFER_SD, column) - prior) < 0.1 * prior);
    assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_MEAN, column) - mean) < 0.1 * sd);
    assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_SD, column) - sd) < 0.1 * sd);
    /* a quantile of 2.5 % has 2.7 times the error of a mean */
    assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_QUANTILES, column) - (mean - 1.96 * sd)) < 0.27 * sd);
    assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_QUANTILES + 1, column) - (mean + 1.96 * sd)) < 0.27 * sd);
  }
  /* Channel 1 there follows from channel 0: the same latent, another scale. */
  const double ratio = known_scale[1] / known_scale[0];
  assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_SD, KNOWN_CELLS) - ratio * sd) < 0.1 * ratio * sd);
  const double evidence = -0.5 * (pow(y - m, 2) / (v + e * e) + log(2 * PETSC_PI * (v + e * e)));
  assert_true(fabs(s.a.log_evidence - evidence) < 4 * s.a.log_evidence_se + 0.02); /* the moves leave some dependence */
  assert_true(s.a.stage[s.a.nstages - 1].temperature == 1);
  close_study(&s);
}

/* An unknown condition that the reading says nothing of keeps its uniform prior; one that it depends on does not. */
static void unknown_condition(void **state)
{
  Study s;
  (void)state;
  open_study(&s, 14, 0.05);
  s.q.nunknown   = 1;
  s.q.unknown[0] = 0; /* p of [0, 4], added to every value: from 10 to 14 in the mean */
  s.q.theta[1]   = 0;
  run_study(&s);
  const int p = s.a.at_unknown;
  assert_true(s.a.columns == p + 1);
  /* uniform of [0, 4]: mean 2, SD 4 / sqrt(12) */
  assert_true(fabs(found(&s, SCORIA_PRIOR, INFER_MEAN, p) - 2) < 0.1 &&
              fabs(found(&s, SCORIA_PRIOR, INFER_SD, p) - 1.155) < 0.06);
  /* The reading says p + 2 z_0 = 4: p is N(4, 2^2) cut to [0, 4], of mean 4 - 2 (phi(0) - phi(2)) / (1/2 - Phi(-2)) =
   * 4 - 2 (.3989 - .0540) / .4772 = 2.554 and variance 4 (1 - 2 .0540 / .4772 - .7228^2) = 1.005. */
  assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_MEAN, p) - 2.554) < 0.1);
  assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_SD, p) - 1.0025) < 0.1);
  close_study(&s);
}

/* And every kept particle is a row of fields that the reading allows. */
static void all_ranks_have_the_answer(void **state)
{
  Study s;
  (void)state;
  open_study(&s, 14.5, 0.5);
  run_study(&s);
  for (int side = 0; side < SCORIA_POSTERIOR_SIDES; side++)
    expect_same_on_ranks(s.a.statistics[side], sizeof(double) * (size_t)(s.a.columns * (INFER_QUANTILES + 2)));
  expect_same_on_ranks(s.a.kept, sizeof(double) * (size_t)(s.a.columns * KEEP));
  for (int i = 0; i < KEEP; i++) assert_true(fabs(s.a.kept[i * s.a.columns] - 14.5) < 5 * 0.5);
  close_study(&s);
}

/* Between two rounds that all make: the others would wait for the rank that has failed. */
static void a_failure_of_one_rank_is_that_of_all(void **state)
{
  int rank, size;
  Study s;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  open_study(&s, 14.5, 0.5);
  s.law.transports = rank == size - 1 ? INFER_PILOT_TILES + 1 : 0; /* the first that is this rank's own */
  CHECK(InferAnswerCreate(&s.q, &s.a));
  assert_int_not_equal(InferRun(s.r.run, NULL, s.source, &s.q, &s.a), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  assert_string_equal(ScoriaFailureLine(), "no such field");
  ScoriaFailureReset();
  close_study(&s);
}

/* n readings of the same place, each with noise e. */
static void read_again(Study *s, int n, const double value[], double e)
{
  const InferSensor first = s->q.sensors.s[0];
  s->q.sensors.n          = n;
  for (int i = 0; i < n; i++) {
    s->q.sensors.s[i]       = first;
    s->q.sensors.s[i].value = value[i];
    s->q.sensors.s[i].sd    = e;
  }
}

/* Each of two readings is likely by itself, but they are 20 SDs of their noise apart: the posterior is N(13.5, e^2 / 2)
 * and both are .5 / sqrt(1.5 e^2) = 8.16 from it. */
static void readings_that_contradict(void **state)
{
  const double value[] = {13, 14}, far = 0.5 / sqrt(1.5 * 0.05 * 0.05);
  InferMisfit misfit;
  char line[INFER_LINE];
  Study s;
  (void)state;
  open_study(&s, 14, 0.05);
  read_again(&s, 2, value, 0.05);
  run_study(&s);
  for (int i = 0; i < 2; i++) {
    assert_false(infer_reading_is_far(&s.q, &s.a, i, line));
    assert_true(fabs(fabs(infer_residual(&s.q, &s.a, i)) - far) < 0.1 * far); /* as the posterior mean and SD above */
  }
  assert_true(infer_misfit(&s.q, &s.a, &misfit, line));
  assert_non_null(strstr(line, "no field at this condition of the model explains the readings together"));
  assert_true(fabs(misfit.squares - 2 * far * far) < 0.2 * 2 * far * far);
  assert_true(fabs(misfit.probability - exp(-0.5 * misfit.squares)) <= 1e-12 * misfit.probability);
  close_study(&s);
}

/* Chi-square of three degrees of freedom: erfc(sqrt(h)) + 2 sqrt(h / pi) exp(-h). */
static void readings_that_agree(void **state)
{
  const double value[] = {13.9, 14, 14.05};
  InferMisfit misfit;
  char line[INFER_LINE];
  Study s;
  (void)state;
  open_study(&s, 14, 0.05);
  read_again(&s, 3, value, 0.05);
  run_study(&s);
  assert_false(infer_misfit(&s.q, &s.a, &misfit, line));
  const double h = 0.5 * misfit.squares;
  assert_true(fabs(misfit.probability - (erfc(sqrt(h)) + 2 * sqrt(h / PETSC_PI) * exp(-h))) < 1e-12);
  close_study(&s);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gaussian_posterior),        cmocka_unit_test(unknown_condition),
      cmocka_unit_test(all_ranks_have_the_answer), cmocka_unit_test(a_failure_of_one_rank_is_that_of_all),
      cmocka_unit_test(readings_that_contradict),  cmocka_unit_test(readings_that_agree)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
