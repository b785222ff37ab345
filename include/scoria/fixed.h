/* Sums of reals in fixed point: associative, and so the same bits whoever adds what in whatever order. */
#ifndef SCORIA_FIXED_H
#define SCORIA_FIXED_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define FRACTION 0x1p40

/* A sum is an integer and a number of 1 / FRACTION, both int64: with up to 2^22 addends neither overflows, and each
 * is rounded by at most half of that.
 *
 * The addend's fraction is below 2^40 units: added to 1.5 x 2^52 it is rounded to an integer, the difference of the
 * bits of the two doubles.  Unlike llrint, compilers make vectors of it. */
static inline void part_fixed(double v, int64_t *integer, int64_t *units)
{
  const double whole = floor(v), anchor = 0x1.8p52, moved = (v - whole) * FRACTION + anchor;
  int64_t from, to;
  memcpy(&from, &anchor, sizeof from);
  memcpy(&to, &moved, sizeof to);
  *integer = (int64_t)whole;
  *units   = to - from;
}

static inline void add_fixed(int64_t pair[2], double v)
{
  int64_t whole, units;
  part_fixed(v, &whole, &units);
  pair[0] += whole;
  pair[1] += units;
}

/* Each of n numbers to its own sum; in chunks that are parted first and added then, for the sake of the vectors. */
static inline void add_fixed_all(int64_t n, const double v[restrict], int64_t sum[restrict])
{
  enum { CHUNK = 64 };
  int64_t whole[CHUNK], units[CHUNK];
  int64_t i = 0;
  for (; i + CHUNK <= n; i += CHUNK) {
    for (int k = 0; k < CHUNK; k++) part_fixed(v[i + k], &whole[k], &units[k]);
    for (int k = 0; k < CHUNK; k++) {
      sum[2 * (i + k)] += whole[k];
      sum[2 * (i + k) + 1] += units[k];
    }
  }
  for (; i < n; i++) add_fixed(sum + 2 * i, v[i]);
}

/* Full units of the fraction to the integer: the only form of a sum, and room for as many addends again. */
static inline void carry_fixed(int64_t pair[2])
{
  pair[0] += pair[1] >> 40; /* rounds down, also below zero */
  pair[1] &= ((int64_t)1 << 40) - 1;
}

static inline double get_fixed(const int64_t pair[2])
{
  return (double)pair[0] + (double)pair[1] / FRACTION;
}

#endif
