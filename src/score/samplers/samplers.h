/* The samplers' rows and what they share.  State in single precision, coefficients in double. */
#ifndef SCORIA_SCORE_SAMPLERS_H
#define SCORIA_SCORE_SAMPLERS_H

#include "scoria/score.h"

#define SAMPLER_ROW(name)                                                                                              \
  int name##_evaluations(int steps);                                                                                   \
  void name##_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[],              \
                  float work[], float y[])
SAMPLER_ROW(abm);
SAMPLER_ROW(ab2);
SAMPLER_ROW(heun);
SAMPLER_ROW(dpmpp2m);
SAMPLER_ROW(em);
#undef SAMPLER_ROW

/* x (n, r) = scale * the initial noise of the samples named by id. */
void sampler_noise(const ScoriaSamplerOptions *opt, double scale, int n, int r, const uint64_t id[], float x[]);

/* sigma_i of Karras et al. (2022), rho = 7, 0 <= i <= N: sigma_max at 0, sigma_min at N - 1, zero at N. */
double karras_sigma(const ScoriaSamplerOptions *opt, int i);

#endif
