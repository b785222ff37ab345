/* ranks: 2
 * Derived fields: the balances of the finite volumes hold for them in one, two and three dimensions, steady and in
 * time, for every variant of every problem; they are what the formulas say, and of second order; decks name them. */
#include "verify_electrode.h"
#include "verify_problem.h"

enum { CELLS = 24, REACTION = 0, CURRENT, OVERPOTENTIAL, DERIVED };

static const int all[DERIVED] = {REACTION, CURRENT, OVERPOTENTIAL};

/* Of one solve at a rough porosity, as profiles. */
typedef struct {
  double state[3][CELLS], derived[DERIVED][CELLS], eps[CELLS], i_L, h, charge;
} Solution;

static void solve_variant(const Variant *v, const ScoriaGrid *grid, double time, Solution *out)
{
  const double theta[] = {0.02, 15.0, 1e-5, time};
  const int fields     = ((const ScoriaElectrode *)v->p)->ohmic ? 3 : 2;
  double *eps, outflow;
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  CHECK(ScoriaSolverCreate(PETSC_COMM_WORLD, v->problem, v->p, grid, &solver));
  CHECK(ScoriaSolverSetTime(solver, time > 0 ? 3 : -1, 1e-4));
  solver_set_derived(solver, DERIVED, all);
  CHECK(PetscMalloc1(solver_own_cells(solver), &eps));
  fill_manufactured_eps(solver->d, eps);
  CHECK(ScoriaSolverSolve(solver, theta, eps, &status));
  if (status.reason <= 0) fail_msg("%s: reason %d", v->deck, status.reason);
  for (int f = 0; f < fields; f++) CHECK(ScoriaSolverProfile(solver, f, out->state[f], NULL));
  for (int f = 0; f < DERIVED; f++) CHECK(ScoriaSolverProfile(solver, fields + f, out->derived[f], NULL));
  CHECK(ScoriaSolverAverage(solver, eps, out->eps, NULL));
  CHECK(ScoriaSolverBalance(solver, U, &outflow, &out->charge));
  const ScoriaElectrode *el = solver->p;
  out->i_L                  = outflow * el->at.i_scale;
  out->charge               = fabs(outflow - out->charge) / fmax(fabs(outflow), 1.0 / el->at.i_scale);
  out->h                    = grid->length[0] / grid->n[0];
  if (el->g_sep == 0) assert_near(out->i_L, theta[1], 1e-12 * theta[1]);
  CHECK(PetscFree(eps));
  CHECK(ScoriaSolverDestroy(&solver));
}

/* 1-D: the rounding of phi, 300 thermal voltages of the article, in differences over a cell.  Beyond, the last linear
 * system is solved to a hundredth of its residual: see newton.c. */
#define DIRECT 1e-11
#define ITERATED 1e-7

static void check_balances(const Variant *v, const Solution *s, double tolerance, const char *what)
{
  const double *j = s->derived[REACTION], *i_e = s->derived[CURRENT], scale = fmax(fabs(s->i_L), 1.0);
  double face = 0, defect = 0;
  for (int k = 0; k < CELLS; k++) {
    defect = fmax(defect, fabs(i_e[k] - (face + 0.5 * j[k] * s->h)) / scale);
    face += j[k] * s->h;
  }
  if (!(fabs(face - s->i_L) <= tolerance * scale))
    fail_msg("%s: %s: the sum of a_s j is %.15g A m^-2, the current %.15g", what, v->deck, face, s->i_L);
  if (!(defect <= tolerance)) fail_msg("%s: %s: i_e is %.2e away from the sum of a_s j", what, v->deck, defect);
}

static void balance_of_variant(const Variant *v)
{
  if (v->problem != &scoria_electrode) return;
  for (int dim = 1; dim <= 3; dim++) {
    ScoriaGrid grid = variant_grid(v, dim, 6);
    Solution s;
    grid.n[0] = CELLS;
    solve_variant(v, &grid, 0, &s);
    check_balances(v, &s, dim == 1 ? DIRECT : ITERATED, dim == 1 ? "1-D" : (dim == 2 ? "2-D" : "3-D"));
    if (dim == 3) continue;
    solve_variant(v, &grid, 30, &s);
    check_balances(v, &s, dim == 1 ? DIRECT : ITERATED, dim == 1 ? "1-D in time" : "2-D in time");
  }
}

static void balances_hold(void **state)
{
  (void)state;
  each_variant(balance_of_variant);
}

/* The kinetics written out here, from the fields of a file; rounding of phi beside the thermal voltage. */
static void formulas_of_variant(const Variant *v)
{
  if (v->problem != &scoria_electrode) return;
  const ScoriaElectrode *el = v->p;
  const ScoriaGrid grid     = line_grid(CELLS, el->L);
  Solution s;
  solve_variant(v, &grid, 0, &s);
  for (int k = 0; k < CELLS; k++) {
    const double phi_s = el->ohmic ? s.state[2][k] : -el->G * (k + 0.5) * s.h, eta = phi_s - s.state[1][k] - 0.02;
    const double c = s.state[0][k], RT = GAS_CONSTANT * el->T;
    const double rate  = el->m_rate * exp(isnan(el->E_m) ? 0 : el->E_m / GAS_CONSTANT * (1 / 298.15 - 1 / el->T));
    const double j0    = rate * sqrt(c * el->c_s * (el->c_max - el->c_s));
    const double a_s_j = scoria_kinetics[el->model] == &scoria_linear
                             ? el->a_s0 * (1 - s.eps[k]) * el->k_rn * eta
                             : 3 * el->f_AM * (1 - s.eps[k]) / el->R_p * 2 * j0 * sinh(FARADAY * eta / (2 * RT));
    assert_near(s.derived[OVERPOTENTIAL][k], eta, 1e-12);
    assert_near(s.derived[REACTION][k], a_s_j, 1e-9 * fabs(s.i_L) / el->L);
  }
}

static void values_are_the_formulas(void **state)
{
  (void)state;
  each_variant(formulas_of_variant);
}

/* Linear kinetics, eps = .35, in closed form: psi = phi + U0 = -G x + A cosh(mu x) + B sinh(mu x). */
static void second_order(void **state)
{
  const double U0 = 0.1, F_right = 25.0, theta[] = {U0, F_right, 1e-5}, eps = 0.35;
  const double scale[DERIVED] = {F_right / 1e-4, F_right, 5e-3}; /* sizes of the three */
  double error[DERIVED][2]    = {{0}}, profile[256], porosity[256];
  ScoriaElectrode el;
  (void)state;
  electrode_from("electrode: {set: article}\n", &el);
  const double kappa = el.kappa0 * pow(eps, el.b_kappa), a_s = el.a_s0 * (1 - eps), mu = sqrt(a_s * el.k_rn / kappa);
  const double B = el.G / mu, muL = mu * el.L, A = (el.G - F_right / kappa - el.G * cosh(muL)) / (mu * sinh(muL));
  for (int i = 0; i < 256; i++) porosity[i] = eps;
  for (int g = 0; g < 2; g++) {
    const int cells = 128 << g;
    ScoriaSolver solver;
    ScoriaSolveStatus status;
    solver_for(PETSC_COMM_SELF, &el, cells, &solver);
    solver_set_derived(solver, DERIVED, all);
    CHECK(ScoriaSolverSolve(solver, theta, porosity, &status));
    for (int f = 0; f < DERIVED; f++) {
      CHECK(ScoriaSolverProfile(solver, 2 + f, profile, NULL));
      for (int k = 0; k < cells; k++) {
        const double x = (k + 0.5) * el.L / cells, eta = -A * cosh(mu * x) - B * sinh(mu * x);
        const double slope          = -el.G + mu * (A * sinh(mu * x) + B * cosh(mu * x));
        const double exact[DERIVED] = {a_s * el.k_rn * eta, -kappa * slope, eta};
        error[f][g]                 = fmax(error[f][g], fabs(profile[k] - exact[f]) / scale[f]);
      }
    }
    CHECK(ScoriaSolverDestroy(&solver));
  }
  for (int f = 0; f < DERIVED; f++) {
    assert_true(error[f][1] < 1e-3);
    assert_near(log2(error[f][0] / error[f][1]), 2.0, 0.1);
  }
}

/* ------------------------------------------------------------------------------------------------- of a deck ---- */

#define DECK                                                                                                           \
  "electrode: {set: article}\nconditions: {U0: [-0.1, 0.1], F_right: [10, 30]}\nporosity: {ell: 2e-5}\n"               \
  "ensemble: {cells: [24], conditions: 4, realisations: 2"

static bool open_ensemble(const char *text, ScoriaEnsemble *ens, ScoriaDatasetSpec *spec)
{
  static const ScoriaKey *tables[MAX_TABLES + 1] = {scoria_base_keys, scoria_physics_keys};
  const double *x;
  ScoriaDeck deck;
  tables[2 + problem_key_tables(MAX_TABLES - 2, tables + 2)] = NULL;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, tables, &deck));
  const bool made = !ScoriaEnsembleCreate(PETSC_COMM_SELF, deck, ens);
  if (made) CHECK(ScoriaEnsembleSpec(*ens, spec, &x));
  CHECK(ScoriaDeckDestroy(&deck));
  return made;
}

/* Behind the states and before the porosity, as fields of state; those are the same to the last bit. */
static void a_deck_names_them(void **state)
{
  static const char *const names[] = {"c", "phi", "eta", "j", "eps"};
  const double theta[]             = {0.05, 20, 2e-5};
  const uint64_t id                = 3;
  double twin[4 * CELLS];
  ScoriaEnsemble ens[2];
  ScoriaDatasetSpec spec[2];
  ScoriaRows rows[2];
  (void)state;
  assert_true(open_ensemble(DECK ", derived: [eta, j]}\n", &ens[0], &spec[0]));
  assert_true(open_ensemble(DECK "}\n", &ens[1], &spec[1]));
  assert_int_equal(spec[0].nfields, 5);
  for (int f = 0; f < 5; f++) {
    assert_string_equal(spec[0].field[f].name, names[f]);
    assert_int_equal(field_is_state(&spec[0].field[f]), f < 4);
  }
  for (int i = 0; i < 2; i++) {
    CHECK(ScoriaRowsCreate(&spec[i], 1, &rows[i]));
    CHECK(ScoriaEnsembleCompute(ens[i], 1, theta, &id, NULL, &rows[i]));
  }
  for (int f = 0; f < 2; f++) assert_memory_equal(rows[0].field[f], rows[1].field[f], CELLS * sizeof(double));
  assert_true(isnan(ensemble_reference(ens[0], 2)) && ensemble_reference(ens[0], 0) == 1000);
  /* the twin has them too: a_s j at its porosity adds up to the current */
  CHECK(ScoriaEnsembleTwin(ens[0], theta, twin));
  double sum = 0;
  for (int k = 0; k < CELLS; k++) sum += twin[3 * CELLS + k] * 1e-4 / CELLS;
  assert_near(sum, theta[1], DIRECT * theta[1]);
  for (int i = 0; i < 2; i++) {
    CHECK(ScoriaRowsDestroy(&rows[i]));
    CHECK(ScoriaEnsembleDestroy(&ens[i]));
  }
}

static void heat_has_its_flux(void **state)
{
  const double theta[] = {300, 800, 0.02};
  const uint64_t id    = 1;
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  ScoriaRows rows;
  (void)state;
  assert_true(open_ensemble("ensemble: {problem: heat, cells: [24], derived: [flux]}\nporosity: {ell: 0.02}\n"
                            "conditions: {q_left: [500, 1000]}\n",
                            &ens, &spec));
  CHECK(ScoriaRowsCreate(&spec, 1, &rows));
  CHECK(ScoriaEnsembleCompute(ens, 1, theta, &id, NULL, &rows));
  /* steady, without a source: what enters passes every face; the rounding of T in differences over a cell */
  for (int k = 0; k < CELLS; k++) assert_near(rows.field[1][k], theta[1], 1e-9 * theta[1]);
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaEnsembleDestroy(&ens));
}

/* Fields that cannot be negative: T; c, but where nothing in the equations stops it, as with the article's constants.
 */
static void positive_fields_have_bounds(void **state)
{
  static const struct {
    const char *deck;
    bool first;
  } known[] = {{"electrode: {set: chen2020_negative}\nconditions: {U0: [0.1, 0.2], F_right: [5, 20]}\n"
                "porosity: {ell: 2e-5}\nensemble: {cells: [24], conditions: 4, derived: [j]}\n",
                true},
               {DECK ", derived: [j]}\n", false},
               {"ensemble: {problem: heat, cells: [24], derived: [flux]}\nporosity: {ell: 0.02}\n"
                "conditions: {q_left: [500, 1000]}\n",
                true}};
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  double bounds[2];
  (void)state;
  for (int i = 0; i < 3; i++) {
    assert_true(open_ensemble(known[i].deck, &ens, &spec));
    assert_true(ensemble_bounds(ens, 0, bounds) == known[i].first && bounds[1] == INFINITY);
    assert_true(bounds[0] == (known[i].first ? 0 : -INFINITY));
    for (int f = 1; f < spec.nfields; f++) assert_false(ensemble_bounds(ens, f, bounds));
    CHECK(ScoriaEnsembleDestroy(&ens));
  }
}

static void others_are_refused(void **state)
{
  static const struct {
    const char *deck, *line;
  } bad[] = {{DECK ", derived: [j, i]}\n", "ensemble_derived: found \"i\", allowed for problem electrode: j, i_e, eta"},
             {DECK ", derived: [j, j]}\n", "ensemble_derived: j is there twice"}};
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_false(open_ensemble(bad[i].deck, &ens, &spec));
    assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
    assert_string_equal(ScoriaFailureLine(), bad[i].line);
    ScoriaFailureReset();
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(balances_hold),     cmocka_unit_test(values_are_the_formulas),
                                     cmocka_unit_test(second_order),      cmocka_unit_test(a_deck_names_them),
                                     cmocka_unit_test(heat_has_its_flux), cmocka_unit_test(positive_fields_have_bounds),
                                     cmocka_unit_test(others_are_refused)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
