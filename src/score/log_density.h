/* Log densities by the probability flow, over any denoiser that has a derivative. */
#ifndef SCORIA_SCORE_LOG_DENSITY_H
#define SCORIA_SCORE_LOG_DENSITY_H

#include "scoria/score.h"

/* A denoiser with its derivative, in double precision. */
typedef struct {
  int r;
  void *ctx;                                                                     /* borrowed */
  void (*denoise)(void *ctx, int n, const double x[], double sigma, double D[]); /* (n, r) */
  void (*pull)(void *ctx, int n, const double v[], double vJ[]); /* v^T dD/dx (n, r) where denoise was called last */
} ScoriaTracedDenoiser;

/* ln of the density [nats] at y (n, r) of what the probability flow of den makes of N(0, I); y becomes that noise.  The
 * probes of row i are keyed by id[i]; work (likelihood_work_doubles(n, r)). */
void likelihood_flow(const ScoriaLikelihoodOptions *opt, const ScoriaTracedDenoiser *den, int n, const uint64_t id[],
                     double work[], double y[], double log_density[]);
size_t likelihood_work_doubles(int n, int r);

#endif
