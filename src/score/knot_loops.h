/* Scores of whole fields to fields, by level of instructions (base/processor.h).  Multiplications and additions are not
 * fused, so that all levels give the same bits. */
#ifndef SCORIA_SCORE_KNOT_LOOPS_H
#define SCORIA_SCORE_KNOT_LOOPS_H

#include "scoria/processor.h"
#include <stdbool.h>

#define KNOT_NEAR 0.1   /* of v to the middle between knots: few terms of an exponential suffice */
#define KNOT_LEAST 0.05 /* of 1 + bend q, and */
#define KNOT_MOST 4.0   /* at most: beyond, a bent score is linear in q */

/* A quotient of two quadratics that is e^x to .5 % up to |x| = 1.2 and increases up to |x| = 3.4 (Pade's). */
static inline double knot_swell(double x)
{
  const double even = 12 + x * x, odd = 6 * x;
  return (even + odd) / (even - odd);
}

/* Its derivative. */
static inline double knot_swell_slope(double x)
{
  const double down = 12 + x * x - 6 * x;
  return 12 * (12 - x * x) / (down * down);
}

/* Modulated scores, in knots: q = at swell(exponent s), bent to q / (1 + bend q). */
static inline double knot_bent(double at, double exponent, double s, double bend)
{
  const double x = exponent * s, even = 12 + x * x, odd = 6 * x, up = (even + odd) * at, down = even - odd,
               low = KNOT_LEAST * down, high = KNOT_MOST * down;
  double over = down + bend * up;
  over        = over < low ? low : over;
  over        = over > high ? high : over;
  return up / over;
}

/* q of q / (1 + bend q), in knots. */
static inline double knot_unbent(double at, double bend)
{
  const double over = 1 - bend * at; /* 1 / (1 + bend q) */
  if (over > 1 / KNOT_LEAST) return at * KNOT_LEAST;
  return over < 1 / KNOT_MOST ? at * KNOT_MOST : at / over;
}

/* What a field is at knots along every element x: v is piecewise linear in t, `rate` knots per unit of t, t = 0 in the
 * middle, linear beyond; the field is v, or reference + sign exp(v).  Where there is an s, knots are of
 * knot_bent(t rate, exponent, s, bend). */
typedef struct {
  int nx, knots;
  const double *knot;            /* borrowed (nx, knots) */
  const double *rate;            /* borrowed (nx) */
  const double *s;               /* borrowed (places); NULL: none, and nothing of the next two */
  const double *exponent, *bend; /* borrowed (nx) */
  const double *span;            /* borrowed (nx, knots, 2), see knot_spans; NULL: the field is v */
  double reference, sign;
} KnotField;

/* Scores t (places, nx) in units of 1 / unit, their long waves and lateral mean m in units of 1:
 * m + (low - m) mean_swell + (t - low) swell(exponent low), |low| at most `farthest` in it. */
typedef struct {
  int nx;
  const double *unit, *mean, *mean_swell, *exponent; /* borrowed (nx) each */
  const double *low;                                 /* borrowed (places, nx) */
  double farthest;
} KnotSwell;

typedef struct {
  /* t (places, nx) becomes a field (places, nx); |v| < 700 where it is logged, beyond it is as there. */
  void (*field)(const KnotField *of, int places, const double t[], double field[]);
  /* Scores t become swollen ones. */
  void (*swell)(const KnotSwell *of, int places, double t[]);
} KnotLoops;

extern const KnotLoops LEVELS(knot_loops);
const KnotLoops *knot_loops(void); /* of the level in use */
/* Of v (n, knots), from a knot to the next, exp(v) in the middle and the difference (n, knots, 2); this is NaN where
 * exp(v) is hardly a number. */
void knot_spans(int n, int knots, const double knot[], double span[]);

#endif
