/* What the rows of the table share: noise, the levels of the grid, and a denoised state. */
#include "samplers/samplers.h"
#include <math.h>
#include <string.h>

void sampler_draw(const ScoriaSamplerOptions *opt, int number, int n, int r, const uint64_t id[], float noise[])
{
  const uint32_t blocks = (uint32_t)(r + 3) / 4; /* of one draw */
  if (number == 0 && opt->noise) {
    memcpy(noise, opt->noise, (size_t)n * (size_t)r * sizeof(float));
    return;
  }
  for (int i = 0; i < n; i++)
    rng_normalf(opt->seed, SCORIA_STREAM_SAMPLE, id[i], blocks * (uint32_t)number, r, noise + (size_t)i * r);
}

void sampler_noise(const ScoriaSamplerOptions *opt, double scale, int n, int r, const uint64_t id[], float x[])
{
  sampler_draw(opt, 0, n, r, id, x);
  for (size_t i = 0; i < (size_t)n * r; i++) x[i] = (float)scale * x[i];
}

ScoriaLevel sampler_level(const ScoriaSamplerOptions *opt, int i)
{
  const ScoriaProcessRow *process = opt->process ? opt->process : &scoria_processes[0];
  const double first = process->time(opt->sigma_max), last = process->time(opt->sigma_min);
  ScoriaLevel level = {.scale = 1};
  if (i < opt->steps)
    process->at(process->node(first, last, opt->steps > 1 ? (double)i / (opt->steps - 1) : 0), &level);
  return level;
}

void sampler_start(const ScoriaSamplerOptions *opt, int n, int r, const uint64_t id[], float x[])
{
  const ScoriaLevel top = sampler_level(opt, 0);
  sampler_noise(opt, top.scale * sqrt(top.sigma * top.sigma + 1), n, r, id, x);
}

void sampler_denoise(const ScoriaDenoiser *den, int n, const ScoriaLevel *at, const float x[], float scaled[],
                     float D[])
{
  for (size_t i = 0; i < (size_t)n * den->r; i++) scaled[i] = (float)(x[i] / at->scale);
  den->denoise(den->ctx, n, scaled, at->sigma, D);
}
