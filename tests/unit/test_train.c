/* Training.  ranks: 2 3 4
 * The pieces against their formulas, the fixed-point sum, the same bits on any number of ranks, a gradient that is not
 * a number, and a law whose denoiser is known. */
#include "score/fixedpoint.h"
#include "score/trainer.h"
#include "score/train_data.h"
#include "testing.h"
#include <math.h>

enum { R = 8, D = 2, ROWS = 300, SITES = 7 };

static float y[ROWS * R], u[SITES * D], basis[R * 2 * 12];
static int32_t site[ROWS];

static TrainData make_data(void)
{
  rng_normalf(2, SCORIA_STREAM_SAMPLE, 0, 0, ROWS * R, y);
  rng_normalf(2, SCORIA_STREAM_SAMPLE, 1, 0, SITES * D, u);
  for (int i = 0; i < ROWS; i++) site[i] = i % SITES;
  for (int i = 0; i < ROWS; i++) y[i * R] = fabsf(y[i * R]) - 0.8f; /* something to learn */
  return (TrainData){.rows = ROWS, .y = y, .condition = site, .u = u};
}

static ScoriaNetSpec make_spec(const NetworkRow *row)
{
  ScoriaNetSpec spec = {
      .r = R, .d = D, .width = 24, .depth = 2, .embed = 16, .channels = 2, .cells = 12, .kernel = 3, .patch = 3};
  for (int k = 0; k < R; k++)
    for (int i = 0; i < 24; i++) basis[k * 24 + i] = (float)(cos(PETSC_PI * (k + 1) * (i + 0.5) / 24) * sqrt(2.0 / 24));
  if (row->on_grid) spec.basis = basis;
  strcpy(spec.kind, row->name);
  return spec;
}

static TrainOptions make_options(void)
{
  return (TrainOptions){.steps   = 12,
                        .batch   = 50,
                        .micro   = 7,
                        .process = {-0.2, 1},
                        .seed    = 5,
                        .adam    = {3e-3, 0.1, 0.9, 0.99, 1e-8, 1, {0.07, 0.15}}};
}

/* ------------------------------------------------------------------------------------------------------ pieces ---- */

static void quantile_inverts_the_distribution(void **state)
{
  (void)state;
  for (int i = 1; i < 1000; i++) {
    const double p = i / 1000.0, tiny = pow(10, -i / 60.0);
    assert_true(fabs(0.5 * erfc(-normal_quantile(p) / sqrt(2.0)) - p) <= 1e-14);
    assert_true(fabs(0.5 * erfc(-normal_quantile(tiny) / sqrt(2.0)) - tiny) <= 1e-12 * tiny);
  }
}

/* The angle form is EDM's: c_in (y + sigma n), and (y - c_skip (y + sigma n)) / c_out. */
static void noisy_row_is_edm(void **state)
{
  (void)state;
  for (double lnsigma = -5; lnsigma <= 4; lnsigma += 0.5) {
    const double s = exp(lnsigma), root = sqrt(1 + s * s), a = 0.7, n = -1.3, noisy = a + s * n;
    const float row = (float)a;
    float x         = (float)n, target, label;
    train_noisy_row(1, &row, lnsigma, &x, &target, &label);
    assert_true(fabs((double)x - noisy / root) <= 4e-7);
    assert_true(fabs((double)target - (a - noisy / (root * root)) / (s / root)) <= 4e-7);
    assert_true(fabs((double)label - lnsigma / 4) <= 1e-7);
  }
}

static void schedule_and_average_are_what_they_say(void **state)
{
  const OptimiserOptions opt = {.rate = 2, .warmup = 0.1};
  (void)state;
  assert_true(fabs(optimiser_rate(&opt, 49, 1000) - 1) < 1e-12);
  assert_true(fabs(optimiser_rate(&opt, 99, 1000) - 2) < 1e-12);
  assert_true(fabs(optimiser_rate(&opt, 549, 1000) - 1) < 1e-12);
  assert_true(optimiser_rate(&opt, 999, 1000) == 0);
  assert_true(fabs(ema_exponent(0.10) - 6.94) < 0.01 &&
              fabs(ema_exponent(0.05) - 16.97) < 0.01); /* Karras et al. 2024 */
}

/* With gradients +1, -1, ... the first update is the learning rate, and the average after T steps weights p_s by s^g.
 */
static void optimiser_follows_its_formulas(void **state)
{
  const OptimiserOptions opt = {.beta1 = 0.9, .beta2 = 0.99, .epsilon = 0, .ema = {0.1}};
  float m = 0, v = 0, average = 0, p = 1;
  const float gradient = -4;
  Optimiser o          = {.averages = 1, .exponent = {2}, .m = &m, .v = &v, .average = {&average}};
  double weights = 0, sum = 0;
  (void)state;
  for (int t = 1; t <= 5; t++) {
    optimiser_update(&o, &opt, 0.25, 0.5, 1, &gradient, &p);
    assert_true(fabs((double)p - (1 + 0.25 * t)) <=
                1e-6); /* a constant gradient moves it by the rate, however long it is */
    const double weight = pow(t, 3) - pow(t - 1, 3);
    weights += weight, sum += weight * (double)p;
    assert_true(fabs((double)average - sum / weights) <= 1e-6);
  }
}

/* ------------------------------------------------------------------------------------------------- fixed point ---- */

static void fixed_sum_is_the_same_however_it_is_split(void **state)
{
  enum { N = 3000, S = 8 };
  static float g[S][N], one[N], other[N];
  static int64_t whole[N], part[N], total[N];
  float *vectors[S], *backwards[S];
  float largest = 0;
  (void)state;
  for (int j = 0; j < S; j++) {
    rng_normalf(4, SCORIA_STREAM_SAMPLE, (uint64_t)j, 0, N, g[j]);
    for (int i = 0; i < N; i++) g[j][i] *= expf(3 * g[j][i]) * 1e-9f; /* twelve orders of magnitude */
    vectors[j] = g[j], backwards[S - 1 - j] = g[j];
    largest = fmaxf(largest, fixed_largest(N, g[j]));
  }
  const int shift = fixed_shift(largest, S);
  fixed_sum(N, S, vectors, shift, whole);
  fixed_value(N, whole, shift, one);
  for (int split = 1; split < S; split++) {
    fixed_sum(N, split, backwards, shift, total);
    fixed_sum(N, S - split, backwards + split, shift, part);
    for (int i = 0; i < N; i++) total[i] += part[i];
    assert_memory_equal(total, whole, sizeof whole);
  }
  for (int i = 0; i < N; i++) { /* S halves of a unit of 2^-51 of the largest, and the rounding to single precision */
    double sum = 0;
    for (int j = 0; j < S; j++) sum += (double)g[j][i];
    assert_true(fabs((double)whole[i] * ldexp(1, -shift) - sum) <= 3e-11 * 1e-4 * (double)largest);
    other[i] = (float)sum;
    assert_true(fabsf(one[i] - other[i]) <= 0x1p-23f * fabsf(other[i]) + 1e-14f * largest);
  }
}

static void fixed_point_holds_the_largest_sums(void **state)
{
  (void)state;
  for (int exponent = -140; exponent <= 127; exponent++) {
    const float top = ldexpf(0.99999994f, exponent), list[3] = {top, -top, top};
    float *vectors[3] = {(float[]){list[0]}, (float[]){list[0]}, (float[]){list[0]}}, out;
    int64_t acc;
    const int shift = fixed_shift(fixed_largest(3, list), 3);
    fixed_sum(1, 3, vectors, shift, &acc);
    fixed_value(1, &acc, shift, &out);
    const float expected = (float)(3 * (double)top);
    assert_true(out == expected);
    for (int64_t terms = 1; terms < INT64_C(1) << 40; terms *= 4) /* 2^62 holds `terms` of them */
      assert_true(ldexp((double)top, fixed_shift(top, terms)) * (double)terms < 0x1p62);
  }
}

static void largest_sees_what_is_not_a_number(void **state)
{
  float g[40];
  (void)state;
  for (int i = 0; i < 40; i++) g[i] = -0.1f * (float)i;
  assert_true(fixed_largest(40, g) == 3.9f);
  g[33] = NAN;
  assert_true(isinf(fixed_largest(40, g)));
  g[33] = -INFINITY;
  assert_true(isinf(fixed_largest(40, g)));
}

/* --------------------------------------------------------------------------------------------------- the loop ---- */

static void split_leaves_whole_conditions(void **state)
{
  int64_t count = 0;
  (void)state;
  const TrainSplit split = train_split(40, 0.1, 3, NULL), other = train_split(40, 0.1, 4, NULL),
                   one = train_split(1, 0.9, 3, NULL);
  bool differs         = false;
  for (int i = 0; i < 40; i++) {
    count += !train_keeps(&split, i);
    differs = differs || train_keeps(&split, i) != train_keeps(&other, i);
  }
  assert_true(split.left_out == 4 && count == 4 && differs);
  assert_true(one.left_out == 0 && train_keeps(&one, 0));
}

/* Repeated draws of a row are one: with gains of 1 and 0 in two groups of equal size the mean is known to 1/2, however
 * often each is counted. */
static void gains_of_a_group_are_one(void **state)
{
  TrainGain gain[60];
  int64_t groups;
  (void)state;
  for (int each = 1; each <= 30; each *= 5) {
    for (int i = 0; i < 2 * each; i++) gain[i] = (TrainGain){i % 2, i % 2};
    assert_true(fabs(train_gain_error(2 * each, gain, &groups) - 0.5) < 1e-15 && groups == 2);
  }
  for (int i = 0; i < 60; i++) gain[i] = (TrainGain){i, i % 2}; /* all distinct: the usual error of a mean */
  assert_true(fabs(train_gain_error(60, gain, &groups) - 0.5 / sqrt(59)) < 1e-15 && groups == 60);
  for (int i = 0; i < 60; i++) gain[i].group = 3;
  assert_true(train_gain_error(60, gain, &groups) == 0 && groups == 1);
}

/* Quantiles of Student's distribution from tables; the series is 12 % off for two rows, half a percent from three on.
 */
static void chance_is_that_of_few_rows(void **state)
{
  static const struct {
    int64_t rows;
    double quantile, tolerance;
  } known[] = {{2, 12.706, 0.12}, {3, 4.303, 0.01}, {6, 2.571, 0.001}, {8, 2.365, 0.001}, {10001, 1.960, 0.001}};
  (void)state;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    assert_true(fabs(train_gain_chance(known[i].rows) / known[i].quantile - 1) < known[i].tolerance);
}

/* The job against this rank alone: weights, averages, losses. */
static void bits_do_not_depend_on_ranks(void **state)
{
  const TrainData data   = make_data();
  const TrainOptions opt = make_options();
  (void)state;
  for (const NetworkRow *row = scoria_networks; row->name; row++) {
    const ScoriaNetSpec spec = make_spec(row);
    Trainer all, alone;
    TrainStep a, b;
    double loss[2], baseline[2], gain[2], error[2];
    CHECK(TrainerCreate(PETSC_COMM_WORLD, &spec, &opt, &data, &all));
    CHECK(TrainerCreate(PETSC_COMM_SELF, &spec, &opt, &data, &alone));
    for (int64_t step = 0; step < opt.steps; step++) {
      CHECK(TrainerStep(all, &a));
      CHECK(TrainerStep(alone, &b));
      assert_true(a.loss == b.loss && a.norm == b.norm && !a.skipped && !b.skipped);
    }
    const size_t bytes = sizeof(float) * (size_t)net_parameter_count(trainer_net(all));
    assert_memory_equal(net_parameters(trainer_net(all)), net_parameters(trainer_net(alone)), bytes);
    for (int k = 0; k < 2; k++) assert_memory_equal(trainer_average(all, k), trainer_average(alone, k), bytes);
    CHECK(TrainerValidate(all, trainer_average(all, 0), &data, 100, &loss[0], &baseline[0], NULL));
    CHECK(TrainerValidate(alone, trainer_average(alone, 0), &data, 100, &loss[1], &baseline[1], NULL));
    CHECK(TrainerGain(all, trainer_average(all, 0), &data, 100, &gain[0], &error[0]));
    CHECK(TrainerGain(alone, trainer_average(alone, 0), &data, 100, &gain[1], &error[1]));
    assert_true(gain[0] == gain[1] && error[0] == error[1] && error[0] > 0);
    assert_true(fabs(gain[0] - (baseline[0] - loss[0])) < 1e-5 * baseline[0]); /* residuals in single precision */
    assert_true(loss[0] == loss[1] && baseline[0] == baseline[1] && loss[0] > 0);
    CHECK(TrainerCheck(all));
    CHECK(TrainerDestroy(&all));
    CHECK(TrainerDestroy(&alone));
  }
}

/* Gains are sums over coordinates, each as often as it is worth: those with all worth on one coordinate differ, and
 * their average is that with all alike. */
static void gains_count_what_coordinates_are_worth(void **state)
{
  float worth[R]           = {0};
  const TrainData data     = make_data();
  TrainOptions opt         = make_options();
  const ScoriaNetSpec spec = make_spec(&scoria_networks[0]);
  double gain[R + 1], sure, sum = 0;
  Trainer trainer;
  TrainStep step;
  (void)state;
  opt.worth = worth;
  CHECK(TrainerCreate(PETSC_COMM_WORLD, &spec, &opt, &data, &trainer));
  for (int64_t i = 0; i < opt.steps; i++) CHECK(TrainerStep(trainer, &step));
  for (int k = 0; k <= R; k++) {
    for (int j = 0; j < R; j++) worth[j] = k == R ? 1 : j == k ? R : 0;
    CHECK(TrainerGain(trainer, trainer_average(trainer, 0), &data, 100, gain + k, &sure));
    if (k < R) sum += gain[k] / R;
  }
  assert_true(fabs(sum - gain[R]) < 1e-12 && fabs(gain[0] - gain[1]) > 1e-6);
  CHECK(TrainerDestroy(&trainer));
}

/* One bad row spoils the steps that meet it, on every rank, and no other; the weights stay numbers. */
static void bad_gradient_is_skipped_by_all(void **state)
{
  TrainData data           = make_data();
  const TrainOptions opt   = make_options();
  const ScoriaNetSpec spec = make_spec(&scoria_networks[0]);
  Trainer trainer;
  TrainStep step;
  int skipped = 0, highest;
  static float before[100000];
  (void)state;
  y[17 * R + 3] = NAN;
  CHECK(TrainerCreate(PETSC_COMM_WORLD, &spec, &opt, &data, &trainer));
  const size_t count = (size_t)net_parameter_count(trainer_net(trainer));
  assert_true(count <= 100000);
  for (int64_t i = 0; i < 12; i++) { /* two epochs of 300 rows in batches of 50 */
    memcpy(before, net_parameters(trainer_net(trainer)), sizeof(float) * count);
    CHECK(TrainerStep(trainer, &step));
    skipped += step.skipped;
    assert_true(step.skipped == (memcmp(before, net_parameters(trainer_net(trainer)), sizeof(float) * count) == 0) ||
                i == 11);
  }
  assert_int_equal(skipped, 2);
  MPI_Allreduce(&skipped, &highest, 1, MPI_INT, MPI_MAX, PETSC_COMM_WORLD);
  assert_int_equal(skipped, highest);
  for (size_t i = 0; i < count; i++) assert_true(isfinite(net_parameters(trainer_net(trainer))[i]));
  CHECK(TrainerCheck(trainer));
  CHECK(TrainerDestroy(&trainer));
}

static void too_many_micro_batches_are_refused(void **state)
{
  const TrainData data     = make_data();
  TrainOptions opt         = make_options();
  const ScoriaNetSpec spec = make_spec(&scoria_networks[0]);
  Trainer trainer;
  (void)state;
  opt.micro = 51;
  assert_int_not_equal(TrainerCreate(PETSC_COMM_WORLD, &spec, &opt, &data, &trainer), 0);
  assert_string_equal(ScoriaFailureLine(), "train_micro_batches is 51, more than train_batch, 50");
  ScoriaFailureReset();
}

/* Thirty-two rows with targets drawn at random, more unknowns than numbers: the loss must go to nothing. */
static void one_batch_can_be_learned_by_heart(void **state)
{
  enum { N = 32, STEPS = 600 };
  (void)state;
  if (!on_one_rank()) return;
  for (const NetworkRow *row = scoria_networks; row->name; row++) {
    ScoriaNetSpec spec = make_spec(row);
    float x[N * R], label[N], cond[N * D], target[N * R], F[N * R];
    ScoriaNet net;
    spec.width = 48;
    CHECK(NetCreate(&spec, N, true, &net));
    net_initialise(net, 1);
    rng_normalf(6, SCORIA_STREAM_SAMPLE, 0, 0, N * R, x);
    rng_normalf(6, SCORIA_STREAM_SAMPLE, 1, 0, N, label);
    rng_normalf(6, SCORIA_STREAM_SAMPLE, 2, 0, N * D, cond);
    rng_normalf(6, SCORIA_STREAM_SAMPLE, 3, 0, N * R, target);
    const OptimiserOptions opt = {
        .rate = 3e-3, .warmup = 0.05, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8, .ema = {0.07}};
    const int64_t P = net_parameter_count(net);
    float *memory   = calloc((size_t)(3 * P), sizeof *memory);
    Optimiser o     = {.averages = 1, .exponent = {10}, .m = memory, .v = memory + P, .average = {memory + 2 * P}};
    double loss     = 0;
    for (int step = 0; step < STEPS; step++) {
      net_forward(net, N, x, label, cond, F);
      loss = 0;
      for (int i = 0; i < N * R; i++) {
        F[i] -= target[i];
        loss += (double)(F[i] * F[i]) / (N * R);
        F[i] *= 2.0f / (N * R);
      }
      net_backward_first(net, N, F, NULL);
      optimiser_update(&o, &opt, optimiser_rate(&opt, step, STEPS), 1, P, net_gradient(net), net_parameters(net));
    }
    if (!(loss < 1e-3)) fail_msg("%s: loss %g after %d steps, 1 at the start", row->name, loss, STEPS);
    free(memory);
    CHECK(NetDestroy(&net));
  }
}

/* ---------------------------------------------------------------------------------------- a law that is known ---- */

/* y_0 is +-a with equal odds, plus s noise, a^2 + s^2 = 1; y_1 is normal.  D_0 = sum_k w_k (m_k sigma^2 + x s^2)/(s^2 +
 * sigma^2), w_k the posterior odds; D_1 = x / (1 + sigma^2), where F = 0. */
static const double mode_at = 0.9, mode_sd = 0.43588989435406736;

static double exact_denoiser(double x, double sigma)
{
  const double v = mode_sd * mode_sd + sigma * sigma;
  return (mode_at * tanh(mode_at * x / v) * sigma * sigma + x * mode_sd * mode_sd) / v;
}

/* 1500 x 256 noisy rows of unit scatter fix each of the few dozen degrees of freedom of a smooth function of (x, sigma)
 * to about sqrt(30 / 384000) = 0.01, and the last steps of Adam leave as much again: 0.04.  The Gaussian part alone is
 * off by 0.12. */
static void denoiser_of_a_mixture_is_found(void **state)
{
  enum { N = 8192, TEST = 256 };
  static float rows[N * 2], x[TEST * 2], F[TEST * 2], label[TEST];
  ScoriaNetSpec spec = {
      .kind = "modes", .r = 2, .d = 0, .width = 32, .depth = 2, .embed = 16, .channels = 1, .cells = 2};
  TrainOptions opt     = {.steps   = 1500,
                          .batch   = 256,
                          .micro   = 4,
                          .process = {-0.2, 1},
                          .seed    = 5,
                          .adam    = {5e-3, 0.03, 0.9, 0.99, 1e-8, 1, {0.07}}};
  const TrainData data = {.rows = N, .y = rows};
  Trainer trainer;
  TrainStep step;
  double error = 0, gaussian = 0;
  (void)state;
  if (!on_one_rank()) return;
  rng_normalf(8, SCORIA_STREAM_SAMPLE, 0, 0, 2 * N, rows);
  for (int i = 0; i < N; i++) rows[2 * i] = (float)(mode_sd * (double)rows[2 * i] + (i % 2 ? mode_at : -mode_at));
  CHECK(TrainerCreate(PETSC_COMM_WORLD, &spec, &opt, &data, &trainer));
  for (int64_t i = 0; i < opt.steps; i++) CHECK(TrainerStep(trainer, &step));
  memcpy(net_parameters(trainer_net(trainer)), trainer_average(trainer, 0),
         sizeof(float) * (size_t)net_parameter_count(trainer_net(trainer)));
  const double sigmas[] = {0.3, 0.7, 1.5};
  for (int k = 0; k < 3; k++) {
    const double sigma = sigmas[k], root = sqrt(1 + sigma * sigma);
    rng_normalf(8, SCORIA_STREAM_SAMPLE, 1 + (uint64_t)k, 0, 2 * TEST, x);
    for (int i = 0; i < TEST; i++) { /* places that noisy data visit */
      label[i] = (float)(log(sigma) / 4);
      x[2 * i] = (float)((double)x[2 * i] * sqrt(mode_sd * mode_sd + sigma * sigma) + (i % 2 ? mode_at : -mode_at)) /
                 (float)root;
    }
    for (int at = 0; at < TEST; at += 64)
      net_forward(trainer_net(trainer), 64, x + 2 * at, label + at, NULL, F + 2 * at);
    for (int i = 0; i < TEST; i++) {
      const double noisy = (double)x[2 * i] * root, denoised = noisy / (root * root) + sigma / root * (double)F[2 * i];
      error += pow(denoised - exact_denoiser(noisy, sigma), 2) / (3 * TEST);
      gaussian += pow(noisy / (root * root) - exact_denoiser(noisy, sigma), 2) / (3 * TEST);
    }
  }
  if (!(sqrt(error) < 0.04 && sqrt(gaussian) > 0.1))
    fail_msg("denoiser off by %g rms (the Gaussian one by %g)", sqrt(error), sqrt(gaussian));
  CHECK(TrainerDestroy(&trainer));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantile_inverts_the_distribution),
      cmocka_unit_test(noisy_row_is_edm),
      cmocka_unit_test(schedule_and_average_are_what_they_say),
      cmocka_unit_test(optimiser_follows_its_formulas),
      cmocka_unit_test(fixed_sum_is_the_same_however_it_is_split),
      cmocka_unit_test(fixed_point_holds_the_largest_sums),
      cmocka_unit_test(largest_sees_what_is_not_a_number),
      cmocka_unit_test(split_leaves_whole_conditions),
      cmocka_unit_test(gains_of_a_group_are_one),
      cmocka_unit_test(chance_is_that_of_few_rows),
      cmocka_unit_test(bits_do_not_depend_on_ranks),
      cmocka_unit_test(gains_count_what_coordinates_are_worth),
      cmocka_unit_test(bad_gradient_is_skipped_by_all),
      cmocka_unit_test(too_many_micro_batches_are_refused),
      cmocka_unit_test(one_batch_can_be_learned_by_heart),
      cmocka_unit_test(denoiser_of_a_mixture_is_found),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
