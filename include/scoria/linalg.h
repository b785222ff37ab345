/* Dense linear algebra of the rooms above, double precision, row-major; the implementation is the one place that
 * sees LAPACK.  Lower triangles hold symmetric matrices. */
#ifndef SCORIA_LINALG_H
#define SCORIA_LINALG_H

#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>

/* C (m, n) = alpha op(A) op(B) + beta C; k is the inner length, op transposes where asked; lda, ldb, ldc: row lengths
 * as stored. */
void la_gemm(bool transpose_A, bool transpose_B, int m, int n, int k, double alpha, const double A[], int lda,
             const double B[], int ldb, double beta, double C[], int ldc);
/* Lower triangle of C (n, n) += X^T X, X (rows, n) stored with rows of length ld. */
void la_syrk(int n, int rows, int ld, const double X[], double C[]);
void la_syrk_single(int n, int rows, int ld, const float X[], float C[]); /* the same in single precision */
/* Lower triangle of A (n, n) becomes its Cholesky factor; false when A is not positive definite. */
bool la_cholesky(int n, double A[]);
/* B (n, q) becomes (L L^T)^-1 B. */
void la_cholesky_solve(int n, const double L[], int q, double B[]);
/* b (n) becomes L^-T b, L being the leading block of a factor stored with rows of length ld. */
void la_solve_transposed(int n, int ld, const double L[], double b[]);
/* Eigenvalues ascending in w (n); row i of A becomes the eigenvector of w[i].  Uses the lower triangle.  Allocates. */
PetscErrorCode LinalgEigen(int n, double A[], double w[]);

/* out (n, q) = X (n, p) B (p, q) + add (q; may be NULL) in every row, without BLAS: every element is summed in the
 * order of p, so that a row of out depends on its row of X alone, bit for bit, whatever n is and wherever the row
 * stands. */
void la_rows_product(int64_t n, int p, int q, const double X[], const double B[], const double add[], double out[]);

/* Keeps OpenBLAS to the calling thread, whatever the environment says: ranks are the parallelism, and the bits of a
 * product may depend on the number of threads.  Returns the name of the kernels that it chose for this processor
 * (OPENBLAS_CORETYPE chooses others), on which the bits and the speed of products depend too. */
const char *linalg_single_thread(void);
/* Has OpenBLAS take the buffer that it keeps for all its products. */
void linalg_take_buffer(void);

#endif
