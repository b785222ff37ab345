/* What a member has solved, at the cells of the family: profiles, or whole fields. */
#include "family.h"
#include <math.h>
#include <string.h>

/* Four points of an axis, and the weights that give the cubic through their values at another one: exactly 0 and 1
 * where that is one of them. */
typedef struct {
  int at[4];
  double weight[4];
} Stencil;

static void weigh(const double node[4], double place, double weight[4])
{
  for (int k = 0; k < 4; k++) {
    weight[k] = 1;
    for (int l = 0; l < 4; l++)
      if (l != k) weight[k] *= (place - node[l]) / (node[k] - node[l]);
  }
}

/* Centre i of N cells on an axis of n of the same length, of which centre 0 is at 0, 1 at 1. */
static double place_of(int n, int N, int i)
{
  return (i + 0.5) * n / N - 0.5;
}

/* Along y or z, which are periodic. */
static Stencil across(int n, int N, int i)
{
  const double place = place_of(n, N, i);
  const int first    = (int)floor(place) - 1;
  double node[4];
  Stencil s = {.weight = {1}};
  if (n == 1) return s;
  for (int k = 0; k < 4; k++) {
    node[k] = first + k;
    s.at[k] = (first + k + n) % n;
  }
  weigh(node, place, s.weight);
  return s;
}

/* Along x, in a row (n + 2) that has the centres behind the value at x = 0 and before that at L.  Beyond an end where
 * the field is flat it is its mirror image; where it is held, the value there takes a centre's place; else the
 * outermost four centres serve up to the end. */
static Stencil along(int n, int N, int i, const ScoriaEnd end[2])
{
  const double place = place_of(n, N, i);
  int first          = (int)floor(place) - 1;
  double node[4];
  Stencil s;
  if (first < 0 && end[0].kind != SCORIA_END_FLAT) first = end[0].kind == SCORIA_END_HELD ? -1 : 0;
  if (first > n - 4 && end[1].kind != SCORIA_END_FLAT) first = end[1].kind == SCORIA_END_HELD ? n - 3 : n - 4;
  for (int k = 0; k < 4; k++) {
    const int j = first + k;
    node[k]     = j;
    s.at[k]     = j < 0 ? -j : j < n ? j + 1 : 2 * n - j;
    if (j == -1 && end[0].kind == SCORIA_END_HELD) node[k] = -0.5, s.at[k] = 0;
    if (j == n && end[1].kind == SCORIA_END_HELD) node[k] = n - 0.5, s.at[k] = n + 1;
  }
  weigh(node, place, s.weight);
  return s;
}

/* The stencils of all N cells along x (owned by the caller): alike for every row of a field. */
static PetscErrorCode StencilsAlong(int n, const ScoriaEnd end[2], int N, Stencil **stencils)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(N, stencils));
  for (int i = 0; i < N; i++) (*stencils)[i] = along(n, N, i, end);
  PetscFunctionReturn(0);
}

/* Sets the ends of a row (n + 2), and interpolates to N cells. */
static void interpolate(int n, const ScoriaEnd end[2], double row[], int N, const Stencil x[], double to[])
{
  row[0]     = end[0].value;
  row[n + 1] = end[1].value;
  for (int i = 0; i < N; i++) {
    to[i] = 0;
    for (int k = 0; k < 4; k++) to[i] += x[i].weight[k] * row[x[i].at[k]];
  }
}

static void ends_of(const Member *m, int c, ScoriaEnd end[2])
{
  for (int side = 0; side < 2; side++) end[side] = solver_end(m->solver, c, side);
}

static PetscErrorCode Profiles(const Family *f, Member *m, double fields[])
{
  ScoriaEnd end[2];
  Stencil *x;
  PetscFunctionBeginUser;
  for (int c = 0; c < f->channels; c++) {
    double *to = fields + (size_t)c * (size_t)f->cells;
    if (m->grid.n[0] == f->nx)
      PetscCall(ScoriaSolverProfile(m->solver, c, to, NULL));
    else {
      ends_of(m, c, end);
      PetscCall(ScoriaSolverProfile(m->solver, c, f->line + 1, NULL));
      PetscCall(StencilsAlong(m->grid.n[0], end, f->nx, &x));
      interpolate(m->grid.n[0], end, f->line, f->nx, x, to);
      PetscCall(PetscFree(x));
    }
  }
  PetscFunctionReturn(0);
}

/* The row along x of a field on a grid at places of y and z, into row (nx). */
static void row_at(const ScoriaGrid *grid, const double field[], const Stencil *y, const Stencil *z, double row[])
{
  const int nx = grid->n[0], ny = grid->n[1];
  memset(row, 0, sizeof *row * (size_t)nx);
  for (int k = 0; k < 4; k++)
    for (int j = 0; j < 4; j++) {
      const double weight = z->weight[k] * y->weight[j];
      const double *from  = field + ((size_t)z->at[k] * (size_t)ny + (size_t)y->at[j]) * (size_t)nx;
      if (weight == 0) continue;
      for (int i = 0; i < nx; i++) row[i] += weight * from[i];
    }
}

/* A field on the member's grid at the centres of the family's: cubic along each axis.  row (n + 2 along x) is scratch.
 */
static PetscErrorCode Refine(const ScoriaGrid *from, const ScoriaEnd end[2], const double field[], const ScoriaGrid *to,
                             double row[], double fine[])
{
  Stencil *x;
  PetscFunctionBeginUser;
  PetscCall(StencilsAlong(from->n[0], end, to->n[0], &x));
  for (int k = 0; k < to->n[2]; k++) {
    const Stencil z = across(from->n[2], to->n[2], k);
    for (int j = 0; j < to->n[1]; j++, fine += to->n[0]) {
      const Stencil y = across(from->n[1], to->n[1], j);
      row_at(from, field, &y, &z, row + 1);
      interpolate(from->n[0], end, row, to->n[0], x, fine);
    }
  }
  PetscCall(PetscFree(x));
  PetscFunctionReturn(0);
}

PetscErrorCode FidelityGather(const Family *f, const double own[], double field[])
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaGatherCells(f->groups, &f->grid, own, field));
  PetscFunctionReturn(0);
}

static PetscErrorCode WholeFields(const Family *f, Member *m, double fields[])
{
  const bool mine = m->alone || groups_leads(f->groups);
  ScoriaEnd end[2];
  PetscFunctionBeginUser;
  for (int c = 0; c < f->channels; c++) {
    PetscCall(ScoriaSolverField(m->solver, c, f->own));
    if (!m->alone) PetscCall(ScoriaGatherCells(f->groups, &m->grid, f->own, f->all));
    ends_of(m, c, end);
    if (mine)
      PetscCall(
          Refine(&m->grid, end, m->alone ? f->own : f->all, &f->grid, f->line, fields + (size_t)c * (size_t)f->cells));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode FidelityFields(const Family *f, Member *m, double fields[])
{
  PetscFunctionBeginUser;
  if (f->whole)
    PetscCall(WholeFields(f, m, fields));
  else
    PetscCall(Profiles(f, m, fields));
  PetscFunctionReturn(0);
}
