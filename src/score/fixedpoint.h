/* Sum of float vectors in 64-bit fixed point: integer addition is associative, so the result is the same bits however
 * the terms are split over ranks and in whatever order they are added. */
#ifndef SCORIA_SCORE_FIXEDPOINT_H
#define SCORIA_SCORE_FIXEDPOINT_H

#include <stdbool.h>
#include <stdint.h>

/* Largest |g|, or infinity where any is NaN or infinite. */
float fixed_largest(int64_t n, const float g[]);

/* Binary places that `terms` numbers no larger than `largest` can be given without overflow of their sum. */
int fixed_shift(float largest, int64_t terms);

/* acc (n) = sum over the `count` vectors g[j] of round(g[j] 2^shift). */
void fixed_sum(int64_t n, int count, float *const g[], int shift, int64_t acc[]);

/* out (n) = acc 2^-shift. */
void fixed_value(int64_t n, const int64_t acc[], int shift, float out[]);

#endif
