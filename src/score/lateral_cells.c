/* The normaliser of whole fields at single cells: how their normal scores depend on the coordinates. */
#include "lateral.h"
#include <math.h>

/* Coordinate j of a class, a real function of y and z that is orthonormal over the lateral places. */
static double wave_value(const Waves *w, const WaveClass *c, int j, int y, int z)
{
  const int parts = c->real ? 1 : 2, kz = j / parts ? -c->kz : c->kz;
  const double phase = 2 * M_PI * ((double)c->ky * y / w->ny + (double)kz * z / w->nz);
  return sqrt((c->real ? 1.0 : 2.0) / ((double)w->ny * w->nz)) * (j % parts ? -sin(phase) : cos(phase));
}

/* Row (R) of weights of element e at a lateral place. */
static double cell_score(const NormLateral norm, int e, int y, int z, double weight[])
{
  const Waves *w = &norm->waves;
  double mean    = 0;
  for (int c = 0; c < w->classes; c++) {
    const int width = norm->kept[c] ? wave_coordinates(&w->class[c]) : 0;
    for (int j = 0; j < width; j++) {
      const double value = wave_value(w, &w->class[c], j, y, z);
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
