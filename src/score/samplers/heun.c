/* EDM's deterministic sampler, Karras et al. (2022), algorithm 1: dx/ds = d(x, s) = (x - D(x, s)) / s by Heun's rule on
 * the grid s_i^(1/rho) linear, rho = 7, Euler in the last step to s = 0. */
#include "samplers.h"
#include <math.h>

int heun_evaluations(int steps)
{
  return 2 * steps - 1;
}

void heun_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[], float work[],
              float y[])
{
  const size_t m = (size_t)n * den->r;
  float *D = work, *slope = work + m, *next = work + 2 * m;
  sampler_noise(opt, sqrt(opt->sigma_max * opt->sigma_max + 1), n, den->r, id, y);
  for (int step = 0; step < opt->steps; step++) {
    const double s = karras_sigma(opt, step), s_next = karras_sigma(opt, step + 1), h = s_next - s;
    den->denoise(den->ctx, n, y, s, D);
    for (size_t i = 0; i < m; i++) {
      slope[i] = (float)(((double)y[i] - D[i]) / s);
      next[i]  = (float)(y[i] + h * slope[i]);
    }
    if (s_next > 0) {
      den->denoise(den->ctx, n, next, s_next, D);
      for (size_t i = 0; i < m; i++) next[i] = (float)(y[i] + h / 2 * (slope[i] + ((double)next[i] - D[i]) / s_next));
    }
    for (size_t i = 0; i < m; i++) y[i] = next[i];
  }
}
