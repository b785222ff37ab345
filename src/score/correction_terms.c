/* The terms that corrections regress on, and the folds of conditions that choose among them. */
#include "correction.h"
#include "scoria/linalg.h"

int correction_power(const NormPoly *poly, int term)
{
  int total = 0;
  for (int j = 0; j < poly->d; j++) total += poly->power[term * poly->d + j];
  return total;
}

void correction_terms(const Correction *c, const double u[], const double z[], double picked[], double x[])
{
  for (int i = 0; i < c->places; i++) picked[i] = z[(size_t)i * (size_t)c->stride] - c->centre[i];
  norm_poly_values(&c->poly, u, x);
  double *a = x + c->polynomials;
  la_rows_product(1, c->places, c->modes, picked, c->V, NULL, a);
  double *product = a + c->modes;
  for (int k = 0; k < c->modes; k++)
    for (int j = 0; j < c->d; j++) *product++ = a[k] * u[j];
}

int correction_fold(uint64_t seed, int64_t condition)
{
  uint32_t bits[4];
  rng_block(seed, SCORIA_STREAM_PAIR, (uint64_t)condition, 0, bits);
  return (int)(bits[0] % CORRECTION_FOLDS);
}
