/* ranks: 2 3
 * uq of several fidelities whose laws are known: unbiased, with intervals that cover, on any ranks and after a stop. */
#include "unit/known_family.h"

enum { RUNS = 200 };

/* Of rare events and of outer quantiles, members agree on most draws of the first: errors that are counted from those
 * alone would cover 60 to 90 %, and be 0 in some answers. */
enum { QUANTILES = 5, SHARES = 2 };
static const double known_probability[QUANTILES] = {0.025, 0.1, 0.5, 0.9, 0.975}, known_share[SHARES] = {0.2, 0.005};

static void take_shares(Tried share[], const Study *s, const double at[])
{
  for (int i = 0; i < SHARES; i++) {
    const double *v     = at + uq_shares_at(&s->q, &s->a, i);
    const size_t stride = (size_t)uq_shares(&s->q, i);
    assert_true(v[UQ_SHARE_SE * stride] > 0);
    try_number(&share[i], v[0], v[UQ_SHARE_SE * stride], known_share[i]);
    share[i].within += v[UQ_SHARE_LOW * stride] <= known_share[i] && known_share[i] <= v[UQ_SHARE_HIGH * stride];
  }
}

static void unbiased_and_covering(void **state)
{
  (void)state;
  if (!on_one_rank()) return; /* the same numbers, as the other tests see */
  for (const ScoriaEstimator *e = scoria_estimators; e->name; e++) {
    Tried mean = {0}, sd = {0}, quantile[QUANTILES] = {{0}}, share[SHARES] = {{0}};
    Study s;
    open_study(&s, e->name, RUNS);
    const double truth = known_mean[0] + 1, spread = known_sd(&s.law, s.theta, 0, 0);
    s.q.nthresholds = SHARES;
    for (int i = 0; i < SHARES; i++)
      s.q.threshold[i] = (ScoriaThreshold){0, KNOWN_CELLS, truth + spread * normal_place(1 - known_share[i]), false};
    s.q.nprobabilities = QUANTILES;
    for (int i = 0; i < QUANTILES; i++) s.q.probability[i] = known_probability[i];
    run_study(&s);
    for (int k = 0; k < RUNS; k++) {
      const double *at = s.a.value + (size_t)k * s.a.size;
      try_first(&s, at, truth, spread, &mean, &sd, quantile);
      take_shares(share, &s, at);
    }
    judge(&mean, 0, 0.976, e->name);
    judge(&sd, 0.1, 0.976, e->name); /* a square root, */
    for (int i = 0; i < QUANTILES; i++)
      judge(&quantile[i], 0.2, 0.976, e->name); /* and an inverse, at a finite number of draws */
    judge(&share[0], 0, 0.976, e->name);
    assert_true(share[1].within > (0.93 - 2 * sqrt(0.95 * 0.05 / RUNS)) * RUNS);
    close_study(&s);
  }
}

/* A lognormal law, whose squares have a skewness of 12: draws that have missed its tail have too small an SD and too
 * small an error of it.  Intervals that count no more than the tails in the draws hold it in 88 %. */
static void uneven_laws_are_covered(void **state)
{
  enum { ANSWERS = 400 };
  const double bent = 0.5, mean_is = exp(bent * bent / 2), sd_is = mean_is * sqrt(exp(bent * bent) - 1);
  Tried mean = {0}, sd = {0}, quantile[1] = {{0}};
  Study s;
  (void)state;
  if (!on_one_rank()) return;
  open_study(&s, "mlblue", ANSWERS);
  s.family.bent      = bent;
  s.q.count          = 60;
  s.q.nthresholds    = 0;
  s.q.nprobabilities = 1;
  run_study(&s);
  for (int k = 0; k < ANSWERS; k++)
    try_first(&s, s.a.value + (size_t)k * s.a.size, mean_is, sd_is, &mean, &sd, quantile);
  judge(&mean, 0.1, 0.97, "mean of a lognormal law");
  judge(&sd, 0.3, 0.97, "its SD");
  close_study(&s);
}

/* The error is that of `count` solves, or less, for much less work: r = .98 and .9 at 1/30 and 1/500 of the cost. */
static void reaches_the_error(void **state)
{
  Study s;
  (void)state;
  open_study(&s, "mlblue", 2);
  s.q.count = 20000;
  run_study(&s);
  for (int k = 0; k < 2; k++) {
    const double *m = s.a.value + (size_t)k * s.a.size + s.a.moments + s.q.m, sd = known_sd(&s.law, s.theta, 0, 0);
    assert_true(m[UQ_MEAN_SE * (size_t)s.a.columns] < 1.01 * sd / sqrt(20000));
    assert_true(s.known.at[k].gain[0] > 5 && s.known.at[k].gain[0] < 100);
    assert_true(fabs(s.known.at[k].correlation[0][1] - 0.98) < 0.02); /* of 32 draws: (1 - r^2) / sqrt(32) = .007 */
  }
  const double solves = s.known.at[0].solves[0] + s.known.at[1].solves[0];
  int64_t drawn       = s.family.drawn[0];
  MPI_Allreduce(MPI_IN_PLACE, &drawn, 1, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD);
  assert_true(drawn == (int64_t)solves); /* what it says, it has drawn */
  close_study(&s);
}

static void budget_is_kept(void **state)
{
  Study s;
  (void)state;
  open_study(&s, "mlmc", 1);
  s.o.budget = 200; /* core s, of which the pilot takes 33 */
  run_study(&s);
  assert_true(s.known.at[0].work < 1.02 * 200 && s.known.at[0].work > 0.95 * 200);
  close_study(&s);
  open_study(&s, "mlblue", 1);
  s.o.budget    = 100;
  s.q.tolerance = 1e-4;
  s.q.count     = 1000000000;
  CHECK(UqAnswerCreate(&s.q, &s.a));
  assert_int_not_equal(
      LevelsRunWith(&(LevelsAsked){s.r.run, s.r.deck, s.source, s.all, false}, &s.o, &s.q, &s.a, &s.known), 0);
  assert_non_null(strstr(ScoriaFailureLine(), "reaches"));
  close_study(&s);
}

/* An event of probability .01 is in the pilot of 32 draws, or not: its mean has the error of `count` solves either way,
 * and the sum of so many independent answers that of as many more. */
static void rare_events_are_found(void **state)
{
  enum { ANSWERS = 24 };
  Study s;
  double sum = 0;
  int unseen = 0;
  (void)state;
  open_study(&s, "mlblue", ANSWERS);
  const double spread = known_sd(&s.law, s.theta, 0, 0), p = 0.01, error = sqrt(p * (1 - p) / 2000);
  s.q.nthresholds = 0;
  s.family.step   = known_mean[0] + 1 + 2.326348 * spread;
  run_study(&s);
  for (int k = 0; k < ANSWERS; k++) {
    const double *m = s.a.value + (size_t)k * s.a.size + s.a.moments + s.q.m;
    const size_t n  = (size_t)s.a.columns;
    sum += m[UQ_MEAN * n] / ANSWERS;
    unseen += !(s.known.at[k].correlation[0][0] > 0);
    assert_true(s.known.at[k].excess <= 1);
    assert_true(m[UQ_MEAN_SE * n] > 0 && fabs(m[UQ_MEAN * n] - p) < 5 * error);
    for (int i = 0; i < 3; i++) assert_true(s.a.value[(size_t)k * s.a.size + s.a.quantiles + i * 2 * n + s.q.m] < 0.5);
  }
  assert_true(unseen > ANSWERS / 2 && unseen < ANSWERS); /* .99^32 = .72 of them */
  assert_true(fabs(sum - p) < 4 * error / sqrt(ANSWERS));
  close_study(&s);
}

static void constants_are_constant(void **state)
{
  Study s;
  (void)state;
  open_study(&s, "mlblue", 1);
  s.family.step   = 1e9;
  s.q.nthresholds = 0;
  run_study(&s);
  const double *m = s.a.value + s.a.moments + s.q.m;
  assert_true(m[UQ_MEAN * s.a.columns] == 0 && m[UQ_SD * s.a.columns] == 0 && m[UQ_MEAN_SE * s.a.columns] == 0);
  assert_true(s.known.at[0].solves[0] >= 2000 + 32 && s.known.at[0].solves[0] < 2064 + 32); /* whole tiles */
  assert_true(s.known.at[0].excess <= 1);
  close_study(&s);
}

/* A tolerance within a budget: the draws that the SD's error takes are drawn, and what is out of reach is said. */
static void misses_are_said(void **state)
{
  Study s;
  (void)state;
  open_study(&s, "mlblue", 1);
  s.o.means = false;
  for (int much = 1; much >= 0; much--) {
    s.family.step   = much ? 0 : known_mean[0] + 1 + 3.5 * known_sd(&s.law, s.theta, 0, 0); /* not in the pilot */
    s.o.budget      = much ? 1e5 : 500;                                                     /* core s */
    s.q.count       = 1000000;
    s.q.tolerance   = 0.03;
    s.q.nthresholds = 0;
    run_study(&s);
    assert_true(much ? s.known.at[0].excess <= 1 : s.known.at[0].excess > 1);
    assert_true(s.known.at[0].work < 1.02 * s.o.budget); /* whole tiles */
    if (much) CHECK(LevelsKnownDestroy(&s.known));
    if (much) CHECK(UqAnswerDestroy(&s.a));
  }
  close_study(&s);
}

static void failures_are_left_out(void **state)
{
  Study s;
  (void)state;
  open_study(&s, "mlblue", 1);
  s.family.fail_every = 7;
  run_study(&s);
  const double *at = s.a.value, *m = at + s.a.moments + s.q.m;
  assert_true(at[UQ_FAILED] > 0 && isfinite(m[UQ_MEAN]));
  assert_true(fabs(m[UQ_MEAN * s.a.columns] - known_mean[0] - 1) < 4 * m[UQ_MEAN_SE * s.a.columns]);
  s.family.fail_every = 1;
  assert_int_not_equal(
      LevelsRunWith(&(LevelsAsked){s.r.run, s.r.deck, s.source, s.all, false}, &s.o, &s.q, &s.a, &s.known), 0);
  assert_non_null(strstr(ScoriaFailureLine(), "expected at least"));
  close_study(&s);
}

/* At a condition where nothing solves, the conditions before are kept: the next start draws on from there. */
static void a_condition_that_fails_loses_nothing(void **state)
{
  ScoriaStore kept;
  Study s;
  int64_t condition, pilot;
  char path[64];
  (void)state;
  open_study(&s, "mlblue", 2);
  s.theta[2]           = 1.5;
  s.family.fail_beyond = 1.25;
  CHECK(UqAnswerCreate(&s.q, &s.a));
  assert_int_not_equal(
      LevelsRunWith(&(LevelsAsked){s.r.run, s.r.deck, s.source, s.all, false}, &s.o, &s.q, &s.a, &s.known), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_SOLVES);
  assert_non_null(strstr(ScoriaFailureLine(), "condition 1 ("));
  assert_non_null(strstr(ScoriaFailureLine(), "): all fidelities solved 0 of the 32 draws"));
  ScoriaFailureReset();
  snprintf(path, sizeof path, "%s/" UQ_CHECKPOINT, s.r.dir);
  CHECK(ScoriaStoreOpen(PETSC_COMM_WORLD, path, "checkpoint", &kept));
  CHECK(ScoriaStoreGetInt(kept, "condition", &condition));
  CHECK(ScoriaStoreGetInt(kept, "pilot_done", &pilot));
  CHECK(ScoriaStoreGetReals(kept, "/answer", 2 * (int64_t)s.a.size, s.a.value));
  CHECK(ScoriaStoreClose(&kept));
  assert_true(condition == 1 && pilot == 0);
  assert_true(fabs(s.a.value[s.a.moments + s.q.m] - known_mean[0] - 1) < 0.5 && s.a.value[UQ_SAMPLES] > 0);
  close_study(&s);
}

/* Shifts of 7 and -20 change neither squares nor indicators: SD, quantiles and a share take as much work as without. */
static void shifts_cost_nothing(void **state)
{
  double work[2], share_se[2];
  (void)state;
  for (int far = 0; far < 2; far++) {
    Study s;
    open_study(&s, "mlblue", 1);
    s.family.apart         = 9 * far;
    s.o.means              = false;
    s.q.count              = 20000;
    s.o.pilot              = 128;
    s.q.threshold[0].value = known_mean[0] + 1 + known_sd(&s.law, s.theta, 0, 0);
    run_study(&s);
    assert_true(s.known.at[0].excess <= 1);
    work[far]     = s.known.at[0].work;
    share_se[far] = s.a.value[uq_shares_at(&s.q, &s.a, 0) + UQ_SHARE_SE * uq_shares(&s.q, 0)];
    close_study(&s);
  }
  assert_true(fabs(work[1] / work[0] - 1) < 0.01); /* the same draws, but for rounding at edges of bins */
  assert_true(fabs(share_se[1] / share_se[0] - 1) < 0.01);
}

/* Between numbers of ranks, tests/e2e/test_multilevel.sh compares. */
static void same_on_all_ranks(void **state)
{
  Study s;
  (void)state;
  open_study(&s, "mlblue", 2);
  run_study(&s);
  expect_same_on_ranks(s.a.value, (size_t)s.q.conditions * s.a.size * sizeof(double));
  expect_same_on_ranks(s.known.at, (size_t)s.q.conditions * sizeof *s.known.at);
  close_study(&s);
}

/* The second member's own answers: of mean its shift in SDs of the first, of SD its factor less 1, of a quantile both.
 * A pilot of 2000 has these to a few hundredths: noise of sqrt(2 - 2 .98) SD in a pair, 4 standard errors of a mean. */
static void answers_of_one_member_alone(void **state)
{
  LevelsForecast f;
  Study s;
  (void)state;
  open_study(&s, "mlblue", 1);
  s.o.pilot       = 2000;
  s.o.alone       = "middle";
  const double sd = known_sd(&s.law, s.theta, 0, 0), shift = 0.7 / sd;
  CHECK(LevelsForecastMake(&(LevelsAsked){s.r.run, s.r.deck, s.source, s.all, true}, &s.o, &s.q, &f));
  assert_true(fabs(f.alone - 1e-9 * (double)(known_work[1] + known_work[MEMBERS])) < 1e-6 * f.alone);
  const double expected[SCORIA_NESTIMATES] = {shift, 0.1, shift + 1.96 * 0.1}, error[] = {0.03, 0.03, 0.12};
  for (int e = 0; e < SCORIA_NESTIMATES; e++) {
    assert_true(fabs(f.bias[0][e].bias - expected[e]) < error[e]);
    assert_true(f.bias[0][e].floor <= f.bias[0][e].upper && f.bias[0][e].upper < fabs(f.bias[0][e].bias) + error[e]);
  }
  s.o.alone = "none of them";
  CHECK(LevelsForecastMake(&(LevelsAsked){s.r.run, s.r.deck, s.source, s.all, true}, &s.o, &s.q, &f));
  assert_true(isnan(f.alone));
  close_study(&s);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_of_one_member_alone),
      cmocka_unit_test(unbiased_and_covering),
      cmocka_unit_test(uneven_laws_are_covered),
      cmocka_unit_test(reaches_the_error),
      cmocka_unit_test(budget_is_kept),
      cmocka_unit_test(failures_are_left_out),
      cmocka_unit_test(rare_events_are_found),
      cmocka_unit_test(constants_are_constant),
      cmocka_unit_test(misses_are_said),
      cmocka_unit_test(same_on_all_ranks),
      cmocka_unit_test(shifts_cost_nothing),
      cmocka_unit_test(a_condition_that_fails_loses_nothing),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
