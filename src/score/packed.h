/* Matrix products for sampling with operands rounded to bfloat16 (8 bits of mantissa) and sums in single precision. The
 * matrix is packed once, in the order in which the kernel reads it.  Where the processor multiplies bfloat16 itself the
 * kernel is about twice as fast as sgemm; elsewhere plain loops compute the same products in another order. */
#ifndef SCORIA_SCORE_PACKED_H
#define SCORIA_SCORE_PACKED_H

#include "layers.h"

/* Numbers of a packed matrix (nin, nout): pairs of rows, groups of 16 columns. */
size_t packed_size(int nin, int nout);
void packed_pack(uint16_t packed[], const float W[], int nin, int nout);
/* Whether the processor has the instructions of the fast kernel, and the level in use is that of AVX-512. */
bool packed_is_fast(void);

/* out (n, nout) = or, where add is true, += in (n, nin) W, W packed. */
void packed_product(float out[], bool add, const float in[], const uint16_t W[], int n, int nin, int nout);
/* The same by plain loops, the test of the fast one. */
void packed_product_plain(float out[], bool add, const float in[], const uint16_t W[], int n, int nin, int nout);
/* conv1d_forward with W packed tap by tap, each at a multiple of packed_size(nin, nout). */
void packed_conv1d(float out[], bool add, const float in[], const uint16_t W[], Tall t, int taps, int nin, int nout);

#endif
