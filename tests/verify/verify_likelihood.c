/* Log densities by the probability flow against exact ones: mixtures of isotropic Gaussians around a common mean of 0,
 * for which the denoiser and its Jacobian are known in closed form, in any dimension. */
#include "score/log_density.h"
#include "testing.h"
#include <math.h>
#include <stdlib.h>

enum { PARTS = 2, MOST = 12 };

typedef struct {
  int r;
  double weight[PARTS], sd[PARTS], mean[PARTS][MOST];
  double scale[MOST]; /* of coordinate k in every part, times sd */
} Mixture;

/* The mixture, and where its denoiser was called last. */
typedef struct {
  const Mixture *law;
  const double *x; /* borrowed (n, r) */
  double sigma;
} Exact;

static double variance(const Mixture *law, int part, int k, double sigma)
{
  return pow(law->sd[part] * law->scale[k], 2) + sigma * sigma;
}

/* ln of the density of y + sigma noise at x; share: of each part in it. */
static double mixture_log_density(const Mixture *law, const double x[], double sigma, double share[PARTS])
{
  double top = -INFINITY, sum = 0;
  for (int i = 0; i < PARTS; i++) {
    share[i] = log(law->weight[i]);
    for (int k = 0; k < law->r; k++) {
      const double v = variance(law, i, k, sigma), gap = x[k] - law->mean[i][k];
      share[i] -= 0.5 * gap * gap / v + 0.5 * log(2 * PETSC_PI * v);
    }
    top = fmax(top, share[i]);
  }
  for (int i = 0; i < PARTS; i++) sum += share[i] = exp(share[i] - top);
  for (int i = 0; i < PARTS; i++) share[i] /= sum;
  return top + log(sum);
}

/* Posterior mean of coordinate k under a part, and the gradient of the part's log evidence. */
static double part_mean(const Mixture *law, int i, int k, double x, double sigma)
{
  const double v = variance(law, i, k, sigma);
  return (law->mean[i][k] * sigma * sigma + x * (v - sigma * sigma)) / v;
}

static double part_slope(const Mixture *law, int i, int k, double x, double sigma)
{
  return (law->mean[i][k] - x) / variance(law, i, k, sigma);
}

static void exact_denoise(void *ctx, int n, const double x[], double sigma, double D[])
{
  Exact *e           = ctx;
  const Mixture *law = e->law;
  e->x               = x;
  e->sigma           = sigma;
  for (int row = 0; row < n; row++, x += law->r, D += law->r) {
    double share[PARTS];
    (void)mixture_log_density(law, x, sigma, share);
    for (int k = 0; k < law->r; k++) {
      D[k] = 0;
      for (int i = 0; i < PARTS; i++) D[k] += share[i] * part_mean(law, i, k, x[k], sigma);
    }
  }
}

/* D_k = sum_i share_i m_ik, d share_i / dx_l = share_i (g_il - sum_j share_j g_jl), d m_ik / dx_k = 1 - sigma^2 / v_ik
 */
static void exact_pull(void *ctx, int n, const double v[], double vJ[])
{
  const Exact *e     = ctx;
  const Mixture *law = e->law;
  const double *x = e->x, s = e->sigma;
  for (int row = 0; row < n; row++, x += law->r, v += law->r, vJ += law->r) {
    double share[PARTS], along[PARTS] = {0}, mean = 0;
    (void)mixture_log_density(law, x, s, share);
    for (int i = 0; i < PARTS; i++) {
      for (int k = 0; k < law->r; k++) along[i] += v[k] * part_mean(law, i, k, x[k], s);
      mean += share[i] * along[i];
    }
    for (int l = 0; l < law->r; l++) {
      vJ[l] = 0;
      for (int i = 0; i < PARTS; i++)
        vJ[l] += share[i] *
                 (v[l] * (1 - s * s / variance(law, i, l, s)) + (along[i] - mean) * part_slope(law, i, l, x[l], s));
    }
  }
}

static void flow_log_density(const Mixture *law, int steps, int probes, int n, const uint64_t id[], const double y[],
                             double out[])
{
  const ScoriaLikelihoodOptions opt = {.steps = steps, .probes = probes, .seed = 5};
  Exact exact                       = {.law = law};
  const ScoriaTracedDenoiser den    = {law->r, &exact, exact_denoise, exact_pull};
  const size_t count                = (size_t)n * (size_t)law->r;
  double *work                      = malloc((likelihood_work_doubles(n, law->r) + count) * sizeof(double));
  assert_non_null(work);
  memcpy(work, y, count * sizeof(double));
  likelihood_flow(&opt, &den, n, id, work + count, work, out);
  free(work);
}

/* The second part's mean is such that the whole has mean 0. */
static Mixture mixture(int r, double weight, double shift, double sd, double other)
{
  Mixture law = {.r = r, .weight = {weight, 1 - weight}, .sd = {sd, other}};
  for (int k = 0; k < r; k++) {
    law.mean[0][k] = shift * cos(k + 0.4);
    law.mean[1][k] = -law.mean[0][k] * weight / (1 - weight);
    law.scale[k]   = 1 + 0.3 * sin(2 * k);
  }
  return law;
}

enum { ROWS = 40 };

/* Rows of the law itself and, every fourth, far out of it. */
static void draw_rows(const Mixture *law, double y[], uint64_t id[])
{
  for (int row = 0; row < ROWS; row++) {
    double z[MOST], u;
    rng_uniform(2, SCORIA_STREAM_SAMPLE, (uint64_t)row, 100, 1, &u);
    rng_normal(2, SCORIA_STREAM_SAMPLE, (uint64_t)row, 0, law->r, z);
    const int i = u > law->weight[0];
    for (int k = 0; k < law->r; k++)
      y[row * law->r + k] = law->mean[i][k] + (row % 4 ? 1 : 3) * law->sd[i] * law->scale[k] * z[k];
    id[row] = (uint64_t)row;
  }
}

static double rms_error(const Mixture *law, int steps)
{
  double y[ROWS * MOST], flow[ROWS], share[PARTS], sum = 0;
  uint64_t id[ROWS];
  draw_rows(law, y, id);
  flow_log_density(law, steps, 0, ROWS, id, y, flow);
  for (int row = 0; row < ROWS; row++)
    sum += pow(flow[row] - mixture_log_density(law, y + row * law->r, 0, share), 2) / ROWS;
  return sqrt(sum);
}

/* N(0, I) is at rest: exact at a single step, to rounding of sums of squares of the order 100. */
static void unit_gaussians_are_exact(void **state)
{
  (void)state;
  for (int r = 1; r <= MOST; r++) {
    Mixture law = mixture(r, 0.5, 0, 1, 1);
    for (int k = 0; k < r; k++) law.scale[k] = 1;
    for (int steps = 1; steps < 4; steps++) assert_true(rms_error(&law, steps) < 1e-12);
  }
}

/* Of order 4: to the exact value for Gaussians of other scales, in one dimension and in twelve, and for mixtures with
 * two modes, skewness or tails.  From 64 to 128 steps the error is far above rounding. */
static void errors_fall_with_the_fourth_power(void **state)
{
  const Mixture laws[] = {mixture(1, 0.5, 0, 0.4, 0.4), mixture(12, 0.5, 0, 0.8, 0.8), mixture(2, 0.4, 1.2, 0.4, 0.5),
                          mixture(12, 0.9, 0.05, 0.8, 1.9), mixture(7, 0.5, 0.6, 0.6, 0.9)};
  (void)state;
  for (size_t l = 0; l < sizeof laws / sizeof laws[0]; l++) {
    const double coarse = rms_error(&laws[l], 64), fine = rms_error(&laws[l], 128), order = log2(coarse / fine);
    printf("# r = %2d: error %.1e nats at 16 steps, %.1e at 32, %.1e at 64, %.1e at 128, order %.2f\n", laws[l].r,
           rms_error(&laws[l], 16), rms_error(&laws[l], 32), coarse, fine, order);
    assert_true(fine > 1e-12 && order > 3.7 && order < 4.6);
  }
}

/* Two modes in the plane: the density sums to 1 on a grid.  Its step, .1, is a quarter of the narrowest scale, so that
 * the rectangle rule's error, exp(-2 (pi .4 / .1)^2), is nothing; it reaches 8 scales beyond the modes; what is left is
 * the error of 64 steps, 1e-7 nats. */
static void density_integrates_to_one(void **state)
{
  enum { SIDE = 100 };
  static double y[SIDE * 2], density[SIDE];
  static uint64_t id[SIDE];
  const Mixture law = mixture(2, 0.4, 1.2, 0.4, 0.5);
  double sum        = 0;
  (void)state;
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) {
      y[2 * j]     = 0.1 * (i - SIDE / 2);
      y[2 * j + 1] = 0.1 * (j - SIDE / 2);
    }
    flow_log_density(&law, 64, 0, SIDE, id, y, density);
    for (int j = 0; j < SIDE; j++) sum += 0.01 * exp(density[j]);
  }
  printf("# integral %.8f\n", sum);
  assert_true(fabs(sum - 1) < 1e-6);
}

/* The path does not depend on the probes, and the logarithm is linear in the trace: estimates have the exact value as
 * their mean.  Four standard errors; and with 16 probes a quarter of the spread, to four of its own errors, 1/sqrt(2
 * n).
 */
static void probes_are_unbiased(void **state)
{
  enum { N = 1000 };
  static double y[N * MOST], estimate[N];
  static uint64_t id[N];
  const Mixture law = mixture(7, 0.5, 0.6, 0.6, 0.9);
  double exact, sd[2];
  (void)state;
  for (int i = 0; i < N; i++) {
    id[i] = (uint64_t)i;
    for (int k = 0; k < law.r; k++) y[i * law.r + k] = 0.5 * cos(3 * k);
  }
  flow_log_density(&law, 16, 0, 1, id, y, &exact);
  for (int many = 0; many < 2; many++) {
    double mean = 0, square = 0;
    flow_log_density(&law, 16, many ? 16 : 1, N, id, y, estimate);
    for (int i = 0; i < N; i++) mean += estimate[i] / N;
    for (int i = 0; i < N; i++) square += pow(estimate[i] - mean, 2) / (N - 1);
    sd[many] = sqrt(square);
    printf("# %2d probes: mean %.5f, SD %.5f, exact %.5f\n", many ? 16 : 1, mean, sd[many], exact);
    assert_true(sd[many] > 1e-3 && fabs(mean - exact) < 4 * sd[many] / sqrt(N));
  }
  assert_true(fabs(4 * sd[1] / sd[0] - 1) < 4 * sqrt(2) / sqrt(2 * N));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unit_gaussians_are_exact),
      cmocka_unit_test(errors_fall_with_the_fourth_power),
      cmocka_unit_test(density_integrates_to_one),
      cmocka_unit_test(probes_are_unbiased),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
