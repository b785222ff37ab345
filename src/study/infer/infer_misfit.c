/* infer: how far the readings lie from the posterior that they have led to.
 *
 * Where the readings are linear in latents that are normal beforehand, with noise R and G the covariance of the
 * readings as the prior expects them, reading less posterior mean is R G^-1 (y - mu), of covariance R G^-1 R <= R.  Its
 * squares in units of the noise, and the more so with the posterior's variance added to it, are therefore no larger
 * than a chi-square of as many degrees of freedom as there are readings, however these hang together. */
#include "infer.h"
#include <math.h>
#include <stdio.h>

#define UNLIKELY 1e-6     /* probability of squares so large: warned of below */
#define FAR_POSTERIOR 5.0 /* standard deviations of one reading, the same for a normal */

/* Probability that a chi-square of n degrees of freedom is above x: of a half or one, then by the recursion of the
 * incomplete gamma function. */
static double chi_square_above(int n, double x)
{
  const double h = 0.5 * x;
  double sum     = n % 2 ? erfc(sqrt(h)) : exp(-h);
  for (double a = n % 2 ? 0.5 : 1; a < 0.5 * n; a++) sum += exp(a * log(h) - h - lgamma(a + 1));
  return sum;
}

double infer_residual(const InferQuestion *q, const InferAnswer *a, int i)
{
  const InferSensor *s    = &q->sensors.s[i];
  const double *posterior = a->statistics[SCORIA_POSTERIOR] + a->at_sensors + i;
  return (s->value - posterior[INFER_MEAN * a->columns]) / hypot(s->sd, posterior[INFER_SD * a->columns]);
}

bool infer_misfit(const InferQuestion *q, const InferAnswer *a, InferMisfit *misfit, char line[INFER_LINE])
{
  double most     = 0;
  int worst       = 0;
  misfit->squares = 0;
  for (int i = 0; i < q->sensors.n; i++) {
    const double r = infer_residual(q, a, i);
    misfit->squares += r * r;
    if (fabs(r) > most) most = fabs(r), worst = i;
  }
  misfit->probability  = chi_square_above(q->sensors.n, misfit->squares);
  const InferSensor *s = &q->sensors.s[worst];
  char place[SCORIA_NAME_SIZE + 64];
  infer_sensor_text(&q->sensors, worst, " at ", ", ", sizeof place, place);
  snprintf(line, INFER_LINE,
           "the posterior is %.3g standard deviations from reading %d, %s%s, %g: no %s the model explains the "
           "readings together",
           most, worst + 1, place, s->places ? space_place_unit(q->shape.space, 0) : "", s->value,
           q->nunknown ? "condition of" : "field at this condition of");
  return most > FAR_POSTERIOR || misfit->probability < UNLIKELY;
}
