/* Sums of tiles in fixed point (scoria/fixed.h): two integers for each number, added over the ranks at the end. */
#include "tile_sum.h"
#include "scoria/base.h"
#include "scoria/fixed.h"

PetscErrorCode TileSumCreate(MPI_Comm comm, int64_t n, TileSum *sum)
{
  PetscFunctionBeginUser;
  *sum = (TileSum){.comm = comm, .n = n};
  PetscCall(PetscCalloc1(2 * n, &sum->pair));
  PetscFunctionReturn(0);
}

PetscErrorCode TileSumDestroy(TileSum *sum)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(sum->pair));
  PetscFunctionReturn(0);
}

void tile_sum_add(TileSum *sum, int64_t first, int n, const double v[])
{
  add_fixed_all(n, v, sum->pair + 2 * first);
}

/* Full units are carried first, so that as many ranks fit as tiles. */
PetscErrorCode TileSumTake(TileSum *sum, double out[])
{
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(sum->comm, &rank));
  for (int64_t i = 0; i < sum->n; i++) carry_fixed(sum->pair + 2 * i);
  PetscCall(ScoriaReduceManyTo(sum->comm, 0, MPI_SUM, 2 * sum->n, MPI_INT64_T, sum->pair));
  for (int64_t i = 0; i < sum->n && rank == 0; i++) out[i] = get_fixed(sum->pair + 2 * i);
  PetscCall(PetscArrayzero(sum->pair, 2 * sum->n));
  PetscFunctionReturn(0);
}

double binary_scale(double largest)
{
  int exponent;
  if (!(fabs(largest) > 0) || !isfinite(largest)) return 1;
  (void)frexp(largest, &exponent);
  return ldexp(1, exponent);
}
