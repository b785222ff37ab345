/* Places in fields of up to three dimensions, and their lateral means. */
#include "scoria/stats.h"
#include <math.h>
#include <string.h>

/* The two cells about a place along an axis and the share of the second. */
static void neighbours(int n, const double x[], bool periodic, double at, int cell[2], double *share)
{
  double end[2];
  cells_ends(n, x, end);
  const double length = end[1] - end[0];
  if (periodic && n > 1) at -= length * floor((at - x[0]) / length);
  cell[0] = 0;
  while (cell[0] + (periodic ? 1 : 2) < n && x[cell[0] + 1] <= at) cell[0]++;
  cell[1]            = n > 1 ? (cell[0] + 1) % n : 0;
  const double right = x[cell[1]] + (cell[1] > cell[0] ? 0 : length);
  *share             = n > 1 ? (at - x[cell[0]]) / (right - x[cell[0]]) : 0;
}

void point_place(ScoriaPoint *p, const int n[3], const double *const centres[3], bool periodic, const double at[3])
{
  int cell[3][2];
  double share[3];
  for (int a = 0; a < 3; a++) neighbours(n[a], centres[a], a > 0 && periodic, at[a], cell[a], &share[a]);
  p->n = 0;
  for (int corner = 0; corner < 8; corner++) {
    int index     = 0;
    double weight = 1;
    for (int a = 2; a >= 0; a--) {
      const int side = corner >> a & 1;
      index          = index * n[a] + cell[a][side];
      weight *= side ? share[a] : 1 - share[a];
    }
    if (weight == 0) continue;
    p->cell[p->n]     = index;
    p->weight[p->n++] = weight;
  }
}

double point_value(const ScoriaPoint *p, const double field[])
{
  double value = 0;
  for (int i = 0; i < p->n; i++) value += p->weight[i] * field[p->cell[i]];
  return value;
}

void lateral_means(int channels, const int n[3], const double fields[], double means[])
{
  const int nx = n[0], places = n[1] * n[2];
  memset(means, 0, (size_t)channels * (size_t)nx * sizeof *means);
  for (int c = 0; c < channels; c++, means += nx) {
    for (int p = 0; p < places; p++, fields += nx)
      for (int i = 0; i < nx; i++) means[i] += fields[i];
    for (int i = 0; i < nx; i++) means[i] /= places;
  }
}
