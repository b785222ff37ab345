/* Matrix products of the shapes that the networks have: tall times square, and the product of two tall ones.  The sums
 * of a block of rows and vectors of columns stay in registers over the whole depth; neither factor is copied.  Every
 * element is summed in the order of the depth by fused multiply-adds (this file is compiled to contract), so its
 * bits are a matter of its row and its column, wherever these stand.  Columns that fill no whole vector go to BLAS.
 */
#ifndef real
#include "../layers.h"
#include <math.h>
#define BODY "layers/product.c"
#include "../twice.h"
#else
#include "simd.h"

#ifndef PRODUCT_ROWS
#define PRODUCT_ROWS 8 /* the most that a block has */
#define PRODUCT_VECTORS 4
#endif

/* in (row, k) lies at in[row * row_step + k * depth_step]; rows <= height; height and `vectors` are constants where
 * inlined. */
static inline __attribute__((always_inline)) void K(product_block)(real out[], int out_step, real keep, const real in[],
                                                                   ptrdiff_t row_step, ptrdiff_t depth_step,
                                                                   const real W[], int W_step, int rows, int depth,
                                                                   const int height, const int vectors)
{
  K(vec) sum[PRODUCT_ROWS][PRODUCT_VECTORS];
  const real *row[PRODUCT_ROWS];
  for (int i = 0; i < height; i++) {
    row[i] = in + (i < rows ? i : 0) * row_step;
    for (int g = 0; g < vectors; g++) sum[i][g] = (K(vec)){0};
  }
  for (int k = 0; k < depth; k++, W += W_step) {
    K(vec) w[PRODUCT_VECTORS];
    for (int g = 0; g < vectors; g++) memcpy(&w[g], W + g * LANES, sizeof w[g]);
    for (int i = 0; i < height; i++) {
      const real x = row[i][k * depth_step];
      for (int g = 0; g < vectors; g++) sum[i][g] += x * w[g];
    }
  }
  for (int i = 0; i < height; i++) {
    if (i == rows) break;
    for (int g = 0; g < vectors; g++) {
      real *to = out + i * out_step + g * LANES;
      K(store)(to, keep != 0 ? sum[i][g] + keep * K(load)(to, LANES) : sum[i][g], LANES);
    }
  }
}

/* All columns in blocks of height x width vectors, and narrower ones where the columns end. */
static inline __attribute__((always_inline)) void K(product_strips)(real out[], real keep, const real in[],
                                                                    ptrdiff_t row_step, ptrdiff_t depth_step,
                                                                    const real W[], int rows, int depth, int columns,
                                                                    const int height, const int width)
{
  for (int j = 0; j < columns; j += width * LANES) {
    const int vectors = (columns - j) / LANES < width ? (columns - j) / LANES : width;
    for (int i = 0; i < rows; i += height) {
      const int number = rows - i < height ? rows - i : height;
      real *to         = out + (size_t)i * (size_t)columns + j;
      const real *from = in + i * row_step, *w = W + j;
#define BLOCK_OF(count)                                                                                                \
  if (number == height)                                                                                                \
    K(product_block)(to, columns, keep, from, row_step, depth_step, w, columns, height, depth, height, count);         \
  else                                                                                                                 \
    K(product_block)(to, columns, keep, from, row_step, depth_step, w, columns, number, depth, height, count)
      switch (vectors) {
      case 1:
        BLOCK_OF(1);
        break;
      case 2:
        BLOCK_OF(2);
        break;
      case 3:
        BLOCK_OF(3);
        break;
      default:
        BLOCK_OF(4);
      }
#undef BLOCK_OF
    }
  }
}

/* Blocks that the register file holds: of 32 registers 24 for sums.  8 x 3 wastes fewer rows of the tiles there are,
 * but would leave a single vector of some widths, whose sums wait for one another. */
static inline __attribute__((always_inline)) void K(product_blocks)(real out[], real keep, const real in[],
                                                                    ptrdiff_t row_step, ptrdiff_t depth_step,
                                                                    const real W[], int rows, int depth, int columns)
{
#if SIMD_BYTES < 64
  K(product_strips)(out, keep, in, row_step, depth_step, W, rows, depth, columns, 6, 2);
#else
  if (columns / LANES % 3 == 1)
    K(product_strips)(out, keep, in, row_step, depth_step, W, rows, depth, columns, 6, 4);
  else
    K(product_strips)(out, keep, in, row_step, depth_step, W, rows, depth, columns, 8, 3);
#endif
}

void K(product)(real out[], bool add, const real in[], const real W[], int n, int nin, int nout)
{
  if (nout % LANES)
    ANY(gemm)(false, false, n, nout, nin, 1, in, nin, W, nout, add ? 1 : 0, out, nout);
  else
    K(product_blocks)(out, add ? 1 : 0, in, nin, 1, W, n, nin, nout);
}

#define TURN_BLOCK 16 /* lines of the first cache that a block touches, each once to read and once to write */

void K(transpose)(real out[], const real in[], int nin, int nout)
{
  for (int i = 0; i < nin; i += TURN_BLOCK)
    for (int j = 0; j < nout; j += TURN_BLOCK) {
      const int rows = nin - i < TURN_BLOCK ? nin - i : TURN_BLOCK;
      for (int jj = j; jj < nout && jj < j + TURN_BLOCK; jj++) {
        const real *from = in + (size_t)i * (size_t)nout + jj;
        real *to         = out + (size_t)jj * (size_t)nin + i;
        for (int ii = 0; ii < rows; ii++) to[ii] = from[(size_t)ii * (size_t)nout];
      }
    }
}

void K(product_of_tall)(real out[], real keep, const real in[], const real other[], int n, int nin, int nout)
{
  if (nout % LANES)
    ANY(gemm)(true, false, nin, nout, n, 1, in, nin, other, nout, keep, out, nout);
  else
    K(product_blocks)(out, keep, in, 1, nin, other, nin, n, nout);
}
#endif
