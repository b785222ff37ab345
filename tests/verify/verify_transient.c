/* ranks: 2
 * States at a time: the steady state after 20 response times, second order in the time step, balances at every state,
 * the same in three dimensions, independence of what was solved before. */
#include "verify_electrode.h"

#define CELLS 40
#define TIME 3 /* index in theta */

#if PETSC_VERSION_LT(3, 25, 0)
#define TIME_STEP "-ts_dt"
#else
#define TIME_STEP "-ts_time_step"
#endif

static const char *const decks[] = {
    "electrode: {set: article}\n",
    "electrode: {set: chen2020_negative, bruggeman_D: 1.8}\n",
    "electrode: {set: marquis2019_negative, solid: ohmic}\n",
    "electrode: {set: chen2020_positive, g_sep: 2.55e4}\n",
};
#define DECKS (sizeof decks / sizeof *decks)

static void state_at(ScoriaSolver solver, double time, double rtol, double mean[3][CELLS], ScoriaSolveStatus *status)
{
  const double theta[] = {0.02, 15.0, 1e-5, time};
  double eps[CELLS];
  fill_profile(eps_rough, CELLS, eps);
  CHECK(ScoriaSolverSetTime(solver, time > 0 ? TIME : -1, rtol));
  CHECK(ScoriaSolverSolve(solver, theta, eps, status));
  assert_true(status->reason > 0);
  for (int f = 0; f < solver->m; f++) CHECK(ScoriaSolverProfile(solver, f, mean[f], NULL));
}

/* Of the theta that states are asked at: known once it has been solved at. */
static double response_time(ScoriaSolver solver)
{
  static double steady[3][CELLS];
  ScoriaSolveStatus status;
  state_at(solver, 0, 0, steady, &status);
  return solver->d->shape.tau;
}

/* The largest difference of scaled unknowns. */
static double distance(const ScoriaSolver solver, double a[3][CELLS], double b[3][CELLS])
{
  double largest = 0;
  for (int f = 0; f < solver->m; f++)
    for (int i = 0; i < CELLS; i++)
      largest = fmax(largest, fabs(a[f][i] - b[f][i]) / solver->d->shape.scale[solver->d->shape.output[f]]);
  return largest;
}

static void becomes_steady(void **state)
{
  (void)state;
  for (size_t k = 0; k < DECKS; k++) {
    static double steady[3][CELLS], early[3][CELLS], late[3][CELLS];
    ScoriaElectrode el;
    ScoriaSolver solver;
    ScoriaSolveStatus status;
    electrode_from(decks[k], &el);
    solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
    state_at(solver, 0, 0, steady, &status);
    const double tau = solver->d->shape.tau;
    state_at(solver, 0.5 * tau, 1e-6, early, &status);
    state_at(solver, 20.0 * tau, 1e-6, late, &status);
    /* what decays as exp(-t / tau) or faster, and the tolerance of the steps, relative to unknowns of some 10 */
    const double left = distance(solver, late, steady), before = distance(solver, early, steady);
    if (!(left < 2e-4)) fail_msg("%s: %.2e away from the steady state", decks[k], left);
    assert_true(before > 20.0 * left);
    CHECK(ScoriaSolverDestroy(&solver));
  }
}

/* Fixed steps, against steps a sixteenth of the shortest. */
static void second_order_in_time(void **state)
{
  enum { STEPS = 3 };
  static double fine[3][CELLS], coarse[3][CELLS];
  ScoriaElectrode el;
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  double error[STEPS];
  char step[64];
  (void)state;
  electrode_from(decks[1], &el);
  solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
  const double time = 0.5 * response_time(solver);
  CHECK(PetscOptionsSetValue(NULL, "-ts_adapt_type", "none"));
  for (int i = STEPS; i >= 0; i--) {
    const int steps = i == STEPS ? 40 << (STEPS + 3) : 40 << i;
    snprintf(step, sizeof step, "%.17g", time / steps);
    CHECK(PetscOptionsSetValue(NULL, TIME_STEP, step));
    state_at(solver, time, 1e-6, i == STEPS ? fine : coarse, &status);
    if (i < STEPS) error[i] = distance(solver, coarse, fine);
  }
  CHECK(PetscOptionsClearValue(NULL, "-ts_adapt_type"));
  CHECK(PetscOptionsClearValue(NULL, TIME_STEP));
  for (int i = 1; i < STEPS; i++) {
    const double order = log2(error[i - 1] / error[i]);
    if (!(fabs(order - 2.0) <= 0.1)) fail_msg("order %.3f (errors %.2e, %.2e)", order, error[i - 1], error[i]);
  }
  CHECK(ScoriaSolverDestroy(&solver));
}

/* The error follows the tolerance. */
static void tolerance_is_kept(void **state)
{
  static double exact[3][CELLS], state_of[3][CELLS];
  ScoriaElectrode el;
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  (void)state;
  electrode_from(decks[1], &el);
  solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
  const double time = 0.3 * response_time(solver);
  state_at(solver, time, 1e-7, exact, &status);
  for (double rtol = 1e-3; rtol > 5e-6; rtol /= 10) { /* 1e-3, 1e-4, 1e-5 */
    state_at(solver, time, rtol, state_of, &status);
    const double error = distance(solver, state_of, exact);
    /* errors of a hundred steps, damped by the flow: below ten tolerances */
    if (!(error < 10.0 * rtol)) fail_msg("error %.2e at tolerance %.0e", error, rtol);
  }
  CHECK(ScoriaSolverDestroy(&solver));
}

/* Charge: what the reaction makes leaves at once.  Salt: what it makes and does not leave is stored. */
static void balances_hold(void **state)
{
  (void)state;
  for (size_t k = 0; k < DECKS; k++)
    for (int i = 0; i < 3; i++) {
      static double mean[3][CELLS];
      ScoriaElectrode el;
      ScoriaSolver solver;
      ScoriaSolveStatus status;
      double outflow, production;
      electrode_from(decks[k], &el);
      solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
      state_at(solver, pow(10.0, i - 2) * response_time(solver), 1e-5, mean, &status);
      for (int d = 0; d < solver->m; d++) {
        /* the residual at which Newton stops, 1e-7 of the load, summed over cells of both signs */
        CHECK(ScoriaSolverBalance(solver, d, &outflow, &production));
        if (!(fabs(outflow - production) < 1e-6 * fmax(1.0, solver->d->shape.load)))
          fail_msg("%s, unknown %d: %.12g leaves, %.12g is made and not stored", decks[k], d, outflow, production);
      }
      CHECK(ScoriaSolverDestroy(&solver));
    }
}

static void order_does_not_matter(void **state)
{
  static double first[3][CELLS], between[3][CELLS], again[3][CELLS];
  ScoriaElectrode el;
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  (void)state;
  electrode_from(decks[1], &el);
  solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
  state_at(solver, 60.0, 1e-5, first, &status);
  state_at(solver, 1.0, 1e-5, between, &status);
  state_at(solver, 0.0, 1e-5, between, &status);
  state_at(solver, 60.0, 1e-5, again, &status);
  assert_memory_equal(first[0], again[0], sizeof first[0]);
  assert_memory_equal(first[1], again[1], sizeof first[1]);
  CHECK(ScoriaSolverDestroy(&solver));
}

/* A group of ranks in three dimensions, planes of constant porosity: the states of one dimension. */
static void three_dimensions_agree(void **state)
{
  static double line[3][CELLS], box[3][CELLS];
  const double theta[] = {0.02, 15.0, 1e-5, 30.0};
  double profile[CELLS], *eps;
  ScoriaElectrode el;
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  (void)state;
  electrode_from(decks[1], &el);
  solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
  state_at(solver, theta[TIME], 1e-6, line, &status);
  CHECK(ScoriaSolverDestroy(&solver));
  const ScoriaGrid grid = {.dim = 3, .n = {CELLS, 4, 8}, .length = {el.L, 0.3 * el.L, 0.5 * el.L}};
  CHECK(ScoriaSolverCreate(PETSC_COMM_WORLD, &scoria_electrode, &el, &grid, &solver));
  CHECK(PetscMalloc1(solver_own_cells(solver), &eps));
  fill_profile(eps_rough, CELLS, profile);
  for (int i = 0; i < solver_own_cells(solver); i++) eps[i] = profile[i % CELLS];
  CHECK(ScoriaSolverSetTime(solver, TIME, 1e-6));
  CHECK(ScoriaSolverSolve(solver, theta, eps, &status));
  assert_true(status.reason > 0);
  for (int f = 0; f < 2; f++) CHECK(ScoriaSolverProfile(solver, f, box[f], NULL));
  /* both within the tolerance of their own steps */
  assert_true(distance(solver, box, line) < 1e-5);
  CHECK(PetscFree(eps));
  CHECK(ScoriaSolverDestroy(&solver));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(becomes_steady),        cmocka_unit_test(second_order_in_time),
                                     cmocka_unit_test(tolerance_is_kept),     cmocka_unit_test(balances_hold),
                                     cmocka_unit_test(order_does_not_matter), cmocka_unit_test(three_dimensions_agree)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
