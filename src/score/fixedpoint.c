/* Fixed point with a common exponent: |g| <= g_max < 2^e, S terms.  The sum fits 62 bits with shift = 62 - e -
 * ceil(log2 S); no more than 51 bits are given to one term, so that rounding is an addition, which compilers turn into
 * vectors.  The error of a sum of S terms is at most S/2 units, below S 2^-51 relative to g_max: far below single
 * precision. */
#include "fixedpoint.h"
#include "step_loops.h"
#include <math.h>

float fixed_largest(int64_t n, const float g[])
{
  return step_loops()->largest(n, g);
}

int fixed_shift(float largest, int64_t terms)
{
  int exponent, places = 0;
  (void)frexpf(largest, &exponent);
  while ((INT64_C(1) << places) < terms) places++;
  return (62 - places < 51 ? 62 - places : 51) - exponent;
}

void fixed_sum(int64_t n, int count, float *const g[], int shift, int64_t acc[])
{
  step_loops()->sum(n, count, g, ldexp(1.0, shift), acc);
}

void fixed_value(int64_t n, const int64_t acc[], int shift, float out[])
{
  step_loops()->value(n, acc, ldexp(1.0, -shift), out);
}

const StepLoops *step_loops(void)
{
  static const StepLoops *const table[] = {LEVELS(&step_loops)};
  return table[processor_level()];
}
