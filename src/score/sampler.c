/* The table of samplers, and what its rows share. */
#include "samplers/samplers.h"
#include <math.h>
#include <string.h>

const ScoriaSamplerRow scoria_samplers[] = {
    {"abm", "Adams-Bashforth-Moulton 3 of the flow in angle form, from pure noise: N evaluations", abm_evaluations,
     abm_run},
    {"ab2", "Adams-Bashforth 2 of the flow in angle form: N evaluations in N steps", ab2_evaluations, ab2_run},
    {"heun", "EDM's deterministic Heun sampler, rho = 7: 2 N - 1 evaluations in N steps", heun_evaluations, heun_run},
    {"dpmpp2m", "DPM-Solver++ of second order, multistep: N evaluations in N steps", dpmpp2m_evaluations, dpmpp2m_run},
    {"em", "Euler-Maruyama on the reverse diffusion, stochastic: N evaluations in N steps", em_evaluations, em_run},
    {NULL, NULL, NULL, NULL},
};

const ScoriaSamplerRow *sampler_find(const char *name)
{
  for (const ScoriaSamplerRow *row = scoria_samplers; row->name; row++)
    if (!strcmp(row->name, name)) return row;
  return NULL;
}

size_t sampler_work_floats(int n, int r)
{
  return 5 * (size_t)n * (size_t)r;
}

void sampler_noise(const ScoriaSamplerOptions *opt, double scale, int n, int r, const uint64_t id[], float x[])
{
  for (int i = 0; i < n; i++) rng_normalf(opt->seed, SCORIA_STREAM_SAMPLE, id[i], 0, r, x + (size_t)i * r);
  for (size_t i = 0; i < (size_t)n * r; i++) x[i] = (float)scale * x[i];
}

double karras_sigma(const ScoriaSamplerOptions *opt, int i)
{
  const double rho = 7, top = pow(opt->sigma_max, 1 / rho), bottom = pow(opt->sigma_min, 1 / rho);
  if (i >= opt->steps) return 0;
  if (opt->steps == 1) return opt->sigma_max;
  return pow(top + (double)i / (opt->steps - 1) * (bottom - top), rho);
}
