/* The law of a share sigmoid(m + s g) with given mean and standard deviation.
 *
 * The mean grows with m at every s, and at the m that keeps the mean the spread grows with s, from 0 to that of a share
 * that is 0 or 1.  So: a root in m inside a root in s, both by Newton's method inside a bracket, halved where a step
 * would leave it.  Moments by the trapezoidal rule, which converges geometrically for such integrands. */
#include "porosity_law.h"
#include <math.h>

#define NODES 800 /* on either side of 0 */
#define SPACING                                                                                                        \
  0.0125          /* in standard deviations: 4 nodes across the steepest sigmoid, s = 20, and there they suffice       \
                   */
#define STEPS 100 /* more than bisection alone needs */
#define SETTLED 1e-15

/* Moments, and the derivative of the mean by m and of the mean square by m and s. */
typedef struct {
  double mean, square, mean_m, mean_s, square_m, square_s;
} Moments;

static Moments integrate(double m, double s)
{
  Moments sum    = {0};
  double weights = 0;
  for (int i = -NODES; i <= NODES; i++) {
    const double g = SPACING * i, weight = exp(-0.5 * g * g), share = 1.0 / (1.0 + exp(-(m + s * g)));
    const double slope = share * (1.0 - share);
    weights += weight;
    sum.mean += weight * share;
    sum.square += weight * share * share;
    sum.mean_m += weight * slope;
    sum.mean_s += weight * slope * g;
    sum.square_m += weight * 2.0 * share * slope;
    sum.square_s += weight * 2.0 * share * slope * g;
  }
  return (Moments){sum.mean / weights,   sum.square / weights,   sum.mean_m / weights,
                   sum.mean_s / weights, sum.square_m / weights, sum.square_s / weights};
}

void law_moments(const PorosityLaw *law, double moment[2])
{
  const Moments of = integrate(law->mean, law->sigma);
  moment[0]        = of.mean;
  moment[1]        = sqrt(fmax(of.square - of.mean * of.mean, 0));
}

/* A step of Newton's method from x for a growing function of this value and slope, inside the bracket, which shrinks.
 */
static double step(double x, double value, double slope, double bracket[2])
{
  bracket[value > 0] = x;
  const double next  = x - value / slope;
  return next > bracket[0] && next < bracket[1] ? next : 0.5 * (bracket[0] + bracket[1]);
}

/* m at which the mean is `mean`, from *m on; the moments there. */
static Moments solve_mean(double mean, double s, double *m)
{
  double bracket[2] = {-1e3, 1e3};
  Moments at        = integrate(*m, s);
  for (int i = 0; i < STEPS && at.mean != mean; i++) {
    const double next = step(*m, at.mean - mean, at.mean_m, bracket);
    if (fabs(next - *m) <= SETTLED * (1.0 + fabs(*m))) break;
    *m = next;
    at = integrate(*m, s);
  }
  return at;
}

double law_largest_sd(double mean)
{
  double m         = LAW_LARGEST_SIGMA * (mean - 0.5);
  const Moments at = solve_mean(mean, LAW_LARGEST_SIGMA, &m);
  return sqrt(at.square - at.mean * at.mean);
}

bool law_from_moments(const double moment[2], PorosityLaw *law)
{
  const double mean = moment[0], sd = moment[1];
  if (!(mean > 0 && mean < 1 && sd >= 0)) return false;
  double m = log(mean / (1.0 - mean)), s = sd / (mean * (1.0 - mean)), bracket[2] = {0, LAW_LARGEST_SIGMA};
  if (sd > 0 && !(sd < law_largest_sd(mean))) return false;
  if (s >= LAW_LARGEST_SIGMA) s = 0.5 * LAW_LARGEST_SIGMA;
  for (int i = 0; i < STEPS && sd > 0; i++) {
    const Moments at   = solve_mean(mean, s, &m);
    const double value = at.square - at.mean * at.mean - sd * sd;
    /* along the m that keeps the mean: dm/ds = -mean_s / mean_m */
    const double slope = at.square_s - at.square_m * at.mean_s / at.mean_m;
    const double next  = step(s, value, slope, bracket);
    if (fabs(next - s) <= SETTLED * s) break;
    s = next;
  }
  *law = (PorosityLaw){m, s};
  return true;
}
