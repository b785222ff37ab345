/* Predictor-corrector, Song et al. (2021), algorithm 1: a step of the reverse diffusion (em.c) to the next level, then
 * one of Langevin's dynamics there, x' = x + e g + sqrt(2 e) z with the score g = (a D - x) / (a s)^2.
 *
 * Their rule for its length is e = 2 (snr |z| / |g|)^2, norms averaged over the batch.  A sample must not depend on its
 * batch, and the norms of one sample alone would make the step depend on the noise it multiplies.  So both are taken in
 * expectation, |g| as that of the noise's own score, -noise / (a s), which denoising estimates and which bounds it in
 * mean square: e = 2 (snr a s)^2, stable for every law, and vanishing with s as its bias does. */
#include "samplers.h"
#include "score/processes.h"

int pc_evaluations(int steps)
{
  return 2 * steps - 1;
}

static void langevin_step(const ScoriaLevel *at, double snr, size_t m, const float D[], const float noise[], float y[])
{
  const double pull = 2 * snr * snr, spread = 2 * snr * at->scale * at->sigma;
  for (size_t i = 0; i < m; i++) y[i] = (float)(y[i] + pull * (at->scale * D[i] - y[i]) + spread * noise[i]);
}

void pc_run(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[], float work[],
            float y[])
{
  const size_t m = (size_t)n * den->r;
  float *D = work, *noise = work + m, *scaled = work + 2 * m;
  sampler_start(opt, n, den->r, id, y);
  for (int step = 0; reverse_step(opt, den, step, 2 * step + 1, n, id, work, y); step++) {
    const ScoriaLevel to = sampler_level(opt, step + 1);
    sampler_denoise(den, n, &to, y, scaled, D);
    sampler_draw(opt, 2 * step + 2, n, den->r, id, noise);
    langevin_step(&to, opt->snr, m, D, noise, y);
  }
}
