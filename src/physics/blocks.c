/* The matrix of a discrete problem.  A block matrix stores its values block by block in rows of ascending columns, each
 * block by columns, just as discrete_jacobian can write them: only the places must be known.  Other formats get them
 * through MatSetValues. */
#include "discrete.h"
#include <string.h>

/* Number of own cell (i, j, k)'s neighbour on a side, in PETSc's order: slabs of the last axis make that the natural
 * one. */
static PetscInt neighbour(const ScoriaDiscrete *d, int i, int j, int k, int side)
{
  static const int step[SIDES][3] = {[SIDE_Z0] = {0, 0, -1}, [SIDE_Y0] = {0, -1, 0}, [SIDE_X0] = {-1, 0, 0},
                                     [SIDE_X1] = {1, 0, 0},  [SIDE_Y1] = {0, 1, 0},  [SIDE_Z1] = {0, 0, 1}};
  const int *n                    = d->grid.n;
  int at[3]                       = {i + step[side][0], j + step[side][1], k + step[side][2]};
  at[d->grid.dim - 1] += d->first;
  for (int axis = 1; axis < 3; axis++) at[axis] = (at[axis] + n[axis]) % n[axis];
  return ((PetscInt)at[2] * n[1] + at[1]) * n[0] + at[0];
}

/* Where column stands in the ascending row; it must be there. */
static int find(const PetscInt row[], PetscInt first, PetscInt end, PetscInt column)
{
  while (first < end && row[first] != column) first++;
  return first < end ? (int)first : -1;
}

typedef struct {
  PetscInt n;
  const PetscInt *i, *j;
  PetscBool done;
} Rows;

static PetscErrorCode LocateBlocks(const ScoriaDiscrete *d, ScoriaBlocks *b)
{
  const PetscInt *others = NULL;
  PetscInt first, end;
  Rows own, other = {0};
  int cell = 0;
  PetscFunctionBeginUser;
  PetscCall(MatGetOwnershipRange(b->J, &first, &end));
  first /= d->shape.unknowns;
  end /= d->shape.unknowns;
  b->own = b->J;
  if (d->size > 1) PetscCall(MatMPIBAIJGetSeqBAIJ(b->J, &b->own, &b->other, &others));
  PetscCall(MatGetRowIJ(b->own, 0, PETSC_FALSE, PETSC_TRUE, &own.n, &own.i, &own.j, &own.done));
  if (b->other) PetscCall(MatGetRowIJ(b->other, 0, PETSC_FALSE, PETSC_TRUE, &other.n, &other.i, &other.j, &other.done));
  for (int k = 0; k < d->own[2]; k++)
    for (int j = 0; j < d->own[1]; j++)
      for (int i = 0; i < d->own[0]; i++, cell++)
        for (int side = 0; side < SIDES; side++) {
          int *at = &b->at[cell * SIDES + side];
          *at     = 0;
          if (!discrete_neighbour(d, i, j, k, side)) continue;
          const PetscInt column = neighbour(d, i, j, k, side);
          if (column >= first && column < end)
            *at = find(own.j, own.i[cell], own.i[cell + 1], column - first);
          else {
            PetscInt to = other.i[cell];
            while (to < other.i[cell + 1] && others[other.j[to]] != column) to++;
            *at = -1 - (int)to;
          }
        }
  if (b->other)
    PetscCall(MatRestoreRowIJ(b->other, 0, PETSC_FALSE, PETSC_TRUE, &other.n, &other.i, &other.j, &other.done));
  PetscCall(MatRestoreRowIJ(b->own, 0, PETSC_FALSE, PETSC_TRUE, &own.n, &own.i, &own.j, &own.done));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetValues(const ScoriaDiscrete *d, ScoriaBlocks *b)
{
  const size_t m2 = (size_t)(d->shape.unknowns * d->shape.unknowns);
  int cell        = 0;
  PetscFunctionBeginUser;
  for (int k = 0; k < d->own[2]; k++)
    for (int j = 0; j < d->own[1]; j++)
      for (int i = 0; i < d->own[0]; i++, cell++) {
        const PetscInt row = neighbour(d, i, j, k, SIDE_SELF);
        for (int side = 0; side < SIDES; side++) {
          if (!discrete_neighbour(d, i, j, k, side)) continue;
          const PetscInt column = neighbour(d, i, j, k, side);
          const double *block   = b->blocks + (size_t)(cell * SIDES + side) * m2;
          PetscCall(MatSetValuesBlocked(b->J, 1, &row, 1, &column, block, INSERT_VALUES));
        }
      }
  PetscFunctionReturn(0);
}

/* A DMDA makes no block matrix in one dimension. */
static PetscErrorCode CreateTridiagonal(ScoriaDiscrete *d, ScoriaBlocks *b)
{
  const PetscInt m = d->shape.unknowns, own = m * d->own[0], all = m * d->grid.n[0];
  MPI_Comm group = PetscObjectComm((PetscObject)d->dm);
  PetscFunctionBeginUser;
  PetscCall(MatCreateBAIJ(group, m, own, own, all, all, 3, NULL, 2, NULL, &b->J));
  PetscCall(SetValues(d, b)); /* zeros: the pattern */
  PetscCall(MatAssemblyBegin(b->J, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(b->J, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

PetscErrorCode BlocksCreate(ScoriaDiscrete *d, MatType type, ScoriaBlocks *b)
{
  const size_t m2 = (size_t)(d->shape.unknowns * d->shape.unknowns);
  const bool baij = !strcmp(type, MATBAIJ);
  PetscFunctionBeginUser;
  memset(b, 0, sizeof *b);
  PetscCall(PetscMalloc1((size_t)d->cells * SIDES, &b->at));
  PetscCall(PetscCalloc1((size_t)d->cells * SIDES * m2, &b->blocks));
  if (d->grid.dim == 1 && baij)
    PetscCall(CreateTridiagonal(d, b));
  else {
    PetscCall(DMSetMatType(d->dm, type));
    PetscCall(DMCreateMatrix(d->dm, &b->J));
  }
  PetscCall(MatSetOption(b->J, MAT_NEW_NONZERO_LOCATION_ERR, PETSC_TRUE));
  if (baij) {
    PetscCall(PetscFree(b->blocks));
    PetscCall(LocateBlocks(d, b));
    PetscFunctionReturn(0);
  }
  PetscCall(MatSetOption(b->J, MAT_ROW_ORIENTED, PETSC_FALSE));
  for (int i = 0; i < d->cells * SIDES; i++) b->at[i] = i;
  PetscFunctionReturn(0);
}

PetscErrorCode BlocksDestroy(ScoriaBlocks *b)
{
  PetscFunctionBeginUser;
  PetscCall(MatDestroy(&b->J));
  PetscCall(PetscFree(b->at));
  PetscCall(PetscFree(b->blocks));
  PetscFunctionReturn(0);
}

PetscErrorCode BlocksFill(ScoriaDiscrete *d, ScoriaBlocks *b)
{
  PetscScalar *value = NULL, *beside = NULL;
  PetscFunctionBeginUser;
  if (b->blocks) {
    discrete_jacobian(d, b->at, b->blocks, NULL);
    PetscCall(SetValues(d, b));
  } else {
    PetscCall(MatSeqBAIJGetArray(b->own, &value));
    if (b->other) PetscCall(MatSeqBAIJGetArray(b->other, &beside));
    discrete_jacobian(d, b->at, value, beside);
    if (b->other) PetscCall(MatSeqBAIJRestoreArray(b->other, &beside));
    PetscCall(MatSeqBAIJRestoreArray(b->own, &value));
  }
  PetscCall(MatAssemblyBegin(b->J, MAT_FINAL_ASSEMBLY)); /* also tells the preconditioner that the values are new */
  PetscCall(MatAssemblyEnd(b->J, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}
