/* The fence around CBLAS for the networks. */
#include "blas.h"
#include <cblas.h>

static CBLAS_TRANSPOSE op(bool transposed)
{
  return transposed ? CblasTrans : CblasNoTrans;
}

void gemm_f(bool ta, bool tb, int M, int N, int K, float alpha, const float A[], int lda, const float B[], int ldb,
            float beta, float C[], int ldc)
{
  cblas_sgemm(CblasRowMajor, op(ta), op(tb), M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
}

void gemm_d(bool ta, bool tb, int M, int N, int K, double alpha, const double A[], int lda, const double B[], int ldb,
            double beta, double C[], int ldc)
{
  cblas_dgemm(CblasRowMajor, op(ta), op(tb), M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
}
