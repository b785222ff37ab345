/* ranks: 2
 * infer of whole fields whose posterior is known: readings of a Gaussian law, linear in its latents. */
#include "unit/known_whole.h"
#include "unit/small_run.h"
#include "scoria/linalg.h"
#include "study/infer/infer.h"
#include "testing.h"
#include <math.h>

enum { COUNT = 4000, KEEP = 20, SENSORS = 3, K = WHOLE_LATENTS };

typedef struct {
  SmallRun r;
  WholeLaw law;
  ScoriaSource source;
  InferQuestion q;
  InferAnswer a;
} Study;

/* Two readings between cells, one in the middle of a cell. */
static void open_study(bool scored, Study *s)
{
  static const InferSensor sensor[SENSORS] = {
      {.field = "a", .places = 3, .x = 0.3, .y = 0.2, .z = 0.55, .value = 14, .sd = 0.5},
      {.field = "b", .places = 3, .x = 0.9, .y = 0.99, .z = 0.02, .value = -3, .sd = 0.3},
      {.field = "a", .places = 3, .x = 0.375, .y = 0.75, .z = 0.5, .value = 8, .sd = 1}};
  memset(s, 0, sizeof *s);
  small_run_open(&s->r);
  whole_source_of(PETSC_COMM_WORLD, 3, scored, &s->law, &s->source);
  s->q = (InferQuestion){.shape          = *source_shape(s->source),
                         .theta          = {1, 0.5},
                         .nprobabilities = 2,
                         .probability    = {0.025, 0.975},
                         .nquantities    = 1,
                         .quantity       = {{.kind = SCORIA_QUANTITY_MAX, .factor = 1}},
                         .condition      = {-1},
                         .count          = COUNT,
                         .keep           = KEEP,
                         .moves          = 8,
                         .seed           = 7,
                         .sensors        = {.n = SENSORS, .places = 3, .periodic = true}};
  memcpy(s->q.sensors.s, sensor, sizeof sensor);
  CHECK(InferSensorsPlaceWhole(&s->q.sensors, &s->q.shape));
}

static void run_study(Study *s)
{
  CHECK(InferAnswerCreate(&s->q, &s->a));
  CHECK(InferRunWhole(s->r.run, NULL, s->source, 1e9, &s->q, &s->a));
}

static void close_study(Study *s)
{
  CHECK(InferAnswerDestroy(&s->a));
  CHECK(ScoriaSourceDestroy(&s->source));
  small_run_close(&s->r);
}

static double found(const Study *s, int side, int what, int column)
{
  return s->a.statistics[side][(size_t)what * (size_t)s->a.columns + (size_t)column];
}

/* How a value depends on the latents (K), and its mean. */
static double value_weights(const Study *s, int column, double w[K])
{
  const int c = column / WHOLE_CELLS;
  double at[3];
  whole_place(column % WHOLE_CELLS, at);
  whole_weights(at[0], at[1], at[2], w);
  for (int k = 0; k < K; k++) w[k] *= (1 + s->q.theta[1]) * whole_scale[c];
  return whole_mean[c] + s->q.theta[0];
}

/* With G (SENSORS, K) that of the readings over their noise and g what they differ from their means by, over it, z is
 * N(P^-1 G^T g, P^-1), P = I + G^T G; factor: of P. */
static void known_posterior(const Study *s, double mean[K], double factor[K * K])
{
  memset(factor, 0, sizeof *factor * K * K);
  memset(mean, 0, sizeof *mean * K);
  for (int k = 0; k < K; k++) factor[k * K + k] = 1;
  for (int i = 0; i < SENSORS; i++) {
    const InferSensor *sensor = &s->q.sensors.s[i];
    double G[K] = {0}, gap = sensor->value, w[K];
    for (int p = 0; p < sensor->point.n; p++) {
      gap -= sensor->point.weight[p] * value_weights(s, sensor->point.cell[p], w);
      for (int k = 0; k < K; k++) G[k] += sensor->point.weight[p] * w[k] / sensor->sd;
    }
    for (int k = 0; k < K; k++) {
      mean[k] += G[k] * gap / sensor->sd;
      for (int l = 0; l < K; l++) factor[k * K + l] += G[k] * G[l];
    }
  }
  assert_true(la_cholesky(K, factor));
  la_cholesky_solve(K, factor, 1, mean);
}

/* COUNT particles that the moves have made independent know a mean to .016 SD and an SD to .011 of it; some hang
 * together after resampling: .1 is three of these with a third of the particles, and of values that depend on four
 * numbers. */
static void check_gaussian_posterior(bool scored)
{
  double mean[K], factor[K * K];
  Study s;
  open_study(scored, &s);
  run_study(&s);
  known_posterior(&s, mean, factor);
  for (int j = 0; j < WHOLE_WIDTH; j++) {
    double w[K], v[K], prior = 0, sd = 0;
    const double prior_mean = value_weights(&s, j, w);
    double expected         = prior_mean;
    memcpy(v, w, sizeof w);
    la_cholesky_solve(K, factor, 1, v);
    for (int k = 0; k < K; k++) {
      expected += w[k] * mean[k];
      prior += w[k] * w[k];
      sd += w[k] * v[k];
    }
    prior = sqrt(prior);
    sd    = sqrt(sd);
    assert_true(fabs(found(&s, SCORIA_PRIOR, INFER_MEAN, j) - prior_mean) < 0.1 * prior);
    assert_true(fabs(found(&s, SCORIA_PRIOR, INFER_SD, j) - prior) < 0.1 * prior);
    assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_MEAN, j) - expected) < 0.1 * sd);
    assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_SD, j) - sd) < 0.1 * sd);
    /* a quantile of 2.5 % has 2.7 times the error of a mean */
    assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_QUANTILES, j) - (expected - 1.96 * sd)) < 0.3 * sd);
  }
  for (int side = 0; side < SCORIA_POSTERIOR_SIDES; side++)
    expect_same_on_ranks(s.a.statistics[side], sizeof(double) * (size_t)(s.a.columns * (INFER_QUANTILES + 2)));
  expect_same_on_ranks(s.a.kept, sizeof(double) * (size_t)(s.a.columns * KEEP));
  for (int i = 0; i < KEEP; i++) { /* whole fields that the readings allow, and their largest values */
    const double *row = s.a.kept + (size_t)i * (size_t)s.a.columns;
    double most       = row[0];
    for (int j = 1; j < WHOLE_CELLS; j++) most = fmax(most, row[j]);
    assert_true(row[s.a.at_quantities] == most && fabs(row[s.a.at_sensors] - 14) < 5 * 0.5);
  }
  close_study(&s);
}

static void gaussian_posterior_by_scores(void **state)
{
  (void)state;
  check_gaussian_posterior(true);
}

static void gaussian_posterior_by_latents(void **state)
{
  (void)state;
  check_gaussian_posterior(false);
}

/* ln of the density of the readings where condition p is t, but for a constant: they are N(m(t), W W^T + noise). */
static double log_density(const Study *s, double t)
{
  double W[SENSORS * K] = {0}, G[SENSORS * SENSORS], gap[SENSORS], solved[SENSORS], w[K], sum = 0;
  for (int i = 0; i < SENSORS; i++) {
    const InferSensor *sensor = &s->q.sensors.s[i];
    gap[i]                    = sensor->value;
    for (int p = 0; p < sensor->point.n; p++) {
      gap[i] -= sensor->point.weight[p] * (value_weights(s, sensor->point.cell[p], w) - s->q.theta[0] + t);
      for (int k = 0; k < K; k++) W[i * K + k] += sensor->point.weight[p] * w[k];
    }
  }
  la_gemm(false, true, SENSORS, SENSORS, K, 1, W, K, W, K, 0, G, SENSORS);
  for (int i = 0; i < SENSORS; i++) G[i * SENSORS + i] += s->q.sensors.s[i].sd * s->q.sensors.s[i].sd;
  memcpy(solved, gap, sizeof gap);
  assert_true(la_cholesky(SENSORS, G));
  la_cholesky_solve(SENSORS, G, 1, solved);
  for (int i = 0; i < SENSORS; i++) sum -= 0.5 * gap[i] * solved[i];
  return sum;
}

/* Condition p, uniform over [0, 4] beforehand: by the midpoint rule on 400 points, 4,000 particles as above. */
static void unknown_condition_by_latents(void **state)
{
  enum { POINTS = 400 };
  double total = 0, mean = 0, square = 0;
  Study s;
  (void)state;
  open_study(false, &s);
  s.q.nunknown = 1;
  run_study(&s);
  for (int i = 0; i < POINTS; i++) {
    const double t = 4 * (i + 0.5) / POINTS, p = exp(log_density(&s, t) - log_density(&s, 2));
    total += p;
    mean += p * t;
    square += p * t * t;
  }
  mean /= total;
  const double sd = sqrt(square / total - mean * mean);
  print_message("p given the readings: %.3f +- %.3f, expected %.3f +- %.3f\n",
                found(&s, SCORIA_POSTERIOR, INFER_MEAN, s.a.at_unknown),
                found(&s, SCORIA_POSTERIOR, INFER_SD, s.a.at_unknown), mean, sd);
  assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_MEAN, s.a.at_unknown) - mean) < 0.1 * sd);
  assert_true(fabs(found(&s, SCORIA_POSTERIOR, INFER_SD, s.a.at_unknown) - sd) < 0.1 * sd);
  assert_true(fabs(found(&s, SCORIA_PRIOR, INFER_MEAN, s.a.at_unknown) - 2) < 0.1);
  for (int i = 0; i < KEEP; i++) { /* fields are those of their conditions */
    const double *row = s.a.kept + (size_t)i * (size_t)s.a.columns;
    assert_true(row[s.a.at_unknown] > 0 && row[s.a.at_unknown] < 4 && fabs(row[s.a.at_sensors] - 14) < 5 * 0.5);
    const double other = row[WHOLE_CELLS] - whole_mean[1] - row[s.a.at_unknown],
                 one   = row[0] - whole_mean[0] - row[s.a.at_unknown];
    assert_true(fabs(one / whole_scale[0] - other / whole_scale[1]) < 1e-9); /* of both channels one sum */
  }
  expect_same_on_ranks(s.a.kept, sizeof(double) * (size_t)(s.a.columns * KEEP));
  close_study(&s);
}

static void bad_places_are_refused(void **state)
{
  Study s;
  (void)state;
  open_study(true, &s);
  s.q.sensors.s[1].y = 1.2;
  assert_true(InferSensorsPlaceWhole(&s.q.sensors, &s.q.shape) != 0);
  assert_non_null(strstr(ScoriaFailureLine(), "reading 2: found y = 1.2 m, allowed 0 to 1 m"));
  ScoriaFailureReset();
  s.q.sensors.s[1].y      = 0.9;
  s.q.sensors.s[2].places = 2;
  assert_true(InferSensorsPlaceWhole(&s.q.sensors, &s.q.shape) != 0);
  assert_non_null(strstr(ScoriaFailureLine(), "reading 3: found 2 places, expected x, y and z of a"));
  ScoriaFailureReset();
  CHECK(InferAnswerCreate(&s.q, &s.a));
  assert_true(InferRunWhole(s.r.run, NULL, s.source, 1e3, &s.q, &s.a) != 0);
  assert_non_null(strstr(ScoriaFailureLine(), "particles of whole fields of 240 values"));
  ScoriaFailureReset();
  close_study(&s);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gaussian_posterior_by_scores), cmocka_unit_test(gaussian_posterior_by_latents),
      cmocka_unit_test(unknown_condition_by_latents), cmocka_unit_test(bad_places_are_refused)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
