/* Euler-Maruyama on the reverse diffusion in s (Song et al. 2021, variance exploding): from s to s' < s,
 * x' = x + 2 (s' - s) (x - D) / s + sqrt(s^2 - s'^2) z, on EDM's grid (rho = 7); the last step, to s = 0, takes D
 * itself. First order: it needs hundreds of steps and is here for comparison. */
#include "samplers.h"
#include <math.h>
#include <string.h>

int em_evaluations(int steps)
{
  return steps;
}

void em_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[], float work[],
            float y[])
{
  const int r          = den->r;
  const uint32_t draws = (uint32_t)(r + 3) / 4; /* blocks of one step's noise; step 0 is the initial noise */
  const size_t m       = (size_t)n * r;
  float *D = work, *noise = work + m;
  sampler_noise(opt, sqrt(opt->sigma_max * opt->sigma_max + 1), n, r, id, y);
  for (int step = 0; step < opt->steps; step++) {
    const double s = karras_sigma(opt, step), s_next = karras_sigma(opt, step + 1);
    den->denoise(den->ctx, n, y, s, D);
    if (!(s_next > 0)) {
      memcpy(y, D, m * sizeof(float));
      return;
    }
    for (int i = 0; i < n; i++)
      rng_normalf(opt->seed, SCORIA_STREAM_SAMPLE, id[i], draws * (uint32_t)(step + 1), r, noise + (size_t)i * r);
    const double drift = 2 * (s_next - s) / s, spread = sqrt(s * s - s_next * s_next);
    for (size_t i = 0; i < m; i++) y[i] = (float)(y[i] + drift * ((double)y[i] - D[i]) + spread * noise[i]);
  }
}
