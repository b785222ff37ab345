/* For one level of instructions; see knot_loops.h. */
#include "knot_loops.h"
#include <stdint.h>
#include <string.h>

#define LARGEST 700.0 /* exp of it is a number, and of its negative a normal one */
#define LOG2_E 1.4426950408889634
#define LN2_HIGH 0x1.62e42fefa0000p-1 /* of few bits: its products with integers are exact */
#define LN2_LOW 0x1.cf79abc9e3b39p-40 /* ln 2 less that */
#define INTEGER 0x1.8p52              /* added to |x| < 2^51 leaves the integer nearest to x in the low bits */

/* exp(x) to two units in the last place, in a form that is computed for several x at once, unlike the library's:
 * Taylor's polynomial of degree 13 for |r| <= ln(2) / 2, times a power of two. */
static inline double exponential(double x)
{
  static const double c[] = {
      1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
      1.0 / 720,        1.0 / 120,       1.0 / 24,       1.0 / 6,       0.5,          1,           1};
  x               = x > LARGEST ? LARGEST : x;
  x               = x < -LARGEST ? -LARGEST : x;
  const double at = x * LOG2_E + INTEGER, n = at - INTEGER, r = (x - n * LN2_HIGH) - n * LN2_LOW;
  double p = c[0], power;
  for (int k = 1; k < (int)(sizeof c / sizeof *c); k++) p = p * r + c[k];
  uint64_t bits;
  memcpy(&bits, &at, sizeof bits);
  bits = (bits + 1023) << 52; /* 2^n */
  memcpy(&power, &bits, sizeof power);
  return p * power;
}

static void logarithms_back(int n, double reference, double sign, double v[])
{
  for (int i = 0; i < n; i++) v[i] = reference + sign * exponential(v[i]);
}

/* Where the scores t (nx) of a place stand among the knots, whose middle is 0. */
static void positions(const KnotField *of, int place, const double t[], double at[])
{
  const int nx       = of->nx;
  const double *rate = of->rate, *exponent = of->exponent, *bend = of->bend;
  for (int x = 0; x < nx; x++) at[x] = t[x] * rate[x];
  if (!of->s) return;
  const double s = of->s[place];
  for (int x = 0; x < nx; x++) at[x] = knot_bent(at[x], exponent[x], s, bend[x]);
}

static void field(const KnotField *of, int places, const double t[], double field[])
{
  const int nx = of->nx, knots = of->knots;
  const double middle = knots / 2, last = knots - 2;
  const double *knot = of->knot;
  for (int p = 0; p < places; p++, t += nx, field += nx) {
    positions(of, p, t, field);
    for (int x = 0; x < nx; x++) {
      const double at = field[x] + middle, low = at > 0 ? at : 0;
      const int k        = (int)(low < last ? low : last);
      const double *here = knot + x * knots + k;
      field[x]           = here[0] + (at - k) * (here[1] - here[0]);
    }
    if (of->logged) logarithms_back(nx, of->reference, of->sign, field);
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
