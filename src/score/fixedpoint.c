/* Fixed point with a common exponent: |g| <= g_max < 2^e, S terms.  The sum fits 62 bits with shift = 62 - e -
 * ceil(log2 S); no more than 51 bits are given to one term, so that rounding is an addition, which compilers turn into
 * vectors.  The error of a sum of S terms is at most S/2 units, below S 2^-51 relative to g_max: far below single
 * precision. */
#include "fixedpoint.h"
#include <math.h>
#include <string.h>

/* Magnitudes compare as their bits do, and NaN and infinity are above all numbers. */
float fixed_largest(int64_t n, const float g[])
{
  uint32_t top = 0;
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, g + i, sizeof bits);
    bits &= 0x7fffffffu;
    top = bits > top ? bits : top;
  }
  float largest;
  memcpy(&largest, &top, sizeof largest);
  return top >= 0x7f800000u ? INFINITY : largest;
}

int fixed_shift(float largest, int64_t terms)
{
  int exponent, places = 0;
  (void)frexpf(largest, &exponent);
  while ((INT64_C(1) << places) < terms) places++;
  return (62 - places < 51 ? 62 - places : 51) - exponent;
}

/* Adding 1.5 2^52 to |x| < 2^51 leaves the integer nearest to x in the low bits, above those of 1.5 2^52 itself, which
 * a sum of terms loses by subtraction, modulo 2^64. */
static inline uint64_t fixed_bits(float g, double scale)
{
  const double x = (double)g * scale + 0x1.8p52;
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* By blocks of the sums that stay in the first cache, four terms at a time: the terms come from farther away, and four
 * streams at once bring them sooner. */
void fixed_sum(int64_t n, int count, float *const g[], int shift, int64_t acc[])
{
  const double scale  = ldexp(1.0, shift);
  const uint64_t zero = fixed_bits(0, scale);
  enum { SIZE = 256 };
  for (int64_t first = 0; first < n; first += SIZE) {
    const int64_t m   = n - first < SIZE ? n - first : SIZE;
    uint64_t to[SIZE] = {0};
    int j             = 0;
    for (; j + 4 <= count; j += 4) {
      const float *a = g[j] + first, *b = g[j + 1] + first, *c = g[j + 2] + first, *d = g[j + 3] + first;
      for (int64_t i = 0; i < m; i++)
        to[i] += (fixed_bits(a[i], scale) + fixed_bits(b[i], scale)) +
                 (fixed_bits(c[i], scale) + fixed_bits(d[i], scale)) - 4 * zero;
    }
    for (; j < count; j++) {
      const float *from = g[j] + first;
      for (int64_t i = 0; i < m; i++) to[i] += fixed_bits(from[i], scale) - zero;
    }
    memcpy(acc + first, to, sizeof *to * (size_t)m);
  }
}

void fixed_value(int64_t n, const int64_t acc[], int shift, float out[])
{
  const double scale = ldexp(1.0, -shift);
  for (int64_t i = 0; i < n; i++) out[i] = (float)((double)acc[i] * scale);
}
