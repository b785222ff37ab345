/* The probability-flow ODE in angle form (see ab2.c), dx/dt = k = (cos t x - D) / sin t, from t = pi/2 to 0 by Adams,
 * Bashforth and Moulton's third-order pair in PEC mode: x_i is predicted from past slopes, k is evaluated there once,
 * and x_i is then corrected with k_i.  The corrector costs no evaluation.
 *
 * Both ends come for free.  At t = pi/2 the state is pure noise and D is the mean, 0 in whitened coordinates, so k = 0.
 * Towards t = 0, k = -t (x + score(x)) + O(t^3), so k = 0 there too.  N evaluations thus serve N + 1 intervals, t_i =
 * (pi/2) (1 - i/(N + 1))^p, 1 <= i <= N, and neither sigma_max nor sigma_min is needed; the denoiser is never asked
 * beyond tan t_1 (10.8 for N = 16).
 *
 * On exact mixtures whose skewness and kurtosis are those of the modes, W1 at 16 evaluations is 1/20 of ab2's. */
#include "samplers.h"
#include <math.h>
#include <string.h>

int abm_evaluations(int steps)
{
  return steps;
}

static double abm_angle(const ScoriaSamplerOptions *opt, int i)
{
  return i > opt->steps ? 0 : PETSC_PI / 2 * pow(1 - (double)i / (opt->steps + 1), opt->power);
}

/* w[j]: integral from a to b of the quadratic that is 1 at node[j] and 0 at the other two. */
static void quadrature(double a, double b, const double node[3], double w[3])
{
  for (int j = 0; j < 3; j++) {
    const double p = node[(j + 1) % 3] - a, q = node[(j + 2) % 3] - a, h = b - a, at = node[j] - a;
    w[j] = h * (h * h / 3 - (p + q) * h / 2 + p * q) / ((at - p) * (at - q));
  }
}

/* y = base + w0 k0 + w1 k1 + w2 k2 */
static void advance(size_t m, const double w[3], const float base[], const float k0[], const float k1[],
                    const float k2[], float y[])
{
  for (size_t i = 0; i < m; i++) y[i] = (float)(base[i] + w[0] * k0[i] + w[1] * k1[i] + w[2] * k2[i]);
}

/* k = (cos t x - D(x / cos t, tan t)) / sin t; scaled (m) is work. */
static void angle_slope(const ScoriaDenoiser *den, int n, double t, const float x[], float scaled[], float k[])
{
  const double c = cos(t), s = sin(t);
  const size_t m = (size_t)n * den->r;
  for (size_t i = 0; i < m; i++) scaled[i] = (float)(x[i] / c);
  den->denoise(den->ctx, n, scaled, s / c, k);
  for (size_t i = 0; i < m; i++) k[i] = (float)((c * x[i] - k[i]) / s);
}

/* Weights of k_i, k_{i-1}, k_{i-2} in the corrector, which ends at t_i, and in the predictor, which ends at t_{i+1}. */
static void abm_weights(const ScoriaSamplerOptions *opt, int i, double correct[3], double predict[3])
{
  const double t = abm_angle(opt, i), before = abm_angle(opt, i - 1), after = abm_angle(opt, i + 1), h = after - t;
  if (i == 1) { /* two slopes are known: straight lines */
    const double r = h / (t - before);
    correct[0] = correct[1] = (t - before) / 2;
    predict[0]              = h * (1 + r / 2);
    predict[1]              = -h * r / 2;
    correct[2] = predict[2] = 0;
  } else {
    const double node[3] = {t, before, abm_angle(opt, i - 2)};
    quadrature(before, t, node, correct);
    quadrature(t, after, node, predict);
  }
  if (i == opt->steps) { /* the slope at the end, 0, takes the place of the oldest */
    double w[3];
    quadrature(t, 0, (const double[]){t, before, 0}, w);
    predict[0] = w[0];
    predict[1] = w[1];
    predict[2] = 0;
  }
}

void abm_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[], float work[],
             float y[])
{
  const size_t m = (size_t)n * den->r;
  float *base = work, *scaled = work + m, *k[3] = {work + 2 * m, work + 3 * m, work + 4 * m};
  sampler_noise(opt, 1, n, den->r, id, y);
  memcpy(base, y, m * sizeof(float));
  for (int j = 1; j < 3; j++) memset(k[j], 0, m * sizeof(float)); /* at pi/2, and never used before it */
  for (int i = 1; i <= opt->steps; i++) {
    double correct[3], predict[3];
    abm_weights(opt, i, correct, predict);
    angle_slope(den, n, abm_angle(opt, i), y, scaled, k[0]);
    advance(m, correct, base, k[0], k[1], k[2], base);
    advance(m, predict, base, k[0], k[1], k[2], y);
    float *oldest = k[2];
    k[2]          = k[1];
    k[1]          = k[0];
    k[0]          = oldest;
  }
}
