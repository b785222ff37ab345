/* Matrix products of the shapes that the networks have: tall times square, and the product of two tall ones.  The sums
 * of a block of 6 rows and up to 4 vectors of columns stay in registers over the whole depth; neither factor is copied.
 * Every element is summed in the order of the depth by fused multiply-adds (the one file that is compiled to contract),
 * so its bits are a matter of its row and its column, wherever these stand.  Columns that fill no whole vector go to
 * BLAS. */
#ifndef real
#include "../layers.h"
#include <math.h>
#define BODY "layers/product.c"
#include "../twice.h"
#else
#include "simd.h"

#ifndef PRODUCT_ROWS
#define PRODUCT_ROWS 6
#define PRODUCT_VECTORS (SIMD_BYTES == 64 ? 4 : 2) /* with the rows: what the register file holds */
#endif

/* in (row, k) lies at in[row * row_step + k * depth_step]; rows <= PRODUCT_ROWS, `vectors` a constant where inlined. */
static inline __attribute__((always_inline)) void K(product_block)(real out[], int out_step, real keep, const real in[],
                                                                   ptrdiff_t row_step, ptrdiff_t depth_step,
                                                                   const real W[], int W_step, int rows, int depth,
                                                                   const int vectors)
{
  K(vec) sum[PRODUCT_ROWS][4];
  const real *row[PRODUCT_ROWS];
  for (int i = 0; i < PRODUCT_ROWS; i++) {
    row[i] = in + (i < rows ? i : 0) * row_step;
    for (int g = 0; g < vectors; g++) sum[i][g] = (K(vec)){0};
  }
  for (int k = 0; k < depth; k++, W += W_step) {
    K(vec) w[4];
    for (int g = 0; g < vectors; g++) memcpy(&w[g], W + g * LANES, sizeof w[g]);
    for (int i = 0; i < PRODUCT_ROWS; i++) {
      const real x = row[i][k * depth_step];
      for (int g = 0; g < vectors; g++) sum[i][g] += x * w[g];
    }
  }
  for (int i = 0; i < PRODUCT_ROWS; i++) {
    if (i == rows) break;
    for (int g = 0; g < vectors; g++) {
      real *to = out + i * out_step + g * LANES;
      K(store)(to, keep != 0 ? sum[i][g] + keep * K(load)(to, LANES) : sum[i][g], LANES);
    }
  }
}

static void K(product_blocks)(real out[], real keep, const real in[], ptrdiff_t row_step, ptrdiff_t depth_step,
                              const real W[], int rows, int depth, int columns)
{
  for (int j = 0; j < columns; j += PRODUCT_VECTORS * LANES) {
    const int vectors = (columns - j) / LANES < PRODUCT_VECTORS ? (columns - j) / LANES : PRODUCT_VECTORS;
    for (int i = 0; i < rows; i += PRODUCT_ROWS) {
      const int number = rows - i < PRODUCT_ROWS ? rows - i : PRODUCT_ROWS;
      real *to         = out + (size_t)i * (size_t)columns + j;
      const real *from = in + i * row_step, *w = W + j;
#define BLOCK_OF(count)                                                                                                \
  K(product_block)(to, columns, keep, from, row_step, depth_step, w, columns, number, depth, count)
      switch (vectors) {
      case 4:
        BLOCK_OF(4);
        break;
      case 3:
        BLOCK_OF(3);
        break;
      case 2:
        BLOCK_OF(2);
        break;
      default:
        BLOCK_OF(1);
      }
#undef BLOCK_OF
    }
  }
}

void K(product)(real out[], bool add, const real in[], const real W[], int n, int nin, int nout)
{
  if (nout % LANES)
    K(gemm)(false, false, n, nout, nin, 1, in, nin, W, nout, add ? 1 : 0, out, nout);
  else
    K(product_blocks)(out, add ? 1 : 0, in, nin, 1, W, n, nin, nout);
}

void K(product_of_tall)(real out[], real keep, const real in[], const real other[], int n, int nin, int nout)
{
  if (nout % LANES)
    K(gemm)(true, false, nin, nout, n, 1, in, nin, other, nout, keep, out, nout);
  else
    K(product_blocks)(out, keep, in, 1, nin, other, nin, n, nout);
}
#endif
