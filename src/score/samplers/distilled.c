/* Sampling with a network distilled from the probability flow (trainer_distil.c): noise z to z + pi/2 F, F being that
 * of the denoiser at 45 degrees, D(z / cos t, 1) = cos t z + sin t F.  A map of the noise, as the flow itself. */
#include "samplers.h"
#include <math.h>

int distilled_evaluations(int steps)
{
  (void)steps;
  return 1;
}

void distilled_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[], float work[],
                   float y[])
{
  const double c = sqrt(0.5); /* cosine and sine */
  const size_t m = (size_t)n * (size_t)den->r;
  float *noise = work, *scaled = work + m;
  sampler_noise(opt, 1, n, den->r, id, noise);
  for (size_t i = 0; i < m; i++) scaled[i] = (float)(noise[i] / c);
  den->denoise(den->ctx, n, scaled, 1, y);
  for (size_t i = 0; i < m; i++) y[i] = (float)(noise[i] + PETSC_PI / 2 * (y[i] - c * noise[i]) / c);
}
