/* Euler-Maruyama on the reverse diffusion of a process x_t = a (y + s noise) (Song et al. 2021),
 *   dx = (a'/a) x dt + 2 (s'/s) (x - a D) dt + a sqrt(d(s^2)/dt) dw    backwards in t,
 * a and s taken by their increments over a step instead of their derivatives, so that the variance of the noise is
 * exact; the last step, to s = 0, takes D itself.  First order: it needs hundreds of steps and is here for comparison.
 */
#include "samplers.h"
#include <math.h>
#include <string.h>

int em_evaluations(int steps)
{
  return steps;
}

void reverse_step(const ScoriaLevel *at, const ScoriaLevel *to, size_t m, const float D[], const float noise[],
                  float y[])
{
  const double s = at->sigma, s_next = to->sigma, a = at->scale, growth = (to->scale - a) / a,
               drift = 2 * (s_next - s) / s, spread = a * sqrt(s * s - s_next * s_next);
  for (size_t i = 0; i < m; i++)
    y[i] = (float)(y[i] + growth * y[i] + drift * ((double)y[i] - a * D[i]) + spread * noise[i]);
}

void em_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[], float work[],
            float y[])
{
  const size_t m = (size_t)n * den->r;
  float *D = work, *noise = work + m, *scaled = work + 2 * m;
  sampler_start(opt, n, den->r, id, y);
  for (int step = 0; step < opt->steps; step++) {
    const ScoriaLevel at = sampler_level(opt, step), to = sampler_level(opt, step + 1);
    sampler_denoise(den, n, &at, y, scaled, D);
    if (!(to.sigma > 0)) break;
    sampler_draw(opt, step + 1, n, den->r, id, noise);
    reverse_step(&at, &to, m, D, noise, y);
  }
  memcpy(y, D, m * sizeof(float));
}
