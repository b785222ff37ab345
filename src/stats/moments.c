/* Moments and quantiles of columns. */
#include "scoria/stats.h"
#include <math.h>
#include <string.h>

/* Two passes: the second takes deviations from the mean, so that a mean far larger than the spread costs no digits. */
void stats_moments(int64_t n, int m, const double x[], double mean[], double sd[])
{
  memset(mean, 0, (size_t)m * sizeof(double));
  memset(sd, 0, (size_t)m * sizeof(double));
  for (int64_t i = 0; i < n; i++)
    for (int j = 0; j < m; j++) mean[j] += x[(size_t)i * m + j];
  for (int j = 0; j < m; j++) mean[j] /= (double)n;
  for (int64_t i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      const double deviation = x[(size_t)i * m + j] - mean[j];
      sd[j] += deviation * deviation;
    }
  for (int j = 0; j < m; j++) sd[j] = n > 1 ? sqrt(sd[j] / (double)(n - 1)) : 0;
}

#define RESOLUTION 1e-6 /* of what is stored in single precision, some units of it: below, a spread is rounding */

double stats_unit(double mean, double sd)
{
  const double unit = sd > RESOLUTION * fabs(mean) ? sd : fabs(mean);
  return unit > 0 ? unit : 1;
}

double stats_residual(double x, double mean, double unit)
{
  const double residual = (x - mean) / unit;
  return unit == fabs(mean) && fabs(residual) < RESOLUTION ? 0 : residual;
}

double stats_quantile(int64_t n, const double sorted[], double p)
{
  const double place = (double)(n - 1) * PetscMin(PetscMax(p, 0), 1);
  const int64_t low = (int64_t)place, high = PetscMin(low + 1, n - 1);
  return sorted[low] + (place - (double)low) * (sorted[high] - sorted[low]);
}

static void swap(double *a, double *b)
{
  const double value = *a;
  *a                 = *b;
  *b                 = value;
}

/* Brings the k-th of n values to its place, smaller ones before it and larger ones behind (Hoare 1961). */
static void select_value(int64_t n, double x[], int64_t k)
{
  for (int64_t left = 0, right = n - 1; left < right;) {
    const double pivot = x[left + (right - left) / 2];
    int64_t i = left, j = right;
    while (i <= j) {
      while (x[i] < pivot) i++;
      while (x[j] > pivot) j--;
      if (i <= j) swap(&x[i++], &x[j--]);
    }
    if (k <= j)
      right = j;
    else if (k >= i)
      left = i;
    else
      return;
  }
}

double stats_quantile_select(int64_t n, double x[], double p)
{
  const double place = (double)(n - 1) * PetscMin(PetscMax(p, 0), 1);
  const int64_t low  = (int64_t)place;
  select_value(n, x, low);
  if (low + 1 == n) return x[low];
  double next = x[low + 1];
  for (int64_t i = low + 2; i < n; i++) next = PetscMin(next, x[i]);
  return x[low] + (place - (double)low) * (next - x[low]);
}

int64_t stats_keep_finite(int64_t n, int m, double rows[])
{
  int64_t good = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(rows[i * m])) continue;
    if (good != i) memcpy(rows + good * m, rows + i * m, (size_t)m * sizeof *rows);
    good++;
  }
  return good;
}
