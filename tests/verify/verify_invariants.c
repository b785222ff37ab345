/* What holds for every solution whatever the porosity (V5), and the independence of a
 * solve from what was solved before. */
#include "verify_electrode.h"

#define CELLS 96

typedef struct {
  const char *name, *deck;
  double U0, F_right;
} Case;

/* Rates from equilibrium to strong polarisation; both directions; both boundary laws; every electrolyte. */
static const Case cases[] = {
    {"article", "electrode: {set: article}\n", 0.1, 25},
    {"article, logarithmic term", "electrode: {set: article, chi: 1, bruggeman_D: 1.9, D0: 2e-10, G: 20}\n", 0.0, -5},
    {"article, separator", "electrode: {set: article, g_sep: 200}\n", -0.2, 3},
    {"chen negative", "electrode: {set: chen2020_negative}\n", 0.0, 20},
    {"chen negative, other way", "electrode: {set: chen2020_negative, bruggeman_D: 1.8}\n", 0.3, -15},
    {"chen negative, ocp", "electrode: {set: chen2020_negative, state: ocp, bruggeman_D: 1.8}\n", 0.12, 20},
    {"chen positive, separator", "electrode: {set: chen2020_positive, g_sep: 2.55e4}\n", 0.03, 4},
    {"marquis negative", "electrode: {set: marquis2019_negative, bruggeman_kappa: 1.7}\n", 0.0, 24},
    {"marquis positive, ocp, separator", "electrode: {set: marquis2019_positive, state: ocp, g_sep: 100}\n", 4.0, 390},
    {"no current", "electrode: {set: chen2020_negative}\n", 0.05, 0},
};
#define CASES (sizeof cases / sizeof *cases)

static void solve(ScoriaSolver solver, double U0, double F_right, const double eps[], double c[], double phi[])
{
  const double theta[SCORIA_NTHETA] = {U0, F_right, 1e-5};
  ScoriaSolveStatus status;
  solve_profiles(solver, theta, eps, c, phi, &status);
  assert_true(status.reason > 0);
}

static void charge_is_balanced(void **state)
{
  (void)state;
  for (size_t i = 0; i < CASES; i++) {
    const double theta[SCORIA_NTHETA] = {cases[i].U0, cases[i].F_right, 1e-5};
    double eps[CELLS], c[CELLS], phi[CELLS], imbalance;
    ScoriaElectrode el;
    ScoriaSolver solver;
    electrode_from(cases[i].deck, &el);
    fill_profile(eps_rough, CELLS, eps);
    solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
    solve(solver, theta[0], theta[1], eps, c, phi);
    const ScoriaElectrode *at = solver->p;
    const double least        = 1.0 / at->at.i_scale; /* 1 A m^-2 */
    imbalance                 = imbalance_of(solver, U, least);
    /* what a last Newton step of 1e-7 leaves, squared, and the rounding of phi, 1e-16 |u| cells, in the rate */
    if (!(imbalance < 1e-11)) fail_msg("%s: charge is out of balance by %.2e", cases[i].name, imbalance);
    /* the measure must see an imbalance: 1 mV on every cell */
    if (el.g_sep == 0 && theta[1] != 0) {
      PetscScalar *x;
      CHECK(VecGetArray(solver->x, &x));
      for (int k = 0; k < CELLS; k++) x[2 * k + U] += 1e-3 / at->at.thermal;
      CHECK(VecRestoreArray(solver->x, &x));
      assert_true(imbalance_of(solver, U, least) > 1e-5);
    }
    CHECK(ScoriaSolverDestroy(&solver));
  }
}

/* D_eff dc/dx + (1 - t+) i_e / F = 0 at every face between cells, both fluxes written out here from c and phi. */
static void salt_flux_follows_current(void **state)
{
  (void)state;
  for (size_t i = 0; i < CASES; i++) {
    double eps[CELLS], c[CELLS], phi[CELLS], largest = 0, defect = 0;
    ScoriaElectrode el;
    ScoriaSolver solver;
    electrode_from(cases[i].deck, &el);
    fill_profile(eps_rough, CELLS, eps);
    solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
    solve(solver, cases[i].U0, cases[i].F_right, eps, c, phi);
    CHECK(ScoriaSolverDestroy(&solver));
    const double h = el.L / CELLS, diffusional = 2.0 * el.chi * GAS_CONSTANT * el.T / FARADAY * (1.0 - el.t_plus);
    for (int k = 0; k + 1 < CELLS; k++) {
      const double mean = 0.5 * (c[k] + c[k + 1]);
      double kappa, dkappa, D, dD;
      scoria_electrolytes[el.electrolyte].evaluate(&el, 1, &mean, &kappa, &dkappa, &D, &dD);
      kappa *= 2.0 / (pow(eps[k], -el.b_kappa) + pow(eps[k + 1], -el.b_kappa));
      D *= 2.0 / (pow(eps[k], -el.b_D) + pow(eps[k + 1], -el.b_D));
      const double chi_term = diffusional != 0 ? diffusional * (log(c[k + 1]) - log(c[k])) : 0.0;
      const double current  = -kappa * (phi[k + 1] - phi[k] - chi_term) / h;
      const double salt = D * (c[k + 1] - c[k]) / h, moved = (1.0 - el.t_plus) * current / FARADAY;
      defect  = fmax(defect, fabs(salt + moved));
      largest = fmax(largest, fabs(moved));
    }
    /* differences of c and phi over a cell carry their rounding times the cells: 1e-16 * 96 * 300 relative to the flux
     * of the article; without current there is only rounding, 1e-16 * c_R D / h */
    if (!(defect <= 1e-9 * fmax(largest, 1e-8)))
      fail_msg("%s: defect %.2e beside %.2e", cases[i].name, defect, largest);
  }
}

/* Current control: phi + U0 and c do not see U0 where the state is fixed; they do where U0 sets the state. */
static void potential_is_a_gauge(void **state)
{
  double eps[CELLS], c[2][CELLS], phi[2][CELLS], shift = 0, moved = 0;
  ScoriaElectrode el;
  ScoriaSolver solver;
  (void)state;
  fill_profile(eps_rough, CELLS, eps);
  for (int ocp = 0; ocp < 2; ocp++) {
    electrode_from(ocp ? "electrode: {set: chen2020_negative, state: ocp}\n" : "electrode: {set: chen2020_negative}\n",
                   &el);
    solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
    solve(solver, 0.10, 20.0, eps, c[0], phi[0]);
    solve(solver, 0.25, 20.0, eps, c[1], phi[1]);
    CHECK(ScoriaSolverDestroy(&solver));
    shift = moved = 0;
    for (int k = 0; k < CELLS; k++) {
      shift = fmax(shift, fabs(phi[0][k] + 0.10 - phi[1][k] - 0.25));
      moved = fmax(moved, fabs(c[0][k] - c[1][k]));
    }
    if (ocp)
      assert_true(shift > 1e-3 && moved > 1e-2);
    else {
      assert_true(shift <
                  1e-12);        /* rounding of phi, 0.3 V, and the error after the last step, 1e-14 thermal voltages */
      assert_true(moved < 1e-8); /* the same, 1e-14 c_R, times the cells */
    }
  }
}

/* dc/dphi = (1 - t+) kappa / (F D (1 + Ne)), Ne = 2RT kappa chi (1 - t+)^2 / (F^2 D c), from (phi(L), c_R) to phi:
 * Runge-Kutta. */
static double concentration_of(const ScoriaElectrode *el, double span)
{
  enum { STEPS = 400 };
  const double step = span / STEPS;
  double c          = el->c_R;
  for (int i = 0; i < STEPS; i++) {
    double slope[4], at = c;
    for (int stage = 0; stage < 4; stage++) {
      double kappa, dkappa, D, dD;
      scoria_electrolytes[el->electrolyte].evaluate(el, 1, &at, &kappa, &dkappa, &D, &dD);
      const double Ne =
          2.0 * GAS_CONSTANT * el->T * kappa * el->chi * pow(1.0 - el->t_plus, 2) / (pow(FARADAY, 2) * D * at);
      slope[stage] = (1.0 - el->t_plus) * kappa / (FARADAY * D * (1.0 + Ne));
      at           = c + (stage < 2 ? 0.5 : 1.0) * step * slope[stage];
    }
    c += step / 6.0 * (slope[0] + 2.0 * slope[1] + 2.0 * slope[2] + slope[3]);
  }
  return c;
}

/* Equal exponents: c is that function of phi - phi(L), for any porosity; the discrete defect falls with the square of
 * h. */
static void equal_exponents_are_degenerate(void **state)
{
  ScoriaElectrode el;
  double (*const profile[])(double) = {eps_homogeneous, eps_cosine};
  (void)state;
  electrode_from("electrode: {set: chen2020_negative}\n", &el);
  for (int p = 0; p < 2; p++) {
    double defect[2] = {0, 0};
    for (int g = 0; g < 2; g++) {
      const int cells                   = 64 << g;
      const double theta[SCORIA_NTHETA] = {0.0, 40.0, 1e-5};
      double eps[128], c[128], phi[128], phi_L, i_L;
      ScoriaSolver solver;
      fill_profile(profile[p], cells, eps);
      solver_for(PETSC_COMM_SELF, &el, cells, &solver);
      solve(solver, theta[0], theta[1], eps, c, phi);
      separator_of(solver, &phi_L, &i_L);
      CHECK(ScoriaSolverDestroy(&solver));
      for (int k = 0; k < cells; k++) defect[g] = fmax(defect[g], fabs(c[k] - concentration_of(&el, phi[k] - phi_L)));
    }
    assert_true(defect[0] < 1.0); /* [mol m^-3] of a rise of several hundred */
    assert_near(log2(defect[0] / defect[1]), 2.0, 0.2);
  }
}

/* The linear problem is affine in (U0, F_right). */
static void linear_problem_is_affine(void **state)
{
  double eps[CELLS], c[3][CELLS], phi[3][CELLS];
  ScoriaElectrode el;
  ScoriaSolver solver;
  (void)state;
  electrode_from("electrode: {set: article, g_sep: 100}\n", &el);
  fill_profile(eps_rough, CELLS, eps);
  solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
  solve(solver, -0.1, 5.0, eps, c[0], phi[0]);
  solve(solver, 0.3, 25.0, eps, c[1], phi[1]);
  solve(solver, 0.1, 15.0, eps, c[2], phi[2]);
  CHECK(ScoriaSolverDestroy(&solver));
  for (int k = 0; k < CELLS; k++) {
    assert_near(phi[2][k], 0.5 * (phi[0][k] + phi[1][k]), 1e-11); /* rounding of 0.1 to 8 V through 96 cells */
    assert_near(c[2][k], 0.5 * (c[0][k] + c[1][k]), 1e-5);        /* 2e5 mol m^-3 per V of phi, as well known as phi */
  }
}

/* Currents that no steady state carries.  Constant reaction shape and D(0) > 0: a strong enough current into the
 * electrode would need c < 0.  Capiglia's D falls exponentially, so the integral of D dc, and with it the current out
 * of the electrode, is bounded. */
static const Case impossible[] = {
    {"depletion", "electrode: {set: article, electrolyte: capiglia1999, G: 0}\n", 0.0, -400},
    {"accumulation", "electrode: {set: marquis2019_negative}\n", 0.0, 800},
    {"accumulation, linear", "electrode: {set: article, electrolyte: capiglia1999}\n", 0.0, 400},
};

/* They give a status and NaN fields, not a crash; and nothing of them stays in the solver. */
static void no_steady_state_is_recorded(void **state)
{
  double eps[CELLS], c[CELLS], phi[CELLS], before_c[CELLS], before_phi[CELLS];
  (void)state;
  fill_profile(eps_homogeneous, CELLS, eps);
  for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
    const double possible[SCORIA_NTHETA] = {0.0, 0.05 * impossible[i].F_right, 1e-5};
    const double beyond[SCORIA_NTHETA]   = {0.0, impossible[i].F_right, 1e-5};
    ScoriaElectrode el;
    ScoriaSolver solver;
    ScoriaSolveStatus status;
    electrode_from(impossible[i].deck, &el);
    solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
    solve_profiles(solver, possible, eps, before_c, before_phi, &status);
    assert_true(status.reason > 0 && status.attempts == 1);
    solve_profiles(solver, beyond, eps, c, phi, &status);
    if (status.reason > 0) fail_msg("%s: converged with residual %.2e", impossible[i].name, status.residual);
    assert_true(status.attempts > 10); /* the whole ladder was tried */
    for (int k = 0; k < CELLS; k++) assert_true(isnan(c[k]) && isnan(phi[k]));
    solve_profiles(solver, possible, eps, c, phi, &status);
    CHECK(ScoriaSolverDestroy(&solver));
    assert_memory_equal(c, before_c, sizeof c);
    assert_memory_equal(phi, before_phi, sizeof phi);
  }
}

/* Where Newton alone fails, here for want of steps, continuation reaches the same solution. */
static void continuation_rescues(void **state)
{
  const double theta[SCORIA_NTHETA] = {0.0, -800.0, 1e-5};
  double eps[CELLS], c[2][CELLS], phi[2][CELLS];
  ScoriaElectrode el;
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  (void)state;
  electrode_from("electrode: {set: chen2020_negative, bruggeman_D: 1.8}\n", &el);
  fill_profile(eps_rough, CELLS, eps);
  for (int short_of_steps = 0; short_of_steps < 2; short_of_steps++) {
    if (short_of_steps) CHECK(PetscOptionsSetValue(NULL, "-snes_max_it", "5"));
    solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
    solve_profiles(solver, theta, eps, c[short_of_steps], phi[short_of_steps], &status);
    CHECK(ScoriaSolverDestroy(&solver));
    CHECK(PetscOptionsClearValue(NULL, "-snes_max_it"));
    assert_true(status.reason > 0);
    assert_true(short_of_steps ? status.attempts > 2 : status.attempts == 1);
  }
  for (int k = 0; k < CELLS; k++) {
    assert_true(c[0][k] > 0);
    assert_near(c[1][k], c[0][k], 1e-9 * el.c_R); /* both within the error of a last step of 1e-7, squared */
    assert_near(phi[1][k], phi[0][k], 1e-10);
  }
}

/* The last rung alone, from the state at rest: the solution that Newton finds at once. */
static void time_steps_reach_the_steady_state(void **state)
{
  (void)state;
  for (size_t i = 0; i < CASES; i++) {
    double eps[CELLS], c[2][CELLS], phi[2][CELLS];
    ScoriaElectrode el;
    ScoriaSolver solver;
    ScoriaSolveStatus status = {0};
    electrode_from(cases[i].deck, &el);
    fill_profile(eps_rough, CELLS, eps);
    solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
    solve(solver, cases[i].U0, cases[i].F_right, eps, c[0], phi[0]);
    CHECK(PseudoTransient(solver, &status));
    if (!(status.reason > 0 && status.attempts > 5 && status.rung == SCORIA_BY_TIME_STEPS))
      fail_msg("%s: reason %d after %d attempts", cases[i].name, status.reason, status.attempts);
    CHECK(ScoriaSolverProfile(solver, 0, c[1], NULL));
    CHECK(ScoriaSolverProfile(solver, 1, phi[1], NULL));
    CHECK(ScoriaSolverDestroy(&solver));
    for (int k = 0; k < CELLS; k++) {
      /* both within the error of a last step of 1e-7, squared, and the rounding of phi, up to 300 thermal voltages */
      assert_near(c[1][k], c[0][k], 1e-8 * el.c_R);
      assert_near(phi[1][k], phi[0][k], 1e-11);
    }
  }
}

/* A potential that no state of charge has is a recorded failure too. */
static void unreachable_potential_is_recorded(void **state)
{
  const double theta[SCORIA_NTHETA] = {5.0, 10.0, 1e-5};
  double eps[CELLS], c[CELLS], phi[CELLS];
  ScoriaElectrode el;
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  (void)state;
  electrode_from("electrode: {set: chen2020_negative, state: ocp}\n", &el);
  fill_profile(eps_homogeneous, CELLS, eps);
  solver_for(PETSC_COMM_SELF, &el, CELLS, &solver);
  solve_profiles(solver, theta, eps, c, phi, &status);
  CHECK(ScoriaSolverDestroy(&solver));
  assert_true(status.reason < 0 && isnan(c[0]) && isnan(phi[CELLS - 1]));
}

/* Every open-circuit curve: the monotone part is most of it, and potential(invert(U)) = U on all of it, NaN outside. */
static void open_circuit_inverts(void **state)
{
  (void)state;
  for (int i = 0; scoria_ocps[i].name; i++) {
    double s[2];
    ocp_monotone(&scoria_ocps[i], s);
    if (!(s[1] - s[0] > 0.5)) fail_msg("%s falls on [%g, %g] only", scoria_ocps[i].name, s[0], s[1]);
    const double top = scoria_ocps[i].potential(s[0]), bottom = scoria_ocps[i].potential(s[1]);
    for (int k = 0; k <= 50; k++) {
      const double at = fmin(top, fmax(bottom, bottom + (top - bottom) * k / 50.0));
      /* the last bit of s, 1e-16, through the steepest slope met, 200 V */
      assert_near(scoria_ocps[i].potential(ocp_invert(&scoria_ocps[i], s, at)), at, 1e-12);
    }
    assert_true(isnan(ocp_invert(&scoria_ocps[i], s, top + 1e-6)));
    assert_true(isnan(ocp_invert(&scoria_ocps[i], s, bottom - 1e-6)));
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(charge_is_balanced),
                                     cmocka_unit_test(salt_flux_follows_current),
                                     cmocka_unit_test(potential_is_a_gauge),
                                     cmocka_unit_test(equal_exponents_are_degenerate),
                                     cmocka_unit_test(linear_problem_is_affine),
                                     cmocka_unit_test(no_steady_state_is_recorded),
                                     cmocka_unit_test(continuation_rescues),
                                     cmocka_unit_test(time_steps_reach_the_steady_state),
                                     cmocka_unit_test(unreachable_potential_is_recorded),
                                     cmocka_unit_test(open_circuit_inverts)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
