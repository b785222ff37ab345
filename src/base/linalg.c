/* Thin wrappers of CBLAS and LAPACKE, and one product of our own whose bits do not depend on how rows are tiled. */
#include "linalg.h"
#include <cblas.h>
#include <lapacke.h>
#include <string.h>

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

/* A register tile of ROWS x COLS sums.  Rows past n repeat the last one and are not stored, columns past q are zero. */
enum { ROWS = 4, COLS = 32 };

static void product_tile(int p, int q, const double *const row[ROWS], const double B[], int cols,
                         double sum[ROWS][COLS])
{
  memset(sum, 0, ROWS * COLS * sizeof(double));
  if (cols == COLS) {
    for (int k = 0; k < p; k++)
      for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLS; j++) sum[i][j] += row[i][k] * B[(size_t)k * q + j];
  } else {
    for (int k = 0; k < p; k++)
      for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < cols; j++) sum[i][j] += row[i][k] * B[(size_t)k * q + j];
  }
}

void la_rows_product(int64_t n, int p, int q, const double X[], const double B[], const double add[], double out[])
{
  for (int64_t first = 0; first < n; first += ROWS) {
    const int rows = n - first < ROWS ? (int)(n - first) : ROWS;
    const double *row[ROWS];
    for (int i = 0; i < ROWS; i++) row[i] = X + (size_t)(first + (i < rows ? i : rows - 1)) * p;
    for (int left = 0; left < q; left += COLS) {
      const int cols = q - left < COLS ? q - left : COLS;
      double sum[ROWS][COLS];
      product_tile(p, q, row, B + left, cols, sum);
      for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++)
          out[(size_t)(first + i) * q + left + j] = add ? sum[i][j] + add[left + j] : sum[i][j];
    }
  }
}

const char *linalg_single_thread(void)
{
  openblas_set_num_threads(1);
  return openblas_get_corename();
}
