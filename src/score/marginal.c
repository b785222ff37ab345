/* The law of one element of z: its pooled histogram, tilted, as a map from normal scores. */
#include "knot_loops.h"
#include "lateral.h"
#include <math.h>
#include <string.h>

#define LOWEST (-10.0) /* edge */
#define WIDTH 0.25     /* of a bin */
#define EMPTY 1e-9     /* mass of an empty bin between others: a step of the scores that can be inverted */
#define TAIL_BINS 3    /* whose slope the law goes on with */
#define LEAST_EDGES 8  /* a law that is known at fewer is taken as Gaussian */

int marginal_bin(double z)
{
  const double at = floor((z - LOWEST) / WIDTH) + 1;
  return at > 0 ? (at < MARGINAL_BINS - 1 ? (int)at : MARGINAL_BINS - 1) : 0;
}

double marginal_edge(int k)
{
  return LOWEST + WIDTH * k;
}

/* Bin k ends at edge k: those up to `first` are one, and those from last + 1 on. */
void marginal_set_range(Marginal *m, double least)
{
  double below = 0, above = 0;
  int lo = 0, hi = MARGINAL_BINS - 1;
  while (lo < MARGINAL_BINS && below < least) below += m->mass[lo++];
  while (hi >= 0 && above < least) above += m->mass[hi--];
  m->first = lo - 1;
  m->last  = hi;
  if (m->last - m->first < LEAST_EDGES) {
    m->first = m->last = 0;
    return;
  }
  for (int b = 0; b < MARGINAL_BINS; b++)
    if (b < m->first || b > m->last + 1)
      m->mass[b] = 0;
    else if (b > m->first && b <= m->last)
      m->mass[b] = PetscMax(m->mass[b], EMPTY);
  m->mass[m->first]    = below;
  m->mass[m->last + 1] = above;
}

static double normal_density(double t)
{
  return exp(-0.5 * t * t) / sqrt(2 * PETSC_PI);
}

/* The mean score of a bin that holds the scores from quantile p to p + mass. */
static double mean_score(double p, double mass)
{
  const double a = p > 0 ? normal_density(normal_quantile(p)) : 0,
               b = p + mass < 1 ? normal_density(normal_quantile(p + mass)) : 0;
  return (a - b) / mass;
}

void marginal_features(const Marginal *m, double feature[])
{
  double p = 0, total = 0;
  memset(feature, 0, sizeof *feature * MARGINAL_BINS * MARGINAL_TILT);
  if (m->last == m->first) return;
  for (int b = m->first; b <= m->last + 1; b++) total += m->mass[b];
  for (int b = m->first; b <= m->last + 1; b++) {
    const double share = m->mass[b] / total, t = mean_score(p, b > m->last ? 1 - p : share);
    const double hermite[MARGINAL_TILT] = {t, (t * t - 1) / sqrt(2), t * (t * t - 3) / sqrt(6),
                                           (t * t * (t * t - 6) + 3) / sqrt(24)};
    memcpy(feature + b * MARGINAL_TILT, hermite, sizeof hermite);
    p += share;
  }
  for (int b = 0; b < MARGINAL_BINS; b++)
    if (b < m->first || b > m->last + 1)
      memcpy(feature + b * MARGINAL_TILT, feature + (b < m->first ? m->first : m->last + 1) * MARGINAL_TILT,
             sizeof *feature * MARGINAL_TILT);
}

/* Mass (MARGINAL_BINS) of the law with the tilt (MARGINAL_TILT). */
static void tilted(const Marginal *m, const double feature[], const double tilt[], double mass[])
{
  double most = -INFINITY, sum = 0;
  for (int b = 0; b < MARGINAL_BINS; b++) {
    mass[b] = 0;
    for (int j = 0; j < MARGINAL_TILT; j++) mass[b] += tilt[j] * feature[b * MARGINAL_TILT + j];
    if (m->mass[b] > 0) most = PetscMax(most, mass[b]);
  }
  for (int b = 0; b < MARGINAL_BINS; b++) sum += mass[b] = m->mass[b] > 0 ? m->mass[b] * exp(mass[b] - most) : 0;
  for (int b = 0; b < MARGINAL_BINS; b++) mass[b] /= sum;
}

/* z at t, of scores (n) at edges from `first` on. */
static double score_back(int first, int n, const double score[], double t)
{
  int k = 0, l = 1;
  if (t <= score[0])
    l = TAIL_BINS;
  else if (t >= score[n - 1])
    k = n - 1 - TAIL_BINS, l = n - 1;
  else
    for (; score[l] < t; l++) k = l;
  const double slope = (l - k) * WIDTH / (score[l] - score[k]);
  return t <= score[0] ? marginal_edge(first) + (t - score[0]) * slope
                       : marginal_edge(first + l) + (t - score[l]) * slope;
}

#define PARTS 8   /* of the step between knots, in the sums over a normal law */
#define LARGEST 6 /* |t| in them */

/* z at part i of the line through knots, of PARTS between two, counted from t = 0. */
static double between_knots(const double z[], int i)
{
  const int last = MARGINAL_KNOTS - 2, at = i + MARGINAL_KNOTS / 2 * PARTS;
  const int k = PetscClipInterval(at / PARTS, 0, last);
  return z[k] + (at - k * PARTS) * (z[k + 1] - z[k]) / PARTS;
}

void marginal_standardise(double z[])
{
  const double step = marginal_knot(1) - marginal_knot(0);
  const int most    = (int)(LARGEST / step) * PARTS;
  double mass = 0, mean = 0, square = 0;
  for (int i = -most; i <= most; i++) {
    const double weight = normal_density(i * step / PARTS), value = between_knots(z, i);
    mass += weight;
    mean += weight * value;
    square += weight * value * value;
  }
  mean /= mass;
  const double deviation = sqrt(square / mass - mean * mean);
  for (int k = 0; k < MARGINAL_KNOTS; k++) z[k] = (z[k] - mean) / deviation;
}

#define LEAST_STEP 1e-9  /* between scores of neighbouring edges, */
#define LEAST_OUTER 0.02 /* and between the outer ones, whose slope the law goes on with */

void marginal_scores(const Marginal *m, const double feature[], const double tilt[], double score[])
{
  double mass[MARGINAL_BINS], p = 0;
  if (m->last == m->first) return;
  tilted(m, feature, tilt, mass);
  for (int k = m->first; k <= m->last; k++) {
    p += mass[k];
    score[k] = normal_quantile(PetscClipInterval(p, 1e-15, 1 - 1e-15));
    if (k > m->first) score[k] = PetscMax(score[k], score[k - 1] + LEAST_STEP);
  }
}

/* From the median of the pooled law on, so that what is uncertain gives way: where polynomials go astray, as beyond the
 * ranges, an outer edge may have the score that is nearest to 0. */
void marginal_order(const Marginal *m, double score[])
{
  const int first = m->first, last = m->last;
  double below = m->mass[first];
  int middle   = first;
  while (middle < last && below < 0.5) below += m->mass[++middle];
  for (int k = middle + 1; k <= last; k++)
    score[k] = PetscMax(score[k], score[k - 1] + (k > last - TAIL_BINS ? LEAST_OUTER : LEAST_STEP));
  for (int k = middle - 1; k >= first; k--)
    score[k] = PetscMin(score[k], score[k + 1] - (k < first + TAIL_BINS ? LEAST_OUTER : LEAST_STEP));
}

void marginal_knots(const Marginal *m, const double score[], double z[])
{
  const int n = m->last - m->first + 1;
  for (int k = 0; k < MARGINAL_KNOTS; k++) z[k] = marginal_knot(k);
  if (m->last == m->first) return;
  for (int k = 0; k < MARGINAL_KNOTS; k++) z[k] = score_back(m->first, n, score + m->first, marginal_knot(k));
}

double marginal_knot(int k)
{
  return LATERAL_STEP * (k - MARGINAL_KNOTS / 2);
}

double marginal_between(const double table[], double place, double *slope)
{
  const double at = place + MARGINAL_KNOTS / 2;
  const int k     = at > 0 ? (at < MARGINAL_KNOTS - 2 ? (int)at : MARGINAL_KNOTS - 2) : 0;
  *slope          = table[k + 1] - table[k];
  return table[k] + (at - k) * *slope;
}

const KnotLoops *knot_loops(void)
{
  static const KnotLoops *const table[] = {LEVELS(&knot_loops)};
  return table[processor_level()];
}

#define FARTHEST 699 /* |v|: exp(v) is a number there and within KNOT_NEAR */

void knot_spans(int n, int knots, const double knot[], double span[])
{
  for (int e = 0; e < n; e++, knot += knots, span += 2 * knots)
    for (int k = 0; k + 1 < knots; k++) {
      const double middle = (knot[k] + knot[k + 1]) / 2;
      span[2 * k]         = exp(middle);
      span[2 * k + 1]     = fabs(middle) < FARTHEST ? knot[k + 1] - knot[k] : NAN;
    }
}
