/* What a solution holds: fields, profiles through the thickness, balances. */
#include "solver.h"
#include <math.h>

static PetscErrorCode DerivedField(ScoriaSolver s, int k, double own[])
{
  bool good;
  PetscFunctionBeginUser;
  if (s->solved) {
    PetscCall(NewtonLoad(s, s->x, &good));
    discrete_derived(s->d, k, own);
  } else
    for (int i = 0; i < s->d->cells; i++) own[i] = NAN;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverField(ScoriaSolver s, int f, double own[])
{
  const PetscScalar *a;
  PetscFunctionBeginUser;
  if (f >= s->m) {
    PetscCall(DerivedField(s, s->derived[f - s->m], own));
    PetscFunctionReturn(0);
  }
  const int c        = s->d->shape.output[f];
  const double scale = s->d->shape.scale[c];
  PetscCall(VecGetArrayRead(s->x, &a));
  for (int i = 0; i < s->d->cells; i++) own[i] = s->solved ? scale * a[i * s->m + c] : NAN;
  PetscCall(VecRestoreArrayRead(s->x, &a));
  PetscFunctionReturn(0);
}

ScoriaEnd solver_end(ScoriaSolver s, int f, int side)
{
  return f < s->m ? s->d->shape.end[side][f] : (ScoriaEnd){SCORIA_END_FREE, 0};
}

/* The whole axis on every rank of a group that shares it. */
static PetscErrorCode GatherLine(ScoriaSolver s, const double own[], double all[])
{
  int *number, *first;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(s->size, &number, s->size, &first));
  for (int r = 0; r < s->size; r++) grid_slab(&s->grid, r, s->size, &first[r], &number[r]);
  PetscCallMPI(MPI_Allgatherv(own, number[s->rank], MPI_DOUBLE, all, number, first, MPI_DOUBLE, s->group));
  PetscCall(PetscFree2(number, first));
  PetscFunctionReturn(0);
}

/* Sums over this rank's pencils of (own - centre)^power, power 1 or 2. */
static PetscErrorCode SumPencils(ScoriaSolver s, const double own[], const double centre[], double sum[])
{
  const int n = s->d->own[0];
  PetscFunctionBeginUser;
  memset(sum, 0, (size_t)n * sizeof *sum);
  for (int at = 0; at < s->d->cells; at += n)
    for (int i = 0; i < n; i++) {
      const double v = own[at + i] - (centre ? centre[i] : 0);
      sum[i] += centre ? v * v : v;
    }
  if (s->size > 1) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, n, MPI_DOUBLE, MPI_SUM, s->group));
  for (int i = 0; i < n; i++) sum[i] /= (double)s->grid.n[1] * s->grid.n[2];
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverAverage(ScoriaSolver s, const double own[], double mean[], double sd[])
{
  PetscFunctionBeginUser;
  if (s->grid.dim > 1) {
    PetscCall(SumPencils(s, own, NULL, mean));
    if (sd) PetscCall(SumPencils(s, own, mean, sd));
    for (int i = 0; i < s->grid.n[0] && sd; i++) sd[i] = sqrt(sd[i]);
    PetscFunctionReturn(0);
  }
  if (s->size > 1)
    PetscCall(GatherLine(s, own, mean));
  else
    memcpy(mean, own, (size_t)s->d->cells * sizeof *mean);
  for (int i = 0; i < s->grid.n[0] && sd; i++) sd[i] = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverProfile(ScoriaSolver s, int f, double mean[], double sd[])
{
  double *own;
  PetscFunctionBeginUser;
  if (s->grid.dim == 1 && s->size == 1) {
    PetscCall(ScoriaSolverField(s, f, mean));
    for (int i = 0; i < s->grid.n[0] && sd; i++) sd[i] = s->solved ? 0 : NAN;
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1(s->d->cells, &own));
  PetscCall(ScoriaSolverField(s, f, own));
  PetscCall(ScoriaSolverAverage(s, own, mean, sd));
  PetscCall(PetscFree(own));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverBalance(ScoriaSolver s, int d, double *outflow, double *production)
{
  double total[2][MAX_UNKNOWNS];
  bool good;
  PetscFunctionBeginUser;
  PetscCall(NewtonLoad(s, s->x, &good));
  discrete_totals(s->d, s->time_index >= 0 ? s->rate : NULL, total[0], total[1]);
  double both[2] = {total[0][d], total[1][d]};
  if (s->size > 1) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, both, 2, MPI_DOUBLE, MPI_SUM, s->group));
  const double columns = (double)s->grid.n[1] * s->grid.n[2];
  *outflow             = both[0] / columns;
  *production          = both[1] / columns;
  PetscFunctionReturn(0);
}
