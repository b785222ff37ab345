/* Features of noise level and conditions: the values, and their harmonics at low frequency (sines and cosines of k pi/2
 * times the value), by the addition theorem from one sine and cosine each. */
#ifndef real
#include "../layers.h"
#include <math.h>
#define BODY "layers/embed.c"
#include "../twice.h"
#else

static real *K(harmonics)(real out[], real value, int count)
{
  const real angle = (real)1.5707963267948966 * value, s1 = (real)sin((double)angle), c1 = (real)cos((double)angle);
  real s = 0, c = 1;
  *out++ = value;
  for (int k = 0; k < count; k++) {
    const real next = s * c1 + c * s1;
    c               = c * c1 - s * s1;
    s               = next;
    *out++          = s;
    *out++          = c;
  }
  return out;
}

void K(embed_features)(real out[], const real label[], const real u[], int B, int d)
{
  for (int i = 0; i < B; i++) {
    out = K(harmonics)(out, label[i], EMBED_LABEL_HARMONICS);
    for (int k = 0; k < d; k++)
      out = K(harmonics)(out, u[(size_t)i * (size_t)d + (size_t)k], EMBED_CONDITION_HARMONICS);
  }
}
#endif
