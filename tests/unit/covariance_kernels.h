/* The covariance kernels, written independently of the program, for the tests of porosity. */
#ifndef SCORIA_TEST_COVARIANCE_KERNELS_H
#define SCORIA_TEST_COVARIANCE_KERNELS_H

#include <math.h>

/* The kernels as Rasmussen and Williams (2006), eq. 4.9 and 4.17, print them. */
static double se(double r)
{
  return exp(-r * r / 2.0);
}

static double matern12(double r)
{
  return exp(-r);
}

static double matern32(double r)
{
  return (1.0 + sqrt(3.0) * r) * exp(-sqrt(3.0) * r);
}

static double matern52(double r)
{
  return (1.0 + sqrt(5.0) * r + 5.0 * r * r / 3.0) * exp(-sqrt(5.0) * r);
}

static const struct {
  const char *name;
  double (*covariance)(double r);
} kernels[] = {{"se", se}, {"matern12", matern12}, {"matern32", matern32}, {"matern52", matern52}};
#define KERNELS (sizeof kernels / sizeof *kernels)

#endif
