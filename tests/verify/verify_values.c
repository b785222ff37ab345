/* Tabulated solutions: the closed form of the linear electrode (V1), Butler-Volmer kinetics in a thick electrode (V3),
 * converged values of the full nonlinear problem (V4) and of voltage control with unequal exponents (V4b). */
#include "verify_electrode.h"

#define GRIDS 6 /* 32 .. 1024 cells */

typedef struct {
  double c_0, phi_0, phi_L, i_L;
} Edges;

static void solve_edges(const ScoriaElectrode *el, double (*profile)(double), const double theta[], int cells, Edges *e)
{
  double eps[1024], c[1024], phi[1024], face;
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  fill_profile(profile, cells, eps);
  solver_for(PETSC_COMM_SELF, el, cells, &solver);
  solve_profiles(solver, theta, eps, c, phi, &status);
  assert_true(status.reason > 0);
  separator_of(solver, &face, &e->i_L);
  e->c_0   = at_edge(c, 1);
  e->phi_0 = at_edge(phi, 1);
  e->phi_L = at_edge(phi + cells - 1, -1);
  CHECK(ScoriaSolverDestroy(&solver));
}

/* The continuum values: what the grids 32, 64, ..., 1024 tend to. */
static void continuum_edges(const ScoriaElectrode *el, double (*profile)(double), double U0, double F_right,
                            Edges *limit)
{
  const double theta[SCORIA_NTHETA] = {U0, F_right, 1e-5};
  double value[4][GRIDS];
  for (int g = 0; g < GRIDS; g++) {
    Edges e;
    solve_edges(el, profile, theta, 32 << g, &e);
    value[0][g] = e.c_0;
    value[1][g] = e.phi_0;
    value[2][g] = e.phi_L;
    value[3][g] = e.i_L;
  }
  *limit = (Edges){richardson(GRIDS, value[0]), richardson(GRIDS, value[1]), richardson(GRIDS, value[2]),
                   richardson(GRIDS, value[3])};
}

/* The tables print six decimals of c and i, nine of phi: half a unit of the last, and as much again for extrapolation.
 */
#define C_TOLERANCE 1e-6
#define PHI_TOLERANCE 1e-9

static void converged_values(void **state)
{
  static const struct {
    double (*profile)(double);
    double F_right, c_0, phi_0, phi_L;
  } row[] = {
      /* c(0) of this row: 2434.47978269 by Chebyshev collocation of the same equations, 60 and 80 points, in another
         language */
      {eps_homogeneous, 48.6854917, 2434.479783, -.069319583, -.122476412},
      {eps_homogeneous, -48.6854917, 550.587978, .099283162, .136983477},
      {eps_homogeneous, 20, 1350.926779, -.051250572, -.069715953},
      {eps_cosine, 48.6854917, 1685.906570, -.091463125, -.123000342},
      {eps_cosine, -48.6854917, 658.404361, .109317726, .135664117},
      {eps_cosine, 20, 1216.068013, -.061243554, -.073329423},
  };
  ScoriaElectrode el;
  (void)state;
  electrode_from("electrode: {set: chen2020_negative, model: newman}\n", &el);
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    Edges e;
    continuum_edges(&el, row[i].profile, 0.0, row[i].F_right, &e);
    assert_near(e.c_0, row[i].c_0, C_TOLERANCE);
    assert_near(e.phi_0, row[i].phi_0, PHI_TOLERANCE);
    assert_near(e.phi_L, row[i].phi_L, PHI_TOLERANCE);
    assert_near(e.i_L, row[i].F_right, 1e-12 * fabs(row[i].F_right));
  }
}

static void separator_values(void **state)
{
  static const struct {
    double F_right, U0, c_0, phi_0, phi_L, i_L;
  } row[] = {
      {0, .05, 846.473336, -.009058926, -.000403368, -10.285877},
      {20, -.05, 1222.508748, .010000063, -.000330644, 11.568578},
  };
  ScoriaElectrode el;
  (void)state;
  electrode_from("electrode: {set: chen2020_negative, model: newman, bruggeman_D: 2.0, g_sep: 2.55e4}\n", &el);
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    Edges e;
    continuum_edges(&el, eps_cosine, row[i].U0, row[i].F_right, &e);
    assert_near(e.c_0, row[i].c_0, C_TOLERANCE);
    assert_near(e.phi_0, row[i].phi_0, PHI_TOLERANCE);
    assert_near(e.phi_L, row[i].phi_L, PHI_TOLERANCE);
    assert_near(e.i_L, row[i].i_L, C_TOLERANCE);
  }
}

/* psi = phi + U0 = -G x + A cosh(mu x) + B sinh(mu x), mu^2 = a_s k_rn / kappa_eff. */
static double linear_potential(const ScoriaElectrode *el, double eps, double F_right, double x)
{
  const double kappa = el->kappa0 * pow(eps, el->b_kappa), mu = sqrt(el->a_s0 * (1 - eps) * el->k_rn / kappa);
  const double muL = mu * el->L, A = (el->G - F_right / kappa - el->G * cosh(muL)) / (mu * sinh(muL));
  return -el->G * x + A * cosh(mu * x) + el->G / mu * sinh(mu * x);
}

static double eps_article(double t)
{
  (void)t;
  return 0.35;
}

static void linear_closed_form(void **state)
{
  const double U0 = 0.1, F_right = 25.0;
  ScoriaElectrode el;
  Edges e;
  (void)state;
  electrode_from("electrode: {set: article}\n", &el);
  /* the closed form as coded here against the printed digits, half a unit of the last; eps = 0.35 */
  assert_near(linear_potential(&el, 0.35, F_right, 0.0), -7.740289249835, 1e-12);
  assert_near(linear_potential(&el, 0.35, F_right, el.L), -7.746338354178, 1e-12);
  continuum_edges(&el, eps_article, U0, F_right, &e);
  /* |u| = 300 thermal voltages: rounding of 3e-14 V a cell, amplified by the extrapolation */
  assert_near(e.phi_0 + U0, -7.740289249835, 1e-11);
  assert_near(e.phi_L + U0, -7.746338354178, 1e-11);
  /* c - c_R = (1 - t+) kappa0 / (F D0) (psi - psi(L)); 6 mV are known to 1e-11 V */
  const double slope = (1.0 - el.t_plus) * el.kappa0 / (FARADAY * el.D0);
  assert_near(e.c_0, el.c_R + slope * (-7.740289249835 + 7.746338354178), 2e-11 * slope);
}

/* V3: tanh(F eta / 8RT) = tanh(F eta_L / 8RT) exp(-mu (L - x)), with i(L) = 4 sqrt(kappa a_s j0 RT/F) sinh(F eta_L /
 * 4RT). t+ = 1 keeps c at c_R; 25 decay lengths make the electrode infinite to e^-25. */
static void thick_electrode(void **state)
{
  enum { COARSE = 512 };
  ScoriaElectrode el;
  (void)state;
  electrode_from(
      "electrode: {set: chen2020_negative, model: newman, electrolyte: constant, kappa0: 1.1, D0: 1e-10, t_plus: 1}\n",
      &el);
  const double eps = 0.25, thermal = GAS_CONSTANT * el.T / FARADAY, kappa = el.kappa0 * pow(eps, el.b_kappa);
  const double a_s = 3.0 * el.f_AM * (1.0 - eps) / el.R_p, j0 = el.m_rate * sqrt(el.c_R * el.c_s * (el.c_max - el.c_s));
  const double mu = sqrt(a_s * j0 / (thermal * kappa)), eta_L = 6.0 * thermal;
  const double F_right = 4.0 * sqrt(kappa * a_s * j0 * thermal) * sinh(0.25 * eta_L / thermal);
  double error[2];
  el.L = 25.0 / mu;
  for (int g = 0; g < 2; g++) {
    const int cells                   = COARSE << g;
    const double theta[SCORIA_NTHETA] = {0.0, F_right, 1e-5};
    double porosity[2 * COARSE], c[2 * COARSE], phi[2 * COARSE];
    ScoriaSolver solver;
    ScoriaSolveStatus status;
    fill_profile(eps_homogeneous, cells, porosity);
    solver_for(PETSC_COMM_SELF, &el, cells, &solver);
    solve_profiles(solver, theta, porosity, c, phi, &status);
    CHECK(ScoriaSolverDestroy(&solver));
    assert_true(status.reason > 0);
    error[g] = 0;
    for (int i = 0; i < cells; i++) {
      const double ahead = (cells - i - 0.5) * el.L / cells;
      const double exact = 8.0 * thermal * atanh(tanh(0.125 * eta_L / thermal) * exp(-mu * ahead));
      error[g]           = fmax(error[g], fabs(-phi[i] - exact) / thermal);
      assert_near(c[i], el.c_R, 1e-9 * el.c_R);
    }
  }
  /* second order: (mu h)^2 = 6e-4 on the finer grid, times derivatives of order one */
  assert_true(error[1] < 1e-3);
  assert_near(log2(error[0] / error[1]), 2.0, 0.1);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(linear_closed_form), cmocka_unit_test(thick_electrode),
                                     cmocka_unit_test(converged_values), cmocka_unit_test(separator_values)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
