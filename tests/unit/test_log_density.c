/* Densities of fields under a model.  ranks: 2
 * With a silent network they are those of the conditional Gaussian; with random weights they must agree with a flow
 * whose trace comes from differences of the denoiser that samples are drawn with. */
#define SMALL_MODEL_FILE "test_log_density.h5"
#include "score/log_density.h"
#include "small_model.h"
#include "scoria/linalg.h"
#include <stdlib.h>

static const char *const kinds[] = {"modes", "cnn1d"};

enum { N = 60 };

static double fields[N * M], theta[N], density[N], gauss[N], volume[N];
static uint64_t id[N];

/* Rows of the Gaussian model at four conditions. */
static void draw_rows(ScoriaModel model)
{
  const ScoriaSamplerOptions opt = {"abm", 6, 30, 0.002, 1, 42, false, NULL, 0.16, NULL};
  for (int i = 0; i < N; i++) {
    id[i]    = (uint64_t)i;
    theta[i] = -0.6 + 0.4 * (i / 15);
    CHECK(ScoriaModelSample(model, &twin, &opt, theta + i, id[i], 1, true, fields + i * M));
  }
}

static void densities(ScoriaModel model, int probes, int first, int n)
{
  const ScoriaLikelihoodOptions opt = {.steps = 8, .probes = probes, .seed = 3};
  const ScoriaLogDensity part       = {density + first, gauss + first, volume + first};
  CHECK(ScoriaModelLogDensity(model, &twin, &opt, first, n, id + first, theta + first, fields + first * M, &part));
}

/* Exact to rounding; the Gaussian's own value from the coordinates; and a field beyond the reference has density 0. */
static void a_silent_network_gives_the_conditional_gaussian(void **state)
{
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    double y[ALL_MODES];
    ScoriaModel model;
    make_model_of(kinds[kind], false, &model);
    draw_rows(model);
    fields[7 * M + 3] = 6; /* above c_R = 5 */
    densities(model, 0, 0, N);
    for (int i = 0; i < N; i++) {
      double sum = -0.5 * ALL_MODES * log(2 * PETSC_PI);
      if (i == 7) {
        assert_true(isinf(density[i]) && density[i] < 0 && isinf(gauss[i]));
        continue;
      }
      CHECK(ScoriaNormaliserAt(model->normaliser, &twin, theta + i));
      normaliser_encode(model->normaliser, 1, fields + i * M, y);
      for (int k = 0; k < ALL_MODES; k++) sum -= 0.5 * y[k] * y[k];
      assert_true(fabs(gauss[i] - sum) < 1e-12 * fabs(sum) && fabs(density[i] - gauss[i]) < 1e-10);
    }
    CHECK(ScoriaModelDestroy(&model));
  }
}

/* Rows given other rows' conditions are less likely: the means of the law move by more than its spread. */
static void other_conditions_are_less_likely(void **state)
{
  double right = 0, wrong = 0;
  ScoriaModel model;
  (void)state;
  make_model_of("modes", false, &model);
  draw_rows(model);
  densities(model, 0, 0, N);
  for (int i = 0; i < N; i++) right += (density[i] - volume[i]) / N;
  for (int i = 0; i < N; i++) theta[i] = -0.6 + 0.4 * ((i / 15 + 1) % 4);
  densities(model, 0, 0, N);
  for (int i = 0; i < N; i++) wrong += (density[i] - volume[i]) / N;
  assert_true(right > wrong + 1);
  CHECK(ScoriaModelDestroy(&model));
}

/* The denoiser of sampling with a Jacobian by central differences of step .01: truncation h^2 and single precision / h
 * are both of the order 1e-5. */
typedef struct {
  ModelAt at;
  double sigma;
  const double *x;
} Differences;

static void sampling_denoise(void *ctx, int n, const double x[], double sigma, double D[])
{
  Differences *d        = ctx;
  float from[N * MODES] = {0}, to[N * MODES];
  d->sigma              = sigma;
  d->x                  = x;
  for (int i = 0; i < n * MODES; i++) from[i] = (float)x[i];
  model_denoise(&d->at, n, from, sigma, to);
  for (int i = 0; i < n * MODES; i++) D[i] = (double)to[i];
}

/* v^T J e_k by moving coordinate k; the noise level sets the scale on which the denoiser varies. */
static void difference_pull(void *ctx, int n, const double v[], double vJ[])
{
  Differences *d  = ctx;
  const double *x = d->x, h = 0.01 * sqrt(1 + d->sigma * d->sigma);
  double moved[N * MODES], D[2][N * MODES];
  for (int k = 0; k < MODES; k++) {
    for (int side = 0; side < 2; side++) {
      memcpy(moved, x, sizeof(double) * (size_t)(n * MODES));
      for (int i = 0; i < n; i++) moved[i * MODES + k] += side ? h : -h;
      sampling_denoise(d, n, moved, d->sigma, D[side]);
    }
    for (int i = 0; i < n; i++) {
      vJ[i * MODES + k] = 0;
      for (int j = 0; j < MODES; j++)
        vJ[i * MODES + k] += v[i * MODES + j] * (D[1][i * MODES + j] - D[0][i * MODES + j]) / (2 * h);
    }
  }
  d->x = x;
}

/* Over 31 evaluations, each with its 4 differences divided by sin t >= .1: 1e-3 nats, where the network moves densities
 * by a hundred times that. */
static void trace_is_that_of_differences(void **state)
{
  const ScoriaLikelihoodOptions opt = {.steps = 8, .seed = 3};
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    double y[N * ALL_MODES], learned[N * MODES], expected[N], largest = 0;
    double *work = malloc(likelihood_work_doubles(N, MODES) * sizeof(double));
    ScoriaModel model;
    Differences d;
    const ScoriaTracedDenoiser den = {MODES, &d, sampling_denoise, difference_pull};
    make_model_of(kinds[kind], true, &model);
    draw_rows(model);
    for (int i = 0; i < N; i++) theta[i] = 0.2; /* one condition: model_denoise knows no other */
    densities(model, 0, 0, N);
    CHECK(ScoriaNormaliserAt(model->normaliser, &twin, theta));
    normaliser_encode(model->normaliser, N, fields, y);
    for (int i = 0; i < N * MODES; i++) learned[i] = y[i / MODES * ALL_MODES + i % MODES];
    model_at(model, theta, &d.at);
    likelihood_flow(&opt, &den, N, id, work, learned, expected);
    for (int i = 0; i < N; i++) {
      for (int k = MODES; k < ALL_MODES; k++)
        expected[i] -= 0.5 * (y[i * ALL_MODES + k] * y[i * ALL_MODES + k] + log(2 * PETSC_PI));
      largest = fmax(largest, fabs(density[i] - gauss[i]));
      if (!(fabs(density[i] - expected[i]) < 1e-3 * (1 + fabs(expected[i]) / 10)))
        fail_msg("%s row %d: %g by the backward pass, %g by differences", kinds[kind], i, density[i], expected[i]);
    }
    assert_true(largest > 0.1);
    free(work);
    CHECK(ScoriaModelDestroy(&model));
  }
}

/* Volume: of the Jacobian of decode by central differences; step 1e-6 of unit coordinates. */
static void volume_is_that_of_the_decoder(void **state)
{
  ScoriaModel model;
  (void)state;
  make_model_of("modes", false, &model);
  draw_rows(model);
  densities(model, 0, 0, 3);
  for (int i = 0; i < 3; i++) {
    double y[ALL_MODES], moved[2][M], J[M * ALL_MODES], gram[ALL_MODES * ALL_MODES] = {0}, sum = 0;
    CHECK(ScoriaNormaliserAt(model->normaliser, &twin, theta + i));
    normaliser_encode(model->normaliser, 1, fields + i * M, y);
    for (int k = 0; k < ALL_MODES; k++) {
      const double at = y[k], h = 1e-6;
      for (int side = 0; side < 2; side++) {
        y[k] = side ? at + h : at - h;
        normaliser_decode(model->normaliser, 1, y, moved[side]);
      }
      y[k] = at;
      for (int j = 0; j < M; j++) J[j * ALL_MODES + k] = (moved[1][j] - moved[0][j]) / (2 * h);
    }
    la_syrk(ALL_MODES, M, ALL_MODES, J, gram);
    assert_true(la_cholesky(ALL_MODES, gram));
    for (int k = 0; k < ALL_MODES; k++) sum += log(gram[k * ALL_MODES + k]);
    assert_true(fabs(sum - volume[i]) < 1e-6 * (1 + fabs(sum)));
  }
  CHECK(ScoriaModelDestroy(&model));
}

/* However the list is split, with the exact trace and with probes. */
static void a_density_has_the_same_bits_whoever_asks(void **state)
{
  static double whole[N];
  (void)state;
  for (int kind = 0; kind < 2; kind++)
    for (int probes = 0; probes < 2; probes++) {
      ScoriaModel model;
      make_model_of(kinds[kind], true, &model);
      draw_rows(model);
      densities(model, probes, 0, N);
      memcpy(whole, density, sizeof whole);
      memset(density, 0, sizeof density);
      densities(model, probes, 0, 7);
      densities(model, probes, 7, 0);
      densities(model, probes, 7, 40);
      densities(model, probes, 47, N - 47);
      assert_memory_equal(whole, density, sizeof whole);
      (void)MPI_Bcast(whole, N, MPI_DOUBLE, 0, PETSC_COMM_WORLD);
      assert_memory_equal(whole, density, sizeof whole);
      CHECK(ScoriaModelDestroy(&model));
    }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_silent_network_gives_the_conditional_gaussian),
      cmocka_unit_test(other_conditions_are_less_likely),
      cmocka_unit_test(trace_is_that_of_differences),
      cmocka_unit_test(volume_is_that_of_the_decoder),
      cmocka_unit_test(a_density_has_the_same_bits_whoever_asks),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
