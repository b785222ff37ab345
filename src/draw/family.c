/* What the members of a family of fidelities need of it. */
#include "family.h"

/* Of one core: a Newton iteration of a line and of a grid, an iteration of its linear solver, a draw; per cell [ns].
 * Medians of the decks of input/ on one processor; they need only tell cheap from dear. */
#define NS_LINE 340
#define NS_NEWTON 180
#define NS_LINEAR 90
#define NS_DRAW_LINE 60
#define NS_DRAW 62

double grid_cells(const ScoriaGrid *grid)
{
  return (double)grid->n[0] * grid->n[1] * grid->n[2];
}

void fidelity_count(ScoriaFidelityCost *cost, const ScoriaGrid *grid, const ScoriaSolveStatus *status, bool counts)
{
  const double cell = grid->dim == 1 ? (double)NS_LINE * status->newton
                                     : (double)NS_NEWTON * status->newton + (double)NS_LINEAR * status->linear;
  if (!counts) return;
  cost->work += (int64_t)(cell * grid_cells(grid));
  cost->solves++;
  cost->failed += status->reason <= 0;
}

int64_t family_draw_work(const Family *f)
{
  return (int64_t)(grid_cells(&f->grid) * (f->grid.dim > 1 ? NS_DRAW : NS_DRAW_LINE));
}

PetscErrorCode FidelitySolver(const Family *f, Member *m, MPI_Comm group, double rtol)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSolverCreate(group, f->problem, f->parameters, &m->grid, &m->solver));
  PetscCall(ScoriaSolverSetTime(m->solver, f->time, rtol));
  solver_set_derived(m->solver, f->nderived, f->derived);
  m->cells = solver_own_cells(m->solver);
  PetscFunctionReturn(0);
}

int family_find(const Family *f, const FidelityRow *row)
{
  for (int k = 0; k < f->n; k++)
    if (f->member[k].row == row) return k;
  return -1;
}
