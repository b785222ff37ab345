/* Covariance kernels of random porosity, after Rasmussen and Williams (2006), chapter 4. */
#include "internal.h"
#include "porosity_field.h"
#include <math.h>

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
