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

/* Where the probability of a correlation is known, and the way from there: d/dr P = exp(-(x^2 - 2 r x y + y^2) / (2 - 2
 * r^2)) / (2 pi sqrt(1 - r^2)); with r = sin a the integrand is smooth.  Gauss rule of 16 points of a. */
typedef struct {
  enum { INDEPENDENT, EQUAL, OPPOSITE } start;
  double r[16], weight[16]; /* none where P is that of the start */
  int n;
} Path;

#define NEARLY_ONE 0.99 /* from independence up to this, and from equality down to it, to 3e-7 */
#define ONE (1 - 1e-15)

static void path_to(double r, Path *to)
{
  static const double node[8]   = {0.0950125098376374, 0.2816035507792589, 0.4580167776572274, 0.6178762444026438,
                                   0.7554044083550030, 0.8656312023878318, 0.9445750230732326, 0.9894009349916499},
                      weight[8] = {0.1894506104550685, 0.1826034150449236, 0.1691565193950025, 0.1495959888165767,
                                   0.1246289712555339, 0.0951585116824928, 0.0622535239386479, 0.0271524594117541};
  to->start                     = r > NEARLY_ONE ? EQUAL : (r < -NEARLY_ONE ? OPPOSITE : INDEPENDENT);
  to->n                         = fabs(r) < ONE ? 16 : 0;
  if (to->n == 0) return;
  const double from = to->start == EQUAL ? PETSC_PI / 2 : (to->start == OPPOSITE ? -PETSC_PI / 2 : 0), end = asin(r);
  for (int i = 0; i < 16; i++) {
    to->r[i]      = sin((from + end) / 2 + (end - from) / 2 * (i % 2 ? node[i / 2] : -node[i / 2]));
    to->weight[i] = weight[i / 2] * (end - from) / 2 / (2 * PETSC_PI);
  }
}

/* below: P(X < x), P(Y < y). */
static double probability_along(const Path *path, double x, double y, const double below[2])
{
  double p = path->start == EQUAL      ? PetscMin(below[0], below[1])
             : path->start == OPPOSITE ? PetscMax(0, below[0] + below[1] - 1)
                                       : below[0] * below[1];
  for (int i = 0; i < path->n; i++) {
    const double r = path->r[i];
    p += path->weight[i] * exp(-(x - y) * (x - y) / (2 * (1 - r) * (1 + r)) - x * y / (1 + r));
  }
  return p;
}

double bivariate_below(double x, double y, double r)
{
  Path path;
  path_to(r, &path);
  return probability_along(&path, x, y, (double[]){normal_below(x), normal_below(y)});
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
  const double x = normal_place(p), share = 1.0 / (2 * n + 1);
  double mean = 0;
  for (int i = -n; i <= n; i++) mean += share * normal_below(x + i * step);
  for (int a = 0; a < models; a++)
    for (int b = 0; b <= a; b++) {
      double both = 0;
      Path path;
      path_to(correlation(models, C, a, b), &path);
      for (int i = -n; i <= n; i++)
        for (int j = -n; j <= i; j++) { /* the two are alike */
          const double u = x + i * step, v = x + j * step;
          both += (i == j ? 1 : 2) * share * share *
                  probability_along(&path, u, v, (double[]){normal_below(u), normal_below(v)});
        }
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
