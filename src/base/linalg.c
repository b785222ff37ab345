/* Thin wrappers of CBLAS and LAPACKE, and one product of our own whose bits do not depend on how rows are tiled. */
#include "scoria/linalg.h"
#include "scoria/processor.h"
#include "rows_product.h"
#include <cblas.h>
#include <lapacke.h>

void la_gemm(bool transpose_A, bool transpose_B, int m, int n, int k, double alpha, const double A[], int lda,
             const double B[], int ldb, double beta, double C[], int ldc)
{
  cblas_dgemm(CblasRowMajor, transpose_A ? CblasTrans : CblasNoTrans, transpose_B ? CblasTrans : CblasNoTrans, m, n, k,
              alpha, A, lda, B, ldb, beta, C, ldc);
}

void la_syrk(int n, int rows, int ld, const double X[], double C[])
{
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, n, rows, 1.0, X, ld, 1.0, C, n);
}

void la_syrk_single(int n, int rows, int ld, const float X[], float C[])
{
  cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, n, rows, 1.0F, X, ld, 1.0F, C, n);
}

/* LAPACK's upper triangle in columns is our lower triangle in rows: no copy is needed. */
bool la_cholesky(int n, double A[])
{
  return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', n, A, n) == 0;
}

void la_cholesky_solve(int n, const double L[], int q, double B[])
{
  cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, n, q, 1.0, L, n, B, q);
  cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, n, q, 1.0, L, n, B, q);
}

void la_solve_transposed(int n, int ld, const double L[], double b[])
{
  cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, n, L, ld, b, 1);
}

PetscErrorCode LinalgEigen(int n, double A[], double w[])
{
  PetscFunctionBeginUser;
  const lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', n, A, n, w);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "dsyevd: info %d", (int)info);
  PetscFunctionReturn(0);
}

void la_rows_product(int64_t n, int p, int q, const double X[], const double B[], const double add[], double out[])
{
  static RowsProduct *const rows_product[] = {LEVELS(rows_product)};
  rows_product[processor_level()](n, p, q, X, B, add, out);
}

const char *linalg_single_thread(void)
{
  openblas_set_num_threads(1);
  return openblas_get_corename();
}

void linalg_take_buffer(void)
{
  double one = 1;
  (void)la_cholesky(1, &one);
}
