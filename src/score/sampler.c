/* The table of samplers, and what its rows share. */
#include "samplers/samplers.h"
#include "processes.h"
#include <math.h>
#include <string.h>

const ScoriaSamplerRow scoria_samplers[] = {
    {"abm", "Adams-Bashforth-Moulton 3 of the flow in angle form, from pure noise: N evaluations", 3, false,
     abm_evaluations, abm_run},
    {"ab2", "Adams-Bashforth 2 of the flow in angle form: N evaluations in N steps", 2, false, ab2_evaluations,
     ab2_run},
    {"heun", "EDM's deterministic Heun sampler: 2 N - 1 evaluations in N steps", 2, false, heun_evaluations, heun_run},
    {"dpmpp2m", "DPM-Solver++ of second order, multistep: N evaluations in N steps", 2, false, dpmpp2m_evaluations,
     dpmpp2m_run},
    {"em", "Euler-Maruyama on the reverse diffusion, stochastic: N evaluations in N steps", 1, true, em_evaluations,
     em_run},
    {"pc", "em with a Langevin step at every level, stochastic: 2 N - 1 evaluations in N steps", 1, true,
     pc_evaluations, pc_run},
    {"consistency", "the tuned network, once at pure noise, then on noised samples: N evaluations, 1 or 2", 0, true,
     consistency_evaluations, consistency_run},
    {NULL, NULL, 0, false, NULL, NULL},
};

const ScoriaSamplerRow *sampler_find(const char *name)
{
  for (const ScoriaSamplerRow *row = scoria_samplers; row->name; row++)
    if (!strcmp(row->name, name)) return row;
  return NULL;
}

bool sampler_is_tuned(const ScoriaSamplerRow *row)
{
  return row && row->run == consistency_run;
}

size_t sampler_work_floats(int n, int r)
{
  return 5 * (size_t)n * (size_t)r;
}

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
