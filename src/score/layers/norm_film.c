/* The edge of a residual block in one pass: RMS normalisation (Zhang and Sennrich 2019), FiLM modulation (Perez et al.
 * 2018) and SiLU.  With n = h / rms(h), m = (1 + gamma) n + beta, out = silu(m): dm = dout silu'(m), dgamma = sum_rows
 * dm n, dbeta = sum_rows dm, dn = dm (1 + gamma), dh = (dn - n mean(dn n)) / rms(h). */
#ifndef real
#include "../layers.h"
#include <math.h>
#define BODY "layers/norm_film.c"
#include "../twice.h"
#else
#include "simd.h"

static real K(reciprocal_rms)(const real h[], int width)
{
  K(vec) sum = {0};
  FOR_LANES(width)
  {
    const K(vec) v = K(load)(h + j, m);
    sum += v * v;
  }
  const real tiny = (real)1e-6; /* keeps a row of zeros finite */
  return (real)(1 / sqrt((double)(K(lane_sum)(sum) / (real)width + tiny)));
}

static void K(norm_film_row)(real out[], real n[], real slope[], real h[], const real bias[], const real gamma[],
                             const real beta[], real rrms, int width)
{
  FOR_LANES(width)
  {
    const K(vec) was = K(load)(h + j, m), scaled = was * rrms;
    const K(vec) x = (K(load)(gamma + j, m) + (real)1) * scaled + K(load)(beta + j, m);
    const K(vec) s = K(logistic)(x), y = x * s;
    if (n) K(store)(n + j, scaled, m);
    K(store)(out + j, y, m);
    if (slope) K(store)(slope + j, s + y * ((real)1 - s), m);
    if (bias) K(store)(h + j, was + K(load)(bias + j, m), m);
  }
}

void K(norm_film_forward)(real out[], real n[], real rrms[], real slope[], real h[], const real bias[],
                          const real film[], int film_stride, Tall t, int width)
{
  size_t row = 0;
  for (int g = 0; g < t.groups; g++, film += film_stride) {
    for (int i = 0; i < t.span; i++, row++) {
      const size_t at = row * (size_t)width;
      rrms[row]       = K(reciprocal_rms)(h + at, width);
      K(norm_film_row)
      (out + at, n ? n + at : NULL, slope ? slope + at : NULL, h + at, bias, film, film + width, rrms[row], width);
    }
    memset(out + row * (size_t)width, 0, sizeof(real) * (size_t)(t.gap * width));
    row += (size_t)t.gap;
  }
}

/* Returns the sum over the width of dn n, having added this row's dgamma and dbeta (written them, for the first row of
 * a sample) and left dn in dn. */
static real K(film_row_backward)(real dn[], bool first, real dgamma[], real dbeta[], const real dout[], const real n[],
                                 const real slope[], const real gamma[], int width)
{
  K(vec) sum = {0};
  FOR_LANES(width)
  {
    const K(vec) dm = K(load)(dout + j, m) * K(load)(slope + j, m), scaled = K(load)(n + j, m), dmn = dm * scaled;
    const K(vec) gain = K(load)(gamma + j, m) + (real)1;
    K(store)(dgamma + j, first ? dmn : K(load)(dgamma + j, m) + dmn, m);
    K(store)(dbeta + j, first ? dm : K(load)(dbeta + j, m) + dm, m);
    K(store)(dn + j, dm * gain, m);
    sum += dmn * gain;
  }
  return K(lane_sum)(sum);
}

static void K(norm_row_backward)(real dh[], bool add, real dbias[], const real dn[], const real n[], real mean,
                                 real rrms, int width)
{
  FOR_LANES(width)
  {
    const K(vec) dx  = (K(load)(dn + j, m) - K(load)(n + j, m) * mean) * rrms;
    const K(vec) was = add ? K(load)(dh + j, m) : (K(vec)){0};
    if (dbias) K(store)(dbias + j, K(load)(dbias + j, m) + was, m);
    K(store)(dh + j, was + dx, m);
  }
}

void K(norm_film_backward)(real dh[], bool add, real dfilm[], real dbias[], real dout[], const real n[],
                           const real rrms[], const real slope[], const real film[], Tall t, int width)
{
  size_t row = 0;
  for (int g = 0; g < t.groups; g++, film += 2 * width, dfilm += 2 * width) {
    for (int i = 0; i < t.span; i++, row++) {
      const size_t at = row * (size_t)width;
      const real mean =
          K(film_row_backward)(dout + at, i == 0, dfilm, dfilm + width, dout + at, n + at, slope + at, film, width) /
          (real)width;
      K(norm_row_backward)(dh + at, add, dbias, dout + at, n + at, mean, rrms[row], width);
    }
    if (!add) memset(dh + row * (size_t)width, 0, sizeof(real) * (size_t)(t.gap * width));
    row += (size_t)t.gap;
  }
}
#endif
