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

/* Row (R) of weights of element e at a lateral place. */
static double cell_score(const NormLateral norm, int e, int y, int z, double weight[])
{
  const Waves *w = &norm->waves;
  double mean    = 0;
  for (int c = 0; c < w->classes; c++) {
    const int width = norm->kept[c] ? wave_coordinates(&w->class[c]) : 0;
    for (int j = 0; j < width; j++) {
      const double value = wave_value(&w->class[c], j, y, w -> ny, z, w -> nz);
      if (c == 0) mean = value * norm->middle[e];
      for (int k = 0; k < norm->kept[c]; k++) {
        const int q                = norm->mode[c] + k;
        weight[norm->place[q] + j] = value * norm->W[(size_t)q * norm->E + e];
      }
    }
  }
  return mean;
}

void lateral_cell_scores(void *self, int n, const int cell[], double mean[], double weight[])
{
  const NormLateral norm = self;
  for (int i = 0; i < n; i++) {
    const int row = cell[i] / norm->nx, place = row % norm->N;
    mean[i] = cell_score(norm, row / norm->N * norm->nx + cell[i] % norm->nx, place % norm->ny, place / norm->ny,
                         weight + (size_t)i * norm->R);
  }
}
