/* Preconditioners in two and three dimensions: Newton and linear iterations, seconds and memory of a solve of the
 * showcase electrode, porosity .1 to .6, correlation lengths along x of 3 cells and of a quarter of the domain, all
 * ranks on one solve.
 * mpirun -n RANKS bench_dimensions [-bench_draws n] [-bench_rows a,b,...] [-bench_grids a,b,...] (numbers of the rows
 * and grids below; default all) [-bench_aspects a,b,...] (lateral width of the cells, in units of their width along x;
 * default 1; correlation lengths are lateral_times() as long as along x) [-bench_time t] (a transient, to t [s]).
 * Memory is what the row has added to the process: run one row at a time to compare it.
 *
 * The first draw of each row is not counted: it makes matrices, hierarchies and spectra. */
#include "physics/electrode/electrode.h"
#include "scoria/draw.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char deck_text[] =
    "electrode: {set: chen2020_negative, model: newman, state: ocp, bruggeman_kappa: 1.5, bruggeman_D: 1.8}\n"
    "porosity: {kernel: se, min: 0.1, max: 0.6, ell: 1e-5, anisotropy: [%g, %g]}\n"
    "conditions: {U0: [0.10, 0.25], F_right: [5, 20]}\n";

#define SPLIT(solver)                                                                                                  \
  "-pc_type fieldsplit -pc_fieldsplit_type multiplicative -fieldsplit_0_ksp_type preonly "                             \
  "-fieldsplit_0_pc_type " solver " -fieldsplit_1_ksp_type preonly -fieldsplit_1_pc_type " solver

static const struct {
  const char *name, *options;
  int most; /* cells beyond which it is not tried */
} rows[] = {
    {"multigrid, lines along x (default)", "", 1 << 30},
    {"LU, MUMPS", "-ksp_type preonly -pc_type lu -pc_factor_mat_solver_type mumps", 40000},
    {"fieldsplit, hypre", SPLIT("hypre"), 1 << 30},
    {"fieldsplit, GAMG", SPLIT("gamg"), 1 << 30},
    {"hypre, both fields at once", "-pc_type hypre -pc_hypre_boomeramg_strong_threshold 0.5", 1 << 30},
    {"GAMG, both fields at once", "-pc_type gamg", 1 << 30},
    {"additive Schwarz, ILU(1)", "-pc_type asm -sub_pc_factor_levels 1", 5000},
};
#define ROWS ((int)(sizeof rows / sizeof *rows))

static const int grids[][3] = {{16, 16, 16}, {32, 32, 32}, {64, 32, 32}, {24, 48, 1}, {16, 32, 32}};
#define GRIDS ((int)(sizeof grids / sizeof *grids))

#define TIME SCORIA_NTHETA /* index of the time in theta */

typedef struct {
  double newton, linear, seconds, worst;
  int failed, solves;
} Cost;

static void theta_of_draw(int r, double ell, double theta[])
{
  theta[SCORIA_U0]      = 0.10 + 0.03 * (r % 6);
  theta[SCORIA_F_RIGHT] = 10.0 + 2.0 * (r % 6);
  theta[SCORIA_ELL]     = ell;
}

/* A lateral correlation length in units of that along x: as many cells, but 8 times as long at most. */
static double lateral_times(double aspect)
{
  return fmin(aspect, 8.0);
}

static ScoriaGrid grid_of(const int cells[3], double L, double aspect)
{
  const double h = L / cells[0];
  return (ScoriaGrid){.dim    = cells[2] > 1 ? 3 : 2,
                      .n      = {cells[0], cells[1], cells[2]},
                      .length = {L, aspect * h * cells[1], cells[2] > 1 ? aspect * h * cells[2] : h}};
}

static PetscErrorCode Draws(ScoriaPorosity porosity, ScoriaSolver solver, double ell, double time, int draws,
                            double eps[], Cost *cost)
{
  PetscFunctionBeginUser;
  for (int r = 0; r <= draws; r++) {
    double theta[SCORIA_NTHETA + 1];
    ScoriaSolveStatus status;
    theta_of_draw(r, ell, theta);
    theta[TIME] = time;
    PetscCall(ScoriaPorosityDraw(porosity, ell, draw_number(SCORIA_DRAWS_ROWS, 0, r), eps));
    PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
    const double start = wall_seconds();
    PetscCall(ScoriaSolverSolve(solver, theta, eps, &status));
    if (r == 0) continue;
    cost->seconds += wall_seconds() - start;
    cost->newton += status.newton;
    cost->linear += status.linear;
    cost->worst = PetscMax(cost->worst, (double)status.linear / PetscMax(status.newton, 1));
    cost->failed += status.reason < 0 || status.rung != SCORIA_BY_NEWTON;
    cost->solves++;
  }
  PetscFunctionReturn(0);
}

/* Resident memory of all ranks [MB]. */
static PetscErrorCode Memory(double *megabytes)
{
  PetscLogDouble bytes;
  PetscFunctionBeginUser;
  PetscCall(PetscMemoryGetCurrentUsage(&bytes));
  *megabytes = 1e-6 * bytes;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, megabytes, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  PetscFunctionReturn(0);
}

static PetscErrorCode Print(int row, const int cells[3], double aspect, const Cost *cost, double megabytes)
{
  char linear[32] = "       -        -";
  PetscFunctionBeginUser;
  if (cost->linear > 0) snprintf(linear, sizeof linear, "%8.2f %8.2f", cost->linear / cost->newton, cost->worst);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%3d x %2d x %2d %6g  %-30s %6.2f %s %10.4f %8.0f%s\n", cells[0], cells[1],
                        cells[2], aspect, rows[row].name, cost->newton / cost->solves, linear,
                        cost->seconds / cost->solves, megabytes, cost->failed ? "  FAILED" : ""));
  PetscFunctionReturn(0);
}

static PetscErrorCode OneRow(int row, const int cells[3], double aspect, double time, int draws)
{
  static const ScoriaKey *const tables[] = {scoria_base_keys, scoria_physics_keys, electrode_keys, NULL};
  const double ells[]                    = {3.0, 0.25 * cells[0]}; /* cells */
  char text[512];
  ScoriaDeck deck;
  ScoriaElectrode el;
  ScoriaGrid grid;
  ScoriaSolver solver;
  ScoriaPorosity porosity;
  Cost cost = {0};
  double before, after, *eps;
  char *given;
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetAll(NULL, &given));
  snprintf(text, sizeof text, deck_text, lateral_times(aspect), lateral_times(aspect));
  PetscCall(PetscOptionsInsertString(NULL, rows[row].options));
  PetscCall(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &deck));
  PetscCall(ElectrodeFromDeck(deck, &el));
  grid = grid_of(cells, el.L, aspect);
  PetscCall(ScoriaPorosityCreate(deck, PETSC_COMM_WORLD, &grid, &porosity));
  PetscCall(Memory(&before));
  PetscCall(ScoriaSolverCreate(PETSC_COMM_WORLD, &scoria_electrode, &el, &grid, &solver));
  if (time > 0) PetscCall(ScoriaSolverSetTime(solver, TIME, 1e-5));
  PetscCall(PetscMalloc1(solver_own_cells(solver), &eps));
  for (int l = 0; l < 2; l++) PetscCall(Draws(porosity, solver, ells[l] * el.L / cells[0], time, draws, eps, &cost));
  PetscCall(Memory(&after));
  PetscCall(Print(row, cells, aspect, &cost, after - before));
  PetscCall(PetscFree(eps));
  PetscCall(ScoriaSolverDestroy(&solver));
  PetscCall(ScoriaPorosityDestroy(&porosity));
  PetscCall(ScoriaDeckDestroy(&deck));
  PetscCall(PetscOptionsClear(NULL));
  PetscCall(PetscOptionsInsertString(NULL, given));
  PetscCall(PetscFree(given));
  PetscFunctionReturn(0);
}

#define MAX_ASPECTS 16

static PetscErrorCode Bench(void)
{
  PetscInt draws = 3, n = ROWS, chosen[ROWS], ngrids = GRIDS, grid[GRIDS], naspects = MAX_ASPECTS;
  PetscReal aspects[MAX_ASPECTS], time = 0;
  PetscBool some, certain, wide;
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_draws", &draws, NULL));
  PetscCall(PetscOptionsGetIntArray(NULL, NULL, "-bench_rows", chosen, &n, &some));
  PetscCall(PetscOptionsGetIntArray(NULL, NULL, "-bench_grids", grid, &ngrids, &certain));
  PetscCall(PetscOptionsGetRealArray(NULL, NULL, "-bench_aspects", aspects, &naspects, &wide));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-bench_time", &time, NULL));
  if (!wide) aspects[0] = naspects = 1;
  if (!some)
    for (n = 0; n < ROWS; n++) chosen[n] = n;
  if (!certain)
    for (ngrids = 0; ngrids < GRIDS; ngrids++) grid[ngrids] = ngrids;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%-13s%7s  %-30s %6s %8s %8s %10s %8s\n", "cells", "aspect", "preconditioner",
                        "Newton", "lin/New", "worst", "s/solve", "MB"));
  for (PetscInt g = 0; g < ngrids; g++)
    for (PetscInt a = 0; a < naspects; a++)
      for (PetscInt i = 0; i < n; i++) {
        const int *cells = grids[grid[g]];
        if (cells[0] * cells[1] * cells[2] <= rows[chosen[i]].most)
          PetscCall(OneRow((int)chosen[i], cells, aspects[a], time, (int)draws));
      }
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return EXIT_FAILURE;
  const PetscErrorCode ierr = Bench();
  if (ierr) fprintf(stderr, "%s\n", ScoriaFailureLine());
  if (PetscFinalize() || ierr) return EXIT_FAILURE;
  return EXIT_SUCCESS;
}
