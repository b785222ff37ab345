/* ranks: 2
 * Cells from cubic to 50 times wider than long, in two and three dimensions: for every problem and every variant of its
 * table row, steady and transient, alone and shared by a group of ranks, the linear systems take fewer than MOST
 * iterations a Newton step. */
#include "verify_problem.h"
#include <string.h>

#define MOST 6.0       /* measured: 4.0; with point relaxation and coarsening of all axes 50 */
#define SHARE 0.02     /* of the response time: a transient whose steps grow over several orders of magnitude */
#define TOLERANCE 1e-2 /* of its steps: few of them */

static const double aspects[] = {1, 6, 18, 50};
#define ASPECTS ((int)(sizeof aspects / sizeof *aspects))

static const char *const modes[] = {"steady", "transient"};
static double largest[2][2][ASPECTS]; /* iterations a step of a problem's variants: 2-D and 3-D, steady and transient */

/* Lines of each lateral axis: a number with few factors of two as well. */
static ScoriaGrid flat_grid(const Variant *v, int dim, double aspect)
{
  ScoriaShape shape;
  v->problem->shape(v->p, &shape);
  const double h  = shape.L / 16;
  ScoriaGrid grid = {.dim = dim, .n = {16, dim == 2 ? 32 : 10, dim == 2 ? 1 : 12}};
  grid.length[0]  = shape.L;
  for (int axis = 1; axis < 3; axis++) grid.length[axis] = grid.n[axis] * h * (axis < dim ? aspect : 1);
  return grid;
}

/* Between .1 and .6, from cell to cell: nothing that is smooth laterally. */
static void fill_rough(const ScoriaDiscrete *d, double eps[])
{
  for (int i = 0; i < d->cells; i++) {
    double X[3];
    place(d, i, X);
    eps[i] = 0.35 + 0.25 * sin(9.0 * X[0] + 40.0 * X[1] + 23.0 * sin(31.0 * X[2])) * cos(57.0 * X[1] * X[0] + 3.0);
  }
}

static void check_count(const Variant *v, int dim, int a, int mode, const ScoriaSolveStatus *status)
{
  const double each = (double)status->linear / PetscMax(status->newton, 1), before = largest[dim - 2][mode][a];
  largest[dim - 2][mode][a] = PetscMax(before, each);
  if (status->reason < 0 || !(each < MOST))
    fail_msg("%s, %d-D, %s, aspect %g: reason %d, %d linear iterations in %d Newton steps", v->deck, dim, modes[mode],
             aspects[a], status->reason, status->linear, status->newton);
}

static void few_iterations(const Variant *v)
{
  const int time = SCORIA_MAX_CONDITIONS - 1;
  for (int dim = 2; dim <= 3; dim++)
    for (int a = 0; a < ASPECTS; a++) {
      const ScoriaGrid grid = flat_grid(v, dim, aspects[a]);
      double theta[SCORIA_MAX_CONDITIONS], *eps;
      ScoriaSolver solver;
      ScoriaSolveStatus status;
      CHECK(ScoriaSolverCreate(PETSC_COMM_WORLD, v->problem, v->p, &grid, &solver));
      CHECK(PetscMalloc1(solver_own_cells(solver), &eps));
      fill_rough(solver->d, eps);
      CHECK(ScoriaSolverSolve(solver, v->theta, eps, &status));
      check_count(v, dim, a, 0, &status);
      CHECK(PetscArraycpy(theta, v->theta, SCORIA_MAX_CONDITIONS));
      theta[time] = SHARE * solver->d->shape.tau;
      CHECK(ScoriaSolverSetTime(solver, time, TOLERANCE));
      CHECK(ScoriaSolverSolve(solver, theta, eps, &status));
      check_count(v, dim, a, 1, &status);
      CHECK(PetscFree(eps));
      CHECK(ScoriaSolverDestroy(&solver));
    }
}

static void print_largest(const ScoriaProblem *problem)
{
  for (int dim = 2; dim <= 3; dim++)
    for (int mode = 0; mode < 2; mode++) {
      (void)PetscPrintf(PETSC_COMM_WORLD, "# %-9s %d-D %-9s", problem->name, dim, modes[mode]);
      for (int a = 0; a < ASPECTS; a++)
        (void)PetscPrintf(PETSC_COMM_WORLD, "  %4.1f (%d)", largest[dim - 2][mode][a], (int)aspects[a]);
      (void)PetscPrintf(PETSC_COMM_WORLD, "\n");
    }
}

static void flat_cells_cost_no_iterations(void **state)
{
  (void)state;
  for (int i = 0; scoria_problems[i]; i++) {
    memset(largest, 0, sizeof largest);
    each_variant_of(scoria_problems[i], few_iterations);
    print_largest(scoria_problems[i]);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(flat_cells_cost_no_iterations)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
