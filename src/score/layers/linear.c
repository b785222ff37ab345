/* Linear layer: one matrix product forward, two backward. */
#ifndef real
#include "../layers.h"
#define BODY "layers/linear.c"
#include "../twice.h"
#else
#include "simd.h"

void K(linear_forward)(real out[], const real in[], const real W[], const real b[], int n, int nin, int nout)
{
  K(product)(out, false, in, W, n, nin, nout);
  if (!b) return;
  for (int i = 0; i < n; i++) {
    real *row = out + (size_t)i * (size_t)nout;
    for (int j = 0; j < nout; j++) row[j] += b[j];
  }
}

void K(column_sums)(real out[], const real in[], int n, int width)
{
  for (int i = 0; i < n; i++) {
    const real *row = in + (size_t)i * (size_t)width;
    for (int j = 0; j < width; j++) out[j] += row[j];
  }
}

void K(linear_backward)(real din[], bool add, real dW[], real keep, real db[], const real dout[], const real in[],
                        const real transposed[], int n, int nin, int nout)
{
  if (din) K(product)(din, add, dout, transposed, n, nout, nin);
  K(product_of_tall)(dW, keep, in, dout, n, nin, nout);
  if (db) K(column_sums)(db, dout, n, nout);
}
#endif
