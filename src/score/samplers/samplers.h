/* The samplers' rows and what they share.  State in single precision, coefficients in double. */
#ifndef SCORIA_SCORE_SAMPLERS_H
#define SCORIA_SCORE_SAMPLERS_H

#include "score/processes.h"

#define SAMPLER_ROW(name)                                                                                              \
  int name##_evaluations(int steps);                                                                                   \
  void name##_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[],              \
                  float work[], float y[])
SAMPLER_ROW(abm);
SAMPLER_ROW(ab2);
SAMPLER_ROW(heun);
SAMPLER_ROW(dpmpp2m);
SAMPLER_ROW(em);
SAMPLER_ROW(pc);
SAMPLER_ROW(consistency);
SAMPLER_ROW(distilled);
#undef SAMPLER_ROW

/* x (n, r) = scale * the initial noise of the samples named by id. */
void sampler_noise(const ScoriaSamplerOptions *opt, double scale, int n, int r, const uint64_t id[], float x[]);

/* noise (n, r): draw `number` of the samples named by id, 0 being the initial noise, which opt may give. */
void sampler_draw(const ScoriaSamplerOptions *opt, int number, int n, int r, const uint64_t id[], float noise[]);

/* Level i of the process's grid, 0 <= i <= N: sigma_max at 0, sigma_min at N - 1; at N sigma is 0, the scale 1, and
 * nothing else is set. */
ScoriaLevel sampler_level(const ScoriaSamplerOptions *opt, int i);
/* x (n, r) at level 0, for data of unit variance. */
void sampler_start(const ScoriaSamplerOptions *opt, int n, int r, const uint64_t id[], float x[]);
/* D (n, r) at x (n, r) in the process's own variable; scaled (n, r) is work. */
void sampler_denoise(const ScoriaDenoiser *den, int n, const ScoriaLevel *at, const float x[], float scaled[],
                     float D[]);
/* Step `step` of the reverse diffusion by Euler and Maruyama (em.c), with draw `draw` of the noise: y (n, r) from level
 * step to the next; false where that is the end, and y the sample.  work: (3, n, r). */
bool reverse_step(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int step, int draw, int n,
                  const uint64_t id[], float work[], float y[]);

extern const ScoriaSamplerRow scoria_samplers[]; /* ends with a NULL name */
size_t sampler_work_floats(int n, int r);

#endif
