/* Covariance kernels of random porosity, after Rasmussen and Williams (2006), chapter 4. */
#include "internal.h"
#include "porosity_field.h"
#include <math.h>

#define NEGLIGIBLE 1e-12 /* covariance from which on it counts as none */

static double kernel_se(double r)
{
  return exp(-0.5 * r * r);
}

static double kernel_matern12(double r)
{
  return exp(-r);
}

static double kernel_matern32(double r)
{
  const double z = sqrt(3.0) * r;
  return (1.0 + z) * exp(-z);
}

static double kernel_matern52(double r)
{
  const double z = sqrt(5.0) * r;
  return (1.0 + z + z * z / 3.0) * exp(-z);
}

const FieldKernel field_kernels[]    = {{"se", kernel_se},
                                        {"matern12", kernel_matern12},
                                        {"matern32", kernel_matern32},
                                        {"matern52", kernel_matern52},
                                        {NULL, NULL}};
const ScoriaChoices porosity_kernels = {.table = field_kernels, .size = sizeof *field_kernels};

double kernel_reach(const FieldKernel *kernel)
{
  double reach = 1;
  while (kernel->covariance(reach) > NEGLIGIBLE) reach += 0.125;
  return reach;
}

double kernel_periodised(const FieldKernel *kernel, double reach, double dx, const double d[2], const double period[2])
{
  const double r2 = reach * reach - dx * dx;
  double sum      = 0;
  if (r2 < 0) return 0;
  for (double i = ceil((-sqrt(r2) - d[0]) / period[0]); d[0] + i * period[0] <= sqrt(r2); i++) {
    const double y = d[0] + i * period[0], rest = sqrt(fmax(0, r2 - y * y));
    for (double j = ceil((-rest - d[1]) / period[1]); d[1] + j * period[1] <= rest; j++) {
      const double z = d[1] + j * period[1];
      sum += kernel->covariance(sqrt(dx * dx + y * y + z * z));
    }
  }
  return sum;
}
