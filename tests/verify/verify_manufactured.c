/* Manufactured solutions (V6): for every model, electrolyte and boundary law, the observed order on four grids is 2.
 *
 *   phi = p0 + p1 cos(q x / L),   c = c_R [1 + a (cos(k x / L) - cos k)],
 *
 * which satisfy the collector's conditions and c(L) = c_R; the charge and salt sources are the cells' means of the
 * divergence of the exact fluxes (a difference of face values) less the reaction at the centre, and F_right is what the
 * separator's law needs. Fluxes and reactions are written here from the equations, not taken from the solver. */
#include "verify_electrode.h"

#define GRIDS 4
#define FINEST 256

typedef struct {
  const char *name, *deck;
} Case;

static const Case cases[] = {
    {"linear, article", "electrode: {set: article}\n"},
    {"linear, logarithmic term", "electrode: {set: article, chi: 1, bruggeman_D: 2.1}\n"},
    {"linear, separator", "electrode: {set: article, g_sep: 3000}\n"},
    {"linear, variable properties", "electrode: {set: article, electrolyte: capiglia1999, chi: 1, g_sep: 500}\n"},
    {"newman, nyman", "electrode: {set: chen2020_negative, bruggeman_kappa: 1.5, bruggeman_D: 1.8}\n"},
    {"newman, separator", "electrode: {set: chen2020_positive, g_sep: 2.55e4}\n"},
    {"newman, capiglia", "electrode: {set: marquis2019_negative, bruggeman_D: 2.2}\n"},
    {"newman, constant",
     "electrode: {set: marquis2019_positive, electrolyte: constant, kappa0: 1, D0: 2e-10, g_sep: 4.42e4}\n"},
};
#define CASES (sizeof cases / sizeof *cases)

static const double p0 = -0.06, p1 = 0.02, q = 1.9, a = 0.35, k = 1.4;

static double exact_phi(const ScoriaElectrode *el, double x)
{
  return p0 + p1 * cos(q * x / el->L);
}

static double exact_c(const ScoriaElectrode *el, double x)
{
  return el->c_R * (1.0 + a * (cos(k * x / el->L) - cos(k)));
}

static double profile(double t)
{
  return 0.3 + 0.09 * sin(4.0 * t + 0.3);
}

/* i_e [A m^-2] and D_eff dc/dx [mol m^-2 s^-1] of the exact fields. */
static void exact_flux(const ScoriaElectrode *el, double x, double *current, double *salt)
{
  const double t = x / el->L, eps = profile(t), c = exact_c(el, x);
  const double dphi = -p1 * q / el->L * sin(q * t), dc = -el->c_R * a * k / el->L * sin(k * t);
  double kappa, dkappa, D, dD;
  scoria_electrolytes[el->electrolyte].evaluate(el, 1, &c, &kappa, &dkappa, &D, &dD);
  kappa *= pow(eps, el->b_kappa);
  *current = -kappa * dphi + el->chi * 2.0 * GAS_CONSTANT * el->T / FARADAY * (1.0 - el->t_plus) * kappa * dc / c;
  *salt    = D * pow(eps, el->b_D) * dc;
}

/* a_s j [A m^-3] */
static double exact_reaction(const ScoriaElectrode *el, double x, double U0)
{
  const double eps = profile(x / el->L), eta = -el->G * x - exact_phi(el, x) - U0;
  if (scoria_models[el->model] == &scoria_linear) return el->a_s0 * (1.0 - eps) * el->k_rn * eta;
  const double j0 = el->m_rate * sqrt(exact_c(el, x) * el->c_s * (el->c_max - el->c_s));
  return 3.0 * el->f_AM * (1.0 - eps) / el->R_p * 2.0 * j0 * sinh(0.5 * FARADAY * eta / (GAS_CONSTANT * el->T));
}

static void solve_case(const ScoriaElectrode *el, int cells, double *error_c, double *error_phi)
{
  const double h = el->L / cells, U0 = 0.01;
  double eps[FINEST], charge[FINEST], salt[FINEST], c[FINEST], phi[FINEST], current, flux;
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  fill_profile(profile, cells, eps);
  for (int i = 0; i < cells; i++) {
    double left[2], right[2];
    exact_flux(el, i * h, &left[0], &left[1]);
    exact_flux(el, (i + 1) * h, &right[0], &right[1]);
    const double reaction = exact_reaction(el, (i + 0.5) * h, U0);
    charge[i]             = (right[0] - left[0]) / h - reaction;
    salt[i]               = (right[1] - left[1]) / h + (1.0 - el->t_plus) * reaction / FARADAY;
  }
  exact_flux(el, el->L, &current, &flux);
  const double theta[SCORIA_NTHETA] = {U0, current - el->g_sep * exact_phi(el, el->L), 1e-5};
  CHECK(ScoriaSolverCreate(PETSC_COMM_SELF, el, cells, &solver));
  CHECK(ScoriaSolverSetSource(solver, charge, salt));
  CHECK(ScoriaSolverSolve(solver, theta, eps, c, phi, &status));
  CHECK(ScoriaSolverDestroy(&solver));
  assert_true(status.reason > 0);
  *error_c = *error_phi = 0;
  for (int i = 0; i < cells; i++) {
    const double x = (i + 0.5) * h;
    *error_c += pow(c[i] - exact_c(el, x), 2) / cells;
    *error_phi += pow(phi[i] - exact_phi(el, x), 2) / cells;
  }
  *error_c   = sqrt(*error_c);
  *error_phi = sqrt(*error_phi);
}

static void second_order(void **state)
{
  (void)state;
  for (size_t i = 0; i < CASES; i++) {
    ScoriaElectrode el;
    double error_c[GRIDS], error_phi[GRIDS];
    electrode_from(cases[i].deck, &el);
    for (int g = 0; g < GRIDS; g++) solve_case(&el, (FINEST >> (GRIDS - 1)) << g, &error_c[g], &error_phi[g]);
    for (int g = 1; g < GRIDS; g++) {
      const double order_c = log2(error_c[g - 1] / error_c[g]), order_phi = log2(error_phi[g - 1] / error_phi[g]);
      if (!(fabs(order_c - 2.0) <= 0.1 && fabs(order_phi - 2.0) <= 0.1))
        fail_msg("%s, grid %d: order %.3f in c, %.3f in phi (errors %.2e, %.2e), expected 2 within 0.1", cases[i].name,
                 g, order_c, order_phi, error_c[g], error_phi[g]);
    }
  }
}

/* A model that no case covers would escape the verification. */
static void every_model_is_verified(void **state)
{
  (void)state;
  for (int m = 0; scoria_models[m]; m++) {
    int found = 0;
    for (size_t i = 0; i < CASES; i++) {
      ScoriaElectrode el;
      electrode_from(cases[i].deck, &el);
      found += el.model == m;
    }
    if (!found) fail_msg("no manufactured solution for the model %s", scoria_models[m]->name);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_model_is_verified), cmocka_unit_test(second_order)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
