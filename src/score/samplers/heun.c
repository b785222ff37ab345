/* EDM's deterministic sampler, Karras et al. (2022), algorithm 1: the probability flow of a process x_t = a (y + s
 * noise), dx/dt = (s'/s) (x - a D) + (a'/a) x, by Heun's rule on the process's grid; the last step, to s = 0, takes D.
 */
#include "samplers.h"
#include "score/processes.h"
#include <math.h>
#include <string.h>

int heun_evaluations(int steps)
{
  return 2 * steps - 1;
}

static double flow_slope(const ScoriaLevel *at, double x, double D)
{
  return at->sigma_rate * (x - at->scale * D) / at->sigma + at->scale_rate / at->scale * x;
}

void heun_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[], float work[],
              float y[])
{
  const size_t m = (size_t)n * den->r;
  float *D = work, *slope = work + m, *next = work + 2 * m, *scaled = work + 3 * m;
  sampler_start(opt, n, den->r, id, y);
  for (int step = 0; step < opt->steps; step++) {
    const ScoriaLevel at = sampler_level(opt, step), to = sampler_level(opt, step + 1);
    const double h = to.t - at.t;
    sampler_denoise(den, n, &at, y, scaled, D);
    if (!(to.sigma > 0)) break;
    for (size_t i = 0; i < m; i++) {
      slope[i] = (float)flow_slope(&at, y[i], D[i]);
      next[i]  = (float)(y[i] + h * slope[i]);
    }
    sampler_denoise(den, n, &to, next, scaled, D);
    for (size_t i = 0; i < m; i++) y[i] = (float)(y[i] + h / 2 * (slope[i] + flow_slope(&to, next[i], D[i])));
  }
  memcpy(y, D, m * sizeof(float));
}
