/* The fidelity that solves every column through the thickness for itself. */
#include "family.h"

static PetscErrorCode CreateColumns(const Family *f, Member *m)
{
  PetscFunctionBeginUser;
  PetscCall(FidelityLine(f, m, (size_t)f->channels * (size_t)f->nx));
  if (f->whole) PetscCall(PetscMalloc1(PetscMax(1, f->channels * solver_own_cells(f->solver)), &m->columns));
  PetscFunctionReturn(0);
}

/* One pencil's profiles, into the mean of all of them, or to its place among this rank's in whole fields (channels, own
 * cells). */
static void add_pencil(const Family *f, const Member *m, int pencil, double all, double to[])
{
  const int nx = f->nx, own = solver_own_cells(f->solver);
  for (int c = 0; c < f->channels; c++)
    for (int i = 0; i < nx; i++) {
      const double value = m->profile[c * nx + i];
      if (f->whole)
        to[(size_t)c * (size_t)own + (size_t)pencil * (size_t)nx + (size_t)i] = value;
      else
        to[c * nx + i] += value / all;
    }
}

/* The profiles of a line, whatever the family's rows are. */
static PetscErrorCode LineProfiles(const Family *f, Member *m)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < f->channels; c++) PetscCall(ScoriaSolverProfile(m->solver, c, m->profile + c * f->nx, NULL));
  PetscFunctionReturn(0);
}

/* What the ranks of a group have of the pencils' fields, to rows. */
static PetscErrorCode JoinColumns(const Family *f, const double own[], double fields[])
{
  const size_t mine = (size_t)solver_own_cells(f->solver);
  PetscFunctionBeginUser;
  if (f->whole)
    for (int c = 0; c < f->channels; c++)
      PetscCall(FidelityGather(f, own + (size_t)c * mine, fields + (size_t)c * (size_t)f->cells));
  else if (f->groups->group_size > 1)
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, fields, f->channels * f->nx, MPI_DOUBLE, MPI_SUM, f->groups->group));
  PetscFunctionReturn(0);
}

/* Each of this rank's pencils is solved for itself; where one has no solution, there is no mean, nor whole fields. */
static PetscErrorCode TakeColumns(const Family *f, Member *m, const double theta[], int i, const double eps[],
                                  double fields[], ScoriaFidelityCost *cost)
{
  const int pencils    = solver_own_cells(f->solver) / f->nx;
  const double all     = (double)f->grid.n[1] * f->grid.n[2];
  double *to           = f->whole ? m->columns : fields;
  ScoriaFidelityCost c = {0};
  ScoriaSolveStatus status;
  (void)i;
  PetscFunctionBeginUser;
  if (!f->whole) PetscCall(PetscArrayzero(fields, f->channels * f->nx));
  m->status = (ScoriaSolveStatus){.reason = 1};
  for (int p = 0; p < pencils; p++) {
    PetscCall(ScoriaSolverSolve(m->solver, theta, eps + (size_t)p * (size_t)f->nx, &status));
    fidelity_count(&c, &m->grid, &status, true);
    if (p == 0 || (status.reason <= 0 && m->status.reason > 0)) m->status = status;
    PetscCall(LineProfiles(f, m));
    add_pencil(f, m, p, all, to);
  }
  PetscCall(JoinColumns(f, to, fields));
  if (f->groups->group_size > 1)
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &c.failed, 1, MPI_INT64_T, MPI_SUM, f->groups->group));
  cost->work += c.work;
  cost->solves += groups_leads(f->groups);
  cost->failed += groups_leads(f->groups) && c.failed > 0;
  PetscFunctionReturn(0);
}

const FidelityRow fidelity_columns = {.name = "columns",
                                      .help = "every column through the thickness for itself, without lateral currents",
                                      .fits = fidelity_has_lateral,
                                      .create  = CreateColumns,
                                      .take    = TakeColumns,
                                      .numbers = {1}};
