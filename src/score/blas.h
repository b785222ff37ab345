/* Row-major matrix products, C (M, N) = alpha op(A) op(B) + beta C, op being the transpose where ta or tb says so; lda,
 * ldb, ldc are row strides of A, B and C as stored.  Single threaded; _f single, _d double precision. */
#ifndef SCORIA_SCORE_BLAS_H
#define SCORIA_SCORE_BLAS_H

#include <stdbool.h>

void gemm_f(bool ta, bool tb, int M, int N, int K, float alpha, const float A[], int lda, const float B[], int ldb,
            float beta, float C[], int ldc);
void gemm_d(bool ta, bool tb, int M, int N, int K, double alpha, const double A[], int lda, const double B[], int ldb,
            double beta, double C[], int ldc);

#endif
