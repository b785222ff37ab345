/* For one level of instructions; see step_loops.h. */
#include "step_loops.h"
#include <math.h>
#include <string.h>

/* Magnitudes compare as their bits do, and NaN and infinity are above all numbers. */
static float largest(int64_t n, const float g[])
{
  uint32_t top = 0;
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, g + i, sizeof bits);
    bits &= 0x7fffffffu;
    top = bits > top ? bits : top;
  }
  float found;
  memcpy(&found, &top, sizeof found);
  return top >= 0x7f800000u ? INFINITY : found;
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
static void sum(int64_t n, int count, float *const g[], double scale, int64_t acc[])
{
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

static void value(int64_t n, const int64_t acc[], double scale, float out[])
{
  for (int64_t i = 0; i < n; i++) out[i] = (float)((double)acc[i] * scale);
}

static void adam(int64_t n, AdamFactors f, const float g[], float m[restrict], float v[restrict], float p[restrict])
{
  for (int64_t i = 0; i < n; i++) {
    const float gi = f.scale * g[i];
    m[i]           = f.b1 * m[i] + f.c1 * gi;
    v[i]           = f.b2 * v[i] + f.c2 * gi * gi;
    p[i] -= f.up * m[i] / (sqrtf(v[i] * f.fix) + f.epsilon);
  }
}

static void average(int64_t n, float mix, const float p[], float to[])
{
  for (int64_t i = 0; i < n; i++) to[i] += mix * (p[i] - to[i]);
}

const StepLoops LEVEL(step_loops) = {largest, sum, value, adam, average};
