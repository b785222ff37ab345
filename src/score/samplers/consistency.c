/* Sampling with a network tuned for consistency (train_consistency.c; Song et al. 2023): at t_0 = atan sigma_max the
 * state is pure noise, and D of it is a sample already.  Every further evaluation noises that sample afresh, to t_i =
 * t_0 (1 - i/N)^p, and takes D again. */
#include "samplers.h"
#include <math.h>

int consistency_evaluations(int steps)
{
  return steps;
}

void consistency_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[],
                     float work[], float y[])
{
  const int r          = den->r;
  const uint32_t draws = (uint32_t)(r + 3) / 4; /* blocks of one step's noise; step 0 is the initial noise */
  const size_t m       = (size_t)n * r;
  float *noisy = work, *noise = work + m;
  sampler_noise(opt, sqrt(opt->sigma_max * opt->sigma_max + 1), n, r, id, noisy);
  den->denoise(den->ctx, n, noisy, opt->sigma_max, y);
  for (int step = 1; step < opt->steps; step++) {
    const double s = tan(atan(opt->sigma_max) * pow(1 - (double)step / opt->steps, opt->power));
    for (int i = 0; i < n; i++)
      rng_normalf(opt->seed, SCORIA_STREAM_SAMPLE, id[i], draws * (uint32_t)step, r, noise + (size_t)i * r);
    for (size_t i = 0; i < m; i++) noisy[i] = (float)(y[i] + s * noise[i]);
    den->denoise(den->ctx, n, noisy, s, y);
  }
}
