/* Cell-centred finite volumes on a uniform grid, for any problem of the table and any dimension.
 *
 * The balance of a cell, per lateral area, h = (hx, hy, hz):
 *
 *   F(x+) - F(x-) + (hx / hy) [F(y+) - F(y-)] + (hx / hz) [F(z+) - F(z-)] - S = 0
 *
 * F is the problem's flux at the conductance g = C / (h / L), C the harmonic mean of the two cells' coefficients: each
 * flux serves both its cells, so what the problem balances is conserved by structure.
 *
 * x is the fastest axis; the problem's loops run over pencils along x.  Two pencils that are neighbours along y or z
 * are joined by own[0] faces, one loop too.  Ranks divide the last axis; neighbours come from the DMDA. */
#include "discrete.h"
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------- create ---- */

static PetscErrorCode CreateDm(MPI_Comm group, const ScoriaDiscrete *d, int dof, DM *dm)
{
  const ScoriaGrid *g = &d->grid;
  PetscInt *planes;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(d->size, &planes));
  for (int r = 0; r < d->size; r++) {
    int first, number;
    grid_slab(g, r, d->size, &first, &number);
    planes[r] = number;
    if (number == 0)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "ensemble_group_size: %d ranks cannot share %d %s: each needs at least one of ceil(%d / %d)", d->size,
                  g->n[g->dim - 1], g->dim == 1 ? "cells" : "planes of cells", g->n[g->dim - 1], d->size);
  }
  if (g->dim == 1)
    PetscCall(DMDACreate1d(group, DM_BOUNDARY_NONE, g->n[0], dof, 1, planes, dm));
  else if (g->dim == 2)
    PetscCall(DMDACreate2d(group, DM_BOUNDARY_NONE, DM_BOUNDARY_PERIODIC, DMDA_STENCIL_STAR, g->n[0], g->n[1], 1,
                           d->size, dof, 1, NULL, planes, dm));
  else
    PetscCall(DMDACreate3d(group, DM_BOUNDARY_NONE, DM_BOUNDARY_PERIODIC, DM_BOUNDARY_PERIODIC, DMDA_STENCIL_STAR,
                           g->n[0], g->n[1], g->n[2], 1, 1, d->size, dof, 1, NULL, NULL, planes, dm));
  PetscCall(DMSetUp(*dm));
  PetscCall(PetscFree(planes));
  PetscFunctionReturn(0);
}

static void lay_out(ScoriaDiscrete *d)
{
  const int last = d->grid.dim - 1;
  int number;
  grid_slab(&d->grid, d->rank, d->size, &d->first, &number);
  for (int axis = 0; axis < 3; axis++) {
    d->own[axis] = axis == last ? number : d->grid.n[axis];
    d->box[axis] = d->own[axis] + (axis <= last ? 2 : 0);
  }
  d->stride[0] = 1;
  d->stride[1] = d->box[0];
  d->stride[2] = (ptrdiff_t)d->box[0] * d->box[1];
  d->corner    = 1 + (last >= 1 ? d->stride[1] : 0) + (last >= 2 ? d->stride[2] : 0);
  d->cells     = d->own[0] * d->own[1] * d->own[2];
  d->box_cells = d->box[0] * d->box[1] * d->box[2];
  d->collector = last > 0 || d->first == 0;
  d->separator = last > 0 || d->first + number == d->grid.n[0];
}

static size_t faces(const ScoriaDiscrete *d, int axis)
{
  size_t n = 1;
  for (int k = 0; k < 3; k++) n *= (size_t)(d->own[k] + (k == axis));
  return n;
}

/* One allocation for all arrays, in the order in which they are declared: counted with base NULL, then dealt. */
static size_t deal_arena(ScoriaDiscrete *d, double *base)
{
  const ScoriaShape *sh = &d->shape;
  const size_t m = (size_t)sh->unknowns, pencil = (size_t)d->own[0] + 2;
  size_t used = 0;
#define DEAL(array, number, length)                                                                                    \
  for (size_t deal_ = 0; deal_ < (size_t)(number); deal_++) {                                                          \
    (array)[deal_] = base ? base + used : NULL;                                                                        \
    used += ((size_t)(length) + 7) / 8 * 8;                                                                            \
  }
  DEAL(d->s, sh->unknowns + sh->derived, d->box_cells)
  DEAL(d->C, sh->coefficients, d->box_cells)
  DEAL(d->a, sh->locals, d->cells)
  DEAL(d->capacity, m, d->cells)
  for (int axis = 0; axis < d->grid.dim; axis++) DEAL(d->g[axis], sh->coefficients, faces(d, axis))
  DEAL(d->F, m, pencil)
  DEAL(d->F_a, m * m, pencil)
  DEAL(d->F_b, m * m, pencil)
  DEAL(d->S, m, pencil)
  DEAL(d->S_s, m * m, pencil)
  DEAL(&d->work, 1, MAX_WORK * pencil)
#undef DEAL
  return used;
}

PetscErrorCode DiscreteCreate(MPI_Comm group, const ScoriaProblem *problem, const void *p, const ScoriaGrid *grid,
                              ScoriaDiscrete **out)
{
  ScoriaDiscrete *d;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&d));
  d->problem = problem;
  d->p       = p;
  d->grid    = *grid;
  PetscCallMPI(MPI_Comm_rank(group, &d->rank));
  PetscCallMPI(MPI_Comm_size(group, &d->size));
  problem->shape(p, &d->shape);
  lay_out(d);
  PetscCall(CreateDm(group, d, d->shape.unknowns, &d->dm));
  PetscCall(CreateDm(group, d, 1, &d->dm_eps));
  PetscCall(DMCreateLocalVector(d->dm, &d->local));
  PetscCall(DMCreateLocalVector(d->dm_eps, &d->eps_local));
  PetscCall(DMCreateGlobalVector(d->dm_eps, &d->eps));
  PetscCall(PetscCalloc1(deal_arena(d, NULL), &d->arena));
  deal_arena(d, d->arena);
  for (int i = 0; i < d->shape.unknowns; i++)
    for (int k = 0; k < d->box_cells; k++) d->s[i][k] = 1; /* corners of the box are read, though never used */
  *out = d;
  PetscFunctionReturn(0);
}

PetscErrorCode DiscreteDestroy(ScoriaDiscrete **out)
{
  ScoriaDiscrete *d = *out;
  PetscFunctionBeginUser;
  if (!d) PetscFunctionReturn(0);
  PetscCall(VecDestroy(&d->local));
  PetscCall(VecDestroy(&d->eps));
  PetscCall(VecDestroy(&d->eps_local));
  PetscCall(DMDestroy(&d->dm));
  PetscCall(DMDestroy(&d->dm_eps));
  for (int i = 0; i < MAX_UNKNOWNS; i++) PetscCall(PetscFree(d->added[i]));
  PetscCall(PetscFree(d->arena));
  PetscCall(PetscFree(*out));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------- neighbours ---- */

/* Interleaved values with neighbours, as a DMDA orders them, to boxes.  The DMDA has no cells beyond x = 0 and L. */
static void unpack(const ScoriaDiscrete *d, int number, const double from[], double *const box[])
{
  const int dim = d->grid.dim, skip = d->collector ? 0 : -1, end = d->own[0] + (d->separator ? 0 : 1);
  const int j0 = dim > 1 ? -1 : 0, j1 = dim > 1 ? d->own[1] : 0, k0 = dim > 2 ? -1 : 0, k1 = dim > 2 ? d->own[2] : 0;
  for (int k = k0; k <= k1; k++)
    for (int j = j0; j <= j1; j++) {
      const ptrdiff_t at = pencil_at(d, j, k);
      const bool corner  = (j < 0 || j == d->own[1]) && dim > 2 && (k < 0 || k == d->own[2]); /* of a star: not there */
      for (int c = 0; c < number && !corner; c++)
        for (int i = skip; i < end; i++) box[c][at + i] = from[(size_t)(i - skip) * (size_t)number + (size_t)c];
      from += (size_t)(end - skip) * (size_t)number;
    }
}

bool discrete_derive(ScoriaDiscrete *d)
{
  const ScoriaShape *sh = &d->shape;
  const int n           = d->box_cells;
  d->derivatives        = false;
  /* the cells beyond x = 0 and L belong to nothing: they repeat their neighbours */
  for (ptrdiff_t row = 0; row < n; row += d->stride[1])
    for (int c = 0; c < sh->unknowns; c++) {
      if (d->collector) d->s[c][row] = d->s[c][row + 1];
      if (d->separator) d->s[c][row + d->own[0] + 1] = d->s[c][row + d->own[0]];
    }
  for (int c = 0; c < sh->unknowns; c++) {
    if (!sh->positive[c]) continue;
    double least = d->s[c][0];
    for (int i = 1; i < n; i++) least = d->s[c][i] < least ? d->s[c][i] : least;
    if (!(least > 0)) return false;
  }
  if (d->problem->derive) d->problem->derive(d->p, n, d->s);
  return true;
}

PetscErrorCode DiscreteLoad(ScoriaDiscrete *d, Vec x, bool *good)
{
  const PetscScalar *a;
  Vec from = x;
  PetscFunctionBeginUser;
  if (d->size > 1 || d->grid.dim > 1) {
    PetscCall(DMGlobalToLocalBegin(d->dm, x, INSERT_VALUES, d->local));
    PetscCall(DMGlobalToLocalEnd(d->dm, x, INSERT_VALUES, d->local));
    from = d->local;
  }
  PetscCall(VecGetArrayRead(from, &a));
  unpack(d, d->shape.unknowns, a, d->s);
  PetscCall(VecRestoreArrayRead(from, &a));
  *good = discrete_derive(d);
  if (d->size > 1)
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, good, 1, MPI_C_BOOL, MPI_LAND, PetscObjectComm((PetscObject)d->dm)));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- geometry ---- */

/* Harmonic means over the distance of n faces between cells a and b, twice the cell's own beyond the domain. */
static void conductances(int n, double per_distance, const double a[], const double b[], double g[])
{
  for (int i = 0; i < n; i++) g[i] = 2.0 * per_distance * a[i] * b[i] / (a[i] + b[i]);
}

static double per_distance(const ScoriaDiscrete *d, int axis)
{
  return d->shape.L * d->grid.n[axis] / d->grid.length[axis];
}

static void set_conductances(ScoriaDiscrete *d, int c)
{
  const double *C = d->C[c];
  const int n     = d->own[0];
  for (int k = 0; k < d->own[2]; k++)
    for (int j = 0; j < d->own[1]; j++) {
      const ptrdiff_t at = pencil_at(d, j, k);
      double *g          = d->g[0][c] + (size_t)(k * d->own[1] + j) * (size_t)(n + 1);
      conductances(n + 1, per_distance(d, 0), C + at - 1, C + at, g);
      if (d->collector) g[0] = 2.0 * per_distance(d, 0) * C[at];
      if (d->separator) g[n] = 2.0 * per_distance(d, 0) * C[at + n - 1];
    }
  for (int axis = 1; axis < d->grid.dim; axis++) {
    double *g = d->g[axis][c];
    for (int k = 0; k < d->own[2] + (axis == 2); k++)
      for (int j = 0; j < d->own[1] + (axis == 1); j++, g += n) {
        const ptrdiff_t at = pencil_at(d, j, k);
        conductances(n, per_distance(d, axis), C + at - d->stride[axis], C + at, g);
      }
  }
}

PetscErrorCode DiscreteSet(ScoriaDiscrete *d)
{
  const PetscScalar *own, *all;
  const int n = d->own[0];
  Vec from    = d->eps;
  double *box[1];
  PetscFunctionBeginUser;
  d->problem->shape(d->p, &d->shape);
  d->grid.length[0] = d->shape.L; /* which may be a condition */
  const double h    = d->grid.length[0] / d->grid.n[0];
  if (d->size > 1 || d->grid.dim > 1) {
    PetscCall(DMGlobalToLocalBegin(d->dm_eps, d->eps, INSERT_VALUES, d->eps_local));
    PetscCall(DMGlobalToLocalEnd(d->dm_eps, d->eps, INSERT_VALUES, d->eps_local));
    from = d->eps_local;
  }
  box[0] = d->s[0]; /* the state is loaded anew before it is used */
  for (int i = 0; i < d->box_cells; i++) box[0][i] = 0.5;
  PetscCall(VecGetArrayRead(from, &all));
  unpack(d, 1, all, box);
  PetscCall(VecRestoreArrayRead(from, &all));
  d->problem->coefficients(d->p, d->box_cells, box[0], d->C);
  for (int c = 0; c < d->shape.coefficients; c++) set_conductances(d, c);
  PetscCall(VecGetArrayRead(d->eps, &own));
  for (int at = 0; at < d->cells; at += n) {
    double *local[MAX_LOCALS] = {NULL}, *capacity[MAX_UNKNOWNS] = {NULL};
    for (int i = 0; i < d->shape.locals; i++) local[i] = d->a[i] + at;
    for (int i = 0; i < d->shape.unknowns; i++) capacity[i] = d->capacity[i] + at;
    d->problem->locals(d->p, n, (d->grid.dim == 1 ? d->first + 0.5 : 0.5) * h, h, own + at, local);
    if (d->timed) d->problem->capacities(d->p, n, h, own + at, capacity);
  }
  PetscCall(VecRestoreArrayRead(d->eps, &own));
  PetscFunctionReturn(0);
}
