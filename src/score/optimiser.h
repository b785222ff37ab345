/* Adam with a warm-up and cosine schedule, clipping, and the power-function average of the weights. */
#ifndef SCORIA_SCORE_OPTIMISER_H
#define SCORIA_SCORE_OPTIMISER_H

#include <stdint.h>

typedef struct {
  double rate, warmup; /* largest learning rate; share of the steps in which it rises */
  double beta1, beta2, epsilon, clip;
  double ema; /* relative width of the average */
} OptimiserOptions;

typedef struct {
  double exponent;        /* g of the average: beta_t = (1 - 1/t)^(g+1) */
  int64_t taken;          /* updates made, for the bias corrections */
  float *m, *v, *average; /* borrowed (n) each */
} Optimiser;

/* Learning rate of step `step` of `steps`. */
double optimiser_rate(const OptimiserOptions *opt, int64_t step, int64_t steps);
/* g >= 0 with sqrt((g+1) / ((g+2)^2 (g+3))) = width. */
double ema_exponent(double width);
/* One step down the gradient g (n), scaled by factor; p and the average are updated. */
void optimiser_update(Optimiser *o, const OptimiserOptions *opt, double rate, double factor, int64_t n, const float g[],
                      float p[]);
/* Euclidean norm; the order of summation is fixed. */
double vector_norm(int64_t n, const float g[]);

#endif
