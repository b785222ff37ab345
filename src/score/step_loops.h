/* Loops of a training step over all weights, by level of instructions (scoria/processor.h).  Multiplications and
 * additions are not fused, so that all levels give the same bits. */
#ifndef SCORIA_SCORE_STEP_LOOPS_H
#define SCORIA_SCORE_STEP_LOOPS_H

#include "scoria/processor.h"

/* Of Adam: scale of the gradient, decay of the moments and its complements, rate and bias corrections. */
typedef struct {
  float scale, b1, b2, c1, c2, up, fix, epsilon;
} AdamFactors;

typedef struct {
  /* fixedpoint.h; scale is 2^shift and 2^-shift. */
  float (*largest)(int64_t n, const float g[]);
  void (*sum)(int64_t n, int count, float *const g[], double scale, int64_t acc[]);
  void (*value)(int64_t n, const int64_t acc[], double scale, float out[]);
  /* p (n) goes one step down the gradient g, with moments m and v. */
  void (*adam)(int64_t n, AdamFactors f, const float g[], float m[], float v[], float p[]);
  /* to (n) += mix (p - to) */
  void (*average)(int64_t n, float mix, const float p[], float to[]);
} StepLoops;

extern const StepLoops LEVELS(step_loops);
const StepLoops *step_loops(void); /* of the level in use */

#endif
