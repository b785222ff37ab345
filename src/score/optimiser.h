/* Adam with a warm-up and cosine schedule, clipping, and the power-function averages of the weights. */
#ifndef SCORIA_SCORE_OPTIMISER_H
#define SCORIA_SCORE_OPTIMISER_H

#include <stdint.h>

typedef struct {
  double rate, warmup; /* largest learning rate; share of the steps in which it rises */
  double beta1, beta2, epsilon, clip;
  double ema[2]; /* relative widths of the averages of the weights; the second is 0 where there is one */
} OptimiserOptions;

typedef struct {
  int64_t taken;      /* updates made, for the bias corrections */
  float *m, *v;       /* borrowed (n) each */
  int averages;       /* 1 or 2 */
  double exponent[2]; /* of their profiles (ema.h) */
  float *average[2];  /* borrowed (n) each */
} Optimiser;

/* Learning rate of step `step` of `steps`. */
double optimiser_rate(const OptimiserOptions *opt, int64_t step, int64_t steps);
/* One step down the gradient g (n), scaled by factor; p and the averages are updated. */
void optimiser_update(Optimiser *o, const OptimiserOptions *opt, double rate, double factor, int64_t n, const float g[],
                      float p[]);
/* Euclidean norm; the order of summation is fixed. */
double vector_norm(int64_t n, const float g[]);

#endif
