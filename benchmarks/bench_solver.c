/* Speed of one core in one dimension: converged solves per second through SNES on the showcase electrode, the cost of
 * its parts, and of a porosity draw.  bench_solver [-bench_conditions n] [-bench_realisations n] [PETSc options]
 *
 * Two passes; the second is reported: the first brings the code, the memory and the clock frequency up. */
#include "physics/electrode/electrode.h"
#include "physics/solver.h"
#include "scoria/draw.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CELLS 128

static const char deck_text[] =
    "electrode: {set: chen2020_negative, model: newman, state: ocp, bruggeman_kappa: 1.5, bruggeman_D: 1.8}\n"
    "porosity: {kernel: se, min: 0.1, max: 0.4}\n"
    "conditions: {U0: [0.10, 0.25], F_right: [5, 20], ell: [4.26e-6, 21.3e-6]}\n"
    "ensemble: {cells: [128], conditions: 64, realisations: 64}\n";

typedef struct {
  double draw, solve, newton;
  int64_t converged, failed, retried;
} Cost;

static PetscErrorCode Measure(ScoriaDesign design, ScoriaSolver solver, ScoriaPorosity porosity, int conditions,
                              int realisations, Cost *cost)
{
  double eps[CELLS], c[CELLS], phi[CELLS], theta[SCORIA_NTHETA];
  PetscFunctionBeginUser;
  *cost = (Cost){0};
  for (int i = 0; i < conditions; i++) {
    PetscCall(ScoriaDesignTheta(design, false, i, conditions, theta));
    for (int r = 0; r < realisations; r++) {
      ScoriaSolveStatus status;
      const double start = wall_seconds();
      PetscCall(ScoriaPorosityDraw(porosity, theta[SCORIA_ELL], draw_number(SCORIA_DRAWS_ROWS, 0, i * realisations + r),
                                   eps));
      const double drawn = wall_seconds();
      PetscCall(ScoriaSolverSolve(solver, theta, eps, &status));
      PetscCall(ScoriaSolverProfile(solver, 0, c, NULL));
      PetscCall(ScoriaSolverProfile(solver, 1, phi, NULL));
      cost->solve += wall_seconds() - drawn;
      cost->draw += drawn - start;
      cost->newton += status.newton;
      if (status.reason > 0)
        cost->converged++;
      else
        cost->failed++;
      if (status.attempts > 1) cost->retried++;
    }
  }
  PetscFunctionReturn(0);
}

/* Seconds per call of the parts of a solve, on the state of the last one. */
static PetscErrorCode Parts(ScoriaSolver s, double seconds[4])
{
  enum { REPEAT = 20000 };
  static double R[2 * CELLS];
  bool good;
  PetscFunctionBeginUser;
  double start = wall_seconds();
  for (int i = 0; i < REPEAT; i++) PetscCall(DiscreteSet(s->d));
  seconds[0] = (wall_seconds() - start) / REPEAT;
  start      = wall_seconds();
  for (int i = 0; i < REPEAT / 10; i++) s->problem->guess(s->p, s->d);
  seconds[1] = (wall_seconds() - start) / (REPEAT / 10);
  start      = wall_seconds();
  for (int i = 0; i < REPEAT; i++) {
    PetscCall(DiscreteLoad(s->d, s->x, &good));
    discrete_residual(s->d, NULL, R);
  }
  seconds[2] = (wall_seconds() - start) / REPEAT;
  start      = wall_seconds();
  for (int i = 0; i < REPEAT; i++) PetscCall(BlocksFill(s->d, &s->J));
  seconds[3] = (wall_seconds() - start) / REPEAT;
  PetscFunctionReturn(0);
}

static PetscErrorCode Bench(void)
{
  static const ScoriaKey *const tables[] = {scoria_base_keys, scoria_physics_keys, electrode_keys, NULL};
  ScoriaDeck deck;
  ScoriaElectrode el;
  ScoriaDesign design;
  ScoriaGrid grid;
  ScoriaSolver solver;
  ScoriaPorosity porosity;
  PetscInt conditions = 64, realisations = 64;
  Cost cost;
  double parts[4] = {0, 0, 0, 0};
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_conditions", &conditions, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_realisations", &realisations, NULL));
  PetscCall(ScoriaDeckCreateFromText(PETSC_COMM_SELF, deck_text, tables, &deck));
  PetscCall(ElectrodeFromDeck(deck, &el));
  PetscCall(ScoriaDesignCreate(deck, &scoria_electrode, &el, &design));
  PetscCall(ScoriaGridFromDeck(deck, el.L, &grid));
  PetscCall(ScoriaSolverCreate(PETSC_COMM_SELF, &scoria_electrode, &el, &grid, &solver));
  PetscCall(ScoriaPorosityCreate(deck, PETSC_COMM_SELF, &grid, &porosity));
  for (int pass = 0; pass < 2; pass++)
    PetscCall(Measure(design, solver, porosity, (int)conditions, (int)realisations, &cost));
  PetscCall(ScoriaDesignDestroy(&design));
  PetscCall(Parts(solver, parts));
  const double n = (double)(cost.converged + cost.failed);
  printf("newman, %d cells, %d conditions x %d realisations, one core\n", CELLS, (int)conditions, (int)realisations);
  printf("  converged solves/s      %10.0f\n", (double)cost.converged / cost.solve);
  printf("  solve                   %10.2f us\n", 1e6 * cost.solve / n);
  printf("  Newton steps per solve  %10.2f\n", cost.newton / n);
  printf("  failed, retried         %10lld, %lld\n", (long long)cost.failed, (long long)cost.retried);
  printf("  porosity draw           %10.2f us (factorisations included)\n", 1e6 * cost.draw / n);
  printf("  parts: set-up %.2f us, guess %.2f us, residual %.2f us, Jacobian %.2f us a call\n", 1e6 * parts[0],
         1e6 * parts[1], 1e6 * parts[2], 1e6 * parts[3]);
  PetscCall(ScoriaPorosityDestroy(&porosity));
  PetscCall(ScoriaSolverDestroy(&solver));
  PetscCall(ScoriaDeckDestroy(&deck));
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
