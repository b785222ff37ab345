/* Pieces of a tile, and the scales of their rows. */
#include "normaliser_data.h"
#include "scoria/linalg.h"
#include <math.h>
#include <string.h>

int norm_pieces(const NormData *data, int t)
{
  return (int)(data->start[t + 1] - data->start[t]);
}

size_t norm_tile_slots(const NormData *data)
{
  return (size_t)data->sides * (size_t)data->width;
}

int64_t norm_condition(const NormData *data, int t, int64_t slot)
{
  return ((data->first_tile + t) * data->width + data->piece[slot] / data->sides) / data->parts;
}

/* base and 1 / s of the pieces of a tile, in data->base and data->inverse_s (pieces, m). */
static void scales_of_tile(NormData *data, int t)
{
  const NormProfile norm = data->norm;
  const int n = norm_pieces(data, t), m = norm->m, p = norm->mean.terms, q = norm->scale.terms;
  const size_t count = (size_t)n * m;
  if (norm->twin)
    memcpy(data->base, data->twin + data->start[t] * m, count * sizeof(double));
  else
    memset(data->base, 0, count * sizeof(double));
  la_gemm(false, false, n, m, p, 1, data->mean_X + data->start[t] * p, p, data->mean_coef, m, 1, data->base, m);
  la_gemm(false, false, n, m, q, -1, data->scale_X + data->start[t] * q, q, data->scale_coef, m, 0, data->inverse_s, m);
  for (size_t k = 0; k < count; k++) data->inverse_s[k] = exp(data->inverse_s[k]);
}

void norm_standardise(NormData *data, int t, double v[])
{
  const int m = data->norm->m;
  scales_of_tile(data, t);
  for (int k = 0; k < norm_pieces(data, t); k++) {
    const double *restrict base = data->base + (size_t)k * m, *restrict scale = data->inverse_s + (size_t)k * m;
    for (int i = 0; i < (int)data->good[data->start[t] + k]; i++, v += m)
      for (int j = 0; j < m; j++) v[j] = (v[j] - base[j]) * scale[j];
  }
}

PetscErrorCode NormDataSetModes(NormData *data)
{
  const NormProfile norm = data->norm;
  const size_t m = (size_t)norm->m, R = (size_t)norm->R;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)data->capacity * R, &data->modes, R * m, &data->project));
  for (size_t k = 0; k < R; k++)
    for (size_t j = 0; j < m; j++) data->project[k * m + j] = norm->V[k * m + j] / sqrt(norm->lambda[k]);
  PetscFunctionReturn(0);
}
