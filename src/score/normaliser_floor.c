/* The least that counts of an element of w: floors of the spreads, and the round-off of what is stored. */
#include "normaliser_fit.h"
#include "scoria/linalg.h"
#include "tile_sum.h"
#include <math.h>
#include <string.h>

/* Squares of the round-off of fields in single precision at w (m) in the units of w: errors are spread over half of the
 * last place.  Of a relative element it is that of the first cell too; a logarithm divides it by the distance from the
 * reference, and is itself stored in single precision. */
static void add_rounding(const NormProfile norm, const double w[], double square[])
{
  const double last = ldexp(1, -48) / 3;
  for (int c = 0; c < norm->C; c++)
    for (int j = 0; j < norm->L; j++) {
      const double *cell = w + (size_t)c * norm->L;
      const double first = j > 0 && norm->relative[c] ? cell[0] : 0, x = cell[j] + first;
      const NormBounds *b   = &norm->bounds[c];
      const bool transform  = norm->logged[c] || b->on;
      const double distance = b->on ? fabs(bounds_rate(b, x)) : exp(x);
      const double size     = b->on ? bounds_back(b, x) : fabs(norm->reference[c]);
      const double field    = norm->logged[c] ? 1 + size / distance : b->on ? size / distance : x;
      square[(size_t)c * norm->L + j] += last * (field * field + first * first + (transform ? x * x : 0));
    }
}

/* Sums over the pieces of S2, of the squares of what is taken for the mean, and of round-off, (3 m) on rank 0. */
static PetscErrorCode SumSquares(NormData *data, const NormMoments *s, double sums[])
{
  const int m = data->norm->m, p = data->norm->mean.terms, n = 3 * m;
  double *largest, *part;
  TileSum sum;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2(n, &largest, n, &part));
  PetscCall(TileSumCreate(data->in.comm, n, &sum));
  for (int round = 0; round < 2; round++) { /* the first finds the scales */
    for (int t = 0; t < data->tiles.tiles; t++) {
      const int64_t at = data->start[t];
      memset(part, 0, (size_t)n * sizeof *part);
      for (int64_t i = at; i < at + data->fitted[t]; i++) {
        if (data->norm->twin)
          memcpy(data->base, data->twin + i * m, (size_t)m * sizeof(double));
        else
          memset(data->base, 0, (size_t)m * sizeof(double));
        la_gemm(false, false, 1, m, p, 1, data->mean_X + i * p, p, s->mean_coef, m, 1, data->base, m);
        for (int j = 0; j < m; j++) {
          part[j] += s->S2[i * m + j];
          part[m + j] += data->base[j] * data->base[j];
        }
        if (!data->spec->float64) add_rounding(data->norm, data->base, part + 2 * m);
      }
      for (int j = 0; j < n; j++)
        if (round == 0)
          largest[j] = PetscMax(largest[j], part[j]);
        else
          part[j] /= binary_scale(largest[j]);
      if (round) tile_sum_add(&sum, 0, n, part);
    }
    if (round == 0) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, largest, n, MPI_DOUBLE, MPI_MAX, data->in.comm));
  }
  PetscCall(TileSumTake(&sum, sums));
  for (int j = 0; j < n; j++) sums[j] *= binary_scale(largest[j]);
  PetscCall(TileSumDestroy(&sum));
  PetscCall(PetscFree2(largest, part));
  PetscFunctionReturn(0);
}

/* A floor for `cells` elements from `first`: a thousandth of the rms spread of those that vary. */
static void floor_elements(int first, int cells, double pieces, const double sums[], double varies[], double least[])
{
  double sum = 0;
  int count  = 0;
  for (int j = first; j < first + cells; j++)
    if (varies[j] > 0) sum += sums[j], count++;
  for (int j = first; j < first + cells; j++) least[j] = count > 0 ? 1e-6 * sum / (pieces * count) : 1;
}

PetscErrorCode NormFindFloors(NormData *data, const NormMoments *s, double varies[], double least[])
{
  const NormProfile norm = data->norm;
  const int m            = norm->m;
  double *sums;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(3 * m, &sums));
  PetscCall(SumSquares(data, s, sums));
  for (int j = 0; j < m; j++) varies[j] = sums[j] > 1e-19 * sums[m + j];
  for (int j = 0; j < m; j++) data->rounding[j] = sums[2 * m + j] / (sums[j] > 0 ? sums[j] : 1);
  for (int c = 0; c < norm->C; c++) {
    const int first = c * norm->L, apart = norm->relative[c] ? 1 : 0;
    floor_elements(first, apart, data->fitted_pieces, sums, varies, least);
    floor_elements(first + apart, norm->L - apart, data->fitted_pieces, sums, varies, least);
  }
  PetscCall(NormShare(data->in.comm, (size_t)m, varies));
  PetscCall(NormShare(data->in.comm, (size_t)m, least));
  PetscCall(NormShare(data->in.comm, (size_t)m, data->rounding));
  PetscCall(PetscFree(sums));
  PetscFunctionReturn(0);
}
