/* DPM-Solver++(2M), Lu et al. (2022), in t = -ln s on the process's levels of s: the data prediction is extrapolated
 * linearly in t and the linear part is integrated exactly; the first step and the last, to s = 0, use the prediction as
 * it is. */
#include "samplers.h"
#include <math.h>
#include <string.h>

int dpmpp2m_evaluations(int steps)
{
  return steps;
}

void dpmpp2m_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[], float work[],
                 float y[])
{
  const size_t m = (size_t)n * den->r;
  float *D = work, *last = work + m;
  double h_last = 0;
  sampler_noise(opt, sqrt(opt->sigma_max * opt->sigma_max + 1), n, den->r, id, y); /* x / a: the scale cancels */
  for (int step = 0; step < opt->steps; step++) {
    const double s = sampler_level(opt, step).sigma, s_next = sampler_level(opt, step + 1).sigma;
    const double h     = s_next > 0 ? log(s / s_next) : 0;
    const double extra = step > 0 && s_next > 0 ? h / (2 * h_last) : 0; /* 1 / (2 r) with r = h_last / h */
    den->denoise(den->ctx, n, y, s, D);
    for (size_t i = 0; i < m; i++) {
      const double prediction = step > 0 ? (1 + extra) * D[i] - extra * last[i] : D[i];
      y[i]                    = (float)(s_next / s * y[i] + (1 - s_next / s) * prediction);
    }
    memcpy(last, D, m * sizeof(float));
    h_last = h;
  }
}
