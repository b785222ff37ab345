/* What a member has solved, at the cells of the family: profiles, or whole fields. */
#include "family.h"
#include <math.h>
#include <string.h>

/* Four neighbouring centres of an axis of n cells, and the weights that give the cubic through them at centre i of N
 * cells of the same length.  Along x the outermost four serve to both ends: their cubic keeps the slope of a boundary
 * condition, which a line between centres does not.  y and z are periodic. */
typedef struct {
  int at[4];
  double weight[4]; /* exactly 0 and 1 where i is the centre of one of the n cells */
} Stencil;

static Stencil stencil(int n, int N, int i, bool periodic)
{
  const double place = (i + 0.5) * n / N - 0.5; /* centre 0 is at 0 */
  int first          = (int)floor(place) - 1;
  if (n == 1) return (Stencil){.weight = {1}};
  if (!periodic) first = PetscClipInterval(first, 0, n - 4);
  const double t = place - first, a = t - 1, b = t - 2, c = t - 3;
  Stencil s = {.weight = {-a * b * c / 6, t * b * c / 2, -t * a * c / 2, t * a * b / 6}};
  for (int k = 0; k < 4; k++) s.at[k] = (first + k + n) % n;
  return s;
}

static double along(const double row[], const Stencil *s)
{
  double sum = 0;
  for (int k = 0; k < 4; k++) sum += s->weight[k] * row[s->at[k]];
  return sum;
}

static void interpolate(int n, const double from[], int N, double to[])
{
  for (int i = 0; i < N; i++) {
    const Stencil x = stencil(n, N, i, false);
    to[i]           = along(from, &x);
  }
}

static PetscErrorCode Profiles(const Family *f, Member *m, double fields[])
{
  PetscFunctionBeginUser;
  for (int c = 0; c < f->channels; c++) {
    double *to = fields + (size_t)c * (size_t)f->cells;
    if (m->grid.n[0] == f->nx)
      PetscCall(ScoriaSolverProfile(m->solver, c, to, NULL));
    else {
      PetscCall(ScoriaSolverProfile(m->solver, c, m->profile, NULL));
      interpolate(m->grid.n[0], m->profile, f->nx, to);
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

/* A field on the member's grid at the centres of the family's: cubic along each axis.  row (nx) is scratch. */
static void refine(const ScoriaGrid *from, const double field[], const ScoriaGrid *to, double row[], double fine[])
{
  for (int k = 0; k < to->n[2]; k++) {
    const Stencil z = stencil(from->n[2], to->n[2], k, true);
    for (int j = 0; j < to->n[1]; j++, fine += to->n[0]) {
      const Stencil y = stencil(from->n[1], to->n[1], j, true);
      row_at(from, field, &y, &z, row);
      interpolate(from->n[0], row, to->n[0], fine);
    }
  }
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
  PetscFunctionBeginUser;
  for (int c = 0; c < f->channels; c++) {
    PetscCall(ScoriaSolverField(m->solver, c, f->own));
    if (!m->alone) PetscCall(ScoriaGatherCells(f->groups, &m->grid, f->own, f->all));
    if (mine) refine(&m->grid, m->alone ? f->own : f->all, &f->grid, f->line, fields + (size_t)c * (size_t)f->cells);
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
