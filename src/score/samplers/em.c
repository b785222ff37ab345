/* Euler-Maruyama on the reverse diffusion of a process x_t = a (y + s noise) (Song et al. 2021),
 *   dx = (a'/a) x dt + 2 (s'/s) (x - a D) dt + a sqrt(d(s^2)/dt) dw    backwards in t,
 * a and s taken by their increments over a step instead of their derivatives, so that the variance of the noise is
 * exact; the last step, to s = 0, takes D itself.  First order: it needs hundreds of steps and is here for comparison.
 */
#include "samplers.h"
#include "score/processes.h"
#include <math.h>
#include <string.h>

int em_evaluations(int steps)
{
  return steps;
}

static void euler_step(const ScoriaLevel *at, const ScoriaLevel *to, size_t m, const float D[], const float noise[],
                       float y[])
{
  const double s = at->sigma, s_next = to->sigma, a = at->scale, growth = (to->scale - a) / a,
               drift = 2 * (s_next - s) / s, spread = a * sqrt(s * s - s_next * s_next);
  for (size_t i = 0; i < m; i++)
    y[i] = (float)(y[i] + growth * y[i] + drift * ((double)y[i] - a * D[i]) + spread * noise[i]);
}

bool reverse_step(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int step, int draw, int n,
                  const uint64_t id[], float work[], float y[])
{
  const size_t m       = (size_t)n * den->r;
  const ScoriaLevel at = sampler_level(opt, step), to = sampler_level(opt, step + 1);
  float *D = work, *noise = work + m, *scaled = work + 2 * m;
  sampler_denoise(den, n, &at, y, scaled, D);
  if (!(to.sigma > 0)) {
    memcpy(y, D, m * sizeof(float));
    return false;
  }
  sampler_draw(opt, draw, n, den->r, id, noise);
  euler_step(&at, &to, m, D, noise, y);
  return true;
}

void em_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[], float work[],
            float y[])
{
  int step = 0;
  sampler_start(opt, n, den->r, id, y);
  while (reverse_step(opt, den, step, step + 1, n, id, work, y)) step++;
}
