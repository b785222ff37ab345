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

/* Derivatives of the field of coordinates y by its scores t (m) and by s at their place (m). */
static void set_slopes(const NormLateral norm, const double y[], double by_t[], double by_s[])
{
  const double *t = norm->waves.grid;
  lateral_scores_of(norm, y);
  if (norm->modulation.on) modulation_smooth(norm, t);
  for (int i = 0; i < norm->m; i++) {
    const int e = i / (norm->nx * norm->N) * norm->nx + i % norm->nx, place = i / norm->nx % norm->N;
    double slope;
    const double at =
        modulation_position(norm, e, t[i], norm->modulation.on ? norm->modulation.s[place] : 0, &by_t[i], &by_s[i]);
    const double v = marginal_between(norm->knot + (size_t)e * MARGINAL_KNOTS, at, &slope);
    slope *= value_rate(norm, e, v);
    by_t[i] *= slope;
    by_s[i] *= slope;
  }
}

/* Rows of J^T, decode of unit steps of the scores: a mode's shape on the grid times the slope of the field. */
double lateral_log_volume(void *self, const double y[], double work[])
{
  const NormLateral norm = self;
  const int m = norm->m, R = norm->R;
  double *by_t = work, *by_s = by_t + m, *J = by_s + m, *gram = J + (size_t)R * m, *unit = gram + (size_t)R * R,
         sum = 0;
  set_slopes(norm, y, by_t, by_s);
  memset(unit, 0, sizeof *unit * (size_t)R);
  for (int k = 0; k < R; k++, J += m) {
    unit[k] = 1;
    lateral_spectrum(norm, unit, true);
    fftw_execute(norm->waves.back);
    if (norm->modulation.on) modulation_smooth(norm, norm->waves.grid);
    for (int i = 0; i < m; i++) J[i] = by_t[i] * norm->waves.grid[i];
    for (int i = 0; i < m && norm->modulation.on; i++) J[i] += by_s[i] * norm->modulation.s[i / norm->nx % norm->N];
    unit[k] = 0;
  }
  J = by_s + m;
  la_gemm(false, true, R, R, m, 1, J, m, J, m, 0, gram, R);
  if (!la_cholesky(R, gram)) return NAN;
  for (int k = 0; k < R; k++) sum += log(gram[(size_t)k * R + k]);
  return sum;
}

size_t lateral_volume_work(void *self)
{
  const NormLateral norm = self;
  const size_t m = (size_t)norm->m, R = (size_t)norm->R;
  return 2 * m + R * m + R * R + R;
}
