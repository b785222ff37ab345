/* Averages of the weights.  ranks: 2
 * Averages rebuilt for other widths against those accumulated directly, on noise, where the error of the profile is the
 * error of the average, and on a small training; which evaluation is kept. */
#include "score/ema.h"
#include "score/kept.h"
#include "score/trainer.h"
#include "testing.h"
#include <math.h>

enum { STEPS = 1000, N = 4000, R = 4, ROWS = 200 };

static float value[N];

/* The averages after STEPS updates by independent noise: those of the widths, and snapshots of the first two. */
static void average_noise(int widths, const double width[], float *average[], EmaSet *set)
{
  CHECK(EmaSetCreate(N, set));
  set->n = 2;
  for (int64_t t = 1; t <= STEPS; t++) {
    rng_normalf(1, SCORIA_STREAM_SAMPLE, (uint64_t)t, 0, N, value);
    for (int k = 0; k < widths; k++) ema_update((EmaProfile){(double)t, ema_exponent(width[k])}, N, value, average[k]);
    const int at = t == STEPS ? 0 : t == 900 || t == 810 || t == 729 ? set->n : -1;
    for (int k = 0; k < 2 && at >= 0; k++) {
      set->profile[at + k] = (EmaProfile){(double)t, ema_exponent(width[k])};
      memcpy(set->weights + (at + k) * N, average[k], sizeof(float) * N);
    }
    set->n = PetscMax(set->n, at + 2);
  }
}

static double distance(int64_t n, const float a[], const float b[])
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += pow((double)a[i] - (double)b[i], 2);
  return sqrt(sum / (double)n);
}

static double size(int64_t n, const float a[])
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += pow((double)a[i], 2);
  return sqrt(sum / (double)n);
}

/* Of independent noise, the average's error over its size is the profile's over its norm, to 1/sqrt(2 N) = .011 of it,
 * and to what sums and integrals over 1000 steps differ by. */
static void widths_between_are_rebuilt(void **state)
{
  enum { WIDTHS = 6 };
  const double width[WIDTHS] = {0.05, 0.10, 0.04, 0.06, 0.08, 0.13};
  static float memory[WIDTHS][N], rebuilt[N];
  float *average[WIDTHS];
  EmaSet set;
  (void)state;
  for (int k = 0; k < WIDTHS; k++) average[k] = memory[k];
  average_noise(WIDTHS, width, average, &set);
  assert_int_equal(set.n, 8);
  for (int k = 0; k < WIDTHS; k++) {
    const double told = ema_rebuild(&set, width[k], rebuilt);
    if (k < 2) {
      assert_true(told == 0);
      assert_memory_equal(rebuilt, average[k], sizeof rebuilt);
      continue;
    }
    const double found = distance(N, rebuilt, average[k]) / size(N, average[k]);
    if (!(fabs(found - told) <= 0.1 * told + 1e-3)) fail_msg("width %g: off by %g, told %g", width[k], found, told);
    assert_true(told < (k == 3 || k == 4 ? 0.01 : 0.04));
  }
  CHECK(EmaSetDestroy(&set));
}

/* Later averages, and one that is there twice, take no part. */
static void later_averages_are_left_out(void **state)
{
  EmaSet set;
  float out[2];
  (void)state;
  CHECK(EmaSetCreate(2, &set));
  const double time[] = {800, 800, 800, 900};
  for (int i = 0; i < 4; i++) {
    set.profile[i]     = (EmaProfile){time[i], ema_exponent(i % 2 ? 0.10 : 0.05)};
    set.weights[2 * i] = i < 2 ? 3 : 100;
  }
  set.n            = 4;
  const double two = ema_rebuild(&set, 0.07, out);
  assert_true(fabsf(out[0] - 3) < 1e-5f && out[1] == 0);
  if (!(two > 0.02 && two < 0.06)) fail_msg("two averages give a profile with error %g", two);
  CHECK(EmaSetDestroy(&set));
}

/* ----------------------------------------------------------------------------------------------- a training ---- */

static float y[ROWS * R];

static void make_trainer(double first, double second, Trainer *trainer)
{
  const ScoriaNetSpec spec = {
      .kind = "modes", .r = R, .d = 0, .width = 16, .depth = 1, .embed = 8, .channels = 1, .cells = R};
  const TrainOptions opt = {.steps   = 300,
                            .batch   = 32,
                            .micro   = 4,
                            .process = {-0.2, 1},
                            .seed    = 5,
                            .adam    = {1e-2, 0.1, 0.9, 0.99, 1e-8, 1, {first, second}}};
  const TrainData data   = {ROWS, y, NULL, NULL, NULL, NULL, NULL};
  rng_normalf(2, SCORIA_STREAM_SAMPLE, 0, 0, ROWS * R, y);
  for (int i = 0; i < ROWS; i++) y[i * R] = fabsf(y[i * R]) - 0.8f;
  CHECK(TrainerCreate(PETSC_COMM_WORLD, &spec, &opt, &data, trainer));
}

/* Between the two lengths the average differs from either by about half of what these differ by; rebuilt, it is to be
 * off by a tenth of that. */
static void average_of_a_training_is_rebuilt(void **state)
{
  static const double part[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  Trainer two, one;
  TrainStep step;
  Kept kept;
  (void)state;
  make_trainer(0.05, 0.10, &two);
  make_trainer(0.07, 0, &one);
  const int64_t P = net_parameter_count(trainer_net(one));
  CHECK(KeptCreate(2, true, P, 8, &kept));
  for (int64_t i = 1; i <= 300; i++) {
    CHECK(TrainerStep(one, &step));
    CHECK(TrainerStep(two, &step));
    if (i % 50 == 0) kept_offer(&kept, two, i, 1, part);
    kept_snapshot(&kept, two, i, 300);
  }
  assert_int_equal(kept.set.n, 8);
  float *rebuilt = malloc(sizeof *rebuilt * (size_t)P);
  assert_memory_equal(net_parameters(trainer_net(one)), net_parameters(trainer_net(two)), sizeof(float) * (size_t)P);
  const double told  = ema_rebuild(&kept.set, 0.07, rebuilt);
  const double found = distance(P, rebuilt, trainer_average(one, 0));
  const double apart = distance(P, trainer_average(two, 0), trainer_average(two, 1));
  assert_true(told < 0.01);
  if (!(found <= 0.05 * apart)) fail_msg("off by %g, those of .05 and .10 are %g apart", found, apart);
  free(rebuilt);
  CHECK(KeptDestroy(&kept));
  CHECK(TrainerDestroy(&one));
  CHECK(TrainerDestroy(&two));
}

/* ---------------------------------------------------------------------------------------------- what is kept ---- */

static void improvement_is_more_than_scatter(void **state)
{
  const double reference[4] = {1.0, 2.0, 3.0, 4.0};
  (void)state;
  assert_true(kept_improved(4, reference, (double[]){0.9, 1.9, 2.9, 3.9}));
  assert_true(kept_improved(4, reference, (double[]){0.9, 1.8, 2.9, 3.8}));
  assert_false(kept_improved(4, reference, (double[]){0.8, 2.1, 2.8, 4.1}));
  assert_false(kept_improved(4, reference, (double[]){1.1, 2.1, 3.1, 4.1}));
  assert_false(kept_improved(4, reference, reference));
}

/* The lowest loss is kept and later weights do not replace it; waiting counts from the last that was better beyond the
 * scatter of its parts. */
static void lowest_loss_is_kept(void **state)
{
  static const double loss[] = {1.0, 0.8, 0.79, 0.9, 0.85}, uneven[] = {0, 0, 0.2, 0.1, 0.1};
  static const int waited[] = {0, 0, 1, 2, 3};
  Trainer trainer;
  TrainStep step;
  Kept best, last;
  (void)state;
  make_trainer(0.07, 0, &trainer);
  const int64_t P = net_parameter_count(trainer_net(trainer));
  float *third    = malloc(sizeof *third * (size_t)P);
  CHECK(KeptCreate(1, false, P, 2, &best));
  CHECK(KeptCreate(1, true, P, 2, &last));
  for (int i = 0; i < 5; i++) {
    const double part[2] = {loss[i] - uneven[i], loss[i] + uneven[i]};
    CHECK(TrainerStep(trainer, &step));
    kept_offer(&best, trainer, i + 1, loss[i], part);
    kept_offer(&last, trainer, i + 1, loss[i], part);
    assert_int_equal(best.waited, waited[i]);
    if (i == 2) memcpy(third, trainer_average(trainer, 0), sizeof *third * (size_t)P);
  }
  assert_true(best.step == 3 && best.loss == 0.79 && last.step == 5 && last.loss == 0.85);
  assert_memory_equal(best.set.weights, third, sizeof *third * (size_t)P);
  assert_memory_equal(last.set.weights, trainer_average(trainer, 0), sizeof *third * (size_t)P);
  free(third);
  CHECK(KeptDestroy(&best));
  CHECK(KeptDestroy(&last));
  CHECK(TrainerDestroy(&trainer));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(widths_between_are_rebuilt),
      cmocka_unit_test(later_averages_are_left_out),
      cmocka_unit_test(average_of_a_training_is_rebuilt),
      cmocka_unit_test(improvement_is_more_than_scatter),
      cmocka_unit_test(lowest_loss_is_kept),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
