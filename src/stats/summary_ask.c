/* Streamed statistics: what is asked of the total. */
#include "summary.h"
#include <math.h>

int64_t summary_count(ScoriaSummary s)
{
  return s->sum[TOTAL][0];
}

/* Central moments of z from its raw ones E[1] = mean, E[2], ... E[6]. */
static void central_moments(const double E[POWERS + 1], double mu[POWERS + 1])
{
  static const double choose[POWERS + 1][POWERS + 1] = {
      {1}, {1, 1}, {1, 2, 1}, {1, 3, 3, 1}, {1, 4, 6, 4, 1}, {1, 5, 10, 10, 5, 1}, {1, 6, 15, 20, 15, 6, 1}};
  for (int p = 0; p <= POWERS; p++) {
    mu[p] = 0;
    for (int k = 0; k <= p; k++) mu[p] += choose[p][k] * E[k] * pow(-E[1], p - k);
  }
}

/* The errors are those of the influence functions: of the mean z, of the variance z^2 - 1, of the skewness
 * z^3 - 3 z - 3/2 g z^2 + g/2, for standardised z of skewness g. */
void summary_moments(ScoriaSummary s, int j, ScoriaMoments *out)
{
  const double n       = (double)summary_count(s);
  double E[POWERS + 1] = {1}, mu[POWERS + 1];
  for (int p = 1; p <= POWERS; p++)
    E[p] = get_fixed(s->sum[TOTAL] + s->powers + 2 * ((int64_t)(p - 1) * s->columns + j)) / n;
  central_moments(E, mu);
  const double sd = sqrt(PetscMax(mu[2], 0)), unbiased = n > 1 ? sqrt(n / (n - 1)) : NAN;
  *out         = (ScoriaMoments){.mean = s->centre[j] + s->scale[j] * E[1],
                                 .sd   = s->scale[j] * sd * unbiased,
                                 .min  = s->extreme[TOTAL][j],
                                 .max  = -s->extreme[TOTAL][s->columns + j]};
  out->mean_se = out->sd / sqrt(n);
  if (sd == 0) return;
  const double g = mu[3] / pow(sd, 3), m4 = mu[4] / pow(sd, 4), m5 = mu[5] / pow(sd, 5), m6 = mu[6] / pow(sd, 6);
  const double spread = m6 - 6 * m4 + 9 + g * g * (9 * m4 / 4 + 8.75) - 3 * g * m5;
  out->skewness       = g;
  out->sd_se          = out->sd * sqrt(PetscMax(m4 - 1, 0) / (4 * n));
  out->skewness_se    = sqrt(PetscMax(spread, 0) / n);
}

/* Bin k, with `below` rows before it, is the outermost that has any, and its neighbour has none: the values of an
 * indicator, which are its extremes and none beside them.  -1: at the low end, 1: at the high, 0: neither. */
static int lone_end(const int64_t bin[], int bins, int k, double below, double n)
{
  const bool first = below == 0, last = below + (double)bin[k] == n;
  if (k == 0 || k == bins + 1 || first == last) return 0;
  if (first && !bin[k + 1]) return -1;
  return last && !bin[k - 1] ? 1 : 0;
}

/* The value below which `target` rows lie: linear within a bin, and between the edge and the extreme outside. */
static bool value_at(const ScoriaSummary s, int j, double target, double *value)
{
  const int64_t *bin  = s->sum[TOTAL] + s->bins + bins_at(s, j);
  const int bins      = bins_of(s, j);
  const double lowest = s->extreme[TOTAL][j], highest = -s->extreme[TOTAL][s->columns + j];
  double below = 0;
  int k        = 0;
  while (k < bins + 1 && below + (double)bin[k] < target) below += (double)bin[k++];
  const double left  = k == 0 ? lowest : PetscMax(lowest, s->lo[j] + (k - 1) / s->inverse[j]);
  const double right = k == bins + 1 ? highest : PetscMin(highest, s->lo[j] + k / s->inverse[j]);
  const double share = bin[k] ? PetscMin(PetscMax((target - below) / (double)bin[k], 0), 1) : 0;
  const int end      = lone_end(bin, bins, k, below, (double)summary_count(s));
  *value             = end ? (end < 0 ? lowest : highest) : left + share * (right - left);
  return k > 0 && k < bins + 1;
}

bool summary_quantile(ScoriaSummary s, int j, double p, double *quantile, double *se)
{
  const double n = (double)summary_count(s), step = sqrt(p * (1 - p) / n);
  double above, below;
  const bool inside = value_at(s, j, p * n, quantile);
  value_at(s, j, PetscMin(p + step, 1) * n, &above);
  value_at(s, j, PetscMax(p - step, 0) * n, &below);
  *se = (above - below) / 2;
  return inside;
}

/* Of something that comes .18 times in n draws on average Wilson's interval holds in 84 % of all cases, for it begins
 * higher where it was seen once.  What was seen one to three times begins here: of Poisson's law with these means as
 * many are seen with a probability of 5 %. */
static const double seen_rarely[] = {0, 0.051293294387550, 0.355361510698662, 0.817691447163954};
#define RARELY (int64_t)(sizeof seen_rarely / sizeof *seen_rarely)

ScoriaShare stats_share(int64_t count, int64_t n)
{
  const double N = (double)n, p = (double)count / N, z = 1.959963984540054, z2 = z * z,
               middle   = (p + z2 / (2 * N)) / (1 + z2 / N),
               half     = z / (1 + z2 / N) * sqrt(p * (1 - p) / N + z2 / (4 * N * N));
  const int64_t missing = n - count;
  const double low      = count < RARELY ? PetscMin(middle - half, seen_rarely[count] / N) : middle - half,
               high     = missing < RARELY ? PetscMax(middle + half, 1 - seen_rarely[missing] / N) : middle + half;
  return (ScoriaShare){p, sqrt(p * (1 - p) / N), count > 0 ? low : 0, missing > 0 ? high : 1};
}

ScoriaShare summary_exceedance(ScoriaSummary s, int t, int c)
{
  const int64_t *from = s->sum[TOTAL] + s->exceeds;
  for (int k = 0; k < t; k++) from += s->threshold[k].number + 2;
  return stats_share(from[c >= 0 ? c : s->threshold[t].number + (c == SUMMARY_ALL)], summary_count(s));
}

void summary_covariance(ScoriaSummary s, double covariance[])
{
  const double n      = (double)summary_count(s);
  const int64_t *from = s->sum[TOTAL] + s->products, *mean = s->sum[TOTAL] + s->powers;
  for (int a = 0; a < s->joint; a++)
    for (int b = 0; b <= a; b++, from += 2) {
      const double product = get_fixed(from) / n - get_fixed(mean + 2 * a) / n * (get_fixed(mean + 2 * b) / n);
      covariance[(size_t)a * s->joint + b] = covariance[(size_t)b * s->joint + a] =
          product * s->scale[a] * s->scale[b] * n / (n - 1);
    }
}

void summary_histogram(ScoriaSummary s, int j, int bins, double *lo, double *hi, double share[])
{
  const int64_t *bin = s->sum[TOTAL] + s->bins + bins_at(s, j);
  int first = 1, last = bins_of(s, j); /* without the empty margins */
  while (first < last && !bin[first]) first++;
  while (last > first && !bin[last]) last--;
  const double width = (double)(last - first + 1) / bins, n = (double)summary_count(s);
  *lo = s->lo[j] + (first - 1) / s->inverse[j];
  *hi = s->lo[j] + last / s->inverse[j];
  for (int k = 0; k < bins; k++) {
    share[k] = 0;
    for (int i = first; i <= last; i++) { /* the part of bin i that lies in part k */
      const double from = PetscMax(i - first, k * width), to = PetscMin(i - first + 1, (k + 1) * width);
      if (to > from) share[k] += (double)bin[i] * (to - from) / n;
    }
  }
}

void summary_state(ScoriaSummary s, int64_t *nsums, int64_t **sums, int64_t *nextremes, double **extremes)
{
  *nsums     = s->size;
  *sums      = s->sum[TOTAL];
  *nextremes = 2 * (int64_t)s->columns;
  *extremes  = s->extreme[TOTAL];
}
