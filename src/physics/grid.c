/* The cells of a solve, from the deck. */
#include "internal.h"

void grid_slab(const ScoriaGrid *grid, int rank, int size, int *first, int *number)
{
  const int n = grid->n[grid->dim - 1], block = (n + size - 1) / size;
  *first  = PetscMin(rank * block, n);
  *number = PetscMin(block, n - *first);
}

/* The periodic neighbours of a cell are two others only where an axis has at least three; the extrapolations to the two
 * faces of x take four. */
static PetscErrorCode CellsFromDeck(ScoriaDeck deck, ScoriaGrid *grid)
{
  PetscInt n = 0, values[4] = {1, 1, 1, 1};
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInts(deck, "ensemble_cells", 4, &n, values));
  if (n < 1 || n > 3)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_cells: found %d numbers, expected [nx], [nx, ny] or [nx, ny, nz]", (int)n);
  for (int axis = 0; axis < n; axis++) {
    const int least = axis ? 3 : 4;
    if (values[axis] < least)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_cells: found %d along %c, expected at least %d cells", (int)values[axis],
                  "xyz"[axis], least);
  }
  grid->dim = (int)n;
  for (int axis = 0; axis < 3; axis++) grid->n[axis] = (int)values[axis];
  PetscFunctionReturn(0);
}

/* A square metre of coating has some 1e4 of its thickness; what lies beyond is another unit. */
#define MOST_THICKNESSES 1e5

PetscErrorCode ScoriaGridFromDeck(ScoriaDeck deck, double L, ScoriaGrid *grid)
{
  bool given;
  PetscInt n        = 0;
  double lateral[3] = {0, 0, 0};
  PetscFunctionBeginUser;
  PetscCall(CellsFromDeck(deck, grid));
  for (int axis = 0; axis < 3; axis++) grid->length[axis] = axis ? grid->n[axis] * L / grid->n[0] : L;
  PetscCall(ScoriaDeckHas(deck, "ensemble_lateral", &given));
  if (!given) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckReals(deck, "ensemble_lateral", 3, &n, lateral));
  if (n != grid->dim - 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "ensemble_lateral: found %d numbers, expected %d, one for each lateral axis of ensemble_cells", (int)n,
                grid->dim - 1);
  for (int axis = 1; axis < grid->dim; axis++) {
    grid->length[axis] = lateral[axis - 1];
    if (lateral[axis - 1] > MOST_THICKNESSES * L)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_lateral: found %g m beside a thickness of %g m, expected at most %g m",
                  lateral[axis - 1], L, MOST_THICKNESSES * L);
  }
  PetscFunctionReturn(0);
}
