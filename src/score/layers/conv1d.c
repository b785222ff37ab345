/* 1-D convolution, channels last: one matrix product per tap over the whole tall matrix, its rows shifted by the tap.
 * The zero rows between samples stand for the padding, so nothing is copied. */
#ifndef real
#include "../layers.h"
#define BODY "layers/conv1d.c"
#include "../twice.h"
#else

/* Token and gap rows from the first token to the last. */
static int K(conv_rows)(Tall t)
{
  return tall_rows(t) - t.gap;
}

void K(conv1d_forward)(real out[], bool add, const real in[], const real W[], Tall t, int taps, int nin, int nout)
{
  for (int k = 0; k < taps; k++) {
    const ptrdiff_t shift = k - (taps - 1) / 2;
    K(product)
    (out, add || k > 0, in + shift * nin, W + (size_t)k * (size_t)(nin * nout), K(conv_rows)(t), nin, nout);
  }
}

void K(conv1d_backward)(real din[], real dW[], real keep, const real dout[], const real in[], const real transposed[],
                        Tall t, int taps, int nin, int nout)
{
  const int rows = K(conv_rows)(t);
  for (int k = 0; k < taps; k++) {
    const ptrdiff_t shift = k - (taps - 1) / 2;
    const size_t tap      = (size_t)k * (size_t)(nin * nout);
    K(product)(din, k > 0, dout - shift * nout, transposed + tap, rows, nout, nin);
    K(product_of_tall)(dW + tap, keep, in + shift * nin, dout, rows, nin, nout);
  }
}
#endif
