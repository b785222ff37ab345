/* What goes into the loss: rows in a shuffled order, noise levels stratified over the global batch, noise.  Everything
 * is a function of (seed, step, index in the global batch), so it does not matter which rank makes a row. */
#include "trainer.h"
#include <math.h>

void train_noisy_row(int r, const float y[], double lnsigma, float x[], float target[], float *label)
{
  const double sigma = exp(lnsigma), cosine = 1 / sqrt(1 + sigma * sigma); /* of the angle whose tangent is sigma */
  const float c = (float)cosine, s = (float)(sigma * cosine);
  *label = (float)(0.25 * lnsigma);
  for (int k = 0; k < r; k++) {
    const float noise = x[k];
    x[k]              = c * y[k] + s * noise;
    target[k]         = s * y[k] - c * noise;
  }
}

/* Rational start (Hastings; Abramowitz and Stegun 26.2.23, error 4.5e-4), then Halley's step, which cubes the error. */
double normal_quantile(double p)
{
  const double tail = p < 0.5 ? p : 1 - p, t = sqrt(-2 * log(tail));
  double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (int i = 0; i < 2; i++) { /* of the upper tail Q(z) = tail */
    const double error = (0.5 * erfc(z * 0.70710678118654752440) - tail) * 2.50662827463100050242 * exp(0.5 * z * z);
    z += error / (1 - 0.5 * z * error);
  }
  return p < 0.5 ? -z : z;
}
