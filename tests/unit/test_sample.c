/* Samples of a model.  ranks: 2
 * A small ensemble, a normaliser fitted to it and networks without training: with zero output (as initialised) the law
 * of y is N(0, I) exactly, with random weights it is anything, but the same whoever draws it. */
#define SMALL_MODEL_FILE "test_sample.h5"
#include "small_model.h"
#include "score/samplers/samplers.h"
#include "score/train_shares.h"

static const double middle[1] = {0.3};

static ScoriaSamplerOptions options(const char *kind)
{
  return (ScoriaSamplerOptions){kind, 6, 30, 0.002, 1, 42, false, NULL, 0.16, NULL};
}

static void a_sample_has_the_same_bits_whoever_asks(void **state)
{
  enum { N = 300 }; /* more than two tiles */
  static double all[N * M], part[N * M], first[N * M];
  ScoriaModel model;
  (void)state;
  make_model_of("modes", true, &model);
  for (const ScoriaSamplerRow *row = scoria_samplers; row->name; row++)
    for (int gaussian = 0; gaussian < 2; gaussian++) {
      const ScoriaSamplerOptions opt = options(row->name);
      model->uses_tuned              = sampler_is_tuned(row);
      model->tuned_for               = row;
      CHECK(ScoriaModelSample(model, &twin, &opt, middle, 0, N, gaussian, all));
      for (int i = 0; i < N * M; i++) assert_true(isfinite(all[i]));
      CHECK(ScoriaModelSample(model, &twin, &opt, middle, 7, 1, gaussian, part));
      assert_memory_equal(part, all + 7 * M, M * sizeof(double));
      CHECK(ScoriaModelSample(model, &twin, &opt, middle, 131, 140, gaussian, part));
      assert_memory_equal(part, all + 131 * M, 140 * M * sizeof(double));
      memcpy(first, all, sizeof all);
      (void)MPI_Bcast(first, N * M, MPI_DOUBLE, 0, PETSC_COMM_WORLD);
      assert_memory_equal(all, first, sizeof all);
      assert_true(memcmp(all, all + M, M * sizeof(double)) != 0);
    }
  CHECK(ScoriaModelDestroy(&model));
}

/* F = 0: D = x / (1 + sigma^2), whose flow in angle form is at rest: the samplers return their noise, which is what the
 * conditional Gaussian is made from.  Rounding to single precision, a dozen times, of y; fields have unit scale or
 * less. */
static void a_silent_network_gives_the_conditional_gaussian(void **state)
{
  enum { N = 200 };
  static double gauss[N * M], drawn[N * M];
  static const char *const kinds[] = {"ab2", "abm"};
  ScoriaModel model;
  (void)state;
  make_model_of("modes", false, &model);
  for (int k = 0; k < 2; k++) {
    const ScoriaSamplerOptions opt = options(kinds[k]);
    CHECK(ScoriaModelSample(model, &twin, &opt, middle, 0, N, true, gauss));
    CHECK(ScoriaModelSample(model, &twin, &opt, middle, 0, N, false, drawn));
    for (int i = 0; i < N * M; i++) assert_true(fabs(gauss[i] - drawn[i]) < 2e-5 * (1 + fabs(gauss[i])));
  }
  CHECK(ScoriaModelDestroy(&model));
}

/* Encoded again, samples of the conditional Gaussian are N(0, I) in all R modes, remainder included. */
static void gaussian_samples_are_white(void **state)
{
  enum { N = 20000 };
  static double fields[N * M], y[N * ALL_MODES];
  const ScoriaSamplerOptions opt = options("abm");
  const double theta[1]          = {-0.6};
  ScoriaModel model;
  (void)state;
  make_model_of("modes", false, &model);
  CHECK(ScoriaModelSample(model, &twin, &opt, theta, 1000, N, true, fields));
  normaliser_encode(ScoriaModelNormaliser(model), N, fields, y);
  for (int k = 0; k < ALL_MODES; k++)
    for (int l = 0; l <= k; l++) {
      double mean = 0, product = 0;
      for (int i = 0; i < N; i++) {
        mean += y[i * ALL_MODES + k] / N;
        product += y[i * ALL_MODES + k] * y[i * ALL_MODES + l] / N;
      }
      assert_true(fabs(mean) < 5 / sqrt(N)); /* five standard errors; of a square, sqrt(2) times as large */
      assert_true(fabs(product - (k == l)) < 5 * sqrt(k == l ? 2 : 1) / sqrt(N));
    }
  CHECK(ScoriaModelDestroy(&model));
}

/* The latents that samples are drawn from give these samples; a row of a list the same bits however it is split, and
 * nearly the same where rows have conditions of their own, which other kernels serve. */
static void latents_give_the_samples_drawn_from_them(void **state)
{
  enum { N = 200 };
  static double drawn[N * M], carried[N * M], part[N * M], latent[N * ALL_MODES], theta[N];
  float noise[MODES], rest[ALL_MODES - MODES];
  ScoriaModel model;
  (void)state;
  make_model_of("modes", true, &model);
  for (int i = 0; i < N; i++) {
    rng_normalf(42, SCORIA_STREAM_SAMPLE, (uint64_t)i, 0, MODES, noise);
    rng_normalf(42, SCORIA_STREAM_REMAINDER, (uint64_t)i, 0, ALL_MODES - MODES, rest);
    for (int k = 0; k < ALL_MODES; k++) latent[i * ALL_MODES + k] = k < MODES ? noise[k] : rest[k - MODES];
    theta[i] = middle[0];
  }
  for (const ScoriaSamplerRow *row = scoria_samplers; row->name; row++) {
    const ScoriaSamplerOptions opt = options(row->name);
    if (row->stochastic) continue;
    model->uses_tuned = sampler_is_tuned(row);
    model->tuned_for  = row;
    CHECK(ScoriaModelSample(model, &twin, &opt, middle, 0, N, false, drawn));
    CHECK(ScoriaModelTransport(model, &twin, &opt, false, 0, N, false, middle, latent, carried));
    assert_memory_equal(drawn, carried, sizeof drawn);
    CHECK(ScoriaModelTransport(model, &twin, &opt, false, 0, N, true, theta, latent, carried));
    for (int i = 0; i < N * M; i++) assert_true(fabs(drawn[i] - carried[i]) < 1e-4 * (1 + fabs(drawn[i])));
    CHECK(ScoriaModelTransport(model, &twin, &opt, false, 100, 60, true, theta, latent + 100 * ALL_MODES, part));
    assert_memory_equal(part, carried + 100 * M, 60 * M * sizeof(double));
  }
  CHECK(ScoriaModelDestroy(&model));
}

/* Squared correlation of values of samples with a coordinate, averaged over values: what the share is to first order.
 * Channel 0 is exponential in scores of SD up to .3, which is some percent of its variance from first order; a
 * correlation of 20,000 samples is good to .007. */
static void shares_are_those_of_samples(void **state)
{
  enum { N = 20000 };
  static double fields[N * M], y[N * ALL_MODES];
  const double centre[1]         = {0};
  const ScoriaSamplerOptions opt = options("abm");
  double share[MODES], alone[MODES], sum = 0;
  ScoriaModel model;
  (void)state;
  make_model_of("modes", false, &model);
  CHECK(CoordinateShares(ScoriaModelNormaliser(model), &twin, PETSC_COMM_WORLD, centre, share));
  CHECK(CoordinateShares(ScoriaModelNormaliser(model), &twin, PETSC_COMM_SELF, centre, alone));
  assert_memory_equal(share, alone, sizeof share); /* on any number of ranks */
  CHECK(ScoriaModelSample(model, &twin, &opt, centre, 0, N, true, fields));
  normaliser_encode(ScoriaModelNormaliser(model), N, fields, y);
  for (int k = 0; k < MODES; k++) {
    double expected = 0;
    for (int j = 0; j < M; j++) {
      double mean = 0, square = 0, product = 0, centre_y = 0;
      for (int i = 0; i < N; i++) {
        centre_y += y[i * ALL_MODES + k] / N;
        mean += fields[i * M + j] / N;
        square += fields[i * M + j] * fields[i * M + j] / N;
        product += fields[i * M + j] * y[i * ALL_MODES + k] / N;
      }
      product -= mean * centre_y;
      expected += product * product / (square - mean * mean) / M;
    }
    if (fabs(share[k] - expected) > 0.02) fail_msg("share %d: %g, of samples %g", k, share[k], expected);
    sum += share[k];
  }
  assert_true(share[0] > share[MODES - 1] && share[MODES - 1] > 0 && sum < 1);
  CHECK(ScoriaModelDestroy(&model));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_sample_has_the_same_bits_whoever_asks),
      cmocka_unit_test(a_silent_network_gives_the_conditional_gaussian),
      cmocka_unit_test(gaussian_samples_are_white),
      cmocka_unit_test(latents_give_the_samples_drawn_from_them),
      cmocka_unit_test(shares_are_those_of_samples),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
