/* Speed of one core: converged solves per second through SNES on the showcase electrode, the cost of its parts, and of
 * a porosity draw.  bench_solver [-bench_conditions n] [-bench_realisations n] [PETSc options]
 *
 * Two passes; the second is reported: the first brings the code, the memory and the clock frequency up. */
#include "physics/internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char deck_text[] =
    "electrode: {set: chen2020_negative, model: newman, state: ocp, bruggeman_kappa: 1.5, bruggeman_D: 1.8}\n"
    "porosity: {kernel: se, min: 0.1, max: 0.4}\n"
    "conditions: {U0: [0.10, 0.25], F_right: [5, 20], ell: [4.26e-6, 21.3e-6]}\n"
    "ensemble: {cells: [128], conditions: 64, realisations: 64}\n";

typedef struct {
  double draw, solve, newton;
  int64_t converged, failed, retried;
} Cost;

static PetscErrorCode Measure(ScoriaDeck deck, const ScoriaSpace *space, ScoriaSolver solver, ScoriaPorosity porosity,
                              int conditions, int realisations, Cost *cost)
{
  double eps[128], c[128], phi[128], theta[SCORIA_NTHETA];
  PetscFunctionBeginUser;
  *cost = (Cost){0};
  for (int i = 0; i < conditions; i++) {
    PetscCall(ScoriaDesignTheta(deck, space, false, i, conditions, theta));
    for (int r = 0; r < realisations; r++) {
      ScoriaSolveStatus status;
      const double start = wall_seconds();
      PetscCall(ScoriaPorosityDraw(porosity, theta[SCORIA_ELL], (uint64_t)(i * realisations + r), eps));
      const double drawn = wall_seconds();
      PetscCall(ScoriaSolverSolve(solver, theta, eps, c, phi, &status));
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

/* Seconds per call of the balance's parts, on a representative state. */
static PetscErrorCode Parts(const ScoriaElectrode *el, double seconds[3])
{
  enum { CELLS = 128, REPEAT = 20000 };
  static double eps[CELLS], R[2 * CELLS], J[12 * CELLS];
  Balance b;
  PetscFunctionBeginUser;
  PetscCall(BalanceCreate(el, CELLS, 0, CELLS, &b));
  for (int k = 0; k < CELLS; k++) eps[k] = 0.25 + 0.1 * cos(0.1 * k);
  balance_set(&b, 0.15, 0.3 * el->c_max, eps);
  balance_drive(&b, 15.0);
  double start = wall_seconds();
  for (int i = 0; i < REPEAT / 10; i++) balance_guess(&b);
  seconds[0] = (wall_seconds() - start) / (REPEAT / 10);
  start      = wall_seconds();
  for (int i = 0; i < REPEAT; i++) {
    b.u[1 + i % CELLS] += 1e-12; /* a state of its own each time */
    balance_evaluate(&b);
    balance_residual(&b, R);
  }
  seconds[1] = (wall_seconds() - start) / REPEAT;
  start      = wall_seconds();
  for (int i = 0; i < REPEAT; i++) balance_jacobian(&b, J);
  seconds[2] = (wall_seconds() - start) / REPEAT;
  PetscCall(BalanceDestroy(&b));
  PetscFunctionReturn(0);
}

static PetscErrorCode Bench(void)
{
  static const ScoriaKey *const tables[] = {scoria_base_keys, scoria_physics_keys, NULL};
  ScoriaDeck deck;
  ScoriaElectrode el;
  ScoriaSpace space;
  ScoriaSolver solver;
  ScoriaPorosity porosity;
  PetscInt conditions = 64, realisations = 64;
  Cost cost;
  double parts[3] = {0, 0, 0};
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_conditions", &conditions, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_realisations", &realisations, NULL));
  PetscCall(ScoriaDeckCreateFromText(PETSC_COMM_SELF, deck_text, tables, &deck));
  PetscCall(ScoriaElectrodeFromDeck(deck, &el));
  PetscCall(ScoriaSpaceFromDeck(deck, &el, &space));
  PetscCall(ScoriaSolverCreate(PETSC_COMM_SELF, &el, 128, &solver));
  const ScoriaGrid grid = {1, {128, 1, 1}, {el.L, 0, 0}};
  PetscCall(ScoriaPorosityCreate(deck, PETSC_COMM_SELF, &grid, &porosity));
  for (int pass = 0; pass < 2; pass++)
    PetscCall(Measure(deck, &space, solver, porosity, (int)conditions, (int)realisations, &cost));
  PetscCall(Parts(&el, parts));
  const double n = (double)(cost.converged + cost.failed);
  printf("newman, 128 cells, %d conditions x %d realisations, one core\n", (int)conditions, (int)realisations);
  printf("  converged solves/s      %10.0f\n", (double)cost.converged / cost.solve);
  printf("  solve                   %10.2f us\n", 1e6 * cost.solve / n);
  printf("  Newton steps per solve  %10.2f\n", cost.newton / n);
  printf("  failed, retried         %10lld, %lld\n", (long long)cost.failed, (long long)cost.retried);
  printf("  porosity draw           %10.2f us (factorisations included)\n", 1e6 * cost.draw / n);
  printf("  parts: guess %.2f us, residual %.2f us, Jacobian %.2f us a call\n", 1e6 * parts[0], 1e6 * parts[1],
         1e6 * parts[2]);
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
