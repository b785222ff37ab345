/* Fields of an ensemble's last row in all cells of the grid, brought to one rank of the group that solved it. */
#include "internal.h"

PetscErrorCode ScoriaGatherCells(const ScoriaGroups *groups, const ScoriaGrid *grid, const double own[], double all[])
{
  const int plane =
      grid->n[0] * (grid->dim > 1 ? grid->n[1] : 1) * (grid->dim > 2 ? grid->n[2] : 1) / grid->n[grid->dim - 1];
  const int size = groups->group_size;
  int *count, *place;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(size, &count, size, &place));
  for (int r = 0; r < size; r++) {
    grid_slab(grid, r, size, &place[r], &count[r]);
    place[r] *= plane;
    count[r] *= plane;
  }
  PetscCallMPI(
      MPI_Gatherv(own, count[groups->group_rank], MPI_DOUBLE, all, count, place, MPI_DOUBLE, 0, groups->group));
  PetscCall(PetscFree2(count, place));
  PetscFunctionReturn(0);
}
