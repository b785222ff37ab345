/* ranks: 2 3
 * uq of several fidelities whose laws are known: unbiased, with intervals that cover, on any ranks and after a stop. */
#include "unit/known_source.h"
#include "unit/small_run.h"
#include "study/multilevel/multilevel.h"
#include "testing.h"
#include <math.h>

enum { MEMBERS = 4, RUNS = 200, FEW = 60 };

/* Members a > 0 are the first's values with a shift, a factor, and noise of their own: of latent r z + sqrt(1 - r^2) e.
 */
typedef struct {
  KnownLaw *law; /* borrowed */
  int64_t drawn[MEMBERS], fail_every;
  double fail_beyond; /* other than 0: all fail at a first condition beyond it, */
  double apart;       /* and the cheap ones' shifts are so many times larger */
  double step;        /* other than 0: values are whether they are beyond it */
} KnownFamily;

static const double known_r[MEMBERS] = {1, 0.98, 0.9, 0.9}, known_shift[MEMBERS] = {0, 0.7, -2, -2},
                    known_factor[MEMBERS]    = {1, 1.1, 0.8, 0.8};
static const int known_same[MEMBERS]         = {0, 0, 0, 3}; /* the last is the third at the opposite normals */
static const int64_t known_work[MEMBERS + 1] = {1000000000, 30000000, 2000000, 2000000, 500000}; /* [ns] */

static PetscErrorCode FamilyDraw(void *ctx, const double theta[], unsigned members, uint64_t first, int64_t n,
                                 double *const fields[], ScoriaFidelityCost cost[])
{
  KnownFamily *f = ctx;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    const uint64_t number = first + (uint64_t)i;
    double all[2 * MEMBERS], z[2];
    rng_normal(f->law->seed, SCORIA_STREAM_SAMPLE, number, 0, 2 * MEMBERS, all);
    for (int a = 0; a < MEMBERS; a++) {
      double *to = fields[a] + i * KNOWN_WIDTH;
      if (!(members >> a & 1)) continue;
      for (int k = 0; k < 2; k++)
        z[k] = (a == 3 ? -1 : 1) * known_factor[a] *
               (known_r[a] * all[k] + sqrt(1 - known_r[a] * known_r[a]) * all[2 * PetscMin(a, 2) + k]);
      known_fields(f->law, theta, z, to);
      for (int j = 0; j < KNOWN_WIDTH; j++) to[j] += (1 + f->apart) * known_shift[a];
      for (int j = 0; j < KNOWN_WIDTH && f->step != 0; j++) to[j] = to[j] > f->step;
      if ((f->fail_every && number % (uint64_t)f->fail_every == 0) || (f->fail_beyond > 0 && theta[0] > f->fail_beyond))
        for (int j = 0; j < KNOWN_WIDTH; j++) to[j] = NAN;
      cost[a].work += known_work[a];
      cost[a].solves++;
      f->drawn[a]++;
    }
    cost[MEMBERS].work += known_work[MEMBERS];
    cost[MEMBERS].solves++;
  }
  PetscFunctionReturn(0);
}

typedef struct {
  SmallRun r;
  KnownLaw law;
  KnownFamily family;
  ScoriaSource source;
  ScoriaFidelities all;
  UqQuestion q;
  UqAnswer a;
  LevelsKnown known;
  LevelsOptions o;
  double *theta;
} Study;

/* All conditions are the same, so that they are independent answers to one question. */
static void open_study(Study *s, const char *estimator, int conditions)
{
  static const ScoriaFidelitiesKind kind                 = {FamilyDraw, KnownDestroy};
  static const char names[MEMBERS][SCORIA_FIDELITY_NAME] = {"fine", "middle", "cheap", "mirror"};
  memset(s, 0, sizeof *s);
  small_run_open(&s->r);
  known_source(PETSC_COMM_WORLD, 3, &s->law, &s->source);
  s->family = (KnownFamily){.law = &s->law};
  CHECK(ScoriaFidelitiesCreate(&kind, &s->family, MEMBERS, names, known_same, &s->all));
  CHECK(PetscMalloc1(2 * conditions, &s->theta));
  for (int k = 0; k < conditions; k++) {
    s->theta[2 * k]     = 1;
    s->theta[2 * k + 1] = 0.5;
  }
  s->q = (UqQuestion){.pde            = true,
                      .multilevel     = true,
                      .count          = 2000,
                      .nprobabilities = 3,
                      .probability    = {0.1, 0.5, 0.9},
                      .nquantities    = 1,
                      .quantity       = {{.name = "a(0)", .kind = SCORIA_QUANTITY_AT, .factor = 1}},
                      .condition      = {-1},
                      .nthresholds    = 1,
                      .threshold      = {{0, KNOWN_CELLS, 12, false}},
                      .conditions     = conditions,
                      .theta          = s->theta};
  s->o = (LevelsOptions){.estimator = scoria_estimators, .pilot = 32, .means = true};
  while (strcmp(s->o.estimator->name, estimator)) s->o.estimator++;
  uq_take_shape(&s->q, source_shape(s->source));
}

static void run_study(Study *s)
{
  CHECK(UqAnswerCreate(&s->q, &s->a));
  CHECK(LevelsRunWith(&(LevelsAsked){s->r.run, s->r.deck, s->source, s->all, false}, &s->o, &s->q, &s->a, &s->known));
}

static void close_study(Study *s)
{
  CHECK(LevelsKnownDestroy(&s->known));
  CHECK(UqAnswerDestroy(&s->a));
  CHECK(ScoriaFidelitiesDestroy(&s->all));
  CHECK(ScoriaSourceDestroy(&s->source));
  CHECK(PetscFree(s->theta));
  small_run_close(&s->r);
}

/* Of one number at every condition against what it is: mean of the error in units of its spread, and how often the 95 %
 * interval covers. */
typedef struct {
  int64_t n;
  double sum, square, covered, within; /* within: of an interval of the answer's own */
} Tried;

static void try_number(Tried *t, double value, double se, double truth)
{
  const double error = value - truth;
  t->n++;
  t->sum += error;
  t->square += error * error;
  t->covered += fabs(error) <= 1.959964 * se;
}

/* Over n answers a mean error lies within 4 of its own standard errors, and `slack` SDs of bias of what is unbiased in
 * the limit alone; intervals cover 93 % to `most` (over 1000 answers: 94 to 96 % of means, SDs and shares, 95 to 98 %
 * of quantiles), and two SDs more of a share of n. */
static void judge(const Tried *t, double slack, double most, const char *what)
{
  const double n = (double)t->n, mean = t->sum / n, spread = sqrt(t->square / n - mean * mean);
  const double more = 2 * sqrt(0.95 * 0.05 / n);
  if (fabs(mean) > 4 * spread / sqrt(n) + slack * spread) fail_msg("%s: bias %g, spread %g", what, mean, spread);
  if (t->covered / n < 0.93 - more || t->covered / n > most + more) fail_msg("%s: covers %g", what, t->covered / n);
}

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
  int size;
  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  if (size > 1) return; /* the same numbers, as the other tests see */
  for (const ScoriaEstimator *e = scoria_estimators; e->name; e++) {
    Tried mean = {0}, sd = {0}, quantile[QUANTILES] = {{0}}, share[SHARES] = {{0}};
    const int runs = e == scoria_estimators ? RUNS : FEW; /* the first is the default */
    Study s;
    open_study(&s, e->name, runs);
    const double truth = known_mean[0] + 1, spread = known_sd(&s.law, s.theta, 0, 0);
    s.q.nthresholds = SHARES;
    for (int i = 0; i < SHARES; i++)
      s.q.threshold[i] = (ScoriaThreshold){0, KNOWN_CELLS, truth + spread * normal_place(1 - known_share[i]), false};
    s.q.nprobabilities = QUANTILES;
    for (int i = 0; i < QUANTILES; i++) s.q.probability[i] = known_probability[i];
    run_study(&s);
    for (int k = 0; k < runs; k++) {
      const double *at = s.a.value + (size_t)k * s.a.size, *m = at + s.a.moments + s.q.m;
      const size_t columns = (size_t)s.a.columns;
      try_number(&mean, m[UQ_MEAN * columns], m[UQ_MEAN_SE * columns], truth);
      try_number(&sd, m[UQ_SD * columns], m[UQ_SD_SE * columns], spread);
      for (int i = 0; i < QUANTILES; i++) {
        const double *v = at + s.a.quantiles + (size_t)i * 2 * columns + s.q.m;
        assert_true(v[columns] > 0);
        try_number(&quantile[i], v[0], v[columns], truth + spread * normal_place(known_probability[i]));
      }
      take_shares(share, &s, at);
    }
    judge(&mean, 0, 0.976, e->name);
    judge(&sd, 0.1, 0.976, e->name); /* a square root, */
    for (int i = 0; i < QUANTILES; i++)
      judge(&quantile[i], 0.2, 0.985, e->name); /* and an inverse, at a finite number of draws */
    judge(&share[0], 0, 0.976, e->name);
    assert_true(share[1].within > (0.93 - 2 * sqrt(0.95 * 0.05 / runs)) * runs);
    close_study(&s);
  }
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
  assert_non_null(strstr(ScoriaFailureLine(), "condition 1: all fidelities solved 0 of the 32 draws"));
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
