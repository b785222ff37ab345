/* la_rows_product for one level of instructions.  Multiplications and additions are not fused, so that all levels give
 * the same bits. */
#include "rows_product.h"
#include <string.h>

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

void LEVEL(rows_product)(int64_t n, int p, int q, const double X[], const double B[], const double add[], double out[])
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
