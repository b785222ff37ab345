/* The volume that the normaliser of whole fields takes. */
#include "lateral.h"
#include "scoria/linalg.h"
#include <math.h>
#include <string.h>

/* Of the values of element e by v, up to sign. */
static double value_rate(const NormLateral norm, int e, double v)
{
  const int c         = e / norm->nx;
  const NormBounds *b = &norm->bounds[c];
  if (norm->ends[c] != LATERAL_ENDS_NONE) return ends_rate(norm, e, v);
  return norm->logged[c] ? exp(v) : b->on ? bounds_rate(b, v) : 1;
}

/* What coordinates say of scores, and of what values depend on beside their own, for value_scores. */
static void set_scores(const NormLateral norm, const double y[], bool about_mean)
{
  lateral_scores_of(norm, y, about_mean);
  if (norm->modulation.on) modulation_smooth(norm, norm->waves.grid);
}

/* Of value i of the field. */
static void value_scores(const NormLateral norm, int i, double score[LATERAL_SCORES])
{
  const Modulation *m = &norm->modulation;
  const int channel = i / (norm->nx * norm->N), within = i % (norm->nx * norm->N);
  const bool swells = m->own.on && channel == m->channel;
  score[0]          = norm->waves.grid[i];
  score[1]          = swells ? m->own.low[within] : m->on ? m->s[within / norm->nx] : 0;
  score[2]          = swells ? m->own.mean[within % norm->nx] : 0;
}

/* Derivatives (m, LATERAL_SCORES) of the field of coordinates y by the scores of its values. */
static void set_slopes(const NormLateral norm, const double y[], double by[])
{
  set_scores(norm, y, false);
  for (int i = 0; i < norm->m; i++, by += LATERAL_SCORES) {
    const int e = i / (norm->nx * norm->N) * norm->nx + i % norm->nx;
    double score[LATERAL_SCORES], slope;
    value_scores(norm, i, score);
    const double at = modulation_position(norm, e, score, by),
                 v  = marginal_between(norm->knot + (size_t)e * MARGINAL_KNOTS, at, &slope);
    slope *= value_rate(norm, e, v);
    for (int k = 0; k < LATERAL_SCORES; k++) by[k] *= slope;
  }
}

/* Rows of J^T, decode of unit steps of the scores: a mode's shape on the grid times the slope of the field. */
double lateral_log_volume(void *self, const double y[], double work[])
{
  const NormLateral norm = self;
  const int m = norm->m, R = norm->R;
  double *by = work, *J = by + (size_t)LATERAL_SCORES * m, *gram = J + (size_t)R * m, *unit = gram + (size_t)R * R,
         score[LATERAL_SCORES], sum = 0;
  set_slopes(norm, y, by);
  memset(unit, 0, sizeof *unit * (size_t)R);
  for (int k = 0; k < R; k++, J += m) {
    unit[k] = 1;
    set_scores(norm, unit, true);
    for (int i = 0; i < m; i++) {
      const double *slope = by + (size_t)i * LATERAL_SCORES;
      value_scores(norm, i, score);
      J[i] = slope[0] * score[0] + slope[1] * score[1] + slope[2] * score[2];
    }
    unit[k] = 0;
  }
  J = by + (size_t)LATERAL_SCORES * m;
  la_gemm(false, true, R, R, m, 1, J, m, J, m, 0, gram, R);
  if (!la_cholesky(R, gram)) return NAN;
  for (int k = 0; k < R; k++) sum += log(gram[(size_t)k * R + k]);
  return sum;
}

size_t lateral_volume_work(void *self)
{
  const NormLateral norm = self;
  const size_t m = (size_t)norm->m, R = (size_t)norm->R;
  return LATERAL_SCORES * m + R * m + R * R + R;
}
