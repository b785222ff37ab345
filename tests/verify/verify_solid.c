/* The solid's potential and the temperature: the closed form of two linear phases (V2), the limit of a perfect
 * conductor, the sum of the currents, and Arrhenius' law in every property that has an activation energy. */
#include "verify_electrode.h"

static double eps_article(double t)
{
  (void)t;
  return 0.35;
}

/* Newman and Tobias (1962) for two phases: R = L / (kappa + sigma) [1 + (2 + (sigma/kappa + kappa/sigma) cosh nu) / (nu
 * sinh nu)], nu = L sqrt(a_s k_rn (1/kappa + 1/sigma)). */
static double resistance(double L, double a_s, double k, double kappa, double sigma)
{
  const double nu = L * sqrt(a_s * k * (1.0 / kappa + 1.0 / sigma));
  return L / (kappa + sigma) * (1.0 + (2.0 + (sigma / kappa + kappa / sigma) * cosh(nu)) / (nu * sinh(nu)));
}

/* phi_s(0) - phi(L) - U0 over the current, on grids halved; t+ = 1 and chi = 0 leave the charge alone. */
static void two_linear_phases(void **state)
{
  static const double sigmas[] = {0.05, 0.4, 5.0};
  (void)state;
  for (int s = 0; s < 3; s++) {
    enum { GRIDS = 5 };
    char deck[256];
    double value[GRIDS];
    ScoriaElectrode el;
    /* faster kinetics than the article's: with k_rn = 0.1 the resistance is all charge transfer */
    snprintf(deck, sizeof deck, "electrode: {set: article, solid: ohmic, sigma: %g, bruggeman_sigma: 1.2, k_rn: 50}\n",
             sigmas[s]);
    electrode_from(deck, &el);
    const double eps = 0.35, kappa = el.kappa0 * pow(eps, el.b_kappa), sigma = el.sigma * pow(1.0 - eps, el.b_sigma);
    const double expected = resistance(el.L, el.a_s0 * (1.0 - eps), el.k_rn, kappa, sigma);
    for (int g = 0; g < GRIDS; g++) {
      const int cells      = 32 << g;
      const double theta[] = {0.03, 25.0, 1e-5};
      double profile[512], phi_L, i_L;
      ScoriaSolver solver;
      ScoriaSolveStatus status;
      fill_profile(eps_article, cells, profile);
      solver_for(PETSC_COMM_SELF, &el, cells, &solver);
      CHECK(ScoriaSolverSolve(solver, theta, profile, &status));
      assert_true(status.reason > 0);
      separator_of(solver, &phi_L, &i_L);
      value[g] = (0.0 - phi_L - theta[SCORIA_U0]) / i_L;
      CHECK(ScoriaSolverDestroy(&solver));
    }
    /* five grids eliminate h^2 to h^5; what is left and the rounding of phi: eight digits */
    assert_near(richardson(GRIDS, value), expected, 1e-8 * expected);
    assert_near(log2((value[1] - value[0]) / (value[2] - value[1])), 2.0, 0.05);
  }
}

static void perfect_conductor_is_prescribed(void **state)
{
  enum { CELLS = 48 };
  static const char *const texts[] = {
      "electrode: {set: chen2020_negative, bruggeman_D: 1.8}\n",
      "electrode: {set: chen2020_negative, bruggeman_D: 1.8, solid: ohmic, sigma: 1e9}\n"};
  const double theta[] = {0.1, 20, 1e-5};
  double eps[CELLS], c[2][CELLS], phi[2][CELLS], phi_s[CELLS];
  (void)state;
  fill_profile(eps_rough, CELLS, eps);
  for (int k = 0; k < 2; k++) {
    ScoriaElectrode el;
    ScoriaSolver solver;
    ScoriaSolveStatus status;
    electrode_from(texts[k], &el);
    solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
    solve_profiles(solver, theta, eps, c[k], phi[k], &status);
    assert_true(status.reason > 0);
    if (k == 1) {
      double outflow, production;
      CHECK(ScoriaSolverProfile(solver, 2, phi_s, NULL));
      CHECK(ScoriaSolverBalance(solver, V, &outflow, &production));
      /* the current that leaves in the electrolyte has come in through the solid */
      assert_near(outflow, -solver->d->shape.load, 1e-9 * solver->d->shape.load);
    }
    CHECK(ScoriaSolverDestroy(&solver));
  }
  for (int i = 0; i < CELLS; i++) {
    /* i L / sigma = 2e-12 V of drop in the solid, and the error after the last step */
    assert_near(phi_s[i], 0.0, 1e-11);
    assert_near(phi[1][i], phi[0][i], 1e-10);
    assert_near(c[1][i], c[0][i], 1e-6);
  }
}

/* Values of R = 8.314462618 J/mol/K, worked out by hand from exp(E/R (1/298.15 - 1/T)). */
static void arrhenius_factors(void **state)
{
  (void)state;
  assert_near(arrhenius(34700, 298.15), 1.0, 1e-15);
  assert_near(log(arrhenius(34700, 308.15)), 34700 / 8.314462618 * (10.0 / (298.15 * 308.15)), 1e-12);
  assert_near(arrhenius(NAN, 310), 1.0, 0);
}

/* Everything that conducts, diffuses or reacts faster by known factors is the same as a colder electrode with those
 * values. */
static void temperature_scales_the_properties(void **state)
{
  enum { CELLS = 32 };
  const double T = 315, factor_kappa = arrhenius(20000, T), factor_D = arrhenius(30000, T),
               factor_k = arrhenius(40000, T);
  char warm[256], same[256];
  double eps[CELLS], c[2][CELLS], phi[2][CELLS];
  (void)state;
  snprintf(
      warm, sizeof warm,
      "electrode: {set: marquis2019_negative, electrolyte: constant, kappa0: 0.8, D0: 2e-10, T: %g, E_kappa: 20000, "
      "E_D: 30000, E_m: 40000}\n",
      T);
  snprintf(same, sizeof same,
           "electrode: {set: marquis2019_negative, electrolyte: constant, kappa0: %.17g, D0: %.17g, T: %g, m: %.17g, "
           "E_kappa: 0, E_D: 0, E_m: 0}\n",
           0.8 * factor_kappa, 2e-10 * factor_D, T, 2e-5 * factor_k);
  fill_profile(eps_rough, CELLS, eps);
  for (int k = 0; k < 2; k++) {
    const double theta[] = {0.05, 20, 1e-5};
    ScoriaElectrode el;
    ScoriaSolver solver;
    ScoriaSolveStatus status;
    electrode_from(k ? same : warm, &el);
    solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
    solve_profiles(solver, theta, eps, c[k], phi[k], &status);
    assert_true(status.reason > 0);
    CHECK(ScoriaSolverDestroy(&solver));
  }
  for (int i = 0; i < CELLS; i++) {
    assert_near(c[0][i], c[1][i], 1e-8);
    assert_near(phi[0][i], phi[1][i], 1e-12);
  }
}

/* T as a condition is T as a parameter. */
static void temperature_is_a_condition(void **state)
{
  enum { CELLS = 32 };
  static const char *const texts[] = {"electrode: {set: marquis2019_negative, T: 310}\n",
                                      "electrode: {set: marquis2019_negative}\nconditions: {T: [280, 330]}\n"};
  const double theta[]             = {0.05, 20, 1e-5, 310};
  double eps[CELLS], c[2][CELLS], phi[2][CELLS];
  (void)state;
  fill_profile(eps_rough, CELLS, eps);
  for (int k = 0; k < 2; k++) {
    ScoriaElectrode el;
    ScoriaSolver solver;
    ScoriaSolveStatus status;
    electrode_from(texts[k], &el);
    assert_int_equal(el.varied.n, k);
    if (k) assert_int_equal(el.varied.of[0].index, 3);
    solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
    solve_profiles(solver, theta, eps, c[k], phi[k], &status);
    assert_true(status.reason > 0);
    CHECK(ScoriaSolverDestroy(&solver));
  }
  assert_memory_equal(c[0], c[1], sizeof c[0]);
  assert_memory_equal(phi[0], phi[1], sizeof phi[0]);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_linear_phases), cmocka_unit_test(perfect_conductor_is_prescribed),
      cmocka_unit_test(arrhenius_factors), cmocka_unit_test(temperature_scales_the_properties),
      cmocka_unit_test(temperature_is_a_condition)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
