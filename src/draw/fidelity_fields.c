/* What a member has solved, at the cells of the family: profiles, or whole fields. */
#include "family.h"
#include <math.h>
#include <string.h>

/* Values at the centres of n cells to those of N of the same length: linear between centres and beyond the outer ones.
 */
static void interpolate(int n, const double from[], int N, double to[])
{
  for (int i = 0; i < N; i++) {
    const double at = (i + 0.5) * n / N - 0.5;
    const int j     = PetscMax(0, PetscMin(n - 2, (int)floor(at)));
    to[i]           = from[j] + (at - j) * (from[j + 1] - from[j]);
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

/* The two centres of an axis of n cells around centre i of N, and the share of the second: beyond the outer ones along
 * x, periodic along y and z. */
typedef struct {
  int at[2];
  double share;
} Between;

static Between between(int n, int N, int i, bool periodic)
{
  const double at = (i + 0.5) * n / N - 0.5;
  int j           = (int)floor(at);
  if (n == 1) return (Between){.at = {0, 0}};
  if (!periodic) j = PetscMax(0, PetscMin(n - 2, j));
  return (Between){.at = {(j + n) % n, (j + 1 + n) % n}, .share = at - j};
}

static double along_x(const double row[], const Between *x)
{
  return row[x->at[0]] + x->share * (row[x->at[1]] - row[x->at[0]]);
}

/* A field on the member's grid at the centres of the family's: linear along each axis. */
static void refine(const ScoriaGrid *from, const double field[], const ScoriaGrid *to, double fine[])
{
  const int nx = from->n[0], ny = from->n[1];
  for (int k = 0; k < to->n[2]; k++) {
    const Between z = between(from->n[2], to->n[2], k, true);
    for (int j = 0; j < to->n[1]; j++) {
      const Between y = between(ny, to->n[1], j, true);
      for (int i = 0; i < to->n[0]; i++) {
        const Between x = between(nx, to->n[0], i, false);
        double plane[2];
        for (int b = 0; b < 2; b++) {
          const double *first = field + ((size_t)z.at[b] * (size_t)ny + (size_t)y.at[0]) * (size_t)nx;
          const double *next  = field + ((size_t)z.at[b] * (size_t)ny + (size_t)y.at[1]) * (size_t)nx;
          const double low    = along_x(first, &x);
          plane[b]            = low + y.share * (along_x(next, &x) - low);
        }
        *fine++ = plane[0] + z.share * (plane[1] - plane[0]);
      }
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
    if (mine) refine(&m->grid, m->alone ? f->own : f->all, &f->grid, fields + (size_t)c * (size_t)f->cells);
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
