/* Distillation of the sampler.  ranks: 2
 * A silent network is the identity; a network that is distilled carries noise, in one evaluation, where the flow of its
 * teacher does in eight, and so draws a law of two peaks; the weights are the same bits on any number of ranks. */
#include "score/samplers/samplers.h"
#include "score/trainer.h"
#include "testing.h"
#include <math.h>

enum { ROWS = 4096, DRAWN = 4096, TILE = 16 };

static const double peak = 0.8, sd = 0.6; /* the law: N(+-peak, sd^2), of variance 1 */

static float noise[DRAWN], work[5 * DRAWN];

static void draw(const ScoriaDenoiser *den, const char *kind, int steps, float y[])
{
  const ScoriaSamplerOptions opt = {.kind = kind, .steps = steps, .power = 1, .noise = noise};
  sampler_find(kind)->run(&opt, den, DRAWN, NULL, work, y);
}

static void gaussian_denoise(void *ctx, int n, const float x[], double sigma, float D[])
{
  (void)ctx;
  for (int i = 0; i < n; i++) D[i] = (float)((double)x[i] / (1 + sigma * sigma));
}

/* Rounding to single precision, a few times. */
static void a_gaussian_law_is_left_alone(void **state)
{
  static float y[DRAWN];
  const ScoriaDenoiser den = {1, NULL, gaussian_denoise};
  (void)state;
  draw(&den, "distilled", 8, y);
  for (int i = 0; i < DRAWN; i++) assert_true(fabsf(y[i] - noise[i]) <= 2e-6f * (1 + fabsf(noise[i])));
}

/* ------------------------------------------------------------------------------------------------- two peaks ---- */

static float rows[ROWS];

static const ScoriaNetSpec spec = {
    .kind = "modes", .r = 1, .d = 0, .width = 32, .depth = 1, .embed = 8, .channels = 1, .cells = 1};

static void make_trainer(MPI_Comm comm, TrainKind kind, int64_t origin, Trainer *trainer)
{
  const TrainOptions opt = {.steps   = 600,
                            .batch   = 128,
                            .micro   = 5,
                            .process = {-0.2, 1},
                            .seed    = 5,
                            .origin  = origin,
                            .kind    = kind,
                            .adam    = {kind == TRAIN_DISTILLED ? 4e-3 : 1e-2, 0.1, 0.9, 0.99, 1e-8, 1, {0.1, 0}}};
  const TrainData data   = {.rows = ROWS, .y = rows};
  CHECK(TrainerCreate(comm, &spec, &opt, &data, trainer));
}

static void run_steps(Trainer trainer)
{
  TrainStep step;
  for (int64_t i = 0; i < 600; i++) {
    CHECK(TrainerStep(trainer, &step));
    assert_true(isfinite(step.loss) && !step.skipped);
  }
}

static void network_denoise(void *ctx, int n, const float x[], double sigma, float D[])
{
  float scaled[TILE], label[TILE];
  for (int first = 0; first < n; first += TILE) /* no more than the trainer's tile */
    net_denoise(ctx, TILE, x + first, sigma, NULL, scaled, label, D + first);
}

static void draw_average(Trainer trainer, const char *kind, int steps, float y[])
{
  const ScoriaDenoiser den = {1, trainer_net(trainer), network_denoise};
  const size_t bytes       = sizeof(float) * (size_t)net_parameter_count(trainer_net(trainer));
  memcpy(net_parameters(trainer_net(trainer)), trainer_average(trainer, 0), bytes);
  draw(&den, kind, steps, y);
}

static double rms(const float a[], const float b[])
{
  double sum = 0;
  for (int i = 0; i < DRAWN; i++) sum += (double)(a[i] - b[i]) * (double)(a[i] - b[i]) / DRAWN;
  return sqrt(sum);
}

/* Of the law: the share within half a peak of 0, .38 for a normal law of this variance. */
static double share_between(const float y[])
{
  double share = 0;
  for (int i = 0; i < DRAWN; i++) share += fabsf(y[i]) < (float)peak / 2 ? 1.0 / DRAWN : 0;
  return share;
}

static double below(double z)
{
  return 0.5 * erfc(-z / sqrt(2));
}

/* The student's distance from the flow is a tenth of what the flow moves, where the midpoint rule, from which it
 * starts, is off by more than a quarter; the share between the peaks is that of the law within 4 standard errors of
 * 4096 draws and of 4096 rows. */
static void one_evaluation_is_the_flow(void **state)
{
  static float flow[DRAWN], one[DRAWN], before[DRAWN];
  Trainer taught, student, alone;
  (void)state;
  rng_normalf(2, SCORIA_STREAM_SAMPLE, 0, 0, ROWS, rows);
  for (int i = 0; i < ROWS; i++) rows[i] = (float)(sd * (double)rows[i] + (i % 2 ? peak : -peak));
  make_trainer(PETSC_COMM_WORLD, TRAIN_DENOISER, 0, &taught);
  run_steps(taught);
  draw_average(taught, "abm", 8, flow);
  draw_average(taught, "distilled", 1, before);
  make_trainer(PETSC_COMM_WORLD, TRAIN_DISTILLED, 600, &student);
  make_trainer(PETSC_COMM_SELF, TRAIN_DISTILLED, 600, &alone);
  const size_t bytes = sizeof(float) * (size_t)net_parameter_count(trainer_net(taught));
  for (int i = 0; i < 2; i++) {
    memcpy(net_parameters(trainer_net(i ? alone : student)), trainer_average(taught, 0), bytes);
    CHECK(TrainerTeach(i ? alone : student, &spec, trainer_average(taught, 0)));
    run_steps(i ? alone : student);
  }
  assert_memory_equal(net_parameters(trainer_net(student)), net_parameters(trainer_net(alone)), bytes);
  draw_average(student, "distilled", 1, one);
  const double moved = rms(flow, noise), error = rms(one, flow), start = rms(before, flow);
  const double share = below((peak / 2 - peak) / sd) - below((-peak / 2 - peak) / sd);
  if (!(error < 0.1 * moved && start > 0.25 * moved)) fail_msg("moved %g, error %g, before %g", moved, error, start);
  if (!(fabs(share_between(one) - share) < 4 * sqrt(2 * share * (1 - share) / DRAWN)))
    fail_msg("share between the peaks %g, of the law %g, of the flow %g", share_between(one), share,
             share_between(flow));
  CHECK(TrainerDestroy(&taught));
  CHECK(TrainerDestroy(&student));
  CHECK(TrainerDestroy(&alone));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_gaussian_law_is_left_alone),
      cmocka_unit_test(one_evaluation_is_the_flow),
  };
  rng_normalf(9, SCORIA_STREAM_SAMPLE, 1, 0, DRAWN, noise);
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
