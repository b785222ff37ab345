/* Scores of whole fields to fields, by level of instructions (base/processor.h).  Multiplications and additions are not
 * fused, so that all levels give the same bits. */
#ifndef SCORIA_SCORE_KNOT_LOOPS_H
#define SCORIA_SCORE_KNOT_LOOPS_H

#include "scoria/processor.h"
#include <stdbool.h>

/* What a field is at knots along every element x: v is piecewise linear in t, `rate` knots per unit of t, t = 0 in the
 * middle, linear beyond; the field is v, or reference + sign exp(v). */
typedef struct {
  int nx, knots;
  const double *knot; /* borrowed (nx, knots) */
  const double *rate; /* borrowed (nx) */
  bool logged;
  double reference, sign;
} KnotField;

typedef struct {
  /* t (places, nx) becomes a field (places, nx); |v| < 700 where it is logged, beyond it is as there. */
  void (*field)(const KnotField *of, int places, const double t[], double field[]);
} KnotLoops;

extern const KnotLoops LEVELS(knot_loops);
const KnotLoops *knot_loops(void); /* of the level in use */

#endif
