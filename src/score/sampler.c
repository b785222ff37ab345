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
    {"consistency",
     "the tuned network, once at pure noise, then on noised samples: N evaluations, 1 or 2; "
     "distilled is better",
     0, true, consistency_evaluations, consistency_run},
    {"distilled", "the distilled network, once, from pure noise to the end of the flow: 1 evaluation", 0, false,
     distilled_evaluations, distilled_run},
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
  return row && (row->run == consistency_run || row->run == distilled_run);
}

size_t sampler_work_floats(int n, int r)
{
  return 5 * (size_t)n * (size_t)r;
}
