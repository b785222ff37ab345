/* The normaliser of whole fields at single cells: the transforms of their values, and how their normal scores depend on
 * the coordinates. */
#include "lateral.h"
#include <math.h>
#include <string.h>

void lateral_transform(const NormLateral norm, int places, const double fields[], double v[])
{
  const size_t each = (size_t)places * norm->nx;
  for (int c = 0; c < norm->C; c++) {
    const double *x = fields + c * each, reference = norm->reference[c], sign = norm->sign[c];
    double *to = v + c * each;
    if (norm->ends[c] != LATERAL_ENDS_NONE)
      for (size_t j = 0; j < each; j++) to[j] = ends_to(norm, c * norm->nx + (int)(j % (size_t)norm->nx), x[j]);
    else if (norm->bounds[c].on)
      for (size_t j = 0; j < each; j++) to[j] = bounds_to(&norm->bounds[c], x[j]);
    else if (!norm->logged[c])
      memmove(to, x, each * sizeof *to);
    else
      for (size_t j = 0; j < each; j++) {
        const double distance = sign * (x[j] - reference);
        to[j]                 = distance > 0 ? log(distance) : NAN;
      }
  }
}

void lateral_values_back(const NormLateral norm, int e, int64_t n, double v[])
{
  const int c            = e / norm->nx;
  const double reference = norm->reference[c], sign = norm->sign[c];
  if (norm->ends[c] != LATERAL_ENDS_NONE) {
    for (int64_t j = 0; j < n; j++) v[j] = ends_back(norm, c * norm->nx + (int)((e + j) % norm->nx), exp(v[j]));
    return;
  }
  for (int64_t j = 0; j < n && norm->bounds[c].on; j++) v[j] = bounds_back(&norm->bounds[c], v[j]);
  for (int64_t j = 0; j < n && norm->logged[c]; j++) v[j] = reference + sign * exp(v[j]);
}

/* ----------------------------------------------------------------------------------------- scores of cells ---- */

int lateral_scores_each(void *self)
{
  const Modulation *m = &((NormLateral)self)->modulation;
  return m->own.on ? 3 : m->on ? 2 : 1;
}

/* What t (E) of a class are in score k of element e. */
static double share(const NormLateral norm, int c, int e, int k, const double t[])
{
  if (k == 0) return t[e];
  if (!swell_has(norm, e)) return k == 1 && norm->modulation.on ? modulation_share(norm, c, t) : 0;
  const bool within = k == 1 ? norm->modulation.own.is_long[c] > 0 : c == 0;
  return within ? t[e] * norm->rate[e] * LATERAL_STEP : 0;
}

/* Row (R) of weights of score k of element e at a lateral place; the score at y = 0. */
static double place_score(const NormLateral norm, int e, int k, int y, int z, double weight[])
{
  const Waves *w = &norm->waves;
  double mean    = 0;
  for (int c = 0; c < w->classes; c++) {
    const int width = norm->kept[c] ? wave_coordinates(&w->class[c]) : 0;
    double value[2 * WAVES_MEMBERS];
    for (int j = 0; j < width; j++) value[j] = wave_value(w, &w->class[c], j, y, z);
    if (c == 0 && width) mean = value[0] * share(norm, c, e, k, norm->middle);
    for (int i = 0; i < norm->kept[c] && width; i++) {
      const int q       = norm->mode[c] + i;
      const double unit = share(norm, c, e, k, norm->W + (size_t)q * norm->E);
      for (int j = 0; j < width; j++) weight[norm->place[q] + j] = value[j] * unit;
    }
  }
  return mean;
}

void lateral_cell_scores(void *self, int n, const int cell[], double mean[], double weight[])
{
  const NormLateral norm = self;
  const int each         = lateral_scores_each(self);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < each; k++) {
      const int row = cell[i] / norm->nx, place = row % norm->N;
      *mean++ = place_score(norm, row / norm->N * norm->nx + cell[i] % norm->nx, k, place % norm->ny, place / norm->ny,
                            weight);
      weight += norm->R;
    }
}

void lateral_cell_values(void *self, int n, const int cell[], const double score[], double value[])
{
  const NormLateral norm    = self;
  const int each            = lateral_scores_each(self);
  double of[LATERAL_SCORES] = {0}, slopes[LATERAL_SCORES], slope;
  for (int i = 0; i < n; i++, score += each) {
    const int c = cell[i] / (norm->nx * norm->N), e = c * norm->nx + cell[i] % norm->nx;
    memcpy(of, score, sizeof *of * (size_t)each);
    const double at = modulation_position(norm, e, of, slopes);
    value[i]        = marginal_between(norm->knot + (size_t)e * MARGINAL_KNOTS, at, &slope);
    lateral_values_back(norm, e, 1, &value[i]);
  }
}
