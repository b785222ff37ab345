/* Covariances of functions of jointly normal numbers, which weights are chosen by: of indicators and of squares. */
#include "scoria/estimators.h"
#include "plans.h"
#include <math.h>
#include <stdlib.h>

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

/* d/dr P = exp(-(x^2 - 2 r x y + y^2) / (2 - 2 r^2)) / (2 pi sqrt(1 - r^2)); with r = sin a the integrand is smooth.
 * Gauss rule of 16 points on [from, to] of a. */
static double integral_over(double from, double to, double x, double y)
{
  static const double node[8]   = {0.0950125098376374, 0.2816035507792589, 0.4580167776572274, 0.6178762444026438,
                                   0.7554044083550030, 0.8656312023878318, 0.9445750230732326, 0.9894009349916499},
                      weight[8] = {0.1894506104550685, 0.1826034150449236, 0.1691565193950025, 0.1495959888165767,
                                   0.1246289712555339, 0.0951585116824928, 0.0622535239386479, 0.0271524594117541};
  double sum                    = 0;
  for (int i = 0; i < 16; i++) {
    const double r = sin((from + to) / 2 + (to - from) / 2 * (i % 2 ? node[i / 2] : -node[i / 2]));
    sum += weight[i / 2] * exp(-(x - y) * (x - y) / (2 * (1 - r) * (1 + r)) - x * y / (1 + r));
  }
  return sum * (to - from) / 2 / (2 * PETSC_PI);
}

#define NEARLY_ONE 0.99 /* from independence up to this, and from equality down to it, to 3e-7 */
#define ONE (1 - 1e-15)

double bivariate_below(double x, double y, double r)
{
  const double equal = normal_below(PetscMin(x, y)), opposite = PetscMax(0, normal_below(x) + normal_below(y) - 1);
  if (r >= ONE) return equal;
  if (r <= -ONE) return opposite;
  if (r > NEARLY_ONE) return equal - integral_over(asin(r), PETSC_PI / 2, x, y);
  if (r < -NEARLY_ONE) return opposite + integral_over(-PETSC_PI / 2, asin(r), x, y);
  return normal_below(x) * normal_below(y) + integral_over(0, asin(r), x, y);
}

/* A correlation of C (models, models). */
static double correlation(int models, const double C[], int a, int b)
{
  const double scale = sqrt(PetscMax(C[a * models + a] * C[b * models + b], 0));
  if (a == b) return 1;
  return scale > 0 ? C[a * models + b] / scale : 0;
}

void covariance_of_smoothed(int models, const double C[], double p, int n, double step, double to[])
{
  const double x   = normal_place(p);
  const int places = 2 * n + 1;
  double mean      = 0;
  for (int i = -n; i <= n; i++) mean += normal_below(x + i * step) / places;
  for (int a = 0; a < models; a++)
    for (int b = 0; b <= a; b++) {
      const double r = correlation(models, C, a, b);
      double both    = 0;
      for (int i = -n; i <= n; i++)
        for (int j = -n; j <= n; j++) both += bivariate_below(x + i * step, x + j * step, r) / (places * places);
      to[a * models + b] = to[b * models + a] = both - mean * mean;
    }
}

void covariance_of_indicators(int models, const double C[], double p, double to[])
{
  covariance_of_smoothed(models, C, p, 0, 0, to);
}

double smoothing_takes(double d, int n, double step)
{
  const int places = 2 * n + 1;
  double sum       = -PetscMax(d, 0);
  for (int i = -2 * n; i <= 2 * n; i++)
    sum += (double)(places - abs(i)) / (places * places) * PetscMax(d - i * step, 0);
  return sum;
}

void covariance_of_squares(int models, const double C[], double to[])
{
  for (int i = 0; i < models * models; i++) to[i] = 2 * C[i] * C[i];
}
