/* ranks: 2
 * The step from the twin, in place of a solve: for every problem and every variant of its table row, on a group of
 * ranks, the twin itself at its own porosity, and of second order in the distance from there, whatever was solved
 * before. */
#include "verify_problem.h"

#define CELLS 24
#define TWIN 0.3
#define SIZE 0.02    /* of the porosity's variation: the terms of third order are then some tenth of those of second */
#define AT_TWIN 1e-7 /* of a step: as Newton leaves it (STEP_TOLERANCE) */

/* The largest difference of the unknowns, between step and solve, at a porosity that varies by `size` around the
 * twin's.
 */
static double error_at(ScoriaSolver solver, const Variant *v, double size)
{
  const int m = solver->m, n = solver_own_cells(solver) * m;
  double eps[CELLS], X[3], step[CELLS * MAX_UNKNOWNS], error = 0;
  const PetscScalar *a;
  ScoriaSolveStatus status;
  for (int i = 0; i < solver_own_cells(solver); i++) {
    place(solver->d, i, X);
    eps[i] = TWIN + size * sin(9.0 * X[0] + 0.4);
  }
  CHECK(ScoriaSolverLinearise(solver, v->theta, TWIN, &status));
  assert_true(status.reason > 0);
  CHECK(ScoriaSolverStep(solver, eps, &status));
  assert_true(status.reason > 0);
  CHECK(VecGetArrayRead(solver->x, &a));
  memcpy(step, a, (size_t)n * sizeof *step);
  CHECK(VecRestoreArrayRead(solver->x, &a));
  CHECK(ScoriaSolverSolve(solver, v->theta, eps, &status));
  assert_true(status.reason > 0);
  CHECK(VecGetArrayRead(solver->x, &a));
  for (int i = 0; i < n; i++) error = PetscMax(error, fabs(a[i] - step[i]));
  CHECK(VecRestoreArrayRead(solver->x, &a));
  CHECK(MPI_Allreduce(MPI_IN_PLACE, &error, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
  return error;
}

static void second_order(const Variant *v)
{
  const ScoriaGrid grid = variant_grid(v, 1, CELLS);
  ScoriaSolveStatus status;
  ScoriaSolver solver;
  double eps[CELLS] = {0};
  CHECK(ScoriaSolverCreate(PETSC_COMM_WORLD, v->problem, v->p, &grid, &solver));
  const double whole = error_at(solver, v, SIZE), half = error_at(solver, v, SIZE / 2), none = error_at(solver, v, 0);
  if (!(none < AT_TWIN) || !(half < AT_TWIN || (whole / half > 3 && whole / half < 5.4)) || !(whole < 0.1))
    fail_msg("%s: errors %g, %g at half of it, %g at the twin", v->deck, whole, half, none);
  CHECK(ScoriaSolverStep(solver, eps, &status)); /* after a solve there is nothing to step from */
  assert_true(status.reason < 0);
  CHECK(ScoriaSolverDestroy(&solver));
}

static void steps_are_of_second_order(void **state)
{
  (void)state;
  each_variant(second_order);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(steps_are_of_second_order)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
