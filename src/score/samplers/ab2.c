/* The probability-flow ODE in angle form: x = cos t y + sin t noise, t = atan(sigma), dx/dt = (cos t x - D) / sin t, D
 * being the denoiser at sigma = tan t of x / cos t.  For unit Gaussian data the right-hand side vanishes: what the
 * steps resolve is the deviation from Gaussian alone.  Adams-Bashforth 2 of variable step on t_i = t_max (1 - i/N)^p,
 * t_max = atan(sigma_max). sigma_min has no part in it: the last step reaches t = 0. */
#include "samplers.h"
#include <math.h>
#include <string.h>

int ab2_evaluations(int steps)
{
  return steps;
}

static double ab2_angle(const ScoriaSamplerOptions *opt, int i)
{
  return i >= opt->steps ? 0 : atan(opt->sigma_max) * pow(1 - (double)i / opt->steps, opt->power);
}

void ab2_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[], float work[],
             float y[])
{
  const size_t m = (size_t)n * den->r;
  float *D = work, *scaled = work + m, *slope = work + 2 * m;
  double h_last = 0;
  sampler_noise(opt, 1, n, den->r, id, y); /* variance cos^2 + sin^2 at every t */
  for (int step = 0; step < opt->steps; step++) {
    const double t = ab2_angle(opt, step), h = ab2_angle(opt, step + 1) - t, c = cos(t), s = sin(t);
    const double extra = step > 0 ? h / (2 * h_last) : 0;
    for (size_t i = 0; i < m; i++) scaled[i] = (float)(y[i] / c);
    den->denoise(den->ctx, n, scaled, s / c, D);
    for (size_t i = 0; i < m; i++) {
      const double k = (c * y[i] - D[i]) / s;
      y[i]           = (float)(y[i] + h * ((1 + extra) * k - (step > 0 ? extra * slope[i] : 0)));
      slope[i]       = (float)k;
    }
    h_last = h;
  }
}
