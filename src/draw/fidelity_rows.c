/* The fidelities: the deck's own solve; coarser grids; the line of the lateral means and its opposite; larger time
 * steps. */
#include "family.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool always(const Family *f, int number, size_t size, char lacks[])
{
  (void)f;
  (void)number;
  (void)size;
  (void)lacks;
  return true;
}

bool fidelity_has_lateral(const Family *f, int number, size_t size, char lacks[])
{
  (void)number;
  snprintf(lacks, size, "ensemble_cells has one axis: nothing is lateral");
  return f->grid.dim > 1;
}

/* ------------------------------------------------------------------------------------------- the deck's own ---- */

static PetscErrorCode CreateFine(const Family *f, Member *m)
{
  PetscFunctionBeginUser;
  m->solver   = f->solver;
  m->borrowed = true;
  PetscFunctionReturn(0);
}

static PetscErrorCode SolveOn(const Family *f, Member *m, const double theta[], const double eps[], double fields[],
                              ScoriaFidelityCost *cost)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSolverSolve(m->solver, theta, eps, &m->status));
  fidelity_count(cost, &m->grid, &m->status, groups_leads(f->groups));
  PetscCall(FidelityFields(f, m, fields));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeFine(const Family *f, Member *m, const double theta[], int i, const double eps[],
                               double fields[], ScoriaFidelityCost *cost)
{
  (void)i;
  PetscFunctionBeginUser;
  PetscCall(SolveOn(f, m, theta, eps, fields, cost));
  PetscFunctionReturn(0);
}

const FidelityRow fidelity_fine = {
    .name = "fine", .help = "the deck's own solve", .fits = always, .create = CreateFine, .take = TakeFine};

/* ------------------------------------------------------------------------------------------- larger steps ---- */

static bool in_time(const Family *f, int number, size_t size, char lacks[])
{
  (void)number;
  snprintf(lacks, size, "the problem is steady: time is no condition");
  return f->time >= 0;
}

static PetscErrorCode CreateSteps(const Family *f, Member *m)
{
  PetscFunctionBeginUser;
  PetscCall(FidelitySolver(f, m, f->groups->group, f->rtol * m->number));
  PetscFunctionReturn(0);
}

const FidelityRow fidelity_steps = {.name    = "steps",
                                    .help    = "the time integration's tolerance N times as large",
                                    .least   = 2,
                                    .fits    = in_time,
                                    .create  = CreateSteps,
                                    .take    = TakeFine,
                                    .numbers = {1000}};

/* ----------------------------------------------------------------------------------------------- the line ---- */

PetscErrorCode FidelityLine(const Family *f, Member *m, size_t values)
{
  PetscFunctionBeginUser;
  m->alone     = true;
  m->grid.dim  = 1;
  m->grid.n[1] = m->grid.n[2] = 1;
  PetscCall(FidelitySolver(f, m, PETSC_COMM_SELF, f->rtol));
  PetscCall(PetscMalloc1(values, &m->profile));
  PetscFunctionReturn(0);
}

PetscErrorCode FidelityCreateLine(const Family *f, Member *m)
{
  PetscFunctionBeginUser;
  PetscCall(FidelityLine(f, m, (size_t)FIDELITY_BATCH * (size_t)f->nx));
  PetscFunctionReturn(0);
}

PetscErrorCode FidelityTakeLine(const Family *f, Member *m, const double theta[], int i, const double eps[],
                                double fields[], ScoriaFidelityCost *cost)
{
  (void)theta;
  (void)fields;
  (void)cost;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSolverAverage(f->solver, eps, m->profile + (size_t)i * (size_t)f->nx, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode FidelityDealLines(const Family *f, Member *m, const double theta[], int n, FidelityLineSolve solve,
                                 double fields[], ScoriaFidelityCost *cost)
{
  const int size = f->groups->group_size, rank = f->groups->group_rank;
  const size_t width = (size_t)f->channels * (size_t)f->cells;
  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++) {
    double *to = fields + (size_t)i * width;
    if (i % size != rank) {
      PetscCall(PetscArrayzero(to, width));
      continue;
    }
    PetscCall(solve(f, m, theta, m->profile + (size_t)i * (size_t)f->nx, true, cost));
    PetscCall(FidelityFields(f, m, to));
  }
  /* bits, of which every double has one writer: a sum would change the sign of a zero */
  if (size > 1) PetscCall(ScoriaReduceMany(f->groups->group, MPI_BOR, (int64_t)width * n, MPI_UINT64_T, fields));
  PetscFunctionReturn(0);
}

static PetscErrorCode SolveLine(const Family *f, Member *m, const double theta[], const double eps[], bool counts,
                                ScoriaFidelityCost *cost)
{
  (void)f;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSolverSolve(m->solver, theta, eps, &m->status));
  fidelity_count(cost, &m->grid, &m->status, counts);
  PetscFunctionReturn(0);
}

static PetscErrorCode EndLine(const Family *f, Member *m, const double theta[], int n, double fields[],
                              ScoriaFidelityCost *cost)
{
  PetscFunctionBeginUser;
  PetscCall(FidelityDealLines(f, m, theta, n, SolveLine, fields, cost));
  PetscFunctionReturn(0);
}

const FidelityRow fidelity_line = {.name    = "line",
                                   .help    = "one dimension, at the lateral mean of the porosity",
                                   .fits    = fidelity_has_lateral,
                                   .create  = FidelityCreateLine,
                                   .take    = FidelityTakeLine,
                                   .end     = EndLine,
                                   .numbers = {1}};

/* ------------------------------------------------------------------------------------------------ the mirror ---- */

static bool has_mirror(const Family *f, int number, size_t size, char lacks[])
{
  (void)number;
  snprintf(lacks, size,
           *porosity_library(f->porosity) ? "the porosity is of a library, whose crops have no opposite"
                                          : "line is not named before it, whose mean it shares");
  return !*porosity_library(f->porosity) && (f->grid.dim == 1 || family_find(f, &fidelity_line) > 0);
}

static PetscErrorCode CreateMirror(const Family *f, Member *m)
{
  PetscFunctionBeginUser;
  if (f->grid.dim > 1)
    PetscCall(FidelityCreateLine(f, m));
  else
    PetscCall(FidelitySolver(f, m, f->groups->group, f->rtol));
  PetscCall(PetscMalloc1(PetscMax(1, solver_own_cells(f->solver)), &m->eps));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeMirror(const Family *f, Member *m, const double theta[], int i, const double eps[],
                                 double fields[], ScoriaFidelityCost *cost)
{
  PetscFunctionBeginUser;
  porosity_mirror(f->porosity, solver_own_cells(f->solver), eps, m->eps);
  if (f->grid.dim > 1)
    PetscCall(FidelityTakeLine(f, m, theta, i, m->eps, fields, cost));
  else
    PetscCall(SolveOn(f, m, theta, m->eps, fields, cost));
  PetscFunctionReturn(0);
}

static PetscErrorCode EndMirror(const Family *f, Member *m, const double theta[], int n, double fields[],
                                ScoriaFidelityCost *cost)
{
  PetscFunctionBeginUser;
  if (f->grid.dim > 1) PetscCall(EndLine(f, m, theta, n, fields, cost));
  PetscFunctionReturn(0);
}

const FidelityRow fidelity_mirror = {
    .name    = "mirror",
    .other   = true,
    .help    = "line, in one dimension the deck's own solve, at the porosity of opposite normals",
    .fits    = has_mirror,
    .create  = CreateMirror,
    .take    = TakeMirror,
    .end     = EndMirror,
    .numbers = {1}};

/* ------------------------------------------------------------------------------------------- coarser grids ---- */

static int least_cells(int axis)
{
  return axis ? 3 : 4; /* as of ensemble_cells */
}

static bool divides(const Family *f, int first, int number, size_t size, char lacks[])
{
  for (int axis = first; axis < f->grid.dim; axis++) {
    const int n = f->grid.n[axis], least = least_cells(axis);
    if (n % number) {
      snprintf(lacks, size, "%d does not divide the %d cells of ensemble_cells along %c", number, n, "xyz"[axis]);
      return false;
    }
    if (n / number < least) {
      snprintf(lacks, size, "it leaves fewer than %d of the %d cells of ensemble_cells along %c", least, n,
               "xyz"[axis]);
      return false;
    }
  }
  return true;
}

static bool grid_fits(const Family *f, int number, size_t size, char lacks[])
{
  return divides(f, 0, number, size, lacks);
}

static bool lateral_fits(const Family *f, int number, size_t size, char lacks[])
{
  return fidelity_has_lateral(f, number, size, lacks) && divides(f, 1, number, size, lacks);
}

/* Cells of a plane: of all axes but the last. */
static int plane_of(const ScoriaGrid *grid)
{
  int cells = 1;
  for (int axis = 0; axis < grid->dim - 1; axis++) cells *= grid->n[axis];
  return cells;
}

/* Which planes of the fine grid go to which ranks: those of its last axis are dealt in blocks, as the coarse ones. */
static void route(const Family *f, Member *m)
{
  const int size = f->groups->group_size, last = f->grid.dim - 1, factor = m->factor[last], plane = plane_of(&m->grid);
  int *sent = m->counts, *from = sent + size, *received = from + size, *to = received + size;
  int mine[2], coarse[2];
  grid_slab(&f->grid, f->groups->group_rank, size, &mine[0], &mine[1]);
  grid_slab(&m->grid, f->groups->group_rank, size, &coarse[0], &coarse[1]);
  for (int r = 0; r < size; r++) {
    int theirs[2], other[2];
    grid_slab(&m->grid, r, size, &theirs[0], &theirs[1]);
    grid_slab(&f->grid, r, size, &other[0], &other[1]);
    int first   = PetscMax(mine[0], theirs[0] * factor);
    int end     = PetscMin(mine[0] + mine[1], (theirs[0] + theirs[1]) * factor);
    sent[r]     = PetscMax(0, end - first) * plane;
    from[r]     = sent[r] ? (first - mine[0]) * plane : 0;
    first       = PetscMax(other[0], coarse[0] * factor);
    end         = PetscMin(other[0] + other[1], (coarse[0] + coarse[1]) * factor);

    received[r] = PetscMax(0, end - first) * plane;
    to[r]       = received[r] ? (first - coarse[0] * factor) * plane : 0;
  }
}

static PetscErrorCode CreateCoarse(const Family *f, Member *m)
{
  const int last = f->grid.dim - 1;
  int first, planes, coarse;
  PetscFunctionBeginUser;
  for (int axis = 0; axis < f->grid.dim; axis++) m->grid.n[axis] = f->grid.n[axis] / m->factor[axis];
  PetscCall(FidelitySolver(f, m, f->groups->group, f->rtol));
  grid_slab(&f->grid, f->groups->group_rank, f->groups->group_size, &first, &planes);
  grid_slab(&m->grid, f->groups->group_rank, f->groups->group_size, &first, &coarse);
  PetscCall(PetscMalloc1(PetscMax(1, m->cells), &m->eps));
  PetscCall(PetscMalloc1(PetscMax(1, planes * plane_of(&m->grid)), &m->planes));
  PetscCall(PetscMalloc1(PetscMax(1, coarse * m->factor[last] * plane_of(&m->grid)), &m->arrived));
  PetscCall(PetscMalloc1(4 * f->groups->group_size, &m->counts));
  route(f, m);
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateGrid(const Family *f, Member *m)
{
  PetscFunctionBeginUser;
  for (int axis = 0; axis < f->grid.dim; axis++) m->factor[axis] = m->number;
  PetscCall(CreateCoarse(f, m));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateLateral(const Family *f, Member *m)
{
  PetscFunctionBeginUser;
  for (int axis = 1; axis < f->grid.dim; axis++) m->factor[axis] = m->number;
  PetscCall(CreateCoarse(f, m));
  PetscFunctionReturn(0);
}

/* One plane of the fine grid to means over the cells of the coarse one. */
static void coarsen_plane(const Family *f, const Member *m, const double from[], double to[])
{
  const int nx = f->grid.dim > 1 ? m->grid.n[0] : 1, ny = f->grid.dim > 2 ? m->grid.n[1] : 1;
  const int fx = f->grid.dim > 1 ? m->factor[0] : 1, fy = f->grid.dim > 2 ? m->factor[1] : 1;
  for (int y = 0; y < ny; y++)
    for (int x = 0; x < nx; x++) {
      double sum = 0;
      for (int j = 0; j < fy; j++)
        for (int i = 0; i < fx; i++) sum += from[(size_t)(y * fy + j) * (size_t)(nx * fx) + (size_t)(x * fx + i)];
      to[y * nx + x] = sum / (fx * fy);
    }
}

/* The mean of the fine porosity over each own cell of the coarse grid; summed in the order of the fine planes, whoever
 * has them. */
static PetscErrorCode Restrict(const Family *f, Member *m, const double eps[])
{
  const int last = f->grid.dim - 1, factor = m->factor[last], fine = plane_of(&f->grid), plane = plane_of(&m->grid);
  const int size = f->groups->group_size, planes = solver_own_cells(f->solver) / fine;
  const int *counts = m->counts;
  PetscFunctionBeginUser;
  for (int p = 0; p < planes; p++)
    coarsen_plane(f, m, eps + (size_t)p * (size_t)fine, m->planes + (size_t)p * (size_t)plane);
  PetscCallMPI(MPI_Alltoallv(m->planes, counts, counts + size, MPI_DOUBLE, m->arrived, counts + 2 * size,
                             counts + 3 * size, MPI_DOUBLE, f->groups->group));
  for (int p = 0; p < m->cells / plane; p++)
    for (int i = 0; i < plane; i++) {
      double sum = 0;
      for (int k = 0; k < factor; k++) sum += m->arrived[(size_t)(p * factor + k) * (size_t)plane + (size_t)i];
      m->eps[p * plane + i] = sum / factor;
    }
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeCoarse(const Family *f, Member *m, const double theta[], int i, const double eps[],
                                 double fields[], ScoriaFidelityCost *cost)
{
  (void)i;
  PetscFunctionBeginUser;
  PetscCall(Restrict(f, m, eps));
  PetscCall(SolveOn(f, m, theta, m->eps, fields, cost));
  PetscFunctionReturn(0);
}

const FidelityRow fidelity_grid    = {.name    = "grid",
                                      .help    = "cells N times as wide along every axis, at their mean porosity",
                                      .least   = 2,
                                      .fits    = grid_fits,
                                      .create  = CreateGrid,
                                      .take    = TakeCoarse,
                                      .numbers = {2, 4}};

const FidelityRow fidelity_lateral = {.name   = "lateral",
                                      .help   = "cells N times as wide along y and z, at their mean porosity",
                                      .least  = 2,
                                      .fits   = lateral_fits,
                                      .create = CreateLateral,
                                      .take   = TakeCoarse};
