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

/* ------------------------------------------------------------------------------------- of values in any order ---- */

enum { LANES = 32 }; /* compared side by side: one chain of comparisons waits for each; GCC takes 16 one by one */

static int64_t first_equal(int64_t n, const double x[], double value)
{
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    int64_t equal = 0;
    for (int l = 0; l < LANES; l++) equal |= x[i + l] == value;
    if (equal) break;
  }
  while (i + 1 < n && x[i] != value) i++;
  return i;
}

ScoriaExtremes stats_extremes(int64_t n, const double x[])
{
  double least[LANES], most[LANES], nought[LANES] = {0}; /* x * 0: NaN where x is not finite */
  const int64_t even = n / LANES * LANES;
  for (int l = 0; l < LANES; l++) least[l] = most[l] = x[0];
  for (int64_t i = 0; i < even; i += LANES)
    for (int l = 0; l < LANES; l++) {
      const double value = x[i + l];
      least[l]           = value < least[l] ? value : least[l];
      most[l]            = value > most[l] ? value : most[l];
      nought[l] += value * 0;
    }
  for (int64_t i = even; i < n; i++) {
    least[0] = x[i] < least[0] ? x[i] : least[0];
    most[0]  = x[i] > most[0] ? x[i] : most[0];
    nought[0] += x[i] * 0;
  }
  for (int l = 1; l < LANES; l++) {
    least[0] = least[l] < least[0] ? least[l] : least[0];
    most[0]  = most[l] > most[0] ? most[l] : most[0];
    nought[0] += nought[l];
  }
  return (ScoriaExtremes){
      .finite = nought[0] == 0, .least = first_equal(n, x, least[0]), .most = first_equal(n, x, most[0])};
}

enum { PROBES = 127, MANY = 4096 };

static int64_t select_value(int64_t n, double x[], int64_t k);

/* One of n values of many that is likely just beyond the k-th, seen from the nearer end: nearly all others lie then on
 * one side of it, so that comparisons with it are foreseen, and what is left is short (Floyd and Rivest 1975).  Probes
 * are spread by the golden ratio: fields repeat along their axes. */
static double pivot_beyond(int64_t n, const double x[], int64_t k)
{
  double probe[PROBES];
  for (int i = 0; i < PROBES; i++) {
    const double place = (i + 0.5) * 0.6180339887498949;
    probe[i]           = x[(int64_t)((double)n * (place - floor(place)))];
  }
  const double share = (double)k / (double)n, error = 2 * sqrt(share * (1 - share) * PROBES) + 1;
  const double rank = share * PROBES + (share < 0.5 ? error : -error);
  const int place   = (int)PetscClipInterval(rank, 0, PROBES - 1);
  select_value(PROBES, probe, place);
  return probe[place];
}

/* Brings those of x [left, right] below the pivot, or where `with` it is one of them, to the front; where the others
 * begin.  Without branches, which would be foreseen half of the time (Lomuto's way). */
static inline int64_t part(int64_t left, int64_t right, double x[], double pivot, bool with)
{
  int64_t others = left;
  for (int64_t i = left; i <= right; i++) {
    const double value = x[i];
    x[i]               = x[others];
    x[others]          = value;
    others += with ? value <= pivot : value < pivot;
  }
  return others;
}

/* Brings the k-th of n values to its place, smaller ones before it and larger ones behind (Hoare 1961).  Of those the
 * smallest is not beyond the place returned. */
static int64_t select_value(int64_t n, double x[], int64_t k)
{
  int64_t near = n - 1;
  for (int64_t left = 0, right = n - 1; left < right;) {
    const int64_t wide = right - left + 1;
    const double pivot = wide > MANY ? pivot_beyond(wide, x + left, k - left) : x[left + (right - left) / 2];
    int64_t others     = part(left, right, x, pivot, false);
    if (others == left) { /* the pivot is the smallest */
      others = PetscMax(part(left, right, x, pivot, true), left + 1);
      if (k < others) break;
    }
    if (k < others)
      right = others - 1;
    else
      left = others;
    if (right > k) near = right;
  }
  return near;
}

/* The quantile at `place` among n values, 0 the smallest. */
static double quantile_at(int64_t n, double x[], double place)
{
  const int64_t low  = (int64_t)place;
  const int64_t near = select_value(n, x, low);
  if (low + 1 == n) return x[low];
  const double *behind = x + low + 1, next = behind[stats_extremes(near - low, behind).least];
  return x[low] + (place - (double)low) * (next - x[low]);
}

static bool any_beyond(const double x[], double sign, double pivot)
{
  int64_t any = 0;
  for (int l = 0; l < LANES; l++) any |= sign * x[l] >= pivot;
  return any;
}

/* Those of n values with sign x >= pivot, in their order: fields are smooth, so that they stand together. */
static int64_t take_tail(int64_t n, const double x[], double sign, double pivot, double tail[])
{
  int64_t m = 0;
  for (int64_t first = 0; first < n; first += LANES) {
    const int64_t end = PetscMin(first + LANES, n);
    if (end - first == LANES && !any_beyond(x + first, sign, pivot)) continue;
    for (int64_t i = first; i < end; i++) {
      tail[m] = x[i];
      m += sign * x[i] >= pivot;
    }
  }
  return m;
}

#define TAIL 0.1 /* of the values: a quantile in such a tail is looked for there alone */

double stats_quantile_select(int64_t n, const double x[], double p, double work[])
{
  const double place = (double)(n - 1) * PetscMin(PetscMax(p, 0), 1);
  const int64_t low  = (int64_t)place;
  const bool below   = p < 0.5;
  if (n > MANY && PetscMin(p, 1 - p) < TAIL) {
    const double sign = below ? -1 : 1, pivot = sign * pivot_beyond(n, x, low);
    const int64_t m = take_tail(n, x, sign, pivot, work), others = below ? 0 : n - m;
    if (low >= others && PetscMin(low + 1, n - 1) < others + m) return quantile_at(m, work, place - (double)others);
  }
  memcpy(work, x, (size_t)n * sizeof *x);
  return quantile_at(n, work, place);
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
