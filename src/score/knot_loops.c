/* For one level of instructions; see knot_loops.h. */
#include "knot_loops.h"
#include <stdint.h>
#include <string.h>

#define LARGEST 700.0 /* exp of it is a number, and of its negative a normal one */
#define LOG2_E 1.4426950408889634
#define LN2_HIGH 0x1.62e42fefa0000p-1 /* of few bits: its products with integers are exact */
#define LN2_LOW 0x1.cf79abc9e3b39p-40 /* ln 2 less that */
#define INTEGER 0x1.8p52              /* added to |x| < 2^51 leaves the integer nearest to x in the low bits */

enum {
  LANES = 32,  /* exponentials side by side: a chain of 26 roundings waits for each of them */
  BLOCK = 512, /* values between a table's steps, in the first-level cache; a multiple of LANES */
  WIDE  = 128  /* elements along x of a block, at most */
};

static const double inverse_factorial[] = {
    1,          1,           0.5,          1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
    1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};

/* Taylor's polynomials of exp(x), of a degree, at LANES x. */
static inline void taylor(int degree, const double x[], double p[])
{
  for (int l = 0; l < LANES; l++) p[l] = inverse_factorial[degree];
  for (int k = degree - 1; k >= 0; k--)
    for (int l = 0; l < LANES; l++) p[l] = p[l] * x[l] + inverse_factorial[k];
}

/* LANES exp(x) to two units in the last place, in a form that is computed for several x at once, unlike the library's:
 * a polynomial for |r| <= ln(2) / 2, times a power of two. */
static inline void exponentials(double x[])
{
  double at[LANES], r[LANES], p[LANES];
  for (int l = 0; l < LANES; l++) {
    double held    = x[l] > LARGEST ? LARGEST : x[l];
    held           = held < -LARGEST ? -LARGEST : held;
    at[l]          = held * LOG2_E + INTEGER;
    const double n = at[l] - INTEGER;
    r[l]           = (held - n * LN2_HIGH) - n * LN2_LOW;
  }
  taylor(13, r, p);
  for (int l = 0; l < LANES; l++) {
    uint64_t bits;
    double power;
    memcpy(&bits, &at[l], sizeof bits);
    bits = (bits + 1023) << 52; /* 2^n */
    memcpy(&power, &bits, sizeof power);
    x[l] = p[l] * power;
  }
}

/* Where the scores t of elements [x, x + width) of a place stand among the knots, whose middle is 0. */
static inline void positions(const KnotField *of, int place, int x, int width, const double *restrict t,
                             double *restrict at)
{
  const double *restrict rate = of->rate + x, *restrict exponent = of->exponent + x, *restrict bend = of->bend + x;
  if (!of->s) {
    for (int i = 0; i < width; i++) at[i] = t[i] * rate[i];
    return;
  }
  const double s = of->s[place];
  for (int i = 0; i < width; i++) at[i] = knot_bent(t[i] * rate[i], exponent[i], s, bend[i]);
}

/* A position becomes what it is beyond the knot below, which is number `knot` of the table of all elements. */
static inline void find_knots(const KnotField *of, int x, int width, double *restrict at, int *restrict knot)
{
  const int knots     = of->knots;
  const double middle = knots / 2, last = knots - 2;
  for (int i = 0; i < width; i++) {
    const double place = at[i] + middle, low = place > 0 ? place : 0;
    at[i]   = low < last ? low : last;
    knot[i] = (int)at[i];
    at[i]   = place - knot[i];
  }
  for (int i = 0; i < width; i++) knot[i] += (x + i) * knots;
}

/* Values at n positions. */
static inline void between_knots(const double *restrict knot, int n, const int *restrict at,
                                 const double *restrict beyond, double *restrict value)
{
  double below[BLOCK], above[BLOCK];
  for (int i = 0; i < n; i++) {
    below[i] = knot[at[i]];
    above[i] = knot[at[i] + 1];
  }
  for (int i = 0; i < n; i++) value[i] = below[i] + beyond[i] * (above[i] - below[i]);
}

/* exp(v) at LANES positions beyond the knots at `at`, whose spans are given: where all v are near the middle of their
 * spans, by what they differ from it (the next term is 3e-17 of 1); else from v. */
static inline void exponentials_between(const double *restrict knot, const int *restrict at,
                                        const double *restrict span, double *restrict value)
{
  double x[LANES], p[LANES];
  int64_t far = 0;
  for (int l = 0; l < LANES; l++) {
    x[l] = (value[l] - 0.5) * span[2 * l + 1];
    far |= !(x[l] <= KNOT_NEAR && x[l] >= -KNOT_NEAR);
  }
  if (far) {
    between_knots(knot, LANES, at, value, x);
    exponentials(x);
    memcpy(value, x, sizeof x);
    return;
  }
  taylor(9, x, p);
  for (int l = 0; l < LANES; l++) value[l] = span[2 * l] * p[l];
}

/* The field at n positions, as exponentials.  Spans are taken together for all of them, one by one: what is loaded at
 * once soon after it was stored in parts waits for it. */
static void logged(const KnotField *of, int n, int *restrict at, double *restrict value, double *restrict to)
{
  const int lanes        = (n + LANES - 1) / LANES * LANES;
  const double reference = of->reference, sign = of->sign;
  double span[2 * BLOCK];
  for (int i = n; i < lanes; i++) value[i] = at[i] = 0;
  for (int i = 0; i < lanes; i++) memcpy(span + 2 * i, of->span + 2 * at[i], 2 * sizeof *span);
  for (int i = 0; i < lanes; i += LANES) exponentials_between(of->knot, at + i, span + 2 * i, value + i);
  for (int i = 0; i < n; i++) to[i] = reference + sign * value[i];
}

/* Elements [x, x + width) of `places` places, from `place` on. */
static void block(const KnotField *of, int place, int places, int x, int width, const double t[], double field[])
{
  const int nx = of->nx, n = places * width;
  double value[BLOCK], kept[BLOCK], *to = width == nx ? field : kept;
  int knot[BLOCK];
  for (int p = 0; p < places; p++) {
    positions(of, place + p, x, width, t + (size_t)p * nx, value + p * width);
    find_knots(of, x, width, value + p * width, knot + p * width);
  }
  if (of->span)
    logged(of, n, knot, value, to);
  else
    between_knots(of->knot, n, knot, value, to);
  for (int p = 0; p < places && to != field; p++)
    memcpy(field + (size_t)p * nx, to + p * width, sizeof *to * (size_t)width);
}

static void field(const KnotField *of, int places, const double t[], double field[])
{
  const int nx = of->nx;
  for (int x = 0, width; x < nx; x += width) {
    width          = nx - x < WIDE ? nx - x : WIDE;
    const int most = BLOCK / width;
    for (int p = 0, n; p < places; p += n) {
      n = places - p < most ? places - p : most;
      block(of, p, n, x, width, t + (size_t)p * nx + x, field + (size_t)p * nx + x);
    }
  }
}

static void swell(const KnotSwell *of, int places, double t[])
{
  const int nx       = of->nx;
  const double *unit = of->unit, *mean = of->mean, *mean_swell = of->mean_swell, *exponent = of->exponent;
  const double *low = of->low, most = of->farthest;
  for (int p = 0; p < places; p++, t += nx, low += nx)
    for (int x = 0; x < nx; x++) {
      double held        = low[x] < -most ? -most : low[x];
      held               = held > most ? most : held;
      const double waves = (low[x] - mean[x]) * mean_swell[x];
      t[x]               = (mean[x] + waves + (t[x] * unit[x] - low[x]) * knot_swell(exponent[x] * held)) / unit[x];
    }
}

const KnotLoops LEVEL(knot_loops) = {field, swell};
