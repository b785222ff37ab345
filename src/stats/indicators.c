/* Covariances of functions of jointly normal numbers, which weights are chosen by: of indicators and of squares. */
#include "scoria/estimators.h"
#include "plans.h"
#include <math.h>

static double normal_below(double x)
{
  return 0.5 * erfc(-x / sqrt(2));
}

double normal_density(double x)
{
  return exp(-x * x / 2) / sqrt(2 * PETSC_PI);
}

/* By bisection. */
double normal_place(double p)
{
  double lo = -40, hi = 40;
  for (int i = 0; i < 80; i++) {
    const double middle                     = (lo + hi) / 2;
    *(normal_below(middle) < p ? &lo : &hi) = middle;
  }
  return (lo + hi) / 2;
}

/* d/dr P = exp(-x^2 / (1 + r)) / (2 pi sqrt(1 - r^2)); with r = sin a the integrand is smooth up to r = 1.  Gauss
 * rule of 16 points on [0, asin r]. */
double bivariate_below(double x, double r)
{
  static const double node[8]   = {0.0950125098376374, 0.2816035507792589, 0.4580167776572274, 0.6178762444026438,
                                   0.7554044083550030, 0.8656312023878318, 0.9445750230732326, 0.9894009349916499},
                      weight[8] = {0.1894506104550685, 0.1826034150449236, 0.1691565193950025, 0.1495959888165767,
                                   0.1246289712555339, 0.0951585116824928, 0.0622535239386479, 0.0271524594117541};
  const double below = normal_below(x), a = asin(PetscMax(-1, PetscMin(1, r)));
  double sum = 0;
  for (int i = 0; i < 8; i++)
    for (int sign = -1; sign <= 1; sign += 2) sum += weight[i] * exp(-x * x / (1 + sin(a / 2 * (1 + sign * node[i]))));
  return below * below + sum * a / 2 / (2 * PETSC_PI);
}

void covariance_of_indicators(int models, const double C[], double p, double to[])
{
  const double x = normal_place(p);
  for (int a = 0; a < models; a++)
    for (int b = 0; b <= a; b++) {
      const double scale = sqrt(PetscMax(C[a * models + a] * C[b * models + b], 0));
      const double r     = a == b ? 1 : (scale > 0 ? C[a * models + b] / scale : 0);
      to[a * models + b] = to[b * models + a] = bivariate_below(x, r) - p * p;
    }
}

void covariance_of_squares(int models, const double C[], double to[])
{
  for (int i = 0; i < models * models; i++) to[i] = 2 * C[i] * C[i];
}
