/* Sums of reals in fixed point: associative, and so the same bits whoever adds what in whatever order. */
#ifndef SCORIA_STATS_FIXED_H
#define SCORIA_STATS_FIXED_H

#include <math.h>
#include <stdint.h>

#define FRACTION 0x1p40

/* A sum is an integer and a number of 1 / FRACTION, both int64: with up to 2^22 addends neither overflows, and each
 * is rounded by at most half of that. */
static inline void add_fixed(int64_t pair[2], double v)
{
  const double whole = floor(v);
  pair[0] += (int64_t)whole;
  pair[1] += llrint((v - whole) * FRACTION);
}

static inline double get_fixed(const int64_t pair[2])
{
  return (double)pair[0] + (double)pair[1] / FRACTION;
}

#endif
