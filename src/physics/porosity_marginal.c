/* Bounds, mean and sigma of a bounded porosity, of greatest likelihood (Johnson's S_B system), from histograms. */
#include "porosity_fit.h"
#include <math.h>

#define GOLDEN 0.6180339887498949

static double bin_centre(const PorosityHistogram *h, int b)
{
  return h->lo + (b + 0.5) * (h->hi - h->lo) / POROSITY_BINS;
}

/* Log likelihood a value with these bounds, at the mean and sigma that are best for them. */
static double likelihood(const PorosityHistogram *h, const double count[POROSITY_BINS], PorosityMarginal *m)
{
  double n = 0, sum = 0, square = 0, jacobian = 0;
  for (int b = 0; b < POROSITY_BINS; b++) {
    const double below = bin_centre(h, b) - m->min, above = m->max - bin_centre(h, b);
    if (count[b] == 0) continue;
    const double y = log(below / above);
    n += count[b];
    sum += count[b] * y;
    square += count[b] * y * y;
    jacobian += count[b] * log(below * above / (m->max - m->min));
  }
  m->mean  = sum / n;
  m->sigma = sqrt(fmax(square / n - m->mean * m->mean, 1e-30));
  return -log(m->sigma) - jacobian / n;
}

/* The distance of a bound from the data, by golden sections over its logarithm: from a thousandth of their range (the
 * likelihood has a pole at the data, but only at distances that fall exponentially with their number) to where a bound
 * does not matter any more (three ranges), inside (0, 1). */
static double best_bound(const PorosityHistogram *h, const double count[POROSITY_BINS], bool upper, PorosityMarginal *m)
{
  const double range = h->hi - h->lo, room = upper ? 1 - h->hi : h->lo;
  double a = log(0.001 * range), b = log(fmin(3 * range, 0.999 * room)), value[2];
  if (b < a) a = b;
  for (int step = 0; step < 40 && b - a > 1e-4; step++) {
    const double at[2] = {b - GOLDEN * (b - a), a + GOLDEN * (b - a)};
    for (int k = 0; k < 2; k++) {
      if (upper)
        m->max = h->hi + exp(at[k]);
      else
        m->min = h->lo - exp(at[k]);
      value[k] = likelihood(h, count, m);
    }
    if (value[0] > value[1])
      b = at[1];
    else
      a = at[0];
  }
  return 0.5 * (a + b);
}

/* Bounds in turn, until neither moves. */
PorosityMarginal porosity_marginal(const PorosityHistogram *h, int out, int blocks, const PorosityFitAsked *asked)
{
  static double count[POROSITY_BINS];
  const double range = h->hi - h->lo;
  PorosityMarginal m = {.min = fmax(h->lo - 0.1 * range, 0.5 * h->lo),
                        .max = fmin(h->hi + 0.1 * range, 0.5 * (1 + h->hi))};
  for (int b = 0; b < POROSITY_BINS; b++) {
    count[b] = 0;
    for (int block = 0; block < blocks; block++)
      if (block != out) count[b] += h->count[block][b];
  }
  if (!isnan(asked->min)) m.min = asked->min;
  if (!isnan(asked->max)) m.max = asked->max;
  for (int round = 0; round < 60; round++) {
    const PorosityMarginal before = m;
    if (isnan(asked->min)) m.min = h->lo - exp(best_bound(h, count, false, &m));
    if (isnan(asked->max)) m.max = h->hi + exp(best_bound(h, count, true, &m));
    if (fabs(m.min - before.min) + fabs(m.max - before.max) < 1e-4 * range) break;
  }
  likelihood(h, count, &m);
  return m;
}
