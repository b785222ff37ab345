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

/* Of four terms at i. */
static inline uint64_t four_bits(float *const g[4], int64_t i, double scale)
{
  return (fixed_bits(g[0][i], scale) + fixed_bits(g[1][i], scale)) +
         (fixed_bits(g[2][i], scale) + fixed_bits(g[3][i], scale));
}

/* By blocks of the sums that stay in the first cache, four terms at a time: the terms come from farther away, and four
 * streams at once bring them sooner.  The first four set a block: cleared and copied, which compilers do by string
 * instructions where they are told no processor, it took half as long again. */
static void sum(int64_t n, int count, float *const g[], double scale, int64_t acc[])
{
  const uint64_t zero = fixed_bits(0, scale);
  enum { SIZE = 256 };
  if (count < 4) memset(acc, 0, sizeof *acc * (size_t)n);
  for (int64_t first = 0; first < n; first += SIZE) {
    const int64_t end = n - first < SIZE ? n : first + SIZE;
    uint64_t *to      = (uint64_t *)acc;
    int j             = count < 4 ? 0 : 4;
    if (j)
      for (int64_t i = first; i < end; i++) to[i] = four_bits(g, i, scale) - 4 * zero;
    for (; j + 4 <= count; j += 4)
      for (int64_t i = first; i < end; i++) to[i] += four_bits(g + j, i, scale) - 4 * zero;
    for (; j < count; j++)
      for (int64_t i = first; i < end; i++) to[i] += fixed_bits(g[j][i], scale) - zero;
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
