/* Short vectors as GNU C has them, as wide as the level's registers, and the logistic function on them.  Included once
 * per precision.  exp(x) = 2^k exp(r), |r| <= ln(2)/2, by its Taylor polynomial: the remainder, r^8/8! (r^14/14! in
 * double), is below rounding. */
#include <string.h>

#ifndef LANES
#define LANES ((int)(SIMD_BYTES / sizeof(real)))
#define IS_SINGLE (sizeof(real) == 4)
#ifdef __clang__
#define BOTH_PARTS _Pragma("unroll 2")
#else
#define BOTH_PARTS _Pragma("GCC unroll 2")
#endif
/* j over the starts of vectors, of m numbers each: the whole ones, then what is left.  Two parts that are unrolled, so
 * that m is a constant where it counts: the loop then holds its numbers in registers, at more than twice the speed. */
#define FOR_LANES(n)                                                                                                   \
  BOTH_PARTS for (int part = 0; part < 2;                                                                              \
                  part++) for (int j = part ? (n) / LANES * LANES : 0, m = part ? (n)-j : LANES; m && j + m <= (n);    \
                               j += m)
typedef int32_t LEVEL(bits_f) __attribute__((vector_size(SIMD_BYTES)));
typedef int64_t LEVEL(bits_d) __attribute__((vector_size(SIMD_BYTES)));
#endif

typedef real K(vec) __attribute__((vector_size(SIMD_BYTES)));

/* m <= LANES numbers from p; the rest are 0. */
static inline K(vec) K(load)(const real p[], int m)
{
  K(vec) v = {0};
  if (m == LANES)
    memcpy(&v, p, sizeof v);
  else
    memcpy(&v, p, sizeof(real) * (size_t)m);
  return v;
}

static inline void K(store)(real p[], K(vec) v, int m)
{
  if (m == LANES)
    memcpy(p, &v, sizeof v);
  else
    memcpy(p, &v, sizeof(real) * (size_t)m);
}

static inline real K(lane_sum)(K(vec) v)
{
  real sum = 0;
  for (int l = 0; l < LANES; l++) sum += v[l];
  return sum;
}

static inline K(vec) K(choose)(K(bits) mask, K(vec) a, K(vec) b)
{
  return (K(vec))(((K(bits))a & mask) | ((K(bits))b & ~mask));
}

static inline K(vec) K(exponential)(K(vec) x)
{
  const real magic = IS_SINGLE ? (real)0x1.8p23 : (real)0x1.8p52; /* adding it rounds to an integer */
  const real high  = IS_SINGLE ? (real)0.693359375 : (real)6.93147180369123816490e-01;
  const real low   = IS_SINGLE ? (real)-2.12194440054690583e-4 : (real)1.90821492927058770002e-10;
  const K(vec) k   = x * (real)1.44269504088896340736 + magic;
  const K(vec) n   = k - magic;
  const K(vec) r   = x - n * high - n * low;
  const int order  = IS_SINGLE ? 7 : 13;
  static const double inverse_factorial[14] = {
      1.,        1.,         1. / 2,      1. / 6,       1. / 24,       1. / 120,       1. / 720,
      1. / 5040, 1. / 40320, 1. / 362880, 1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800.};
  K(vec) p = r * (real)inverse_factorial[order] + (real)inverse_factorial[order - 1];
  for (int i = order - 2; i >= 0; i--) p = p * r + (real)inverse_factorial[i];
  return (K(vec))((K(bits))p + ((K(bits))k << (IS_SINGLE ? 23 : 52)));
}

/* 1 / (1 + exp(-x)); x is held in +-80, where the result is 0 or 1 to rounding against any x that it multiplies. */
static inline K(vec) K(logistic)(K(vec) x)
{
  const K(vec) top = (K(vec)){0} + (real)80;
  K(vec) y         = K(choose)((K(bits))(x > top), top, x);
  y                = K(choose)((K(bits))(y < -top), -top, y);
  return (real)1 / (K(exponential)(-y) + (real)1);
}
