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

static ptrdiff_t pencil_at(const ScoriaDiscrete *d, int j, int k)
{
  return d->corner + j * d->stride[1] +
         k * d->stride[2]; /* first own cell of pencil (j, k); -1 and own[] are neighbours */
}

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
  const int n    = d->own[0];
  const double h = d->grid.length[0] / d->grid.n[0];
  Vec from       = d->eps;
  double *box[1];
  PetscFunctionBeginUser;
  d->problem->shape(d->p, &d->shape);
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

/* -------------------------------------------------------------------------------------------- pencil loops ---- */

static void offset_state(const ScoriaDiscrete *d, ptrdiff_t at, const double *s[])
{
  for (int c = 0; c < d->shape.unknowns + d->shape.derived; c++) s[c] = d->s[c] + at;
}

static void offset_each(int number, double *const from[], ptrdiff_t by, double *to[])
{
  for (int c = 0; c < number; c++) to[c] = from[c] + by;
}

/* One end of a pencil: F and its derivatives by the cell beside it, which is b at x = 0 and a at x = L. */
static void pencil_end(ScoriaDiscrete *d, int side, int face, ptrdiff_t cell, const double *const g[], bool derivatives)
{
  const int m = d->shape.unknowns;
  double s[MAX_STATE], here[MAX_COEFFICIENTS], F[MAX_UNKNOWNS], dF[MAX_UNKNOWNS * MAX_UNKNOWNS] = {0};
  for (int c = 0; c < m + d->shape.derived; c++) s[c] = d->s[c][cell];
  for (int c = 0; c < d->shape.coefficients; c++) here[c] = g[c][face];
  d->problem->boundary(d->p, side, s, here, F, derivatives ? dF : NULL);
  for (int c = 0; c < m; c++) d->F[c][face] = F[c];
  if (!derivatives) return;
  for (int c = 0; c < m * m; c++) {
    d->F_a[c][face] = side ? dF[c] : 0;
    d->F_b[c][face] = side ? 0 : dF[c];
  }
}

/* Fluxes through the own[0] + 1 faces of pencil (j, k). */
static void flux_along(ScoriaDiscrete *d, int j, int k, bool derivatives)
{
  const int n = d->own[0], m = d->shape.unknowns, first = d->collector ? 1 : 0, last = d->separator ? n - 1 : n;
  const ptrdiff_t cell = pencil_at(d, j, k);
  const size_t row     = (size_t)(k * d->own[1] + j) * (size_t)(n + 1);
  const double *a[MAX_STATE], *b[MAX_STATE];
  double *g[MAX_COEFFICIENTS], *F[MAX_UNKNOWNS], *F_a[MAX_UNKNOWNS * MAX_UNKNOWNS], *F_b[MAX_UNKNOWNS * MAX_UNKNOWNS];
  offset_state(d, cell + first - 1, a);
  offset_state(d, cell + first, b);
  offset_each(d->shape.coefficients, d->g[0], (ptrdiff_t)row + first, g);
  offset_each(m, d->F, first, F);
  offset_each(m * m, d->F_a, first, F_a);
  offset_each(m * m, d->F_b, first, F_b);
  d->problem->flux(d->p, last - first + 1, a, b, (const double *const *)g, F, derivatives ? F_a : NULL,
                   derivatives ? F_b : NULL, d->work);
  offset_each(d->shape.coefficients, d->g[0], (ptrdiff_t)row, g);
  if (d->collector) pencil_end(d, 0, 0, cell, (const double *const *)g, derivatives);
  if (d->separator) pencil_end(d, 1, n, cell + n - 1, (const double *const *)g, derivatives);
}

/* Fluxes from pencil (j, k) - 1 to (j, k) along a lateral axis: own[0] of them. */
static void flux_across(ScoriaDiscrete *d, int axis, int j, int k, bool derivatives)
{
  const ptrdiff_t cell = pencil_at(d, j, k);
  const size_t row     = (size_t)(k * (d->own[1] + (axis == 1)) + j) * (size_t)d->own[0];
  const double *a[MAX_STATE], *b[MAX_STATE];
  double *g[MAX_COEFFICIENTS];
  offset_state(d, cell - d->stride[axis], a);
  offset_state(d, cell, b);
  offset_each(d->shape.coefficients, d->g[axis], (ptrdiff_t)row, g);
  d->problem->flux(d->p, d->own[0], a, b, (const double *const *)g, d->F, derivatives ? d->F_a : NULL,
                   derivatives ? d->F_b : NULL, d->work);
}

static void source_of(ScoriaDiscrete *d, int j, int k, bool derivatives)
{
  const double *s[MAX_STATE], *local[MAX_LOCALS];
  const size_t own = (size_t)(k * d->own[1] + j) * (size_t)d->own[0];
  offset_state(d, pencil_at(d, j, k), s);
  for (int c = 0; c < d->shape.locals; c++) local[c] = d->a[c] + own;
  d->problem->source(d->p, d->own[0], local, s, d->S, derivatives ? d->S_s : NULL, d->work);
}

void discrete_pencil(ScoriaDiscrete *d)
{
  flux_along(d, 0, 0, true);
  source_of(d, 0, 0, true);
  d->derivatives = true;
}

/* Lateral fluxes are per area of their own face: this makes them per lateral area of a cell. */
static double aspect(const ScoriaDiscrete *d, int axis)
{
  return d->grid.length[0] / d->grid.n[0] * d->grid.n[axis] / d->grid.length[axis];
}

/* ---------------------------------------------------------------------------------------------- residual ---- */

static void residual_along(ScoriaDiscrete *d, int j, int k, double R[])
{
  const int n = d->own[0], m = d->shape.unknowns;
  const bool keep = d->grid.dim == 1; /* Newton asks for the Jacobian at this state next */
  flux_along(d, j, k, keep);
  source_of(d, j, k, keep);
  d->derivatives = keep;
  for (int c = 0; c < m; c++)
    for (int i = 0; i < n; i++) R[i * m + c] = d->F[c][i + 1] - d->F[c][i] - d->S[c][i];
}

static void residual_across(ScoriaDiscrete *d, int axis, double R[])
{
  const int n = d->own[0], m = d->shape.unknowns;
  const double weight  = aspect(d, axis);
  const ptrdiff_t down = axis == 1 ? n : (ptrdiff_t)n * d->own[1];
  for (int k = 0; k < d->own[2] + (axis == 2); k++)
    for (int j = 0; j < d->own[1] + (axis == 1); j++) {
      const int here = axis == 1 ? j : k;
      double *above = R + ((ptrdiff_t)k * d->own[1] + j) * n * m, *below = above - down * m;
      flux_across(d, axis, j, k, false);
      for (int c = 0; c < m; c++) {
        if (here > 0)
          for (int i = 0; i < n; i++) below[i * m + c] += weight * d->F[c][i];
        if (here < d->own[axis])
          for (int i = 0; i < n; i++) above[i * m + c] -= weight * d->F[c][i];
      }
    }
}

void discrete_residual(ScoriaDiscrete *d, const double rate[], double R[])
{
  const int n = d->own[0], m = d->shape.unknowns;
  for (int k = 0; k < d->own[2]; k++)
    for (int j = 0; j < d->own[1]; j++) residual_along(d, j, k, R + (ptrdiff_t)(k * d->own[1] + j) * n * m);
  for (int axis = 1; axis < d->grid.dim; axis++) residual_across(d, axis, R);
  for (int c = 0; c < m; c++) {
    if (d->added[c])
      for (int i = 0; i < d->cells; i++) R[i * m + c] -= d->added[c][i];
    if (rate)
      for (int i = 0; i < d->cells; i++) R[i * m + c] += d->capacity[c][i] * rate[i * m + c];
  }
}

/* ---------------------------------------------------------------------------------------------- Jacobian ---- */

bool discrete_neighbour(const ScoriaDiscrete *d, int i, int j, int k, int side)
{
  (void)j;
  (void)k;
  const int x = i + (d->grid.dim == 1 ? d->first : 0);
  switch (side) {
  case SIDE_SELF:
    return true;
  case SIDE_X0:
    return x > 0;
  case SIDE_X1:
    return x + 1 < d->grid.n[0];
  case SIDE_Y0:
  case SIDE_Y1:
    return d->grid.dim > 1;
  default:
    return d->grid.dim > 2;
  }
}

typedef struct {
  int m;
  const int *at;
  double *value, *beside;
} Blocks;

static inline double *block(const Blocks *b, ptrdiff_t cell, int side)
{
  const ptrdiff_t at = b->at[cell * SIDES + side];
  return at >= 0 ? b->value + at * b->m * b->m : b->beside + (-1 - at) * b->m * b->m;
}

/* The blocks of the cells of pencil (j, k), the diagonal ones without lateral faces; m a constant where this is
 * inlined. */
static inline void pencil_blocks(const ScoriaDiscrete *d, const int m, ptrdiff_t row, const Blocks *b)
{
  const int n     = d->own[0];
  const bool low  = d->collector; /* whether the first cell has no neighbour below, */
  const bool high = d->separator; /* the last one none above */
  for (int i = 0; i < n; i++) {
    double *self  = block(b, row + i, SIDE_SELF);
    double *below = i == 0 && low ? NULL : block(b, row + i, SIDE_X0);
    double *above = i == n - 1 && high ? NULL : block(b, row + i, SIDE_X1);
    for (int c = 0; c < m; c++)
      for (int e = 0; e < m; e++) {
        const int from = c * m + e, to = e * m + c;
        self[to] = d->F_a[from][i + 1] - d->F_b[from][i] - d->S_s[from][i];
        if (below) below[to] = -d->F_a[from][i];
        if (above) above[to] = d->F_b[from][i + 1];
      }
  }
}

static void jacobian_along(ScoriaDiscrete *d, int j, int k, const Blocks *b)
{
  const ptrdiff_t row = (ptrdiff_t)(k * d->own[1] + j) * d->own[0];
  if (!(d->grid.dim == 1 && d->derivatives)) {
    flux_along(d, j, k, true);
    source_of(d, j, k, true);
  }
  switch (b->m) {
  case 1:
    pencil_blocks(d, 1, row, b);
    break;
  case 2:
    pencil_blocks(d, 2, row, b);
    break;
  default:
    pencil_blocks(d, b->m, row, b);
  }
}

static void jacobian_across(ScoriaDiscrete *d, int axis, const Blocks *b)
{
  const int n = d->own[0], m = d->shape.unknowns, up = axis == 1 ? SIDE_Y1 : SIDE_Z1,
            down         = axis == 1 ? SIDE_Y0 : SIDE_Z0;
  const double weight    = aspect(d, axis);
  const ptrdiff_t before = axis == 1 ? n : (ptrdiff_t)n * d->own[1];
  for (int k = 0; k < d->own[2] + (axis == 2); k++)
    for (int j = 0; j < d->own[1] + (axis == 1); j++) {
      const int here        = axis == 1 ? j : k;
      const ptrdiff_t above = ((ptrdiff_t)k * d->own[1] + j) * n, below = above - before;
      flux_across(d, axis, j, k, true);
      for (int i = 0; i < n; i++) {
        double *a_self = here > 0 ? block(b, below + i, SIDE_SELF) : NULL,
               *a_up   = here > 0 ? block(b, below + i, up) : NULL;
        double *b_self = here < d->own[axis] ? block(b, above + i, SIDE_SELF) : NULL,
               *b_down = here < d->own[axis] ? block(b, above + i, down) : NULL;
        for (int c = 0; c < m; c++)
          for (int e = 0; e < m; e++) {
            const int to      = e * m + c;
            const double by_a = weight * d->F_a[c * m + e][i], by_b = weight * d->F_b[c * m + e][i];
            if (a_self) {
              a_self[to] += by_a;
              a_up[to] = by_b;
            }
            if (b_self) {
              b_self[to] -= by_b;
              b_down[to] = -by_a;
            }
          }
      }
    }
}

void discrete_jacobian(ScoriaDiscrete *d, const int at[], double value[], double beside[])
{
  const Blocks b = {d->shape.unknowns, at, value, beside};
  const int m    = b.m;
  for (int k = 0; k < d->own[2]; k++)
    for (int j = 0; j < d->own[1]; j++) jacobian_along(d, j, k, &b);
  for (int axis = 1; axis < d->grid.dim; axis++) jacobian_across(d, axis, &b);
  if (!d->timed || d->shift == 0) return;
  for (int i = 0; i < d->cells; i++)
    for (int c = 0; c < m; c++) block(&b, i, SIDE_SELF)[c * m + c] += d->shift * d->capacity[c][i];
}

/* ------------------------------------------------------------------------------------------------ totals ---- */

void discrete_totals(ScoriaDiscrete *d, const double rate[], double outflow[], double production[])
{
  const int n = d->own[0], m = d->shape.unknowns;
  for (int c = 0; c < m; c++) outflow[c] = production[c] = 0;
  for (int k = 0; k < d->own[2]; k++)
    for (int j = 0; j < d->own[1]; j++) {
      const ptrdiff_t row = (ptrdiff_t)(k * d->own[1] + j) * n;
      flux_along(d, j, k, false);
      source_of(d, j, k, false);
      for (int c = 0; c < m; c++) {
        if (d->separator) outflow[c] += d->F[c][n];
        if (d->collector) outflow[c] -= d->F[c][0];
        for (int i = 0; i < n; i++) production[c] += d->S[c][i] + (d->added[c] ? d->added[c][row + i] : 0);
        for (int i = 0; i < n && rate; i++) production[c] -= d->capacity[c][row + i] * rate[(row + i) * m + c];
      }
    }
  d->derivatives = false;
}
