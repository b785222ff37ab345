/* SiLU, a logistic(a), fused with the bias before it: the forward pass leaves the slope, logistic + out (1 - logistic),
 * in place of its argument, so that the backward pass is one product. */
#ifndef real
#include "../layers.h"
#define BODY "layers/silu.c"
#include "../twice.h"
#else
#include "simd.h"

static void K(silu_row)(real out[], real a[], bool slope, const real bias[], int width)
{
  FOR_LANES(width)
  {
    const K(vec) x = K(load)(a + j, m) + K(load)(bias + j, m);
    const K(vec) s = K(logistic)(x), y = x * s;
    K(store)(out + j, y, m);
    if (slope) K(store)(a + j, s + y * ((real)1 - s), m);
  }
}

void K(silu_forward)(real out[], real a[], bool slope, const real bias[], Tall t, int width)
{
  for (int g = 0; g < t.groups; g++) {
    for (int i = 0; i < t.span; i++, out += width, a += width) K(silu_row)(out, a, slope, bias, width);
    memset(out, 0, sizeof(real) * (size_t)(t.gap * width));
    out += t.gap * width;
    a += t.gap * width;
  }
}

void K(silu_backward)(real dout[], real dbias[], const real slope[], Tall t, int width)
{
  for (int g = 0; g < t.groups; g++) {
    for (int i = 0; i < t.span; i++, dout += width, slope += width)
      for (int j = 0; j < width; j++) {
        const real da = dout[j] * slope[j];
        dout[j]       = da;
        dbias[j] += da;
      }
    memset(dout, 0, sizeof(real) * (size_t)(t.gap * width));
    dout += t.gap * width;
    slope += t.gap * width;
  }
}
#endif
