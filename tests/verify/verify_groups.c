/* ranks: 2 3
 * A solve shared by a group of ranks gives what one rank gives; groups fill whole rows on every rank; the twin is
 * local. */
#include "scoria/draw.h"
#include "verify_electrode.h"

#define CELLS 65 /* not a multiple of 2 or 3 */

/* One rank and many use the same residual, the same guess and the same LU; only the norm that stops Newton is summed in
 * another order.  Both are then within the error of a last step of 1e-7, squared, of the same solution. */
#define TOLERANCE 1e-12

static const char *const decks[] = {
    "electrode: {set: article}\n",
    "electrode: {set: chen2020_negative, bruggeman_D: 1.8}\n",
    "electrode: {set: chen2020_positive, g_sep: 2.55e4}\n",
};

static void shared_solve_agrees(void **state)
{
  const double theta[SCORIA_NTHETA] = {0.05, 18.0, 1e-5};
  (void)state;
  for (size_t i = 0; i < sizeof decks / sizeof *decks; i++) {
    double eps[CELLS], c[2][CELLS], phi[2][CELLS];
    ScoriaElectrode el;
    electrode_from(decks[i], &el);
    fill_profile(eps_rough, CELLS, eps);
    for (int shared = 0; shared < 2; shared++) {
      ScoriaSolver solver;
      ScoriaSolveStatus status;
      solver_for(shared ? PETSC_COMM_WORLD : PETSC_COMM_SELF, &el, CELLS, &solver);
      solve_profiles(solver, theta, eps, c[shared], phi[shared], &status);
      assert_true(status.reason > 0 && status.attempts == 1);
      CHECK(ScoriaSolverDestroy(&solver));
    }
    for (int k = 0; k < CELLS; k++) {
      assert_near(c[1][k], c[0][k], TOLERANCE * el.c_R);
      assert_near(phi[1][k], phi[0][k], TOLERANCE * fmax(1.0, fabs(phi[0][k])));
    }
  }
}

/* The ladder and its failures are collective too. */
static void shared_failure_is_recorded(void **state)
{
  const double theta[SCORIA_NTHETA] = {0.0, 800.0, 1e-5};
  double eps[CELLS], c[CELLS], phi[CELLS];
  ScoriaElectrode el;
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  (void)state;
  electrode_from("electrode: {set: marquis2019_negative}\n", &el);
  fill_profile(eps_homogeneous, CELLS, eps);
  solver_for(PETSC_COMM_WORLD, &el, CELLS, &solver);
  solve_profiles(solver, theta, eps, c, phi, &status);
  CHECK(ScoriaSolverDestroy(&solver));
  assert_true(status.reason < 0 && status.attempts > 10);
  for (int k = 0; k < CELLS; k++) assert_true(isnan(c[k]) && isnan(phi[k]));
}

static const char ensemble_text[] = "electrode: {set: chen2020_negative, state: ocp, bruggeman_D: 1.8}\n"
                                    "conditions: {U0: [0.1, 0.25], F_right: [5, 20], ell: [4.26e-6, 21.3e-6]}\n"
                                    "ensemble: {cells: [48], conditions: 4, realisations: 3, group_size: 2}\n";

static void groups_compute_whole_rows(void **state)
{
  enum { ROWS = 5 };
  double theta[ROWS * SCORIA_NTHETA], alone_c[48], alone_phi[48], twin[2 * 48];
  uint64_t ids[ROWS];
  const double *x;
  ScoriaDeck deck;
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  ScoriaElectrode el;
  ScoriaSolver alone;
  ScoriaSolveStatus status;
  ScoriaRows rows;
  (void)state;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, ensemble_text, electrode_tables, &deck));
  CHECK(ElectrodeFromDeck(deck, &el));
  CHECK(ScoriaEnsembleCreate(PETSC_COMM_WORLD, deck, &ens));
  CHECK(ScoriaEnsembleSpec(ens, &spec, &x));
  assert_int_equal(spec.rows, 12);
  assert_int_equal(spec.cells, 48);
  assert_near(x[0], 0.5 * el.L / 48, 1e-20);
  CHECK(ScoriaRowsCreate(&spec, ROWS, &rows));
  for (int i = 0; i < ROWS; i++) {
    CHECK(ScoriaDesignTheta(ScoriaEnsembleDesign(ens), true, i, ROWS, theta + i * SCORIA_NTHETA));
    ids[i] = draw_number(SCORIA_DRAWS_HELDOUT, i, 7);
  }
  CHECK(ScoriaEnsembleCompute(ens, ROWS, theta, ids, NULL, &rows));
  assert_int_equal(rows.rows, ROWS);
  solver_for(PETSC_COMM_SELF, &el, 48, &alone);
  for (int i = 0; i < ROWS; i++) {
    assert_int_equal(rows.done[i], SCORIA_ROW_DONE);
    solve_profiles(alone, theta + i * SCORIA_NTHETA, rows.field[2] + i * 48, alone_c, alone_phi, &status);
    for (int k = 0; k < 48; k++) {
      assert_near(rows.field[0][i * 48 + k], alone_c[k], TOLERANCE * el.c_R);
      assert_near(rows.field[1][i * 48 + k], alone_phi[k], TOLERANCE);
    }
    for (int k = 0; k < SCORIA_NTHETA; k++) assert_true(rows.condition[k][i] == theta[i * SCORIA_NTHETA + k]);
  }
  /* given profiles instead of ids: the same rows */
  ScoriaRows again;
  CHECK(ScoriaRowsCreate(&spec, ROWS, &again));
  CHECK(ScoriaEnsembleCompute(ens, ROWS, theta, NULL, rows.field[2], &again));
  for (int f = 0; f < 3; f++) assert_memory_equal(again.field[f], rows.field[f], ROWS * 48 * sizeof(double));
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) CHECK(ScoriaEnsembleTwin(ens, theta, twin)); /* by one rank alone */
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaRowsDestroy(&again));
  CHECK(ScoriaSolverDestroy(&alone));
  CHECK(ScoriaEnsembleDestroy(&ens));
  CHECK(ScoriaDeckDestroy(&deck));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(shared_solve_agrees),
                                     cmocka_unit_test(shared_failure_is_recorded),
                                     cmocka_unit_test(groups_compute_whole_rows)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
