/* How well fields that belong to each other row by row keep a law between conditions.  Rows with a value that is not
 * finite in any of the sets are left out, as are columns without scale. */
#include "scoria/stats.h"
#include <math.h>

static bool is_finite(int m, const double row[])
{
  for (int j = 0; j < m; j++)
    if (!isfinite(row[j])) return false;
  return true;
}

double shift_deviation(int64_t n, int channels, int cells, const double a[], const double b[], const double shift[],
                       const double scale[])
{
  const int m     = channels * cells;
  double sum      = 0;
  int64_t counted = 0;
  for (int64_t i = 0; i < n; i++) {
    const double *x = a + i * m, *y = b + i * m;
    if (!is_finite(m, x) || !is_finite(m, y)) continue;
    for (int j = 0; j < m; j++) {
      if (!(scale[j] > 0)) continue;
      const double gap = (y[j] - x[j] - shift[j / cells]) / scale[j];
      sum += gap * gap;
      counted++;
    }
  }
  return counted ? sqrt(sum / (double)counted) : NAN;
}

double affine_deviation(int64_t n, int m, const double lo[], const double middle[], const double hi[],
                        const double scale[])
{
  double square = 0;
  int columns   = 0;
  for (int j = 0; j < m; j++) {
    double sum   = 0;
    int64_t rows = 0;
    for (int64_t i = 0; i < n; i++) {
      const double gap = middle[i * m + j] - 0.5 * (lo[i * m + j] + hi[i * m + j]);
      if (!isfinite(gap)) continue;
      sum += gap;
      rows++;
    }
    if (!rows || !(scale[j] > 0)) continue;
    square += pow(sum / (double)rows / scale[j], 2);
    columns++;
  }
  return columns ? sqrt(square / columns) : NAN;
}
