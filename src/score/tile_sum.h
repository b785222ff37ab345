/* Sums over the tiles of all ranks, in fixed point: the same bits whoever adds which tile, and in whatever order. */
#ifndef SCORIA_SCORE_TILE_SUM_H
#define SCORIA_SCORE_TILE_SUM_H

#include <petscsys.h>
#include <stdint.h>

typedef struct {
  MPI_Comm comm;
  int64_t n;
  int64_t *pair; /* owned (n, 2), see scoria/fixed.h */
} TileSum;

PetscErrorCode TileSumCreate(MPI_Comm comm, int64_t n, TileSum *sum); /* all 0 */
PetscErrorCode TileSumDestroy(TileSum *sum);
/* Adds v (n) to the sums from `first` on.  Terms are rounded to 2^-41 and less than 2^40 in magnitude: the caller
 * brings them to a scale of order 1.  At most 2^22 terms go into a sum on a rank. */
void tile_sum_add(TileSum *sum, int64_t first, int n, const double v[]);
/* The sums over all ranks, out (n) on rank 0, and 0 to go on from.  Collective. */
PetscErrorCode TileSumTake(TileSum *sum, double out[]);

/* The least power of two that is not below |largest|; 1 for 0 and for what is not a finite number. */
double binary_scale(double largest);

#endif
